// Which rate the voice is coded at: 12 kbps, and down to 6 where the link has little.

export const BITRATES = Object.freeze([12000, 9000, 6000]);
/** Wire rate in kbps above which the voice gives way, and below which it may have more again. */
const FULL_KBPS = 32;
const ROOM_KBPS = 24;
const LOSSY = 0.15;
const CLEAN = 0.05;
/** Reports in a row before the rate goes up: a link that has just recovered is left alone. */
const CALM_REPORTS = 8;

/** Chooses a bitrate from the engine's reports, one step at a time. */
export class Bitrate {
  #level = 0;
  #calm = 0;

  /** bits per second */
  get current() {
    return BITRATES[this.#level];
  }

  /**
   * Take a report.
   *
   * @param {{wire_kbps_out: number, loss: number}} stats
   * @returns {number} bits per second
   */
  observe({ wire_kbps_out: kbps, loss }) {
    if (kbps > FULL_KBPS || loss > LOSSY) {
      this.#calm = 0;
      this.#level = Math.min(this.#level + 1, BITRATES.length - 1);
    } else if (kbps < ROOM_KBPS && loss < CLEAN) {
      this.#calm += 1;
      if (this.#calm >= CALM_REPORTS) {
        this.#calm = 0;
        this.#level = Math.max(this.#level - 1, 0);
      }
    } else {
      this.#calm = 0;
    }
    return this.current;
  }
}
