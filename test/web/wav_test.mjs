import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { parseWAV, peaks } from "../../web/wav.mjs";

function bytesOf(file) {
  const bytes = readFileSync(new URL(file, import.meta.url));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

test("a recording of ours is read", () => {
  const { rate, samples } = parseWAV(bytesOf("../../samples/voice_note.wav"));
  assert.equal(rate, 16000);
  assert.ok(samples.length > 15 * rate);
  assert.ok(Math.max(...peaks(samples, 50)) > 0.1);
});

test("a file that is cut off anywhere gives what there is, or says what it is", () => {
  const whole = bytesOf("../../samples/voice_note.wav").slice(0, 400);
  for (let size = 0; size < 400; size += 1) {
    try {
      assert.ok(parseWAV(whole.slice(0, size)).samples.length <= 200);
    } catch (error) {
      assert.match(error.message, /WAV/);
    }
  }
});

test("peaks are those of equal parts", () => {
  assert.deepEqual([...peaks(Int16Array.from([0, -32768, 0, 16384]), 2)], [1, 0.5]);
  assert.deepEqual([...peaks(new Int16Array(0), 2)], [0, 0]);
});
