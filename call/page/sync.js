// When a picture is shown, so that lips and voice agree.
//
// Both carry the time of their capture. Sound that lags the picture by up to 125 ms or leads it by up to 45 ms is taken
// as being in step (after ITU-R BT.1359). Pictures are cheap to hold and sound is not, so pictures wait for the sound;
// where they come too late for that, the sound is asked to wait as well.

/** The middle of the window: sound this much after the picture. */
const SOUND_AFTER_MS = 40;
const SOUND_LEADS_AT_MOST_MS = 45;
/** A picture that would wait longer does not belong to this sound. */
const HOLD_AT_MOST_MS = 250;
const OTHER_TIME_MS = 5000;
/** Sound whose place is older than this is not playing. */
const FRESH_MS = 400;
const WINDOW = 45; // pictures
const EXTRA_AT_MOST_MS = 300;
const SETTLES = 0.2;

/** Chooses when pictures are shown, from what is heard. */
export class PictureTiming {
  #heard = null; // {mediaMs, atMs}: what sound was heard when
  #late = []; // ms by which the last pictures came after the moment they should have been shown
  #skew = null;
  #extraMs = 0;

  /** Say that sound captured at `mediaMs` is heard at the local `atMs`; null: nothing is playing. */
  hear(mediaMs, atMs) {
    this.#heard = mediaMs === null ? null : { mediaMs, atMs };
  }

  /**
   * When to show a picture captured at `timeMs` that is here at `nowMs`.
   *
   * @returns {number} local time in ms, never before nowMs
   */
  showAt(timeMs, nowMs) {
    const heard = this.#heard;
    if (heard === null || nowMs - heard.atMs > FRESH_MS) return nowMs;
    const soundAt = heard.atMs + (timeMs - heard.mediaMs);
    const dueMs = soundAt - SOUND_AFTER_MS;
    if (dueMs - nowMs > HOLD_AT_MOST_MS || nowMs - dueMs > OTHER_TIME_MS) return nowMs;
    this.#note(nowMs - dueMs);
    const shownAt = Math.max(nowMs, dueMs);
    this.#skew = soundAt - shownAt;
    return shownAt;
  }

  #note(lateMs) {
    this.#late.push(lateMs);
    if (this.#late.length > WINDOW) this.#late.shift();
    const sorted = [...this.#late].sort((a, b) => a - b);
    const usual = sorted[Math.floor(sorted.length * 0.9)];
    // What the sound should wait so that nine pictures of ten are not behind it by more than the window allows.
    const wanted = this.#extraMs + usual - (SOUND_AFTER_MS + SOUND_LEADS_AT_MOST_MS) / 2;
    // Pictures that are out of reach, on a machine that is too slow, are no reason to hold the voice back as well.
    const bounded = wanted > EXTRA_AT_MOST_MS ? 0 : Math.max(0, wanted);
    this.#extraMs += (bounded - this.#extraMs) * (SETTLES / WINDOW);
  }

  /** By how much the sound of the last picture is heard after it, in ms (negative: before it); null without sound. */
  get skewMs() {
    return this.#skew;
  }

  /** By how much the sound should be played later than it could be, in ms. */
  get extraMs() {
    return this.#extraMs;
  }
}
