// Both directions of sound on one audio context.

import { FULL_RATE, Microphone, hasOpus } from "./sound/microphone.js";
import { Speaker } from "./sound/speaker.js";

/** Microphone and loudspeaker of a call. */
export class Sound {
  #context = null;
  #bitrate = FULL_RATE;
  microphone = null;
  speaker = null;
  /** Whether Opus is coded and decoded here. */
  opus = false;

  /**
   * Get ready. Throws where the browser has no AudioWorklet.
   *
   * @param {(kind: number, timeMs: number, content: Uint8Array) => void} send takes one's own packets
   */
  async prepare(send) {
    this.opus = await hasOpus();
    // One context, at the device's own rate, for both directions, and its usual output: so each browser's echo
    // canceller hears what is played. (Firefox refuses a microphone of another rate, Chromium one that plays elsewhere.)
    this.#context = new AudioContext({ latencyHint: "interactive" });
    const microphone = new Microphone(this.#context, send);
    const speaker = new Speaker(this.#context);
    microphone.muted = true; // nothing leaves before the call
    await Promise.all([microphone.prepare(this.opus), speaker.prepare()]);
    [this.microphone, this.speaker] = [microphone, speaker];
    // Browsers keep sound silent until the person has done something.
    for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => this.wake(), { once: true });
  }

  /** Let sound run; needs an action of the person. */
  wake() {
    if (this.#context?.state === "suspended") this.#context.resume();
  }

  /** Code the voice at so many bits a second from now on: the engine knows what the link has room for. */
  setBitrate(bitrate) {
    if (bitrate === this.#bitrate) return;
    this.#bitrate = bitrate;
    this.microphone?.setBitrate(bitrate);
  }

  /** {bitrate, bufferedMs, madeUp, rate}: bits per second, ms in store, share of sound made up, speed of playing. */
  get figures() {
    const { heard = 0, concealed = 0 } = this.speaker?.counts ?? {};
    return {
      bitrate: this.#bitrate,
      bufferedMs: this.speaker?.report?.bufferedMs ?? NaN,
      madeUp: heard + concealed === 0 ? 0 : concealed / (heard + concealed),
      rate: this.speaker?.report?.rate ?? 1,
    };
  }

  /** End both directions. */
  close() {
    this.microphone?.close();
    this.speaker?.close();
    this.#context?.close();
  }
}
