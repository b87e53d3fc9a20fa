// What the page and the engine say to each other over the one WebSocket between them.
//
// Binary messages carry one kind byte, then numbers in network order, then the content. Text messages are JSON with a
// `type`. call/page_messages.py holds the same names for the engine; tests/page/test_message_names.py keeps them equal.

/** First byte of binary messages from the page: f64 capture time in ms, then the content. */
export const TO_ENGINE = Object.freeze({
  CAMERA: 0x01, // JPEG of the whole camera picture
  OPUS: 0x02, // one Opus packet, 60 ms, mono, 48 kHz
  PCM: 0x03, // 60 ms of s16le, mono, 48 kHz, where the browser has no Opus encoder
});

/** First byte of binary messages from the engine. */
export const TO_PAGE = Object.freeze({
  PICTURE: 0x11, // f64 time in ms, JPEG of the other person
  OPUS: 0x12, // f64 time in ms, u16 sequence, Opus packet
  PCM: 0x13, // f64 time in ms, u16 sequence, s16le
  SELF: 0x14, // f64 time in ms, JPEG of oneself as the other sees one
});

/** `type` of JSON messages from the page. */
export const PAGE_TYPES = Object.freeze([
  "hello",
  "start",
  "view",
  "frontalise",
  "mute",
  "camera",
  "self_view",
  "chat",
  "source",
  "take_source",
  "keep_fresh",
  "record",
  "leave",
]);

/** `type` of JSON messages from the engine. */
export const ENGINE_TYPES = Object.freeze([
  "state",
  "stats",
  "crop",
  "chat",
  "face",
  "source_preview",
  "error",
  "mute",
  "record",
  "ask_source",
  "voice",
]);

/** States of a call, in the order in which a smooth one passes through them. */
export const STATES = Object.freeze([
  "starting",
  "waiting",
  "connecting",
  "in_call",
  "unstable",
  "reconnecting",
  "ended",
]);

export const SAMPLE_RATE = 48000;
export const PACKET_MS = 60;
export const PACKET_SAMPLES = (SAMPLE_RATE * PACKET_MS) / 1000;

const TIME_BYTES = 8;
const HEAD_BYTES = 1 + TIME_BYTES;
const SOUND_HEAD_BYTES = HEAD_BYTES + 2;

/**
 * Write a binary message to the engine.
 *
 * @param {number} kind one of TO_ENGINE
 * @param {number} timeMs capture time by the page's performance clock
 * @param {ArrayBuffer|Uint8Array} content
 * @returns {ArrayBuffer}
 */
export function pack(kind, timeMs, content) {
  const bytes = content instanceof Uint8Array ? content : new Uint8Array(content);
  const message = new Uint8Array(HEAD_BYTES + bytes.length);
  message[0] = kind;
  new DataView(message.buffer).setFloat64(1, timeMs);
  message.set(bytes, HEAD_BYTES);
  return message.buffer;
}

/**
 * Read a binary message of the engine.
 *
 * @param {ArrayBuffer} message
 * @returns {{kind: number, timeMs: number, sequence: number|null, content: Uint8Array}|null} null for what is no such
 *   message: an unknown kind, cut off, or a time that is no number. Sequence is that of sound, else null.
 */
export function unpack(message) {
  const view = new DataView(message);
  if (view.byteLength < HEAD_BYTES) return null;
  const kind = view.getUint8(0);
  if (!Object.values(TO_PAGE).includes(kind)) return null;
  const timeMs = view.getFloat64(1);
  if (!Number.isFinite(timeMs)) return null;
  const isSound = kind === TO_PAGE.OPUS || kind === TO_PAGE.PCM;
  const head = isSound ? SOUND_HEAD_BYTES : HEAD_BYTES;
  if (view.byteLength <= head) return null;
  return {
    kind,
    timeMs,
    sequence: isSound ? view.getUint16(HEAD_BYTES) : null,
    content: new Uint8Array(message, head),
  };
}

/**
 * Read a JSON message of the engine.
 *
 * @param {string} text
 * @returns {object|null} null for what is no JSON object with a known `type`
 */
export function parse(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (message === null || typeof message !== "object" || !ENGINE_TYPES.includes(message.type)) return null;
  return message;
}

/** Samples in [-1, 1] as s16le. */
export function toS16(samples) {
  const bytes = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, index) => {
    bytes.setInt16(index * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true);
  });
  return new Uint8Array(bytes.buffer);
}

/** s16le as samples in [-1, 1]; an odd last byte is left out. */
export function fromS16(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, index) => view.getInt16(index * 2, true) / 32768);
}
