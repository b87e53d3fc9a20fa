// What a message says besides motion, and times: codec/FORMAT.md, "Symbols of a message" and "Constant tables".

import { WireError } from "./errors.js";
import { flat, weighted } from "./range_decoder.js";

const times = (weight, count) => Array(count).fill(weight);

export const FRAMES = weighted(60, 400, 400, 100, 12, ...times(2, 12));
export const LEVEL = weighted(98, 1, 1);
export const NIBBLE = flat(16);
export const BIT = flat(2);
const ANSWER = weighted(75, 22, 2, 1);
const RECEIVED = weighted(1, 15);
const LINKS = weighted(...times(2, 16), 900, 40, 20, 10, ...times(1, 12));
const STEP = weighted(900, ...times(8, 7), ...times(1, 56));
const SPACING = weighted(99, 1);
const COUNT = weighted(2, 80, 10, 3, 2, 1, 1, 1);
const JITTER = weighted(...times(1, 6), 4, 24, 200, 24, 4, ...times(1, 6));
const QUARTER = flat(4);

const REPEATS = 16; // 0 to 15
const ACKNOWLEDGED_BEFORE = 16;
const MIDDLE_JITTER = 8;
const MAX_TIME_MS = 2 ** 32 - 1;

/** The acknowledgement { newest, received, lacking }, or null. newest is -1 where nothing is held. */
export function readAnswer(coded) {
  const kind = coded.take(ANSWER);
  if (kind === 0) return null;
  if (kind === 3) return { newest: -1, received: 0, lacking: true };
  const newest = coded.take(QUARTER) * 256 + coded.number(1);
  let received = 0;
  for (let bit = 0; bit < ACKNOWLEDGED_BEFORE; bit++) received |= coded.take(RECEIVED) << bit;
  return { newest, received, lacking: kind === 2 };
}

/** What message `number` hangs on: { builds, numbers }, numbers from the oldest to the message itself. */
export function readLinks(coded, number) {
  const links = coded.take(LINKS);
  const builds = links >= REPEATS;
  const numbers = [number];
  for (let left = (links % REPEATS) + Number(builds); left > 0; left--) {
    numbers.unshift(numbers[0] - coded.take(STEP) - 1);
  }
  return { builds, numbers };
}

/** The usual spacing of frames in ms, 1 to 255. `before`: that of the state built on, 0 for none. */
export function readSpacing(coded, before, where = "") {
  if (coded.take(SPACING) === 0) {
    if (before === 0) throw new WireError(`expected a usual spacing of 1 to 255 ms${where}, got none`);
    return before;
  }
  const spacingMs = coded.number(1);
  if (spacingMs === 0) throw new WireError("expected a usual spacing of 1 to 255 ms, got 0");
  return spacingMs;
}

/** The capture time in ms of the frame after one at `timeMs`. */
export function readTime(coded, timeMs, spacingMs) {
  const next = timeMs + readGap(coded, spacingMs);
  if (next > MAX_TIME_MS) throw new WireError(`expected capture times up to ${MAX_TIME_MS} ms, got ${next} ms`);
  return next;
}

function readGap(coded, spacingMs) {
  const count = coded.take(COUNT);
  if (count === 0) return coded.number(4);
  const gapMs = count * spacingMs + coded.take(JITTER) - MIDDLE_JITTER;
  if (gapMs < 0) {
    throw new WireError(`expected frames in the order of their capture, got one ${-gapMs} ms before the last`);
  }
  return gapMs;
}
