// Cuts the microphone's sound into packets of 60 ms. An AudioWorklet: it runs in the sound thread.

import { PACKET_SAMPLES, SAMPLE_RATE } from "../messages.js";
import { Resampler } from "./resample.js";

class Capture extends AudioWorkletProcessor {
  #samples = new Float32Array(PACKET_SAMPLES);
  #filled = 0;
  #resampler = new Resampler(sampleRate, SAMPLE_RATE);

  process([input]) {
    if (input[0] === undefined) return true; // no microphone at the moment
    const channel = this.#resampler.take(input[0]);
    let taken = 0;
    while (taken < channel.length) {
      const part = channel.subarray(taken, taken + PACKET_SAMPLES - this.#filled);
      this.#samples.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === PACKET_SAMPLES) this.#post(currentFrame + (taken * sampleRate) / SAMPLE_RATE);
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
