// Both directions of sound on one audio context.

import { SAMPLE_RATE } from "./messages.js";
import { Bitrate } from "./sound/bitrate.js";
import { Microphone, hasOpus } from "./sound/microphone.js";
import { Speaker } from "./sound/speaker.js";

/** Microphone and loudspeaker of a call. */
export class Sound {
  #context = null;
  #bitrate = new Bitrate();
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
    this.#context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
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

  /** Take a report of the engine: what the link has room for. */
  observe(stats) {
    const before = this.#bitrate.current;
    if (this.#bitrate.observe(stats) !== before) this.microphone.setBitrate(this.#bitrate.current);
  }

  /** {bitrate, bufferedMs, madeUp, rate}: bits per second, ms in store, share of sound made up, speed of playing. */
  get figures() {
    const { heard = 0, concealed = 0 } = this.speaker?.counts ?? {};
    return {
      bitrate: this.#bitrate.current,
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
