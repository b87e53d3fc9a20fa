// Motion of profile `predictive`: codec/FORMAT.md, "Profile `predictive`".
//
// A state is { level, spacingMs, timeMs, integers }, the last frame of a message; a frame { timeMs, integers }.

import { TablesError, WireError } from "./errors.js";
import { BIT, LEVEL, NIBBLE, readSpacing, readTime } from "./fields.js";
import { Table, flat } from "./range_decoder.js";

const LARGEST = 32767; // of an integer's magnitude
const CLIP = 15;
const LIMITS = [153, 307, 512, 768, 1126, 1638, 2457];
const ESCAPE = 25;
const LARGEST_SYMBOL = 12;
const LENGTH = flat(17);
const MODES = 6;
const SYMBOLS = 26;

/** The model's tables, made ready. Takes those of codec/FORMAT.md by name, as nested arrays. */
export class PredictiveTables {
  constructor({ steps, mean, basis, classes, weights, frequencies }) {
    this.size = mean.length + 6; // integers of a frame, 3K + 6
    const shaped = (rows, count, length) => rows.length === count && rows.every((row) => row.length === length);
    const flatRows = frequencies.flat();
    const ok =
      steps.length === 7 &&
      shaped(basis, mean.length, mean.length) &&
      shaped(classes, MODES, this.size) &&
      shaped(weights, MODES, this.size) &&
      shaped(flatRows, 24 * 8, SYMBOLS) &&
      flatRows.every((row) => row.reduce((sum, frequency) => sum + frequency) === 65536);
    if (!ok) throw new TablesError("expected tables of the shapes in codec/FORMAT.md, got others");
    Object.assign(this, { steps, mean, basis, weights });
    const byClass = frequencies.map((contexts) => contexts.map((row) => new Table(row)));
    this.tables = classes.map((row) => row.map((index) => byClass[index])); // [mode][component][context]
  }
}

/** So many frames on top of a state, or on nothing (null): { frames, state }. WireError for fields out of range. */
export function readGroup(coded, before, count, tables) {
  const level = ((before?.level ?? 0) + coded.take(LEVEL)) % 3;
  const spacingMs = readSpacing(coded, before?.spacingMs ?? 0, " where motion begins");
  let integers = before ? atLevel(before.integers, before.level, level) : Array(tables.size).fill(0);
  let timeMs = before?.timeMs ?? 0;
  const frames = [];
  for (let index = 0; index < count; index++) {
    const begins = before === null && index === 0;
    timeMs = begins ? coded.number(4) : readTime(coded, timeMs, spacingMs);
    integers = readIntegers(coded, integers, level + (begins ? 3 : 0), tables);
    frames.push({ timeMs, integers });
  }
  return { frames, state: { level, spacingMs, timeMs, integers } };
}

/** Whether the decoder came to the sender's state, by four bits of its CRC-32. */
export function readCheck(coded, state) {
  return coded.take(NIBBLE) === (crc32(stateBytes(state)) & 15);
}

/** The bytes of a state that "Check" takes the CRC-32 of. */
export function stateBytes(state) {
  const bytes = new DataView(new ArrayBuffer(6 + 2 * state.integers.length));
  bytes.setUint8(0, state.level);
  bytes.setUint8(1, state.spacingMs);
  bytes.setUint32(2, state.timeMs);
  state.integers.forEach((integer, index) => bytes.setInt16(6 + 2 * index, integer));
  return new Uint8Array(bytes.buffer);
}

/** The motion that integers stand for: { timeMs, numbers }, a Float64Array of 3K+6 as in "From integers to motion". */
export function motionOf({ timeMs, integers }, level, tables) {
  const steps = tables.steps.map((step) => (step / 2 ** 24) * 2 ** level);
  const numbers = new Float64Array(tables.size);
  for (let index = 0; index < 6; index++) numbers[index] = integers[index] * steps[index];
  const local = tables.mean.map((number) => number / 2 ** 13);
  tables.basis.forEach((row, index) => {
    const coefficient = (integers[6 + index] * steps[6]) / 2 ** 13;
    if (coefficient) row.forEach((number, at) => (local[at] += coefficient * number));
  });
  const R = rotation(numbers);
  for (let at = 0; at < local.length; at++) {
    const first = at - (at % 3);
    const row = R[at % 3];
    numbers[6 + at] = row[0] * local[first] + row[1] * local[first + 1] + row[2] * local[first + 2];
  }
  return { timeMs, numbers };
}

/** CRC-32 as in zlib, going on from that of the bytes before. */
export function crc32(bytes, before = 0) {
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function atLevel(integers, before, after) {
  if (after > before) return integers.map((q) => (q + (1 << (after - before - 1))) >> (after - before));
  return integers.map((q) => Math.max(-LARGEST, Math.min(LARGEST, q << (before - after))));
}

function readIntegers(coded, prediction, mode, tables) {
  const weights = tables.weights[mode];
  let run = 1024;
  return prediction.map((before, index) => {
    const residual = readResidual(coded, tables.tables[mode][index][contextOf(run)]);
    run += (Math.min(Math.abs(residual), CLIP) * weights[index] - run) >> 3;
    const integer = before + residual;
    if (Math.abs(integer) > LARGEST) {
      throw new WireError(`expected motion in integers up to ${LARGEST}, got ${integer}`);
    }
    return integer;
  });
}

function contextOf(run) {
  let context = 0;
  while (context < LIMITS.length && LIMITS[context] <= run) context++;
  return context;
}

function readResidual(coded, table) {
  const symbol = coded.take(table);
  if (symbol < ESCAPE) return symbol % 2 ? (symbol + 1) / 2 : -symbol / 2 || 0; // no -0
  const negative = coded.take(BIT);
  let value = 1;
  for (let bits = coded.take(LENGTH); bits > 0; bits--) value = 2 * value + coded.take(BIT);
  return negative ? -(value + LARGEST_SYMBOL) : value + LARGEST_SYMBOL;
}

function rotation([yaw, pitch, roll]) {
  const [sy, sp, sr] = [yaw, pitch, roll].map((degrees) => Math.sin((degrees * Math.PI) / 180));
  const [cy, cp, cr] = [yaw, pitch, roll].map((degrees) => Math.cos((degrees * Math.PI) / 180));
  return [
    [cr * cy, -sr * cp + cr * sy * sp, -sr * sp - cr * sy * cp],
    [sr * cy, cr * cp + sr * sy * sp, cr * sp - sr * sy * cp],
    [sy, -cy * sp, cy * cp],
  ];
}
