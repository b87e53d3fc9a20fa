// Plays decoded sound. An AudioWorklet: it runs in the sound thread, around the plain Playout.

import { Playout } from "./playout.js";

/** How often the page is told what is playing: every 16 blocks of 128 samples, 43 ms. */
const REPORT_BLOCKS = 16;

class Player extends AudioWorkletProcessor {
  #playout = new Playout(sampleRate);
  #blocks = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.samples !== undefined) this.#playout.push(data.timeMs, data.samples);
      if (data.late !== undefined && this.#playout.positionMs !== null) this.#playout.late(data.late, data.count);
      if (data.extraMs !== undefined) this.#playout.pace.extraMs = data.extraMs;
    };
  }

  process(_, [output]) {
    const positionMs = this.#playout.positionMs;
    this.#playout.read(output[0]);
    for (const channel of output.slice(1)) channel.set(output[0]);
    this.#blocks += 1;
    if (this.#blocks % REPORT_BLOCKS === 0) this.#report(positionMs);
    return true;
  }

  #report(positionMs) {
    const { counts, bufferedMs, pace } = this.#playout;
    this.port.postMessage({ positionMs, atS: currentTime, bufferedMs, rate: pace.rate, targetMs: pace.targetMs, counts });
  }
}

registerProcessor("facewire-player", Player);
