// The player's clock, and which picture belongs to a time. Plain: times are passed in.

/** Seconds of the recording, which run `speed` times as fast as those of the page. */
export class Clock {
  running = false;
  speed = 1;
  #placeS = 0;
  #sinceMs = 0;

  /** The place in the recording at a time of the page, in seconds. */
  at(nowMs) {
    return this.running ? this.#placeS + ((nowMs - this.#sinceMs) / 1000) * this.speed : this.#placeS;
  }

  /** Go to a place. */
  set(placeS, nowMs) {
    this.#placeS = placeS;
    this.#sinceMs = nowMs;
  }

  /** Run, or stand. */
  run(on, nowMs) {
    this.set(this.at(nowMs), nowMs);
    this.running = on;
  }

  /** Run faster or slower from here on. */
  setSpeed(speed, nowMs) {
    this.set(this.at(nowMs), nowMs);
    this.speed = speed;
  }
}

/** The last of rising times that is not after a time; the first before all of them. */
export function indexAt(times, timeS) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= timeS + 1e-4) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** 3:07.25 */
export function clockWords(timeS) {
  const minutes = Math.floor(timeS / 60);
  return `${minutes}:${(timeS - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}
