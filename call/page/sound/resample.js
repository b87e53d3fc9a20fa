// A microphone's rate made 48 kHz: sound devices have rates of their own, and a page's audio context keeps to theirs.

/** Cubic (Hermite) interpolation, piece after piece without a seam. */
export class Resampler {
  #step;
  #position = 0; // of the next sample, counted in samples of the input behind `#last`
  #last = new Float32Array(3); // the newest samples of the piece before

  /**
   * @param {number} from rate of the input
   * @param {number} to rate wanted
   */
  constructor(from, to) {
    this.#step = from / to;
  }

  /**
   * The next piece at the rate wanted; it lags behind by two samples of the input.
   *
   * @param {Float32Array} input
   * @returns {Float32Array} `input` itself where the rates are the same
   */
  take(input) {
    if (this.#step === 1) return input;
    const samples = new Float32Array(3 + input.length);
    samples.set(this.#last);
    samples.set(input, 3);
    const out = [];
    for (; this.#position < input.length; this.#position += this.#step) out.push(at(samples, this.#position));
    this.#position -= input.length;
    this.#last = samples.slice(-3);
    return Float32Array.from(out);
  }
}

/** The sound between samples 1 + whole and 2 + whole. */
function at(samples, position) {
  const whole = Math.floor(position);
  const part = position - whole;
  const [before, now, next, after] = samples.subarray(whole, whole + 4);
  const slope = (next - before) / 2;
  const slopeNext = (after - now) / 2;
  const difference = now - next;
  return (((2 * difference + slope + slopeNext) * part - 3 * difference - 2 * slope - slopeNext) * part + slope) * part + now;
}
