// Cuts the microphone's sound into packets of 60 ms. An AudioWorklet: it runs in the sound thread.

import { PACKET_SAMPLES } from "../messages.js";

class Capture extends AudioWorkletProcessor {
  #samples = new Float32Array(PACKET_SAMPLES);
  #filled = 0;

  process([input]) {
    const channel = input[0];
    if (channel === undefined) return true; // no microphone at the moment
    let taken = 0;
    while (taken < channel.length) {
      const part = channel.subarray(taken, taken + PACKET_SAMPLES - this.#filled);
      this.#samples.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === PACKET_SAMPLES) this.#post(currentFrame + taken);
    }
    return true;
  }

  /** Hand over a packet that ends at a frame of the audio clock. */
  #post(endFrame) {
    const samples = this.#samples;
    this.port.postMessage({ samples, endMs: (endFrame * 1000) / sampleRate }, [samples.buffer]);
    this.#samples = new Float32Array(PACKET_SAMPLES);
    this.#filled = 0;
  }
}

registerProcessor("facewire-capture", Capture);
