import assert from "node:assert/strict";
import { test } from "node:test";

import { PictureTiming } from "../../../call/page/sync.js";

/**
 * Sound heard `soundDelay` ms after capture and pictures here `pictureDelay` ms after it, 30 a second; the sound waits as
 * it is asked to. Returns the skew of every picture.
 */
function watch(timing, { soundDelay, pictureDelay, seconds }) {
  const skews = [];
  for (let i = 0; i < seconds * 30; i += 1) {
    const capture = (i * 1000) / 30;
    const now = capture + pictureDelay(i);
    timing.hear(now - (soundDelay + timing.extraMs), now);
    const shown = timing.showAt(capture, now);
    assert.ok(shown >= now);
    skews.push(capture + soundDelay + timing.extraMs - shown);
  }
  return skews;
}

const inStep = (skews) => skews.filter((skew) => skew >= -45 && skew <= 125).length / skews.length;

test("pictures wait for the sound", () => {
  const timing = new PictureTiming();
  assert.equal(inStep(watch(timing, { soundDelay: 240, pictureDelay: () => 60, seconds: 3 })), 1);
  assert.ok(Math.abs(timing.skewMs - 40) < 1);
  assert.ok(timing.extraMs < 1);
});

test("late pictures make the sound wait, until they are in step", () => {
  const timing = new PictureTiming();
  const skews = watch(timing, { soundDelay: 90, pictureDelay: (i) => 200 + (i % 7) * 4, seconds: 40 });
  assert.ok(skews[0] < -45, "out of step at first");
  assert.equal(inStep(skews.slice(-300)), 1);
  assert.ok(timing.extraMs > 60 && timing.extraMs < 200, `${timing.extraMs}`);
});

test("the sound stops waiting when pictures are quick again", () => {
  const timing = new PictureTiming();
  watch(timing, { soundDelay: 90, pictureDelay: () => 220, seconds: 40 });
  const asked = timing.extraMs;
  watch(timing, { soundDelay: 90, pictureDelay: () => 70, seconds: 60 });
  assert.ok(timing.extraMs < 0.2 * asked, `${asked} then ${timing.extraMs}`);
});

test("without sound a picture is shown at once", () => {
  const timing = new PictureTiming();
  assert.equal(timing.showAt(1000, 7), 7);
  timing.hear(900, 0);
  assert.equal(timing.showAt(1000, 10), 60);
  assert.equal(timing.showAt(1000, 700), 700, "the sound has stopped since");
  timing.hear(null, 710);
  assert.equal(timing.showAt(1000, 720), 720);
});

test("a picture of quite another time is not held", () => {
  const timing = new PictureTiming();
  timing.hear(1000, 50);
  assert.equal(timing.showAt(90000, 60), 60);
  assert.equal(timing.showAt(-90000, 60), 60);
});

test("pictures that are far too late do not hold the sound back, and the skew says how late they are", () => {
  const timing = new PictureTiming();
  watch(timing, { soundDelay: 90, pictureDelay: () => 1400, seconds: 30 });
  assert.ok(timing.extraMs < 1, `${timing.extraMs}`);
  assert.ok(Math.abs(timing.skewMs + 1310) < 5, `${timing.skewMs}`);
});
