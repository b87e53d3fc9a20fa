// The other side's packets -> in order -> decoded -> the playout in the sound thread -> the browser's usual output.
//
// The usual output matters: it is what the browser's echo canceller listens to.

import { SAMPLE_RATE, PACKET_SAMPLES, TO_PAGE, fromS16 } from "../messages.js";
import { PacketOrder } from "./packet_order.js";

const POLL_MS = 10;

/** The other person's voice. */
export class Speaker {
  #context;
  #node = null;
  #decoder = null;
  #order = new PacketOrder();
  #times = []; // capture times of packets in the decoder, in order
  #heard = null; // {mediaMs, atMs}
  #timer = null;
  /** For levels, and for tests. */
  analyser;
  /** What the playout says of itself. */
  report = null;
  /** What could not be decoded. */
  bad = 0;

  /** @param {AudioContext} context */
  constructor(context) {
    this.#context = context;
    this.analyser = new AnalyserNode(context, { fftSize: 2048 });
  }

  /** Get ready to play. */
  async prepare() {
    await this.#context.audioWorklet.addModule(new URL("playout_worklet.js", import.meta.url));
    this.#node = new AudioWorkletNode(this.#context, "facewire-player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => this.#note(data);
    this.#node.connect(this.analyser).connect(this.#context.destination);
    this.#timer = setInterval(() => this.#decode(this.#order.poll(performance.now(), this.#playingMs())), POLL_MS);
  }

  /** Take a sound message of the engine, as messages.unpack() gives it. */
  take(message) {
    const before = this.#order.late;
    const ready = this.#order.offer(message.sequence, message, performance.now(), this.#playingMs());
    if (this.#order.late > before) this.#node.port.postMessage({ late: message.timeMs, count: PACKET_SAMPLES });
    this.#decode(ready);
  }

  #decode(ready) {
    for (const { packet } of ready) {
      if (packet.kind === TO_PAGE.PCM) this.#play(packet.timeMs, fromS16(packet.content));
      else this.#decodeOpus(packet);
    }
  }

  #decodeOpus({ timeMs, content }) {
    if (this.#decoder === null || this.#decoder.state === "closed") this.#openDecoder();
    this.#times.push(timeMs);
    this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: Math.round(timeMs * 1000), data: content }));
  }

  #openDecoder() {
    this.#times = [];
    this.#decoder = new AudioDecoder({
      output: (data) => {
        const samples = new Float32Array(data.numberOfFrames);
        data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        data.close();
        const timeMs = this.#times.shift();
        if (timeMs !== undefined) this.#play(timeMs, samples);
      },
      error: () => {
        this.bad += 1; // the decoder closed itself; the next packet opens another
      },
    });
    this.#decoder.configure({ codec: "opus", sampleRate: SAMPLE_RATE, numberOfChannels: 1 });
  }

  #play(timeMs, samples) {
    this.#node.port.postMessage({ timeMs, samples }, [samples.buffer]);
  }

  #note(report) {
    this.report = report;
    if (report.positionMs === null) return;
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp();
    const known = performanceTime > 0;
    const now = performance.now();
    const latencyMs = ((this.#context.outputLatency || this.#context.baseLatency) ?? 0) * 1000;
    const atMs = known ? performanceTime + (report.atS - contextTime) * 1000 : now + latencyMs;
    this.#heard = { mediaMs: report.positionMs, atMs };
  }

  /** What was captured when is heard when: {mediaMs, atMs} by the page's clock, or null. */
  get heard() {
    return this.#heard;
  }

  #playingMs() {
    return this.report === null || this.report.positionMs === null ? null : this.#heardAt(performance.now());
  }

  #heardAt(nowMs) {
    return this.#heard.mediaMs + (nowMs - this.#heard.atMs);
  }

  /** Hold the sound for so many ms more, because the picture is slower. */
  setExtra(extraMs) {
    this.#node?.port.postMessage({ extraMs });
  }

  /** Shares of what was played since the start: {heard, concealed, skipped, late} in samples, and lost packets. */
  get counts() {
    return { ...this.report?.counts, lost: this.#order.lost };
  }

  close() {
    clearInterval(this.#timer);
    this.#node?.disconnect();
    if (this.#decoder?.state === "configured") this.#decoder.close();
  }
}
