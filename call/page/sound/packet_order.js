// Sound packets in the order in which they were made: an Opus decoder predicts from what it decoded before.
//
// Sequence numbers count the 60 ms of the other side's time, so a pause leaves a gap as a loss does. A packet behind a gap
// is held only while what is missing could still be played, which costs nothing: its own turn comes later.

/** However much is in store, nothing is held for longer. */
const HOLD_AT_MOST_MS = 200;
const PACKET_MS = 60;
/** A step this large is a new stream, as after a reconnect, and not a loss: 12 s of packets. */
const NEW_STREAM = 200;
/** So many old packets in a row are a new stream, too. */
const OLD_IN_A_ROW = 3;

/** Distance between two u16 sequence numbers, in [-32768, 32767]. */
export function sequenceStep(from, to) {
  return ((to - from + 0x8000) & 0xffff) - 0x8000;
}

/** Puts packets back in order; one that is missing is waited for as long as it could be played. */
export class PacketOrder {
  #expected = null;
  #waiting = new Map(); // sequence -> {packet, sinceMs}
  #oldInARow = 0;
  /** Counts since the start. */
  lost = 0;
  late = 0;

  /**
   * Take a packet.
   *
   * @param {number} sequence u16
   * @param {{timeMs: number}} packet with its capture time
   * @param {number} nowMs
   * @param {number|null} playingMs capture time of what is played now; null: nothing is
   * @returns {{packet: object, lostBefore: number}[]} what may be decoded now, in order
   */
  offer(sequence, packet, nowMs, playingMs) {
    const step = this.#expected === null ? 0 : sequenceStep(this.#expected, sequence);
    if (this.#expected === null || Math.abs(step) > NEW_STREAM) this.#restart(sequence);
    else if (step < 0) {
      this.late += 1;
      this.#oldInARow += 1;
      if (this.#oldInARow < OLD_IN_A_ROW) return [];
      this.#restart(sequence);
    }
    this.#oldInARow = 0;
    if (!this.#waiting.has(sequence)) this.#waiting.set(sequence, { packet, sinceMs: nowMs });
    return this.#release(nowMs, playingMs);
  }

  /** Give out what has waited long enough for a packet before it. To be called every 10 ms or so. */
  poll(nowMs, playingMs) {
    return this.#release(nowMs, playingMs);
  }

  #restart(sequence) {
    this.#expected = sequence;
    this.#waiting.clear();
  }

  #release(nowMs, playingMs) {
    const out = [];
    while (this.#waiting.size > 0) {
      let lostBefore = 0;
      if (!this.#waiting.has(this.#expected)) {
        if (this.#worthWaiting(nowMs, playingMs)) break;
        lostBefore = this.#skipToFirst();
      }
      out.push({ packet: this.#waiting.get(this.#expected).packet, lostBefore });
      this.#waiting.delete(this.#expected);
      this.#expected = (this.#expected + 1) & 0xffff;
    }
    return out;
  }

  #worthWaiting(nowMs, playingMs) {
    const held = [...this.#waiting.values()];
    if (playingMs === null || nowMs - Math.min(...held.map(({ sinceMs }) => sinceMs)) >= HOLD_AT_MOST_MS) return false;
    const missingMs = Math.min(...held.map(({ packet }) => packet.timeMs)) - PACKET_MS;
    return playingMs < missingMs;
  }

  #skipToFirst() {
    const steps = [...this.#waiting.keys()].map((sequence) => sequenceStep(this.#expected, sequence));
    const lost = Math.min(...steps);
    this.#expected = (this.#expected + lost) & 0xffff;
    this.lost += lost;
    return lost;
  }
}
