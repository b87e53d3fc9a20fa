import assert from "node:assert/strict";
import { test } from "node:test";

import { ClockOffset } from "../../../call/page/sound/clock.js";
import { PacketOrder, sequenceStep } from "../../../call/page/sound/packet_order.js";
import { seeded } from "./sounds.mjs";

const names = (released) => released.map(({ packet, lostBefore }) => (lostBefore ? `${lostBefore}!${packet.name}` : packet.name));

test("sequence numbers go around", () => {
  assert.equal(sequenceStep(0xffff, 0), 1);
  assert.equal(sequenceStep(0, 0xffff), -1);
  assert.equal(sequenceStep(10, 15), 5);
});

/** A packet of slot `slot` of 60 ms, named. */
const at = (slot, name) => ({ timeMs: slot * 60, name });

test("packets in order pass at once, across the end of u16", () => {
  const order = new PacketOrder();
  assert.deepEqual(names(order.offer(0xffff, at(0, "a"), 0, null)), ["a"]);
  assert.deepEqual(names(order.offer(0, at(1, "b"), 60, -20)), ["b"]);
  assert.deepEqual(names(order.offer(1, at(2, "c"), 120, 40)), ["c"]);
  assert.equal(order.lost, 0);
});

test("a packet that was overtaken is waited for while it could be played", () => {
  const order = new PacketOrder();
  order.offer(5, at(5, "a"), 0, 200);
  assert.deepEqual(names(order.offer(7, at(7, "c"), 60, 300)), []);
  assert.deepEqual(names(order.poll(115, 355)), []);
  assert.deepEqual(names(order.offer(6, at(6, "b"), 116, 356)), ["b", "c"]);
  assert.equal(order.lost, 0);
});

test("a lost packet is given up when its turn has come, not before", () => {
  const order = new PacketOrder();
  order.offer(5, at(5, "a"), 0, 200);
  order.offer(8, at(8, "d"), 60, 400);
  assert.deepEqual(names(order.poll(70, 419)), []);
  assert.deepEqual(names(order.poll(72, 421)), ["2!d"]);
  assert.equal(order.lost, 2);
  assert.deepEqual(names(order.offer(6, at(6, "b"), 95, 440)), [], "came after its turn");
  assert.equal(order.late, 1);
});

test("after a pause nothing is waited for, and never for long", () => {
  const order = new PacketOrder();
  order.offer(5, at(5, "a"), 0, 200);
  assert.deepEqual(names(order.offer(25, at(25, "z"), 1200, 1480)), ["19!z"]);
  assert.deepEqual(names(order.offer(27, at(27, "y"), 1300, -5000)), []);
  assert.deepEqual(names(order.poll(1500, -5000)), ["1!y"]);
  const idle = new PacketOrder();
  idle.offer(5, at(5, "a"), 0, null);
  assert.deepEqual(names(idle.offer(7, at(7, "c"), 60, null)), ["1!c"]);
});

test("a peer that starts counting anew is followed", () => {
  const order = new PacketOrder();
  order.offer(5000, at(9, "old"), 0, 0);
  assert.deepEqual(names(order.offer(0, at(0, "new"), 60, 0)), ["new"]);
  const near = new PacketOrder();
  near.offer(20, at(20, "old"), 0, 0);
  assert.deepEqual(names(near.offer(0, at(0, "a"), 60, 0)), []);
  assert.deepEqual(names(near.offer(1, at(1, "b"), 120, 0)), []);
  assert.deepEqual(names(near.offer(2, at(2, "c"), 180, 0)), ["c"]);
  assert.deepEqual(names(near.offer(3, at(3, "d"), 240, 0)), ["d"]);
});

test("the same packet twice is played once", () => {
  const order = new PacketOrder();
  order.offer(1, at(1, "a"), 0, 0);
  order.offer(3, at(3, "c"), 60, 0);
  order.offer(3, at(3, "c again"), 61, 0);
  assert.deepEqual(names(order.offer(2, at(2, "b"), 62, 0)), ["b", "c"]);
});

test("an offset is found under jitter, and the drift of two clocks", () => {
  const clock = new ClockOffset();
  const random = seeded(3);
  assert.equal(clock.toLocal(5), null);
  for (let ms = 0; ms < 12000; ms += 60) clock.observe(ms, 5000 + ms * (1 + 200e-6) + 4 + 30 * random());
  assert.ok(Math.abs(clock.offsetMs - 5005) < 3, `${clock.offsetMs}`);
  assert.ok(Math.abs(clock.driftPpm - 200) < 350, `${clock.driftPpm}`);
  const steady = new ClockOffset();
  for (let ms = 0; ms < 12000; ms += 60) steady.observe(ms, ms * (1 - 300e-6));
  assert.ok(Math.abs(steady.driftPpm + 300) < 5, `${steady.driftPpm}`);
});
