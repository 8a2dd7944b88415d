import assert from "node:assert/strict";
import { test } from "node:test";

import { alignWords, clock, count, duration, markedPieces, splitAtByte, wordAt } from "../../web/text.mjs";

const words = (...texts) => texts.map((text, i) => ({ text, start_frame: i * 100, end_frame: i * 100 + 90 }));
const shown = (pieces) => pieces.map((piece) => (piece.word === null ? piece.text : `${piece.word}:${piece.text}`));

test("a text is split where the server counts bytes", () => {
  assert.deepEqual(splitAtByte("Grüße an 🙂 alle", 7), ["Grüße", " an 🙂 alle"]);
  assert.deepEqual(splitAtByte("Grüße", 0), ["", "Grüße"]);
  assert.deepEqual(splitAtByte("Grüße", 100), ["Grüße", ""]);
});

test("marks are places in bytes", () => {
  assert.deepEqual(markedPieces("für Brot und Öl", [{ begin: 5, size: 4 }, { begin: 14, size: 3 }]), [
    { text: "für ", isMarked: false },
    { text: "Brot", isMarked: true },
    { text: " und ", isMarked: false },
    { text: "Öl", isMarked: true },
  ]);
});

test("without marks a text is one piece, and an empty one none", () => {
  assert.deepEqual(markedPieces("bread", []), [{ text: "bread", isMarked: false }]);
  assert.deepEqual(markedPieces("", []), []);
});

test("marks that overlap or lie behind the end lose no text", () => {
  const pieces = markedPieces("abcdef", [{ begin: 1, size: 3 }, { begin: 2, size: 3 }, { begin: 5, size: 99 }]);
  assert.equal(pieces.map((piece) => piece.text).join(""), "abcdef");
});

test("words are found in their text, whatever stands between them", () => {
  assert.deepEqual(shown(alignWords("Buy bread, please.", words("buy", " bread", "please"))), [
    "0:Buy", " ", "1:bread", ", ", "2:please", ".",
  ]);
});

test("a word that the text has not is passed over", () => {
  assert.deepEqual(shown(alignWords("Buy rye bread", words("Buy", "some", "bread"))), ["0:Buy", " rye ", "2:bread"]);
});

test("a word is found once for each time it was said", () => {
  assert.deepEqual(shown(alignWords("no no", words("no", "no"))), ["0:no", " ", "1:no"]);
});

test("no text is lost, whatever the words are", () => {
  for (const text of ["", "İstanbul'da ne var", "a<b>c", "   "]) {
    for (const list of [words(), words(""), words("istanbul", "var"), words("zzz"), words("b", "a")]) {
      assert.equal(alignWords(text, list).map((piece) => piece.text).join(""), text);
    }
  }
});

test("a text that was corrected far from its words keeps them apart", () => {
  const text = `${"something else ".repeat(20)}bread`;
  assert.deepEqual(shown(alignWords(text, words("bread"))), [text]);
});

test("the word at a frame is the one that has begun", () => {
  const list = words("a", "b", "c");
  assert.equal(wordAt(list, -1), -1);
  assert.equal(wordAt(list, 0), 0);
  assert.equal(wordAt(list, 95), 0);
  assert.equal(wordAt(list, 100), 1);
  assert.equal(wordAt(list, 9999), 2);
  assert.equal(wordAt([], 5), -1);
});

test("times are as a clock shows them", () => {
  assert.equal(clock(0), "0:00");
  assert.equal(clock(59.9), "0:59");
  assert.equal(clock(754), "12:34");
  assert.equal(clock(3723), "1:02:03");
  assert.equal(clock(-1), "0:00");
});

test("durations are as people say them", () => {
  assert.equal(duration(7.4), "7 s");
  assert.equal(duration(600), "10 min");
  assert.equal(duration(3600), "1 h");
  assert.equal(duration(3720), "1 h 2 min");
});

test("one is not many", () => {
  assert.equal(count(1, "note"), "1 note");
  assert.equal(count(0, "note"), "0 notes");
});
