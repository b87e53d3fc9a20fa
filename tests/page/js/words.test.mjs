import assert from "node:assert/strict";
import { test } from "node:test";

import { curvePath, lineParts } from "../../../call/page/figures.js";
import { cropInPreview, readLink } from "../../../call/page/lobby.js";
import { STATES } from "../../../call/page/messages.js";
import { sentSize } from "../../../call/page/camera.js";
import { pictureType } from "../../../call/page/own_picture.js";
import { Turn } from "../../../call/page/turn.js";
import {
  PROBLEMS, STATE_WORDS, adviceFor, closeProblem, deviceProblem, sentence, stateName, viewWords,
} from "../../../call/page/words.js";

test("every state has words, and every problem says what to do", () => {
  for (const state of STATES) assert.ok(STATE_WORDS[state].title.length > 3, state);
  assert.equal(Object.keys(STATE_WORDS).length, STATES.length);
  for (const [name, { words, what_to_do: todo }] of Object.entries(PROBLEMS)) {
    assert.match(words, /\.$/, name);
    assert.match(todo, /\.$/, name);
  }
});

test("a state is known however it is spelt", () => {
  assert.equal(stateName("in_call"), "in_call");
  assert.equal(stateName("in call"), "in_call");
  assert.equal(stateName("In-Call"), "in_call");
  assert.equal(stateName("thinking"), null);
});

test("errors of devices and closes of the link are told apart", () => {
  const named = (name) => deviceProblem({ name });
  assert.deepEqual(
    ["NotFoundError", "NotAllowedError", "NotReadableError", "OverconstrainedError", "TypeError"].map(named),
    ["no_camera", "refused", "taken", "device_gone", "insecure"],
  );
  assert.deepEqual([4401, 4403, 4409, 1006].map(closeProblem), ["token", "origin", "second_page", null]);
});

test("ends that a person can do something about say what", () => {
  assert.match(adviceFor("the room is full"), /Ask for a new link/);
  assert.match(adviceFor("the token has expired"), /Ask the other person/);
  assert.match(adviceFor("expected model 3f2a, the other side has 77b1"), /same facewire/);
  assert.equal(adviceFor("the other side hung up"), STATE_WORDS.ended.hint);
});

test("what the engine says becomes a sentence", () => {
  assert.equal(sentence("nobody is there yet"), "Nobody is there yet.");
  assert.equal(sentence("Ready?"), "Ready?");
  assert.equal(sentence(""), "");
  assert.equal(sentence(undefined), "");
});

test("a link is found in what was pasted", () => {
  const link = "ws://192.168.1.5:8765/rooms/aB-3_x";
  assert.equal(readLink(link), link);
  assert.equal(readLink(` facewire call '${link}' \n`), link);
  assert.equal(readLink("wss://call.example/rooms/x"), "wss://call.example/rooms/x");
  assert.equal(readLink("  "), "");
  for (const text of ["kitchen", "http://x/rooms/y", "ws://host/", "ws:///rooms/x"]) assert.equal(readLink(text), null);
});

test("a drag over half the picture turns by 45 degrees, up is up, and there is an end to it", () => {
  const turn = new Turn();
  turn.drag(150, -30, 300);
  assert.deepEqual([turn.yawDeg, turn.pitchDeg], [45, 9]);
  turn.drag(900, 900, 300);
  assert.deepEqual([turn.yawDeg, turn.pitchDeg], [60, -40]);
  turn.reset();
  assert.deepEqual([turn.yawDeg, turn.pitchDeg], [0, 0]);
  assert.equal(viewWords(12.4, -5), "12° right, 5° down");
  assert.equal(viewWords(-3, 0.2), "3° left");
  assert.equal(viewWords(0.3, -0.4), "");
});

test("the crop lies mirrored in a preview that is filled by the picture", () => {
  assert.deepEqual(cropInPreview({ left: 0, top: 0, side: 240 }, [640, 480], [320, 240]), { left: 200, top: 0, side: 120 });
  // A square preview of a wide picture loses 80 px on each side of it.
  assert.deepEqual(cropInPreview({ left: 80, top: 10, side: 100 }, [640, 480], [480, 480]), { left: 380, top: 10, side: 100 });
});

test("pictures are sent at most 640 px wide, with even sides", () => {
  assert.deepEqual(sentSize(640, 480), [640, 480]);
  assert.deepEqual(sentSize(1280, 720), [640, 360]);
  assert.deepEqual(sentSize(1080, 1920), [360, 640]);
  assert.deepEqual(sentSize(321, 241), [322, 242]);
});

test("the quiet line shows what is known", () => {
  const stats = {
    wire_kbps_in: 23.6, wire_kbps_out: 25.2, loss: 0.012, delay_ms: null, fps_in: 29.7, fps_out: 30, h264_kbps: 311.8,
  };
  assert.deepEqual(
    lineParts(stats).map(({ words }) => words),
    ["24 kbps in, 25 out", "loss 1 %", "delay – ms", "30 fps", "H.264 would take 312 kbps"],
  );
});

test("a curve ends at the right, keeps inside, and has a gap where nothing is known", () => {
  assert.equal(curvePath([0, 10], 10), "M99.58 40.00L100.00 2.00");
  assert.equal(curvePath([99], 10), "M100.00 2.00");
  assert.equal(curvePath([5, null, 5], 10).match(/M/g).length, 2);
});

test("a picture's type is read from its first bytes", () => {
  assert.equal(pictureType(Buffer.from("RIFF0000WEBP").toString("base64")), "image/webp");
  assert.equal(pictureType(Buffer.from([0x89, 0x50, 0x4e, 0x47]).toString("base64")), "image/png");
  assert.equal(pictureType(Buffer.from([0xff, 0xd8, 0xff]).toString("base64")), "image/jpeg");
});
