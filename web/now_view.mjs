// What is being recorded now.

import { h, icon, problemBox, setText } from "./dom.mjs";
import { drawLevels } from "./level_meter.mjs";
import { openNoteText, takeChanged } from "./recording.mjs";
import { clock, count, splitAtByte } from "./text.mjs";

const STATES = {
  starting: "Starting…",
  recording: "Recording",
  paused: "Paused",
  stopping: "Stopping…",
  idle: "Ready",
  failed: "Stopped by a fault",
};
const COMMANDS = {
  start: "begins a note",
  end: "ends the note",
  complete: "ends the note",
  cancel: "cancels the note",
  scratch: "takes back what was said before",
  stop: "stops the recording",
};

export function nowView({ recorder, microphone }) {
  // What was said last: into this browser, or to the recorder.
  const shown = () => (microphone.isOn || microphone.recording.timestamp > recorder.recording.timestamp ? microphone : recorder);
  const rows = new Map();
  let recording = null;

  const list = h("ol", { class: "lines" });
  const notes = h("div", { class: "cards" });
  const notesPart = h("aside", { class: "notes", "aria-labelledby": "notestitle", hidden: true },
    h("h2", { id: "notestitle" }, "Notes"), notes);
  const faults = h("ul", { class: "faults", "aria-label": "Faults", role: "list" });
  const failure = h("div", { class: "failure" });
  const link = h("a", { class: "quiet" }, "Open the session");
  const waiting = h("span", { class: "quiet" });
  const headline = h("div", { class: "row headline", hidden: true }, h("h1", {}, "Transcript"), waiting, link);
  const empty = h("div", { class: "empty" },
    h("h1", {}, "Ready when you are"),
    h("p", {}, "Press the button or the space bar, and speak. What you say appears here, and is kept."));
  const element = h("div", { class: "now" }, failure, faults, empty,
    h("div", { class: "columns" }, h("section", { class: "transcript" }, headline, list), notesPart));

  const dot = h("span", { class: "dot" });
  const state = h("span", {});
  const time = h("span", { class: "time", role: "timer", "aria-live": "off" });
  const level = h("canvas", { class: "level", "aria-hidden": "true" });
  const toggle = h("button", { type: "button", class: "record", "aria-keyshortcuts": "Space", onclick: () => toggleShown() });
  const pause = h("button", { type: "button", class: "pill short", onclick: () => recorder.togglePause() });
  const mute = h("button", { type: "button", class: "pill short", onclick: () => recorder.toggleMute() });
  const mode = h("button", { type: "button", class: "pill", title: "Wait 5 seconds of silence before a segment ends",
    onclick: () => recorder.toggleMode() }, "Long pauses");
  const here = h("button", { type: "button", class: "pill", hidden: true, onclick: () => microphone.toggle() });
  const dock = h("section", { class: "dock", "aria-label": "Recorder" },
    h("div", { class: "dockin" },
      h("div", { class: "status" }, h("span", { class: "state", role: "status" }, dot, state), time),
      level,
      h("div", { class: "pills" }, pause, mute, mode, here),
      toggle));

  function toggleShown() {
    if (microphone.isOn) microphone.toggle();
    else recorder.toggle();
  }

  function row(segment) {
    const at = h("span", { class: "at" });
    const text = h("p", { class: "said", dir: "auto" });
    const more = h("div", { class: "more" });
    const item = h("li", { class: "line" }, at, h("div", { class: "body" }, text, more));
    rows.set(segment.index, { item, at, text, more });
    // Texts may come in another order than speech.
    const after = [...rows.keys()].filter((index) => index > segment.index).sort((a, b) => a - b)[0];
    list.insertBefore(item, after === undefined ? null : rows.get(after).item);
    return rows.get(segment.index);
  }

  function drawRow(segment) {
    const { item, at, text, more } = rows.get(segment.index) ?? row(segment);
    const seconds = shown().seconds(segment.frame);
    setText(at, seconds === null ? "" : clock(seconds));
    item.dataset.state = segment.state;
    const said = segment.state === "done" ? [segment.text, ""] : splitAtByte(segment.text, segment.stableBytes);
    const pieces = [said[0]];
    if (said[1]) pieces.push(h("span", { class: "tentative" }, said[1]));
    if (segment.state === "failed") pieces.push(h("span", { class: "wrong" }, `No text: ${segment.error}`));
    else if (segment.text === "") {
      const states = { speaking: "Listening…", done: "No words." };
      pieces.push(h("span", { class: "tentative" }, states[segment.state] ?? "Transcribing…"));
    }
    text.replaceChildren(...pieces);
    more.replaceChildren();
    if (segment.state === "failed" && shown() === recorder) {
      more.append(h("button", { type: "button", class: "link", onclick: () => recorder.retryFailed() }, "Try again"));
    }
    if (segment.command) more.append(h("span", { class: "tag" }, COMMANDS[segment.command] ?? segment.command));
    else if (segment.doubt) more.append(h("span", { class: "tag", title: segment.doubt }, "doubtful"));
    else if (segment.isTitle) more.append(h("span", { class: "tag" }, "title of the note"));
  }

  function drawLines() {
    const changed = takeChanged(recording);
    for (const index of changed) {
      const segment = recording.segments.get(index);
      if (segment) drawRow(segment);
      else {
        rows.get(index)?.item.remove();
        rows.delete(index);
      }
    }
    return changed.size > 0;
  }

  function drawNotes() {
    const { notes: all, openNote } = recording;
    const text = openNoteText(recording);
    const key = JSON.stringify([all, openNote, text]);
    if (notes.dataset.key === key) return;
    notes.dataset.key = key;
    notes.replaceChildren();
    if (openNote) {
      const complete = h("button", { type: "button", class: "pill", onclick: () => recorder.completeNote() }, "Complete it");
      notes.append(h("article", { class: "card open" },
        h("h3", { dir: "auto" }, openNote.title || "New note"),
        text ? h("p", { dir: "auto" }, text)
          : h("p", { class: "tentative" }, openNote.title ? "What you say now goes into this note." : "Say its title."),
        shown() === recorder && complete)); // a stream's notes are steered by voice
    }
    for (const note of [...all].reverse()) {
      notes.append(h("article", { class: "card" }, h("h3", { dir: "auto" }, note.title), h("p", { dir: "auto" }, note.text)));
    }
    notesPart.hidden = notes.childElementCount === 0;
  }

  function drawFaults() {
    const key = JSON.stringify(recording.faults);
    if (faults.dataset.key === key) return;
    faults.dataset.key = key;
    faults.replaceChildren(...recording.faults.slice(-3).map((fault) =>
      h("li", { class: "problem" }, fault.text, fault.times > 1 ? ` (${fault.times} times)` : "")));
  }

  function button(element, picture, label) {
    if (element.dataset.label === label) return;
    element.dataset.label = label;
    element.replaceChildren(icon(picture), h("span", {}, label));
  }

  function drawDock() {
    const source = shown();
    const isStarting = (source.isStarting || recorder.isStarting) && !recording.isRecording;
    const now = isStarting ? "starting" : source.state === "stopping" ? "stopping" : recording.state;
    dock.dataset.state = now;
    const name = recording.isMuted && now === "recording" ? "Muted" : STATES[now] ?? now;
    setText(state, recording.isRecording && recording.device ? `${name} · ${recording.device}` : name);
    const isMicrophoneStopping = source === microphone && microphone.state === "stopping";
    button(toggle, isMicrophoneStopping || recording.isRecording ? "stop" : "record",
      isMicrophoneStopping ? "Stop waiting" : isStarting ? "Cancel" : recording.isRecording ? "Stop" : "Record");
    toggle.disabled = now === "stopping" && !isMicrophoneStopping;
    button(pause, now === "paused" ? "play" : "pause", now === "paused" ? "Go on" : "Pause");
    button(mute, recording.isMuted ? "micOff" : "mic", recording.isMuted ? "Unmute" : "Mute");
    pause.hidden = mute.hidden = mode.hidden = source !== recorder || !recording.isRecording;
    mode.setAttribute("aria-pressed", String(recording.mode === "long_note"));
    here.hidden = !microphone.isOffered || microphone.isOn || recorder.recording.isRecording;
    button(here, "mic", "Browser microphone");
    const seconds = recording.session === null ? null : source.elapsed();
    setText(time, seconds === null ? "" : clock(seconds));
    document.title = recording.isRecording ? `● ${seconds === null ? "" : `${clock(seconds)} `}Dictum` : "Dictum";
  }

  let scheduled = 0;
  function schedule() {
    if (!scheduled) scheduled = requestAnimationFrame(draw);
  }

  function draw() {
    scheduled = 0;
    if (shown().recording !== recording) {
      recording = shown().recording;
      rows.clear();
      list.replaceChildren();
      for (const index of recording.segments.keys()) recording.changed.add(index);
    }
    const isAtEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 60;
    const hasGrown = drawLines();
    drawNotes();
    drawFaults();
    drawDock();
    drawLevels(level, recording.levels);
    empty.hidden = rows.size > 0;
    setText(empty.firstChild, recording.isRecording ? "Listening" : "Ready when you are");
    headline.hidden = rows.size === 0;
    const open = [...recording.segments.values()].filter((each) => ["waiting", "recorded"].includes(each.state)).length;
    setText(waiting, open > 0 ? `${count(open, "segment")} being transcribed` : "");
    link.hidden = recording.session === null || recording.isRecording;
    if (recording.session !== null) link.setAttribute("href", `#/session/${recording.session}`);
    if (hasGrown && isAtEnd && recording.isRecording) scrollTo(0, document.documentElement.scrollHeight);
  }

  function showFailure({ detail }) {
    failure.replaceChildren(...(detail ? [problemBox(detail)] : []));
  }

  /** Times of rows wait for the rate, which comes later. */
  let knewTimes = false;
  function onChange() {
    const knowsTimes = shown().seconds(0) !== null;
    if (knowsTimes && !knewTimes) for (const index of rows.keys()) shown().recording.changed.add(index);
    knewTimes = knowsTimes;
    schedule();
  }

  const sources = [recorder, microphone];
  for (const source of sources) {
    source.addEventListener("change", onChange);
    source.addEventListener("failure", showFailure);
  }
  showFailure({ detail: recorder.failure });
  document.addEventListener("theme", schedule);
  addEventListener("resize", schedule);
  const ticking = setInterval(() => recording?.isRecording && schedule(), 250);
  schedule();

  return {
    element,
    dock,
    title: "Now",
    keys: { " ": toggleShown, p: () => recorder.togglePause(), m: () => recorder.toggleMute() },
    close() {
      clearInterval(ticking);
      cancelAnimationFrame(scheduled);
      for (const source of sources) {
        source.removeEventListener("change", onChange);
        source.removeEventListener("failure", showFailure);
      }
      document.removeEventListener("theme", schedule);
      removeEventListener("resize", schedule);
      document.title = "Dictum";
    },
  };
}
