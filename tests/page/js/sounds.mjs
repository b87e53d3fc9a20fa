// Sounds for the tests, all at 48 kHz.

export const RATE = 48000;
export const PACKET = 2880;

/** A voice-like sound: a fundamental and its harmonics, in [-0.5, 0.5]. */
export function voice(hz, from, count) {
  return Float32Array.from({ length: count }, (_, i) => {
    const t = (from + i) / RATE;
    return 0.3 * Math.sin(2 * Math.PI * hz * t) + 0.2 * Math.sin(4 * Math.PI * hz * t + 0.3);
  });
}

export const rms = (samples) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

export function largestStep(samples) {
  let largest = 0;
  for (let i = 1; i < samples.length; i += 1) largest = Math.max(largest, Math.abs(samples[i] - samples[i - 1]));
  return largest;
}

/** The same numbers every time, in [0, 1). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Play for `ms` in the 128-sample steps of an AudioWorklet. */
export function play(playout, ms) {
  const out = [];
  const block = new Float32Array(128);
  while (out.length < (ms * RATE) / 1000) {
    playout.read(block);
    out.push(...block);
  }
  return Float32Array.from(out);
}

/**
 * Send packets to a playout as a network would, and play.
 *
 * @param {object} playout
 * @param {{packets: number, arrival: (index: number) => number|null, sound: (index: number) => Float32Array}} link
 *   arrival: ms after the capture of the packet's end, null for a packet that is lost
 * @returns {{out: Float32Array, delays: number[]}} delays: ms from capture to output, once each packet time
 */
export function simulate(playout, { packets, arrival, sound, ppm = 0 }) {
  const events = [];
  for (let i = 0; i < packets; i += 1) {
    const late = arrival(i);
    if (late !== null) events.push({ at: (i + 1) * 60 * (1 + ppm / 1e6) + late, index: i });
  }
  events.sort((a, b) => a.at - b.at);
  const out = [];
  const delays = [];
  const block = new Float32Array(128);
  const endMs = packets * 60;
  for (let frames = 0; (frames * 1000) / RATE < endMs; frames += 128) {
    const nowMs = (frames * 1000) / RATE;
    while (events.length > 0 && events[0].at <= nowMs) {
      const { index } = events.shift();
      playout.push(index * 60, sound(index));
    }
    if (frames % 2880 < 128 && playout.positionMs !== null) delays.push(nowMs - playout.positionMs);
    playout.read(block);
    out.push(...block);
  }
  return { out: Float32Array.from(out), delays };
}
