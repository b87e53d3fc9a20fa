import assert from "node:assert/strict";
import { test } from "node:test";

import { Concealer, HISTORY_MS, findPeriod } from "../../../call/page/sound/conceal.js";
import { Playout } from "../../../call/page/sound/playout.js";
import { PACKET, RATE, largestStep, play, rms, seeded, simulate, voice } from "./sounds.mjs";

const packet = (hz) => (index) => voice(hz, index * PACKET, PACKET);
const HISTORY = (HISTORY_MS * RATE) / 1000;

for (const hz of [90, 140, 220, 350]) {
  test(`the period of a voice of ${hz} Hz is found`, () => {
    const period = findPeriod(voice(hz, 0, HISTORY), RATE);
    const cycles = period / (RATE / hz);
    assert.ok(Math.abs(cycles - Math.round(cycles)) * (RATE / hz) < 2.5, `${period} samples are ${cycles} cycles`);
  });
}

test("made-up sound goes on with the voice, then fades to silence", () => {
  const concealer = new Concealer(RATE);
  const history = voice(140, 0, HISTORY);
  concealer.begin(history);
  const made = Float32Array.from({ length: RATE / 4 }, () => concealer.next());
  const real = voice(140, HISTORY, 960);
  const error = rms(made.subarray(0, 960).map((value, i) => value - real[i]));
  assert.ok(error < 0.1 * rms(real), `${error}`);
  assert.ok(Math.abs(made[0] - history.at(-1)) < 2 * largestStep(real));
  assert.ok(rms(made.subarray(3600, 4800)) < 0.6 * rms(real));
  assert.equal(rms(made.subarray(6000)), 0);
});

test("on a steady link what goes in comes out, sample for sample", () => {
  const playout = new Playout(RATE);
  const { out, delays } = simulate(playout, { packets: 20, arrival: () => 5, sound: packet(200) });
  const lag = Math.round((delays.at(-1) * RATE) / 1000);
  const heard = out.subarray(RATE / 2, RATE);
  const sent = voice(200, RATE / 2 - lag, RATE / 2);
  assert.ok(rms(heard.map((value, i) => value - sent[i])) < 0.01, "delay is known to a sample or so");
  assert.equal(playout.counts.skipped, 0);
  assert.ok(delays.at(-1) < 60 + 5 + 30, `${delays.at(-1)} ms from capture to output`);
});

test("a lost packet is bridged without a click", () => {
  const playout = new Playout(RATE);
  const sound = packet(150);
  const { out } = simulate(playout, { packets: 20, arrival: (i) => (i === 10 ? null : 5), sound });
  const clean = largestStep(voice(150, 0, RATE));
  assert.ok(largestStep(out.subarray(RATE / 4)) < 2.5 * clean, `${largestStep(out.subarray(RATE / 4))}`);
  assert.ok(playout.counts.concealed > 2000 && playout.counts.concealed < 3700, `${playout.counts.concealed}`);
  // 30 ms into the hole the voice is still there.
  const hole = Math.round((10 * 60 + 60 + 5 + 20) * 48);
  assert.ok(rms(out.subarray(hole, hole + 1440)) > 0.1);
});

test("jitter is learned: late packets leave holes at first, later none", () => {
  const playout = new Playout(RATE);
  const random = seeded(11);
  const arrival = () => 10 + 60 * random();
  simulate(playout, { packets: 100, arrival, sound: packet(150) });
  const before = playout.counts.concealed;
  assert.ok(before > 0, "60 ms of jitter do not fit the first headroom");
  const again = new Playout(RATE);
  again.pace = playout.pace;
  const { out } = simulate(again, { packets: 200, arrival, sound: packet(150) });
  const share = again.counts.concealed / out.length;
  assert.ok(share < 0.01, `${(share * 100).toFixed(2)} % made up`);
});

test("after the jitter ends the delay comes down again", () => {
  const playout = new Playout(RATE);
  const random = seeded(5);
  const { delays } = simulate(playout, {
    packets: 700,
    arrival: (i) => (i < 100 ? 5 + 120 * random() : 5),
    sound: packet(150),
  });
  assert.ok(Math.max(...delays.slice(50, 120)) > 130, `${Math.max(...delays.slice(50, 120))}`);
  assert.ok(delays.at(-1) < 105, `${delays.at(-1)} ms at the end`);
});

for (const ppm of [-300, 300]) {
  test(`clocks that differ by ${ppm} ppm for two minutes neither run dry nor pile up`, () => {
    const playout = new Playout(RATE);
    const { delays } = simulate(playout, { packets: 2000, arrival: () => 5, sound: packet(150), ppm });
    const steady = delays.slice(200).map((delay, i) => delay - ((i + 200) * 60 * ppm) / 1e6);
    assert.ok(Math.max(...steady) - Math.min(...steady) < 15, `${Math.min(...steady)}..${Math.max(...steady)}`);
    assert.equal(playout.counts.concealed, 0);
    assert.equal(playout.counts.skipped, 0);
  });
}

test("what a stall left over is skipped, and playing goes on near the present", () => {
  const playout = new Playout(RATE);
  const arrival = (i) => (i >= 50 && i < 83 ? (83 - i) * 60 + 5 : 5);
  const { out, delays } = simulate(playout, { packets: 250, arrival, sound: packet(150) });
  assert.ok(playout.counts.skipped > RATE, `${playout.counts.skipped}`);
  assert.ok(delays.at(-1) < 200, `${delays.at(-1)}`);
  assert.ok(rms(out.subarray(-4800)) > 0.2, "sound is heard at the end");
  assert.ok(largestStep(out.subarray(RATE)) < 0.08, `${largestStep(out.subarray(RATE))}`);
});

test("a pause of the other side (DTX) is silent and leaves the delay as it was", () => {
  const playout = new Playout(RATE);
  const { out, delays } = simulate(playout, {
    packets: 120,
    arrival: (i) => (i >= 40 && i < 90 ? null : 5),
    sound: packet(150),
  });
  assert.ok(Math.abs(delays.at(-1) - delays[30]) < 25, `${delays[30]} then ${delays.at(-1)}`);
  assert.equal(rms(out.subarray(60 * 2880, 80 * 2880)), 0);
  assert.ok(rms(out.subarray(-4800)) > 0.2);
});

test("a packet that comes after its hole was played is left out", () => {
  const playout = new Playout(RATE);
  playout.push(0, voice(150, 0, PACKET));
  playout.push(120, voice(150, 2 * PACKET, PACKET));
  playout.push(60, voice(150, PACKET, PACKET));
  assert.equal(playout.counts.late, PACKET);
});

test("packets that are repaired a packet time later are soon in time", () => {
  const playout = new Playout(RATE);
  const random = seeded(2);
  const arrival = () => (random() < 0.15 ? 65 : 5); // 15 % came only with the next message
  simulate(playout, { packets: 150, arrival, sound: packet(150) });
  const again = new Playout(RATE);
  again.pace = playout.pace;
  const { out } = simulate(again, { packets: 150, arrival, sound: packet(150) });
  assert.ok(again.counts.concealed / out.length < 0.02, `${again.counts.concealed} of ${out.length}`);
});

test("the picture may ask the sound to wait", () => {
  const playout = new Playout(RATE);
  playout.pace.extraMs = 60;
  const { delays } = simulate(playout, { packets: 60, arrival: () => 5, sound: packet(150) });
  assert.ok(delays.at(-1) > 135 && delays.at(-1) < 160, `${delays.at(-1)}`);
});

test("before anything came there is silence", () => {
  const playout = new Playout(RATE);
  assert.equal(playout.positionMs, null);
  assert.equal(rms(play(playout, 20)), 0);
});
