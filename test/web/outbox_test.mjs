import assert from "node:assert/strict";
import { test } from "node:test";

import { messageOf, Outbox } from "../../web/outbox.mjs";

/** Blocks of 10 frames whose samples are their numbers. */
function filled(blocks) {
  const outbox = new Outbox();
  for (let block = 0; block < blocks; block += 1) outbox.push(Float32Array.from({ length: 10 }, (_, i) => block * 10 + i));
  return outbox;
}
const frames = (blocks) => blocks.flatMap(({ first, samples }) => [...samples].map((sample, i) => [first + i, sample]));

test("everything is kept until it is safe", () => {
  const outbox = filled(3);
  assert.deepEqual(frames(outbox.from(0)), Array.from({ length: 30 }, (_, i) => [i, i]));
  outbox.acknowledge(15);
  assert.equal(outbox.length, 20); // a block stays whole
  outbox.acknowledge(30);
  assert.equal(outbox.length, 0);
});

test("a connection goes on with the frame that the server expects, to the frame", () => {
  for (let received = 0; received <= 30; received += 1) {
    const rest = frames(filled(3).from(received));
    assert.deepEqual(rest, Array.from({ length: 30 - received }, (_, i) => [received + i, received + i]));
  }
});

test("an old acknowledgement changes nothing", () => {
  const outbox = filled(3);
  outbox.acknowledge(20);
  outbox.acknowledge(5);
  assert.equal(outbox.length, 10);
});

test("a stream that the server does not know any more begins anew with what is not safe", () => {
  const outbox = filled(3);
  outbox.acknowledge(15);
  outbox.restart();
  assert.deepEqual(frames(outbox.from(0)), Array.from({ length: 15 }, (_, i) => [i, 15 + i]));
  assert.equal(outbox.push(new Float32Array(10)).first, 15);
});

test("a message is a number and samples", () => {
  const view = new DataView(messageOf({ first: 2 ** 40 + 3, samples: Float32Array.of(0.5, -1) }));
  assert.equal(view.byteLength, 16);
  assert.equal(view.getBigUint64(0, true), 2n ** 40n + 3n);
  assert.deepEqual([view.getFloat32(8, true), view.getFloat32(12, true)], [0.5, -1]);
});
