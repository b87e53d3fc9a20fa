// What is heard where sound is missing: the last period of the voice again and again, fading out.
//
// After the idea of ITU-T G.711 appendix I, with one difference: no second period is mixed in, because at 60 ms a packet
// the fade is most of what is heard.

const SHORTEST_PERIOD_MS = 2.5; // 400 Hz
const LONGEST_PERIOD_MS = 15; // 67 Hz
const HOLD_MS = 20;
const FADE_MS = 100;
/** Every sixth sample (8 kHz) is enough to find a voice's period. */
const THIN = 6;

/** How much sound a Concealer wants to know of, in ms. */
export const HISTORY_MS = 40;

/**
 * The period of a sound, in samples.
 *
 * @param {Float32Array} history the newest sound last, at least HISTORY_MS
 * @param {number} sampleRate
 */
export function findPeriod(history, sampleRate) {
  const thin = Float32Array.from({ length: Math.floor(history.length / THIN) }, (_, i) => {
    return history[history.length - 1 - i * THIN]; // newest first
  });
  const rate = sampleRate / THIN / 1000;
  const shortest = Math.round(SHORTEST_PERIOD_MS * rate);
  const longest = Math.round(LONGEST_PERIOD_MS * rate);
  const span = Math.min(thin.length - longest, Math.round(20 * rate));
  let best = longest;
  let bestScore = 0;
  for (let lag = shortest; lag <= longest; lag += 1) {
    let product = 0;
    let energy = 1e-9;
    for (let i = 0; i < span; i += 1) {
      product += thin[i] * thin[i + lag];
      energy += thin[i + lag] ** 2;
    }
    // A shorter lag wins over its own multiple, which fits as well.
    const score = product / Math.sqrt(energy);
    if (score > bestScore * 1.02) {
      bestScore = score;
      best = lag;
    }
  }
  return refinePeriod(history, best * THIN);
}

/** The best period at full rate near a rough one: where the newest period differs least from the one before it. */
function refinePeriod(history, rough) {
  const end = history.length;
  const span = Math.min(Math.max(480, rough), end - rough - 2 * THIN);
  let best = rough;
  let smallest = Infinity;
  for (let lag = rough - 2 * THIN; lag <= rough + 2 * THIN; lag += 1) {
    let difference = 0;
    for (let i = 1; i <= span; i += 1) difference += (history[end - i] - history[end - i - lag]) ** 2;
    if (difference < smallest) {
      smallest = difference;
      best = lag;
    }
  }
  return best;
}

/** Makes up sound from what was heard last; silence after HOLD_MS + FADE_MS. */
export class Concealer {
  #period = new Float32Array(1);
  #next = 0;
  #made = 0;
  #hold;
  #fade;
  #sampleRate;

  constructor(sampleRate) {
    this.#sampleRate = sampleRate;
    this.#hold = (HOLD_MS * sampleRate) / 1000;
    this.#fade = (FADE_MS * sampleRate) / 1000;
  }

  /** Begin after the newest sample of `history`. */
  begin(history) {
    const length = findPeriod(history, this.#sampleRate);
    this.#period = history.slice(history.length - length);
    this.#next = 0;
    this.#made = 0;
  }

  /** One sample more. */
  next() {
    const gain = Math.max(0, Math.min(1, 1 - (this.#made - this.#hold) / this.#fade));
    if (gain === 0) return 0;
    const value = this.#period[this.#next] * gain;
    this.#next = (this.#next + 1) % this.#period.length;
    this.#made += 1;
    return value;
  }
}
