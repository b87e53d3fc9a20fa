// Media messages in, motion, acknowledgements and sound out, in a browser or in node. Written from codec/FORMAT.md.
//
//     const tables = await (await fetch("codec_tables.json")).json();
//     const decoder = new Decoder(tables);
//     const message = decoder.decode(new Uint8Array(event.data));
//
// The tables are those of the weights by their names in FORMAT.md, as nested arrays of integers (as in
// tests/vectors/tables_k3.json). Whoever serves the page makes them, in Python:
//
//     json.dumps({name: array.tolist() for name, array in tables.arrays().items()})      with codec.CodecTables
//
// Any bytes give a value or a WireError, with the words of the Python package. Time and memory are bounded: a message
// makes at most 31 frames; 65 states and 16 messages that wait are held.

import { MissingReference, WireError } from "./errors.js";
import { FRAMES, readAnswer, readLinks } from "./fields.js";
import { PaperTables, readFrames } from "./paper.js";
import { PredictiveTables, motionOf, readCheck, readGroup } from "./predictive.js";
import { RangeDecoder } from "./range_decoder.js";
import { PAPER, modulo, readMessage, unwrapSequence } from "./wire.js";

export { MissingReference, TablesError, WireError } from "./errors.js";

const HELD = 64; // numbers before the newest whose states can be built on
const MOST_WAITING = 16; // messages that came before what they build on
const ACKNOWLEDGED_BEFORE = 16;

/** Reads the messages of one direction of one call, in any order, some of them lost or doubled. */
export class Decoder {
  #predictive;
  #paper;
  #states = new Map(); // by number of the whole call: the state after that message
  #came = new Map(); // by number: whether all its frames were given out, or the last alone
  #waiting = new Map(); // by number: { reference, message }
  #newest = null;
  #lacking = null;

  /** TablesError for tables that do not fit together. */
  constructor(tables) {
    this.#predictive = new PredictiveTables(tables);
    this.#paper = new PaperTables(tables.paper);
  }

  /**
   * What one message (a Uint8Array) says:
   *
   * { sequence, profile, level, motions, repeated, acknowledgement, sound }. motions: its own frames that were not
   * given out before, { timeMs, numbers }, oldest first; numbers are yaw, pitch, roll in degrees, t_x, t_y, t_z, then x,
   * y, z of each keypoint's deformation. repeated: last frames of earlier messages that had not been given out.
   * acknowledgement: { newest, received, lacking } of the other direction, or null. sound: an Opus packet, maybe empty.
   *
   * Throws MissingReference where the motion builds on a message that was lost (`said` is the rest), WireError for
   * anything that no encoder writes.
   */
  decode(message) {
    if (typeof message === "string") {
      throw new WireError(`expected a media message in bytes, got text of ${[...message].length} characters`);
    }
    const { profile, sequence, sound, coded: bytes } = readMessage(message);
    const number = unwrapSequence(sequence, this.#newest);
    const coded = new RangeDecoder(bytes);
    const acknowledgement = readAnswer(coded);
    const said = { sequence, profile, level: 0, motions: [], repeated: [], acknowledgement, sound };
    const count = coded.take(FRAMES);
    if (count === 0) {
      coded.finish();
      if (acknowledgement === null && sound.length === 0) {
        throw new WireError("expected frames, an acknowledgement or sound, got a message that says nothing");
      }
      this.#note(number, []);
      return said;
    }
    const links = readLinks(coded, number);
    if (profile === PAPER) return this.#decodePaper(said, coded, links, count);
    return this.#decodePredictive(said, coded, links, count, message);
  }

  /**
   * Messages that were refused for a missing reference which has come since, decoded, oldest first, without their sound
   * and acknowledgement, which the error gave. To be called after each `decode`.
   */
  unblocked() {
    const found = [];
    for (const number of [...this.#waiting.keys()].sort((a, b) => a - b)) {
      const waits = this.#waiting.get(number); // none: decoding another has made it too old
      if (!waits || !this.#states.has(waits.reference)) continue;
      this.#waiting.delete(number);
      try {
        found.push({ ...this.decode(waits.message), acknowledgement: null, sound: new Uint8Array() });
      } catch (error) {
        if (!(error instanceof WireError)) throw error; // otherwise it was damaged behind its links
      }
    }
    return found;
  }

  /** What to tell the sender, { newest, received, lacking }; null before anything came. */
  acknowledgement() {
    const lacking = this.#lacking !== null;
    if (this.#came.size === 0) return lacking ? { newest: -1, received: 0, lacking } : null;
    const newest = Math.max(...this.#came.keys());
    let received = 0;
    for (let bit = 0; bit < ACKNOWLEDGED_BEFORE; bit++) {
      if (this.#came.get(newest - 1 - bit)) received |= 1 << bit;
    }
    return { newest: modulo(newest), received, lacking };
  }

  /** The state after the newest message with motion, { level, spacingMs, timeMs, integers }, or null. */
  get newestState() {
    return this.#states.size ? this.#states.get(Math.max(...this.#states.keys())) : null;
  }

  #decodePredictive(said, coded, { builds, numbers }, count, message) {
    const number = numbers.at(-1);
    let before = builds ? this.#find(numbers.shift(), said, number, message) : null;
    const passed = [];
    for (const repeated of numbers.slice(0, -1)) {
      const group = readGroup(coded, before, 1, this.#predictive);
      before = group.state;
      passed.push([repeated, group]);
    }
    const group = readGroup(coded, before, count, this.#predictive);
    const agreed = readCheck(coded, group.state);
    coded.finish();
    if (!agreed) throw this.#lack(number, numbers[0], said, "a state other than the sender's");
    const level = group.state.level;
    const motions = group.frames.map((frame) => motionOf(frame, level, this.#predictive));
    const old = passed.filter(([repeated]) => !this.#came.has(repeated));
    const repeated = old.map(([, { state }]) => motionOf(state, state.level, this.#predictive));
    const unseen = this.#unseen(number, motions);
    for (const [one, { state }] of [...passed, [number, group]]) this.#states.set(one, state);
    this.#note(number, numbers.slice(0, -1));
    return { ...said, level, motions: unseen, repeated };
  }

  #decodePaper(said, coded, { builds, numbers }, count) {
    if (builds) throw new WireError("expected motion of profile paper to build on nothing, got a reference");
    const number = numbers.pop();
    const frames = readFrames(coded, numbers.length + count, this.#paper);
    coded.finish();
    const repeated = frames.slice(0, numbers.length).filter((_, index) => !this.#came.has(numbers[index]));
    const motions = this.#unseen(number, frames.slice(numbers.length));
    this.#note(number, numbers);
    return { ...said, motions, repeated };
  }

  #find(reference, said, number, message) {
    const state = this.#states.get(reference);
    if (state) return state;
    this.#waiting.set(number, { reference, message: message.slice() });
    if (this.#waiting.size > MOST_WAITING) this.#waiting.delete(Math.min(...this.#waiting.keys()));
    throw this.#lack(number, reference, said, "it, which is not held");
  }

  /** Remember that something is lacking, unless newer messages have made up for it. */
  #lack(number, reference, said, what) {
    if (this.#came.size === 0 || number > this.#newest) this.#lacking = number;
    const text = `expected the state after message ${modulo(reference)} to decode message ${said.sequence}, `;
    return new MissingReference(`${text}which builds on ${what}`, modulo(reference), said);
  }

  /** What of a message's own frames was not given out before: all, all but the last, or none. */
  #unseen(number, motions) {
    if (!this.#came.has(number)) return motions;
    return this.#came.get(number) ? [] : motions.slice(0, -1);
  }

  /** Keep account of a message that was decoded, and forget what is too old to be built on. */
  #note(number, repeated) {
    for (const earlier of repeated) if (!this.#came.has(earlier)) this.#came.set(earlier, false);
    this.#came.set(number, true);
    this.#newest = Math.max(this.#newest ?? number, number);
    if (this.#lacking !== null && number >= this.#lacking) this.#lacking = null;
    for (const kept of [this.#came, this.#states, this.#waiting]) {
      for (const one of kept.keys()) if (one < this.#newest - HELD) kept.delete(one);
    }
  }
}
