// The bytes around the range coder's: codec/FORMAT.md, "Media message".

import { WireError } from "./errors.js";

const WIRE_VERSION = 2;
const VERSION_1 = 0xf1; // first byte of every message of version 1
const MAX_MESSAGE_BYTES = 65535;
const MAX_SOUND_BYTES = 4000;
const HEADER_BYTES = 2;

export const SEQUENCE_MODULUS = 1024;
export const PAPER = 1;
export const PREDICTIVE = 2;

/** Take a message (a Uint8Array) apart: { profile, sequence, sound, coded }. WireError when it is none. */
export function readMessage(message) {
  const size = message.length;
  if (size > MAX_MESSAGE_BYTES) {
    throw new WireError(`expected a media message of at most ${MAX_MESSAGE_BYTES} bytes, got ${size}`);
  }
  if (size < HEADER_BYTES) throw new WireError(`expected a media message, got ${size} bytes, too few for its header`);
  const version = message[0] === VERSION_1 ? 1 : message[0] >> 4;
  if (version !== WIRE_VERSION) {
    throw new WireError(`expected wire format version ${WIRE_VERSION}, got version ${version}`);
  }
  const sound = message[0] & 0x04 ? readSound(message) : message.subarray(HEADER_BYTES, HEADER_BYTES);
  return {
    profile: message[0] & 0x08 ? PAPER : PREDICTIVE,
    sequence: ((message[0] & 0x03) << 8) | message[1],
    sound: sound.slice(),
    coded: message.subarray(sound.byteOffset - message.byteOffset + sound.length),
  };
}

/** The number, over the whole call, of a message with this sequence: the candidate nearest to `newest` (or null). */
export function unwrapSequence(sequence, newest) {
  if (newest === null) return sequence;
  return newest + modulo(sequence - newest + SEQUENCE_MODULUS / 2) - SEQUENCE_MODULUS / 2;
}

/** A number as a sequence, 0 to 1023. */
export function modulo(number) {
  return ((number % SEQUENCE_MODULUS) + SEQUENCE_MODULUS) % SEQUENCE_MODULUS;
}

function readSound(message) {
  const [first, second] = message.subarray(HEADER_BYTES);
  const long = first >= 0x80;
  if (first === undefined || (long && second === undefined)) {
    throw new WireError("expected the length of the sound, the message ends before it");
  }
  const length = long ? ((first & 0x7f) << 8) | second : first;
  if (length < (long ? 0x80 : 1) || length > MAX_SOUND_BYTES) {
    throw new WireError(
      `expected a sound of 1 to ${MAX_SOUND_BYTES} bytes in its shortest form, got length ${length}`,
    );
  }
  const start = HEADER_BYTES + (long ? 2 : 1);
  if (message.length < start + length) {
    throw new WireError(`expected ${length} bytes of sound, the message ends after ${message.length - start}`);
  }
  return message.subarray(start, start + length);
}
