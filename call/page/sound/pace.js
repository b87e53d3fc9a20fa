// How fast sound is played, so that it is neither late nor held longer than the link's jitter asks for.
//
// Headroom is how long before its time a packet came. On a steady link it is the same for all; with jitter its smallest
// value of a while says how much could be saved, and a negative one that there was a hole. Two clocks that drift apart
// show up as a headroom that grows or shrinks, so one rule serves both: play a little faster or slower until the
// smallest headroom is what it should be.

const WINDOW_PACKETS = 50; // 3 s
const SAFE_MS = 20;
/** What a late packet adds to the safe headroom, the most of it, and how much of it goes with each packet after. */
const CAUTION_MS = 20;
const MOST_CAUTION_MS = 160;
const CAUTION_FADES_MS = 0.1;
/** Differences below this are left alone, so that most sound is played untouched. */
const DEAD_MS = 4;
const CORRECT_WITHIN_MS = 4000;
/** One part in a hundred is not heard as another pitch. */
const MOST_CHANGE = 0.01;

/** Chooses the rate of playout from the headrooms of packets. */
export class Pace {
  #headrooms = [];
  #cautionMs = 0;
  /** Headroom wanted on top, in ms: the picture is slower than the sound by so much. */
  extraMs = 0;

  /** Take note of a packet that came `headroomMs` before its time (negative: after it). */
  observe(headroomMs) {
    if (headroomMs < 0) this.#cautionMs = Math.min(MOST_CAUTION_MS, this.#cautionMs + CAUTION_MS);
    else this.#cautionMs = Math.max(0, this.#cautionMs - CAUTION_FADES_MS);
    this.#headrooms.push(headroomMs);
    if (this.#headrooms.length > WINDOW_PACKETS) this.#headrooms.shift();
  }

  /** Headroom to keep, in ms. */
  get targetMs() {
    return SAFE_MS + this.#cautionMs + this.extraMs;
  }

  /** By how much the smallest headroom of the window exceeds the target, in ms; 0 before much is known. */
  get excessMs() {
    if (this.#headrooms.length < 5) return 0;
    return Math.min(...this.#headrooms) - this.targetMs;
  }

  /** Source samples to play for each output sample, about 1. */
  get rate() {
    const excess = this.excessMs;
    if (Math.abs(excess) <= DEAD_MS) return 1;
    return 1 + Math.max(-MOST_CHANGE, Math.min(MOST_CHANGE, excess / CORRECT_WITHIN_MS));
  }

  /** Say that playout moved on by `ms` at once (negative: back): every headroom known is less by that. */
  moved(ms) {
    this.#headrooms = this.#headrooms.map((headroom) => headroom - ms);
  }
}
