// Motion of profile `paper`: codec/FORMAT.md, "Profile `paper`".

import { TablesError, WireError } from "./errors.js";
import { readSpacing, readTime } from "./fields.js";
import { Table } from "./range_decoder.js";

/** The model's byte tables, made ready: 6K+12 rows of 256. */
export class PaperTables {
  constructor(rows) {
    const ok = rows.every((row) => row.length === 256 && row.reduce((sum, frequency) => sum + frequency) === 65536);
    if (!ok) throw new TablesError("expected byte tables of the shape in codec/FORMAT.md, got others");
    this.keypoints = (rows.length / 2 - 6) / 3;
    this.tables = rows.map((row) => new Table(row));
  }
}

/** So many frames, { timeMs, numbers }. WireError for a field or a number that is none. */
export function readFrames(coded, count, tables) {
  const keypoints = coded.number(1);
  if (keypoints > tables.keypoints) {
    throw new WireError(`expected motion of up to ${tables.keypoints} keypoints, got ${keypoints}`);
  }
  const spacingMs = readSpacing(coded, 0);
  const timesMs = [coded.number(4)];
  while (timesMs.length < count) timesMs.push(readTime(coded, timesMs.at(-1), spacingMs));
  const frames = timesMs.map((timeMs) => ({ timeMs, numbers: readNumbers(coded, keypoints, tables) }));
  frames.forEach(({ numbers }, frame) => {
    const bad = numbers.findIndex((number) => !Number.isFinite(number));
    if (bad >= 0) {
      throw new WireError(`expected finite numbers, got NaN or infinity as number ${bad} of frame ${frame}`);
    }
  });
  return frames;
}

function readNumbers(coded, keypoints, tables) {
  const numbers = new Float64Array(tables.tables.length / 2); // of keypoints that do not travel: 0
  for (let index = 0; index < 6 + 3 * keypoints; index++) {
    const high = coded.take(tables.tables[2 * index]);
    numbers[index] = fromHalf(high * 256 + coded.take(tables.tables[2 * index + 1]));
  }
  return numbers;
}

/** IEEE 754 binary16 to a number. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + mantissa) * 2 ** (exponent - 25) : mantissa * 2 ** -24);
}
