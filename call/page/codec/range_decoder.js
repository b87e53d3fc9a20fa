// Bits to symbols: codec/FORMAT.md, "Range coder".
//
// All numbers are doubles that hold integers below 2^53 exactly; what has 64 bits is kept as two words of 32. Of `low`
// and `point` only their difference is kept, which is all that decoding asks for:
//
//     offset = point - low        0 <= offset < width after every symbol

import { WireError } from "./errors.js";

const SUM = 2 ** 16;
const WHOLE = 2 ** 24; // a table's intervals fill it
const WORD = 2 ** 32;

/** One frequency table as the borders of its symbols' intervals: symbol s has left[s] to left[s + 1]. */
export class Table {
  /** `frequencies`: n integers, each 1 or more, with sum 65536. */
  constructor(frequencies) {
    const size = frequencies.length;
    this.left = new Int32Array(size + 1); // up to 2^24
    let cumulative = 0;
    for (let symbol = 0; symbol < size; symbol++) {
      cumulative += frequencies[symbol];
      this.left[symbol + 1] = Math.floor((cumulative * (WHOLE - size)) / SUM) + symbol + 1;
    }
  }

  /** The symbol whose interval holds the quantile, 0 to 2^24 - 1. */
  find(quantile) {
    let low = 0;
    let high = this.left.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.left[middle] <= quantile) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** A constant table from its weights: "Constant tables". */
export function weighted(...weights) {
  const rest = SUM - weights.length;
  const total = weights.reduce((sum, weight) => sum + weight);
  const frequencies = weights.map((weight) => 1 + Math.floor((weight * rest) / total));
  const missing = SUM - frequencies.reduce((sum, frequency) => sum + frequency);
  const order = weights.map((weight, index) => [(weight * rest) % total, index]);
  order.sort(([a, i], [b, j]) => b - a || i - j);
  for (const [, index] of order.slice(0, missing)) frequencies[index]++;
  return new Table(frequencies);
}

/** `size` symbols that are equally likely. */
export const flat = (size) => weighted(...Array(size).fill(1));

const BYTE = flat(256);

/** Takes symbols out of coded bytes (a Uint8Array); past their end it reads zeros. One decoder a message. */
export class RangeDecoder {
  #coded;
  #position = 0; // of the next word
  #offsetHigh;
  #offsetLow;
  #widthHigh = WORD - 1;
  #widthLow = WORD - 1;

  constructor(coded) {
    this.#coded = coded;
    this.#offsetHigh = this.#word();
    this.#offsetLow = this.#word();
  }

  /** The next symbol, of this table. WireError where no encoder writes these bytes. */
  take(table) {
    const scale = this.#widthHigh * 2 ** 8 + (this.#widthLow >>> 24); // width >> 24, below 2^40
    // offset / scale as a long division: 40 bits, then 12 and 12 more. Each dividend is below 2^52, so its quotient
    // rounded down is exact.
    let rest = this.#offsetHigh * 2 ** 8 + (this.#offsetLow >>> 24);
    if (rest >= scale) throw new WireError("expected bytes of the range coder, got bytes it cannot have written");
    rest = rest * 2 ** 12 + ((this.#offsetLow >>> 12) & 0xfff);
    const first = Math.floor(rest / scale);
    rest = (rest - first * scale) * 2 ** 12 + (this.#offsetLow & 0xfff);
    const second = Math.floor(rest / scale);
    rest -= second * scale;
    const quantile = first * 2 ** 12 + second;
    const symbol = table.find(quantile);
    const left = table.left[symbol];
    [this.#offsetHigh, this.#offsetLow] = product(scale, quantile - left, rest);
    [this.#widthHigh, this.#widthLow] = product(scale, table.left[symbol + 1] - left, 0);
    if (this.#widthHigh === 0) this.#shift();
    return symbol;
  }

  /** An integer of so many bytes, highest first. */
  number(bytes) {
    let number = 0;
    for (let index = 0; index < bytes; index++) number = number * 256 + this.take(BYTE);
    return number;
  }

  /**
   * Check that the coded bytes are the shortest spelling of the symbols taken: WireError otherwise.
   *
   * The interval is the numbers from point - offset on, `width` of them, and point is one of them. Let its last byte
   * that is not zero have the value `last` and the place `unit`. Then it is the smallest number of so many bytes if
   * offset < unit, and none has fewer bytes if the next number of fewer, (256 - last) unit further, is beyond the end.
   */
  finish() {
    const size = this.#coded.length;
    const before = this.#position - 8; // bytes that have left the window of 64 bits
    const last = size ? this.#coded[size - 1] : 1;
    let shortest = last !== 0 && size <= this.#position;
    if (shortest && size > before) {
      const unit = 1n << BigInt(8 * (this.#position - size));
      const offset = whole(this.#offsetHigh, this.#offsetLow);
      const width = whole(this.#widthHigh, this.#widthLow);
      shortest = offset < unit && BigInt(256 - last) * unit >= width - offset;
    }
    if (!shortest) {
      throw new WireError("expected the shortest coding of the motion and nothing behind it, got other bytes");
    }
  }

  #shift() {
    this.#widthHigh = this.#widthLow;
    this.#widthLow = 0;
    this.#offsetHigh = this.#offsetLow; // its high word is 0: offset < width < 2^32
    this.#offsetLow = this.#word();
  }

  #word() {
    const at = this.#position;
    this.#position += 4;
    const byte = (index) => this.#coded[at + index] ?? 0;
    return ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0;
  }
}

/** [high, low] words of scale * times + rest, which is below 2^64. scale, rest < 2^40; times <= 2^24. */
function product(scale, times, rest) {
  const scaleHigh = Math.floor(scale / 2 ** 20);
  const scaleLow = scale % 2 ** 20;
  const high = scaleHigh * times; // below 2^44, counts 2^20
  const low = (high % 2 ** 12) * 2 ** 20 + scaleLow * times + rest; // below 2^46
  return [Math.floor(high / 2 ** 12) + Math.floor(low / WORD), low % WORD];
}

const whole = (high, low) => (BigInt(high) << 32n) | BigInt(low);
