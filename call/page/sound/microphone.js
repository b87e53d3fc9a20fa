// Microphone -> 60 ms of samples -> Opus, or samples as they are where the browser has no Opus encoder.

import { PACKET_MS, PACKET_SAMPLES, SAMPLE_RATE, TO_ENGINE, toS16 } from "../messages.js";
import { ClockOffset } from "./clock.js";

/** What the browser is asked to do to the sound. Echo is taken out against all that this page plays. */
export const CONSTRAINTS = Object.freeze({
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  channelCount: 1,
});

/** Bits a second of a voice until the engine asks for less (sender/rate_ladder.py: VOICE_BPS). */
export const FULL_RATE = 12000;
/** Packets that the encoder may be behind before some are left out. */
const MOST_WAITING = 4;

function encoderConfig(bitrate) {
  return {
    codec: "opus",
    sampleRate: SAMPLE_RATE,
    numberOfChannels: 1,
    bitrate,
    opus: { frameDuration: PACKET_MS * 1000, usedtx: true, application: "voip", signal: "voice" },
  };
}

/** Whether this browser codes and decodes Opus as a call needs it: asked, and then tried. */
export async function hasOpus() {
  if (!("AudioEncoder" in globalThis) || !("AudioDecoder" in globalThis)) return false;
  try {
    const encoder = await AudioEncoder.isConfigSupported(encoderConfig(FULL_RATE));
    const decoder = await AudioDecoder.isConfigSupported({ codec: "opus", sampleRate: SAMPLE_RATE, numberOfChannels: 1 });
    return encoder.supported === true && decoder.supported === true && (await makesPackets());
  } catch {
    return false; // a browser that does not know the options
  }
}

/** Whether packets come out as long as they were asked for; a browser may pass over the option. */
async function makesPackets() {
  const times = [];
  const encoder = new AudioEncoder({ output: ({ timestamp }) => times.push(timestamp), error: () => {} });
  encoder.configure(encoderConfig(FULL_RATE));
  for (let i = 0; i < 3; i += 1) {
    const noise = Float32Array.from({ length: PACKET_SAMPLES }, () => Math.random() - 0.5); // silence would make none
    encodeOn(encoder, noise, i * PACKET_MS);
  }
  await encoder.flush();
  encoder.close();
  return times.length >= 3 && times.slice(1).every((time, i) => Math.abs(time - times[i] - PACKET_MS * 1000) < 1000);
}

function encodeOn(encoder, samples, beginMs) {
  const data = new AudioData({
    format: "f32-planar",
    sampleRate: SAMPLE_RATE,
    numberOfFrames: PACKET_SAMPLES,
    numberOfChannels: 1,
    timestamp: Math.round(beginMs * 1000),
    data: samples,
  });
  encoder.encode(data);
  data.close();
}

/** One's own voice on its way to the engine. */
export class Microphone {
  #context;
  #send;
  #node = null;
  #source = null;
  #encoder = null;
  #bitrate = FULL_RATE;
  #clock = new ClockOffset(); // the audio clock read by the page's
  #latencyMs = 0;
  /** Nothing is sent while muted. */
  muted = false;
  /** Loudness of the last packet, root mean square. */
  level = 0;

  /**
   * @param {AudioContext} context
   * @param {(kind: number, timeMs: number, content: Uint8Array) => void} send takes packets with their capture time
   */
  constructor(context, send) {
    this.#context = context;
    this.#send = send;
  }

  /** Get ready; `opus` as hasOpus() said. */
  async prepare(opus) {
    await this.#context.audioWorklet.addModule(new URL("capture_worklet.js", import.meta.url));
    this.#node = new AudioWorkletNode(this.#context, "facewire-capture", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.#node.port.onmessage = ({ data }) => this.#take(data.samples, data.endMs);
    if (opus) this.#openEncoder();
  }

  #openEncoder() {
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        this.#send(TO_ENGINE.OPUS, this.#captured(chunk.timestamp / 1000), packet);
      },
      error: () => this.#openEncoder(), // a closed encoder stays closed: begin anew
    });
    this.#encoder.configure(encoderConfig(this.#bitrate));
  }

  /** Listen to a stream; to another one after a change of device. */
  listen(stream) {
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#node);
    this.#latencyMs = (stream.getAudioTracks()[0]?.getSettings().latency ?? 0) * 1000;
  }

  /** Code at so many bits per second from now on. */
  setBitrate(bitrate) {
    this.#bitrate = bitrate;
    if (this.#encoder?.state === "configured") this.#encoder.configure(encoderConfig(bitrate));
  }

  #captured(audioMs) {
    return this.#clock.toLocal(audioMs) - this.#latencyMs;
  }

  #take(samples, endMs) {
    this.#clock.observe(endMs, performance.now());
    this.level = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
    if (this.muted) return;
    const beginMs = endMs - PACKET_MS;
    if (this.#encoder === null) {
      this.#send(TO_ENGINE.PCM, this.#captured(beginMs), toS16(samples));
    } else if (this.#encoder.state === "configured" && this.#encoder.encodeQueueSize < MOST_WAITING) {
      encodeOn(this.#encoder, samples, beginMs);
    }
  }

  /** Let go of the microphone's sound. */
  close() {
    this.#source?.disconnect();
    this.#node?.port.close();
    if (this.#encoder?.state === "configured") this.#encoder.close();
  }
}
