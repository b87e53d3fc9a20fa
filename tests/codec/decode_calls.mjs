// Decodes calls with call/page/codec/decoder.js. In, as JSON on standard input:
//     { tables, calls: [[hex of a message, ...], ...], brief }        brief: digest and errors alone
// Out: for each call { digest: CRC-32 over the states after each message with motion, results: one for each message },
// a result being what the message says, or the error; then the decoder's acknowledgement and what was unblocked.

import { readFileSync } from "node:fs";

import { Decoder, MissingReference, WireError } from "../../call/page/codec/decoder.js";
import { crc32, stateBytes } from "../../call/page/codec/predictive.js";

const { tables, calls, brief } = JSON.parse(readFileSync(0, "utf8"));

const answer = (given) => given && [given.newest, given.received, given.lacking];
const timesOf = (motions) => motions.map(({ timeMs }) => timeMs);

function described(message) {
  return {
    sequence: message.sequence,
    profile: message.profile,
    level: message.level,
    times_ms: timesOf(message.motions),
    repeated_times_ms: timesOf(message.repeated),
    acknowledgement: answer(message.acknowledgement),
    sound: Buffer.from(message.sound).toString("hex"),
    motion: [...message.repeated, ...message.motions].map(({ numbers }) => [...numbers]),
  };
}

function outcome(decoder, hex) {
  try {
    return described(decoder.decode(new Uint8Array(Buffer.from(hex, "hex"))));
  } catch (error) {
    if (!(error instanceof WireError)) throw error; // a fault of the decoder ends the test
    const lacks = error instanceof MissingReference;
    const more = lacks ? { reference: error.reference, said: described(error.said) } : {};
    return { error: error.message, ...more };
  }
}

function decodeCall(messages) {
  const decoder = new Decoder(tables);
  let digest = 0;
  const results = messages.map((hex) => {
    const result = outcome(decoder, hex);
    const unblocked = decoder.unblocked().map(described);
    const state = decoder.newestState;
    if (state && (brief || result.motion?.length)) digest = crc32(stateBytes(state), digest);
    if (brief) return result.error ?? null;
    return { ...result, unblocked, answer: answer(decoder.acknowledgement()), integers: state?.integers ?? [] };
  });
  return { digest, results };
}

process.stdout.write(JSON.stringify(calls.map(decodeCall)));
