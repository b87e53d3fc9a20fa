// The WebSocket between this page and the engine on this machine.

import { parse, pack, unpack } from "./messages.js";
import { closeProblem } from "./words.js";

/** Camera frames are skipped above this, sound above ten times as much: a slow engine is not fed stale pictures. */
const FULL_BYTES = 160_000;
const TRIES = 4;
const AGAIN_MS = 700;

/** Why the page's own address does not lead to an engine: a name in words.PROBLEMS. */
async function whyRefused() {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    return answer.ok ? "token" : answer.status === 404 ? "engine_gone" : "token";
  } catch {
    return "engine_gone";
  }
}

/** Sends and receives; connects again a few times after a break. */
export class Link extends EventTarget {
  #socket = null;
  #handlers;
  #opened = false;
  #tries = 0;
  #closed = false;
  /** Camera frames that were not sent because the engine was behind. */
  skipped = 0;

  /**
   * @param {{onOpen: () => void, onMessage: (message: object) => void, onBinary: (message: object) => void,
   *   onProblem: (name: string) => void}} handlers onBinary takes what unpack() gives; onProblem a name in PROBLEMS
   */
  constructor(handlers) {
    super();
    this.#handlers = handlers;
  }

  /** Connect to the engine that served this page. */
  open() {
    const token = new URLSearchParams(location.search).get("token");
    if (!token) {
      this.#handlers.onProblem("no_token");
      return;
    }
    const address = new URL(`ws?token=${encodeURIComponent(token)}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(address);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => {
      this.#opened = true;
      this.#tries = 0;
      this.#handlers.onOpen();
    };
    this.#socket.onmessage = ({ data }) => this.#take(data);
    this.#socket.onclose = ({ code }) => this.#ended(code);
  }

  #take(data) {
    const message = typeof data === "string" ? parse(data) : unpack(data);
    if (message === null) return; // of a newer engine, or broken: not ours to judge
    if (typeof data === "string") this.#handlers.onMessage(message);
    else this.#handlers.onBinary(message);
  }

  async #ended(code) {
    if (this.#closed) return;
    const known = closeProblem(code);
    if (known !== null) {
      this.#handlers.onProblem(known);
    } else if (this.#opened && this.#tries < TRIES) {
      this.#tries += 1;
      setTimeout(() => this.open(), AGAIN_MS);
    } else {
      this.#handlers.onProblem(await whyRefused());
    }
  }

  get #ready() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Send a JSON message. Returns whether it went. */
  send(message) {
    if (this.#ready) this.#socket.send(JSON.stringify(message));
    return this.#ready;
  }

  /** Whether a camera frame would go now. */
  get hasRoom() {
    return this.#ready && this.#socket.bufferedAmount < FULL_BYTES;
  }

  /** Send a camera frame, or skip it while the engine is behind. */
  sendFrame(kind, timeMs, content) {
    if (this.hasRoom) this.#socket.send(pack(kind, timeMs, content));
    else this.skipped += 1;
  }

  /** Send sound. */
  sendSound(kind, timeMs, content) {
    if (this.#ready && this.#socket.bufferedAmount < 10 * FULL_BYTES) this.#socket.send(pack(kind, timeMs, content));
  }

  /** Close for good. */
  close() {
    this.#closed = true;
    this.#socket?.close(1000);
  }
}
