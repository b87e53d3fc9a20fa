import assert from "node:assert/strict";
import { test } from "node:test";

import { Playout } from "../../../call/page/sound/playout.js";
import { Resampler } from "../../../call/page/sound/resample.js";
import { PACKET, RATE, largestStep, rms, voice } from "./sounds.mjs";

/** How often a sound crosses zero upwards, a second. */
function pitch(samples, rate) {
  let crossings = 0;
  for (let i = 1; i < samples.length; i += 1) if (samples[i - 1] < 0 && samples[i] >= 0) crossings += 1;
  return (crossings * rate) / samples.length;
}

function sine(hz, rate, count) {
  return Float32Array.from({ length: count }, (_, i) => 0.4 * Math.sin((2 * Math.PI * hz * i) / rate));
}

for (const from of [16000, 44100, 96000]) {
  test(`a microphone of ${from} Hz is heard at its pitch, without seams`, () => {
    const resampler = new Resampler(from, RATE);
    const input = sine(300, from, from);
    const out = [];
    for (let at = 0; at < input.length; at += 128) out.push(...resampler.take(input.subarray(at, at + 128)));
    assert.ok(Math.abs(out.length - RATE) <= 3, `${out.length}`);
    const heard = Float32Array.from(out.slice(200));
    const wanted = sine(300, RATE, RATE);
    assert.ok(Math.abs(pitch(heard, RATE) - 300) < 2);
    assert.ok(Math.abs(rms(heard) - rms(wanted)) < 0.01);
    assert.ok(largestStep(heard) < 1.1 * largestStep(wanted), "no seam between two pieces");
  });
}

test("a microphone of 48 kHz is left as it is", () => {
  const input = sine(300, RATE, 128);
  assert.equal(new Resampler(RATE, RATE).take(input), input);
});

for (const rate of [16000, 44100, 96000]) {
  test(`a loudspeaker of ${rate} Hz plays at the same pitch and pace, and bridges a hole`, () => {
    const playout = new Playout(rate);
    const block = new Float32Array(128);
    const out = [];
    let next = 0;
    for (let played = 0; played < 3 * rate; played += block.length) {
      for (; next * 60 <= (played / rate) * 1000; next += 1) {
        if (next !== 40) playout.push(next * 60, voice(150, next * PACKET, PACKET));
      }
      playout.read(block);
      out.push(...block);
    }
    const heard = Float32Array.from(out.slice(rate, 2 * rate));
    assert.ok(Math.abs(pitch(heard, rate) - 150) < 3, `${pitch(heard, rate)}`);
    assert.ok(Math.abs(rms(heard) - rms(voice(150, 0, RATE))) < 0.02);
    assert.ok(Math.abs(playout.positionMs - 3000) < 150, `${playout.positionMs}`);
    assert.ok(playout.counts.concealed > 0.03 * rate, "what was missing is made up");
    assert.ok(out.every(Number.isFinite));
  });
}
