// One clock read by another: an audio clock by the page's, or the other side's by ours.
//
// What we see of a moment on the other clock is when word of it arrives, which is late by a varying amount and never
// early. The smallest (arrival - stated) of a while is therefore the best offset; its slope is the drift of the clocks.

const BUCKET_MS = 1000;
const BUCKETS = 10;

/** Offset and drift between a source clock and the local one; both in ms. */
export class ClockOffset {
  #buckets = []; // {startMs, offsetMs}, oldest first: the smallest offset of each second

  /** Take note that the moment `sourceMs` became known at `localMs`. */
  observe(sourceMs, localMs) {
    const offsetMs = localMs - sourceMs;
    const last = this.#buckets.at(-1);
    if (last === undefined || localMs - last.startMs >= BUCKET_MS) {
      this.#buckets.push({ startMs: localMs, offsetMs });
      if (this.#buckets.length > BUCKETS) this.#buckets.shift();
    } else {
      last.offsetMs = Math.min(last.offsetMs, offsetMs);
    }
  }

  /** Local minus source, in ms; null before anything was observed. */
  get offsetMs() {
    return this.#buckets.length === 0 ? null : Math.min(...this.#buckets.map((bucket) => bucket.offsetMs));
  }

  /** The local time of a moment on the source clock, or null. */
  toLocal(sourceMs) {
    const offset = this.offsetMs;
    return offset === null ? null : sourceMs + offset;
  }

  /** How much faster the local clock runs, in parts per million; 0 until five seconds are known. Least squares. */
  get driftPpm() {
    const count = this.#buckets.length;
    if (count < 5) return 0;
    const meanX = this.#buckets.reduce((sum, bucket) => sum + bucket.startMs, 0) / count;
    const meanY = this.#buckets.reduce((sum, bucket) => sum + bucket.offsetMs, 0) / count;
    let above = 0;
    let below = 0;
    for (const { startMs, offsetMs } of this.#buckets) {
      above += (startMs - meanX) * (offsetMs - meanY);
      below += (startMs - meanX) ** 2;
    }
    return below === 0 ? 0 : (above / below) * 1e6;
  }

  /** Forget everything, as after a reconnect. */
  reset() {
    this.#buckets = [];
  }
}
