// The store between decoded sound and the loudspeaker. Runs in an AudioWorklet; knows nothing of it.

import { SAMPLE_RATE } from "../messages.js";
import { Concealer, HISTORY_MS } from "./conceal.js";
import { Pace } from "./pace.js";

/** Times of capture wobble by as much; within it one packet follows the other without a seam. */
const SNAP_MS = 20;
/** More than this beyond the headroom wanted is what a stall left over: it is skipped. */
const MOST_EXCESS_MS = 300;
/** An excess of this much over a whole window is cut at once; less is caught up with by playing faster. */
const CUT_EXCESS_MS = 80;
const MARGIN_MS = 20;
/** Sound that is later than this is not waited for another time. */
const MOST_LATE_MS = 150;
const JOIN_MS = 5;
/** A hole this long has faded to silence, and time may be moved in it unheard. */
const SILENT_AFTER_MS = 150;

/** Plays decoded blocks by the times at which they were captured. */
export class Playout {
  #perMs = SAMPLE_RATE / 1000; // of what comes
  #outPerMs; // of what is played
  #blocks = []; // {start, samples}: start in samples of capture time; in order, not overlapping
  #position = null; // samples of capture time, fractional: what is played next
  #history; // a ring
  #written = 0;
  #concealer;
  #inHole = true;
  #hole = Infinity; // samples played since the hole began
  #joining = 0;
  /** The rule of how fast to play. */
  pace = new Pace();
  /** Samples since the start: of packets, made up, thrown away. */
  counts = { heard: 0, concealed: 0, skipped: 0, late: 0 };

  /** @param {number} sampleRate of what is played; what comes has 48 kHz */
  constructor(sampleRate) {
    this.#outPerMs = sampleRate / 1000;
    this.#history = new Float32Array(Math.round(HISTORY_MS * this.#outPerMs));
    this.#concealer = new Concealer(sampleRate);
  }

  /** Capture time of what is played next, in ms; null before the first block. */
  get positionMs() {
    return this.#position === null ? null : this.#position / this.#perMs;
  }

  /** Sound in store from the position on, holes included, in ms. */
  get bufferedMs() {
    const last = this.#blocks.at(-1);
    return last === undefined ? 0 : Math.max(0, last.start + last.samples.length - this.#position) / this.#perMs;
  }

  /**
   * Put in what was captured from `timeMs` on.
   *
   * @param {number} timeMs
   * @param {Float32Array} samples
   */
  push(timeMs, samples) {
    const last = this.#blocks.at(-1);
    let start = Math.round(timeMs * this.#perMs);
    const end = last === undefined ? null : last.start + last.samples.length;
    if (end !== null && Math.abs(start - end) <= SNAP_MS * this.#perMs) start = end;
    if (end !== null && start < end) {
      this.late(timeMs, samples.length); // newer sound is in store: this one's hole has been played
      return;
    }
    this.#place(start);
    this.#blocks.push({ start, samples });
    this.#skipWhatAStallLeft();
  }

  /** Take note of sound that came too late to be played, so that a little more is held from now on. */
  late(timeMs, samples) {
    this.counts.late += samples;
    const headroomMs = timeMs - this.positionMs;
    if (headroomMs > -MOST_LATE_MS) this.pace.observe(Math.min(0, headroomMs));
  }

  /** Move the position where a block that begins at `start` needs it. */
  #place(start) {
    if (this.#position === null) this.#position = start - this.pace.targetMs * this.#perMs;
    const headroomMs = (start - this.#position) / this.#perMs;
    const fromSilence = this.#hole > SILENT_AFTER_MS * this.#outPerMs;
    this.pace.observe(headroomMs);
    if (headroomMs < 0) {
      // A little more than it needs, or the next one of its kind is late again.
      this.#move((headroomMs - MARGIN_MS) * this.#perMs);
    } else if (fromSilence && this.pace.excessMs > 0) {
      this.#move(Math.min(this.pace.excessMs, headroomMs) * this.#perMs);
    }
  }

  #move(samples) {
    this.#position += samples;
    this.pace.moved(samples / this.#perMs);
  }

  #skipWhatAStallLeft() {
    const newest = this.#blocks.at(-1).start;
    const excessMs = (newest - this.#position) / this.#perMs - this.pace.targetMs;
    const skipMs = excessMs > MOST_EXCESS_MS ? excessMs : this.pace.excessMs;
    if (skipMs <= CUT_EXCESS_MS) return;
    const skipped = skipMs * this.#perMs;
    this.counts.skipped += Math.round(skipped);
    this.#move(skipped);
    if (!this.#inHole) this.#beginHole(); // so that the two ends are joined
  }

  /** Fill `out` with what is to be heard now. */
  read(out) {
    if (this.#position === null) {
      out.fill(0);
      return;
    }
    const rate = (this.pace.rate * this.#perMs) / this.#outPerMs;
    for (let i = 0; i < out.length; i += 1) {
      out[i] = this.#step(rate);
      this.#history[this.#written % this.#history.length] = out[i];
      this.#written += 1;
    }
    this.#forget();
  }

  #step(rate) {
    const real = this.#sampleAt(this.#position);
    this.#position += rate;
    if (real === null) {
      if (!this.#inHole) this.#beginHole();
      this.#hole += 1;
      this.counts.concealed += this.#hole <= SILENT_AFTER_MS * this.#outPerMs ? 1 : 0;
      return this.#concealer.next();
    }
    if (this.#inHole) this.#joining = JOIN_MS * this.#outPerMs;
    this.#inHole = false;
    this.#hole = 0;
    this.counts.heard += 1;
    if (this.#joining <= 0) return real;
    const share = this.#joining / (JOIN_MS * this.#outPerMs);
    this.#joining -= 1;
    return real * (1 - share) + this.#concealer.next() * share;
  }

  #beginHole() {
    this.#inHole = true;
    this.#hole = 0;
    const at = this.#written % this.#history.length;
    const history = new Float32Array(this.#history.length);
    history.set(this.#history.subarray(at));
    history.set(this.#history.subarray(0, at), this.#history.length - at);
    this.#concealer.begin(history);
  }

  /** The sound at a time between samples (cubic Hermite), or null in a hole. */
  #sampleAt(position) {
    const whole = Math.floor(position);
    const now = this.#exact(whole);
    if (now === null) return null;
    const part = position - whole;
    if (part === 0) return now;
    const next = this.#exact(whole + 1) ?? now;
    const before = this.#exact(whole - 1) ?? now;
    const after = this.#exact(whole + 2) ?? next;
    const slope = (next - before) / 2;
    const slopeNext = (after - now) / 2;
    const difference = now - next;
    return ((2 * difference + slope + slopeNext) * part - 3 * difference - 2 * slope - slopeNext) * part * part +
      slope * part + now;
  }

  #exact(index) {
    for (const { start, samples } of this.#blocks) {
      if (index < start) return null;
      if (index < start + samples.length) return samples[index - start];
    }
    return null;
  }

  /** Let go of blocks that were played, all but the newest, to which the next is joined. */
  #forget() {
    while (this.#blocks.length > 1) {
      const { start, samples } = this.#blocks[0];
      if (start + samples.length + 4 > this.#position) return;
      this.#blocks.shift();
    }
  }
}
