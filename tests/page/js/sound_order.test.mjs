import assert from "node:assert/strict";
import { test } from "node:test";

import { Bitrate } from "../../../call/page/sound/bitrate.js";
import { ClockOffset } from "../../../call/page/sound/clock.js";
import { PacketOrder, sequenceStep } from "../../../call/page/sound/packet_order.js";
import { seeded } from "./sounds.mjs";

const names = (released) => released.map(({ packet, lostBefore }) => (lostBefore ? `${lostBefore}!${packet}` : packet));

test("sequence numbers go around", () => {
  assert.equal(sequenceStep(0xffff, 0), 1);
  assert.equal(sequenceStep(0, 0xffff), -1);
  assert.equal(sequenceStep(10, 15), 5);
});

test("packets in order pass at once, across the end of u16", () => {
  const order = new PacketOrder();
  assert.deepEqual(names(order.offer(0xffff, "a", 0)), ["a"]);
  assert.deepEqual(names(order.offer(0, "b", 60)), ["b"]);
  assert.deepEqual(names(order.offer(1, "c", 120)), ["c"]);
  assert.equal(order.lost, 0);
});

test("a packet that was overtaken is waited for", () => {
  const order = new PacketOrder();
  order.offer(5, "a", 0);
  assert.deepEqual(names(order.offer(7, "c", 60)), []);
  assert.deepEqual(names(order.offer(6, "b", 75)), ["b", "c"]);
  assert.equal(order.lost, 0);
});

test("a lost packet is given up after the hold, not before", () => {
  const order = new PacketOrder();
  order.offer(5, "a", 0);
  order.offer(8, "d", 60);
  assert.deepEqual(names(order.poll(85)), []);
  assert.deepEqual(names(order.poll(90)), ["2!d"]);
  assert.equal(order.lost, 2);
  assert.deepEqual(names(order.offer(6, "b", 95)), [], "came after its turn");
  assert.equal(order.late, 1);
});

test("a peer that starts counting anew is followed", () => {
  const order = new PacketOrder();
  order.offer(5000, "old", 0);
  assert.deepEqual(names(order.offer(0, "new", 60)), ["new"]);
  const near = new PacketOrder();
  near.offer(20, "old", 0);
  assert.deepEqual(names(near.offer(0, "a", 60)), []);
  assert.deepEqual(names(near.offer(1, "b", 120)), []);
  assert.deepEqual(names(near.offer(2, "c", 180)), ["c"]);
  assert.deepEqual(names(near.offer(3, "d", 240)), ["d"]);
});

test("the same packet twice is played once", () => {
  const order = new PacketOrder();
  order.offer(1, "a", 0);
  order.offer(3, "c", 60);
  order.offer(3, "c again", 61);
  assert.deepEqual(names(order.offer(2, "b", 62)), ["b", "c"]);
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

test("the voice gives way to a full or lossy link and comes back slowly", () => {
  const bitrate = new Bitrate();
  assert.equal(bitrate.current, 12000);
  assert.equal(bitrate.observe({ wire_kbps_out: 28, loss: 0 }), 12000);
  assert.equal(bitrate.observe({ wire_kbps_out: 36, loss: 0 }), 9000);
  assert.equal(bitrate.observe({ wire_kbps_out: 20, loss: 0.2 }), 6000);
  assert.equal(bitrate.observe({ wire_kbps_out: 60, loss: 0.5 }), 6000);
  for (let i = 0; i < 7; i += 1) assert.equal(bitrate.observe({ wire_kbps_out: 18, loss: 0 }), 6000);
  assert.equal(bitrate.observe({ wire_kbps_out: 18, loss: 0 }), 9000);
});
