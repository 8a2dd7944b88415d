import assert from "node:assert/strict";
import { test } from "node:test";

import { EventParser } from "../../web/sse.mjs";

const STREAM = ': alive\n\nid: s/0\ndata: {"a":1}\n\ndata: {"b":2}\n\nid: s/1\ndata: x\ndata: y\n\n';
const EVENTS = [
  { id: "s/0", data: '{"a":1}' },
  { id: null, data: '{"b":2}' },
  { id: "s/1", data: "x\ny" },
];

test("events are read from a stream", () => {
  assert.deepEqual(new EventParser().push(STREAM), EVENTS);
});

test("the same events come out of any pieces of it", () => {
  for (let size = 1; size < STREAM.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
    assert.deepEqual(events, EVENTS, `pieces of ${size}`);
  }
});

test("an event that is not complete waits", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push("id: s/7\ndata: hello\n"), []);
  assert.deepEqual(parser.push("\n"), [{ id: "s/7", data: "hello" }]);
});

test("lines may end as on Windows", () => {
  assert.deepEqual(new EventParser().push("id: 1\r\ndata: a\r\n\r\n"), [{ id: "1", data: "a" }]);
});
