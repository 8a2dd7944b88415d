import assert from "node:assert/strict";
import { test } from "node:test";

import { apply, elapsed, newRecording, openNoteText, takeChanged } from "../../web/recording.mjs";

const SESSION = "20261122_154501";

/** What the page shows after events, given as `[name, fields]`; each is a second and 16,000 frames after the last. */
function after(...events) {
  return events.reduce((recording, [event, fields], i) => {
    const envelope = { event, session: SESSION, sequence: i, timestamp: 1000 + i, frame: 16000 * i };
    return apply(recording, { ...envelope, ...fields });
  }, newRecording());
}

const state = (name, more = {}) => ["RecordingStateChanged",
  { state: name, is_recording: !["idle", "failed"].includes(name), is_paused: name === "paused", is_muted: false, ...more }];
const begun = (i) => ["SpeechDetected", { segment_index: i }];
const ended = (i, kept = true) => ["SpeechEnded", { segment_index: i, kept }];
const queued = (i) => ["TranscriptionQueued", { segment_index: i }];
const partial = (i, text, stable) => ["TranscriptionPartial", { segment_index: i, text, stable_chars: stable }];
const text = (i, said, more = {}) => ["TranscriptionComplete",
  { segment_index: i, text: said, success: true, error: null, revision: 0, suspect: false, ...more }];
const failure = (i, message) => text(i, "", { success: false, error: { code: "timed_out", message } });
const note = (title, more = {}) => ["NoteCompleted",
  { title, text: "milk", segments: [1], path: "notes/0001.md", revision: 0, ...more }];

test("a recording is followed from its start to its end", () => {
  assert.equal(after(state("recording")).isRecording, true);
  assert.equal(after(state("recording"), state("paused")).state, "paused");
  assert.equal(after(state("recording"), state("recording", { is_muted: true })).isMuted, true);
  const over = after(state("recording"), state("stopping"), state("idle"));
  assert.deepEqual([over.state, over.isRecording], ["idle", false]);
});

test("a segment begins, ends, waits and gets its text", () => {
  const steps = [[begun(0), "speaking"], [ended(0), "recorded"], [queued(0), "waiting"], [text(0, "milk"), "done"]];
  const events = [state("recording")];
  for (const [event, expected] of steps) {
    events.push(event);
    assert.equal(after(...events).segments.get(0).state, expected);
  }
  assert.equal(after(...events).segments.get(0).text, "milk");
});

test("speech that is not kept disappears, and is reported as changed", () => {
  const recording = after(state("recording"), begun(0), ended(0, false));
  assert.equal(recording.segments.size, 0);
  assert.deepEqual([...takeChanged(recording)], [0]);
  assert.deepEqual([...takeChanged(recording)], []);
});

test("a tentative text never replaces a final one", () => {
  const before = after(state("recording"), begun(0), partial(0, "buy mil", 4)).segments.get(0);
  assert.deepEqual([before.text, before.stableBytes], ["buy mil", 4]);
  const segment = after(state("recording"), begun(0), text(0, "Buy milk."), partial(0, "buy", 0)).segments.get(0);
  assert.equal(segment.text, "Buy milk.");
});

test("a text may come before the end of its segment is certain", () => {
  const segment = after(state("recording"), begun(0), text(0, "Milk."), ended(0), queued(0)).segments.get(0);
  assert.deepEqual([segment.state, segment.text], ["done", "Milk."]);
});

test("a failed text says why, until another try has one", () => {
  const events = [state("recording"), begun(0), ended(0), queued(0), failure(0, "It took too long.")];
  assert.equal(after(...events).segments.get(0).error, "It took too long.");
  const again = after(...events, text(0, "milk", { revision: 1 })).segments.get(0);
  assert.deepEqual([again.state, again.error], ["done", null]);
});

test("a failed revision leaves the text that there is", () => {
  const segment = after(state("recording"), begun(0), text(0, "milk"), failure(0, "no")).segments.get(0);
  assert.deepEqual([segment.state, segment.text], ["done", "milk"]);
});

test("a doubtful text says why", () => {
  const suspect = text(0, "you you you", { suspect: true, suspect_reason: "It repeats itself." });
  assert.equal(after(state("recording"), begun(0), suspect).segments.get(0).doubt, "It repeats itself.");
  assert.equal(after(state("recording"), begun(0), suspect, text(0, "you", { revision: 1 })).segments.get(0).doubt, "");
});

test("a note is open from its command to its end", () => {
  const events = [state("recording"), begun(0), text(0, "Start a new note."), ["NoteCommandDetected", { segment_index: 0, command: "start" }]];
  assert.equal(after(...events).openNote.title, "");
  events.push(["NoteTitleCaptured", { segment_index: 1, title: "Shopping" }]);
  assert.equal(after(...events).openNote.title, "Shopping");
  events.push(note("Shopping"));
  const complete = after(...events);
  assert.equal(complete.openNote, null);
  assert.deepEqual(complete.notes.map((each) => each.title), ["Shopping"]);
});

test("an open note has the texts behind its title, without commands and what was taken back", () => {
  const said = (index, words) => [begun(index), text(index, words)];
  const command = (index, name) => ["NoteCommandDetected", { segment_index: index, command: name }];
  const events = [state("recording"), ...said(0, "Start a new note."), command(0, "start"), ...said(1, "Shopping"),
    ["NoteTitleCaptured", { segment_index: 1, title: "Shopping" }]];
  assert.equal(openNoteText(after(...events)), "");
  events.push(...said(2, "rye bread"), ...said(4, "and tea"), ...said(3, "milk"));
  assert.equal(openNoteText(after(...events)), "rye bread milk and tea");
  events.push(...said(5, "Scratch that."), command(5, "scratch"));
  assert.equal(openNoteText(after(...events)), "rye bread milk");
});

test("a note whose words were revised stays one note", () => {
  const recording = after(state("recording"), note("Shopping"), note("Shopping", { text: "rye", revision: 1 }));
  assert.deepEqual(recording.notes.map((each) => each.text), ["rye"]);
});

test("a revision of an old note does not close the open one", () => {
  const recording = after(state("recording"), note("First"), ["NoteCommandDetected", { segment_index: 5, command: "start" }],
    note("First", { revision: 1 }));
  assert.equal(recording.openNote.title, "");
});

test("faults are in words, and the same one is counted", () => {
  const fault = ["RecorderFault", { code: "disk_full", message: "The disk is full: free some space.", recoverable: true }];
  const { faults } = after(state("recording"), fault, fault);
  assert.equal(faults.length, 1);
  assert.deepEqual([faults[0].text, faults[0].times], ["The disk is full: free some space.", 2]);
});

test("lost sound is a fault, a pause is none", () => {
  const gap = (reason) => ["AudioGap", { start_frame: 0, frames: 9, reason }];
  assert.equal(after(state("recording"), gap("paused")).faults.length, 0);
  for (const reason of ["overflow", "device_lost", "stalled", "suspended", "disk", "a new reason"]) {
    assert.match(after(state("recording"), gap(reason)).faults[0].text, /not recorded/);
  }
});

test("a new session takes the place of the old one", () => {
  const old = after(state("recording"), begun(0), state("idle"));
  const next = apply(old, { event: "RecordingStateChanged", session: "20261122_160000", timestamp: 2000, frame: 0,
    state: "recording", is_recording: true, is_paused: false, is_muted: false });
  assert.notEqual(next, old);
  assert.deepEqual([next.session, next.segments.size], ["20261122_160000", 0]);
});

test("late texts of an old session do not show up in the new one", () => {
  const recording = after(state("recording"), begun(0));
  const same = apply(recording, { event: "TranscriptionComplete", session: "20261122_100000", timestamp: 3000, frame: 1,
    segment_index: 0, text: "old", success: true, revision: 0 });
  assert.equal(same, recording);
  assert.equal(same.segments.get(0).text, "");
});

test("levels are kept for as long as they are shown", () => {
  const level = ["AudioLevel", { rms_dbfs: -20, peak_dbfs: -10, speech_probability: 0.9, silence_ms: 0 }];
  assert.equal(after(state("recording"), ...Array(1000).fill(level)).levels.length, 240);
  assert.equal(after(state("recording"), level, state("paused")).levels.length, 0);
});

test("time is the session's clock, which goes on between events while recording", () => {
  const recording = after(state("recording"), begun(0));
  assert.equal(elapsed(recording, 16000, 1001), 1);
  assert.equal(elapsed(recording, 16000, 1003.5), 3.5);
  assert.equal(elapsed(after(state("recording"), begun(0), state("idle")), 16000, 5000), 2);
});

test("an event of a later version is passed over", () => {
  assert.equal(after(state("recording"), ["SomethingNew", { x: 1 }]).state, "recording");
});
