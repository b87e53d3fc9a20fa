import assert from "node:assert/strict";
import { test } from "node:test";

import { TO_ENGINE, fromS16, pack, parse, toS16, unpack } from "../../../call/page/messages.js";

const hex = (buffer) => Buffer.from(buffer).toString("hex");

test("a camera frame is kind, big-endian time, content", () => {
  assert.equal(hex(pack(TO_ENGINE.CAMERA, 1.5, Uint8Array.of(0xff, 0xd8))), "013ff8000000000000ffd8");
});

test("remote sound has a sequence number, a picture has none", () => {
  const sound = Uint8Array.from(Buffer.from("12" + "4059000000000000" + "fffe" + "0a0b", "hex"));
  assert.deepEqual(unpack(sound.buffer), {
    kind: 0x12, timeMs: 100, sequence: 0xfffe, content: Uint8Array.of(0x0a, 0x0b),
  });
  const picture = Uint8Array.from(Buffer.from("11" + "4059000000000000" + "ffd8", "hex"));
  assert.deepEqual(unpack(picture.buffer), {
    kind: 0x11, timeMs: 100, sequence: null, content: Uint8Array.of(0xff, 0xd8),
  });
});

for (const [name, bytes] of [
  ["nothing", ""],
  ["a kind alone", "11"],
  ["a picture without pixels", "114059000000000000"],
  ["sound cut off in its sequence", "12405900000000000001"],
  ["an unknown kind", "7f4059000000000000ffd8"],
  ["a kind that only the page sends", "014059000000000000ffd8"],
  ["a time that is no number", "117ff8000000000000ffd8"],
]) {
  test(`${name} is refused`, () => {
    assert.equal(unpack(Uint8Array.from(Buffer.from(bytes, "hex")).buffer), null);
  });
}

test("JSON that is not of the engine is refused", () => {
  for (const text of ["", "null", "[]", "7", '{"type":"leave"}', '{"type":7}', '{"words":"x"}']) {
    assert.equal(parse(text), null, text);
  }
  assert.deepEqual(parse('{"type":"chat","text":"hello","from":"them"}'), { type: "chat", text: "hello", from: "them" });
});

test("s16le goes there and back within half a step, and clips what is too loud", () => {
  const samples = Float32Array.of(0, 0.5, -0.5, 0.99996, -1, 3, -3);
  const back = fromS16(toS16(samples));
  [0, 0.5, -0.5, 1, -1, 1, -1].forEach((value, index) => assert.ok(Math.abs(back[index] - value) < 1e-4, `${index}`));
  assert.equal(fromS16(Uint8Array.of(0, 0x40, 7)).length, 1);
});
