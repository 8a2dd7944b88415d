// A session: what was said, to be read, played, corrected and taken along.

import { download, getJSON, post, sessionAddress } from "./api.mjs";
import { h, icon, problemBox, setText } from "./dom.mjs";
import { barCount, drawWaveform } from "./level_meter.mjs";
import { Player } from "./player.mjs";
import { alignWords, clock, count, dayAndTime, duration, wordAt } from "./text.mjs";

const FORMATS = [["txt", "Text"], ["md", "Markdown"], ["srt", "SRT"], ["vtt", "WebVTT"], ["json", "JSON"]];
const STEP_SEC = 2; // of the arrow keys on the waveform

export function sessionView({ name, query, announce }) {
  const element = h("div", { class: "session" }, h("p", { class: "quiet", role: "status" }, "Loading…"));
  const address = sessionAddress(name);
  const ended = new AbortController();
  const rows = new Map(); // by index: {segment, words, item, text, spans}
  let player = null;
  let shape = null;
  let playing = null; // the row whose sound is loaded
  let highlighted = null; // the word in it

  const playButton = h("button", { type: "button", class: "record play", onclick: () => player?.toggle() });
  const wave = h("canvas", { class: "level wave", role: "slider", tabindex: "0", "aria-label": "Place in the segment",
    "aria-valuemin": "0", "aria-valuenow": "0", "aria-valuemax": "0" });
  const place = h("span", { class: "time" }, "0:00");
  const what = h("span", { class: "state" }, "Click a word to play from it");
  const speed = h("button", { type: "button", class: "pill", title: "Speed", onclick: () => player?.nextSpeed() });
  const dock = h("section", { class: "dock", "aria-label": "Player", hidden: true },
    h("div", { class: "dockin" }, h("div", { class: "status" }, what, place), wave, h("div", { class: "pills" }, speed), playButton));

  // The player

  function drawDock() {
    const label = player.isPlaying ? "Pause" : "Play";
    if (playButton.dataset.label !== label) {
      playButton.dataset.label = label;
      playButton.replaceChildren(icon(player.isPlaying ? "pause" : "play"), h("span", {}, label));
    }
    const { current, position, length } = player;
    if (current) {
      setText(what, `${clock(current.start_frame / player.rate)} in the session`);
      setText(place, `${clock(position)} / ${clock(Math.ceil(length))}`);
      wave.setAttribute("aria-valuemax", length.toFixed(1));
      wave.setAttribute("aria-valuenow", position.toFixed(1));
      wave.setAttribute("aria-valuetext", `${clock(position)} of ${clock(length)}`);
    }
    setText(speed, `${player.speed}×`);
    speed.setAttribute("aria-label", `${player.speed}× speed`);
    if (shape?.of !== current) loadShape();
    drawWaveform(wave, shape?.of === current && shape ? shape.bars : new Float32Array(barCount(wave)), length ? position / length : 0);
    highlight();
  }

  async function loadShape() {
    const { current } = player;
    const loading = { of: current, bars: new Float32Array(barCount(wave)) };
    shape = loading;
    try {
      loading.bars = await player.shape(barCount(wave));
      if (shape === loading && !ended.signal.aborted) drawDock();
    } catch {
      // the failure to load has been shown already
    }
  }

  function highlight() {
    const row = player.current && rows.get(player.current.index);
    const next = (row && row.spans.get(wordAt(row.words, player.frame))) ?? null;
    if (playing !== row) {
      playing?.item.classList.remove("playing");
      row?.item.classList.add("playing");
      playing = row;
    }
    if (highlighted !== next) {
      highlighted?.classList.remove("spoken");
      next?.classList.add("spoken");
      highlighted = next;
    }
  }

  function playFrom(index, frame) {
    const row = rows.get(index);
    player.play(row.segment, frame ?? row.segment.speech_start_frame);
  }

  function stepWord(step) {
    const row = player?.current && rows.get(player.current.index);
    if (!row || row.words.length === 0) return;
    const at = wordAt(row.words, player.frame) + step;
    const word = row.words[Math.min(row.words.length - 1, Math.max(0, at))];
    player.load(row.segment, word.start_frame);
  }

  function seekTo(event) {
    const box = wave.getBoundingClientRect();
    player.seek((event.clientX - box.left) / box.width);
  }
  wave.addEventListener("pointerdown", (event) => {
    if (!player?.current) return;
    wave.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  wave.addEventListener("pointermove", (event) => wave.hasPointerCapture(event.pointerId) && seekTo(event));
  wave.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -STEP_SEC, ArrowDown: -STEP_SEC, ArrowRight: STEP_SEC, ArrowUp: STEP_SEC }[event.key];
    if (!step || !player?.current) return;
    player.seek((player.position + step) / player.length);
    event.preventDefault();
    event.stopPropagation();
  });

  // Rows

  function drawText(row) {
    const { segment, words, text } = row;
    row.spans = new Map();
    text.replaceChildren();
    if (segment.text === "") {
      const states = { done: "No words.", skipped: "Not transcribed.", recording: "Being recorded…", queued: "Waits for its text." };
      const error = segment.error && `No text: ${segment.error.message}`;
      text.append(h("span", { class: error ? "wrong" : "tentative" }, error ?? states[segment.status] ?? ""));
      return;
    }
    for (const piece of alignWords(segment.text, words)) {
      if (piece.word === null) text.append(piece.text);
      else {
        const span = h("span", { class: "word" }, piece.text);
        span.dataset.word = piece.word;
        row.spans.set(piece.word, span);
        text.append(span);
      }
    }
  }

  function makeRow(segment, words, rate) {
    const text = h("p", { class: "said", dir: "auto", onclick: (event) => {
      if (getSelection().toString() !== "") return; // somebody marks text to copy it
      const word = event.target.dataset.word;
      playFrom(segment.index, word === undefined ? undefined : row.words[word].start_frame);
    } });
    const at = clock(segment.speech_start_frame / rate);
    const start = h("button", { type: "button", class: "at", "aria-label": `Play from ${at}`, onclick: () => playFrom(segment.index) }, at);
    const correct = h("button", { type: "button", class: "plain correct", title: "Correct the text",
      "aria-label": `Correct the text at ${at}`, onclick: () => edit(row) }, icon("edit"));
    const more = h("div", { class: "more" }, segment.edited && h("span", { class: "tag" }, "corrected"));
    const item = h("li", { class: "line", id: `segment-${segment.index}` }, start, h("div", { class: "body" }, text, more), correct);
    const row = { segment, words, item, text, more, correct, spans: new Map() };
    rows.set(segment.index, row);
    drawText(row);
    return item;
  }

  // Corrections

  function edit(row) {
    if (row.item.querySelector("form")) return;
    const field = h("textarea", { rows: "2", dir: "auto", "aria-label": "The right text", maxlength: "20000" });
    field.value = row.segment.text;
    const failure = h("div");
    const close = () => {
      form.remove();
      row.text.hidden = false;
      row.correct.focus();
    };
    const save = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        const changed = await post(`${address}/segments/${row.segment.index}/text`, { text: field.value });
        Object.assign(row.segment, changed);
        row.words = await wordsOf(row.segment.index);
        drawText(row);
        row.more.replaceChildren(h("span", { class: "tag" }, "corrected"));
        close();
        announce("The text was corrected.");
        loadNotes();
      } catch (error) {
        failure.replaceChildren(problemBox(error));
        button.disabled = false;
      }
    };
    const button = h("button", { type: "submit", class: "pill strong" }, "Save");
    const form = h("form", { class: "edit", onsubmit: save, onkeydown: (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(event);
    } }, field, h("div", { class: "row" }, button,
      h("button", { type: "button", class: "pill", onclick: close }, "Cancel")), failure);
    row.text.hidden = true;
    row.text.after(form);
    field.focus();
  }

  // Notes

  const notes = h("div", { class: "cards" });
  const notesPart = h("aside", { class: "notes", "aria-labelledby": "notestitle", hidden: true },
    h("h2", { id: "notestitle" }, "Notes"), notes);

  async function loadNotes() {
    const all = await getJSON(`${address}/notes`, ended.signal);
    notes.replaceChildren(...all.notes.map((note) =>
      h("article", { class: "card" }, h("h3", { dir: "auto" }, note.title), h("p", { dir: "auto" }, note.text),
        note.segments.length > 0 && h("button", { type: "button", class: "link", onclick: () => playFrom(note.segments[0]) },
          "Play from here"))));
    notesPart.hidden = all.notes.length === 0;
  }

  async function readWords() {
    const transcript = await getJSON(`${address}/transcript?format=json`, ended.signal);
    return new Map(transcript.segments.map((segment) => [segment.index, segment.words ?? []]));
  }
  const wordsOf = async (index) => (await readWords()).get(index) ?? [];

  function show(session, words) {
    const { day, time } = dayAndTime(session.started_at);
    const facts = [time, duration(session.end_frame / session.sample_rate), count(session.segments.length, "segment")];
    if (session.notes > 0) facts.push(count(session.notes, "note"));
    const links = FORMATS.map(([format, label]) => {
      const target = `${address}/transcript?format=${format}`;
      return h("a", { href: target, download: `${name}.${format}`, onclick: (event) => {
        event.preventDefault();
        download(target, `${name}.${format}`).catch((error) => failure.replaceChildren(problemBox(error)));
      } }, label);
    });
    const failure = h("div", { class: "failure" });
    const lines = session.segments.map((segment) => makeRow(segment, words.get(segment.index) ?? [], session.sample_rate));
    element.replaceChildren(
      h("header", { class: "title" },
        h("a", { class: "quiet back", href: "#/sessions" }, icon("back"), "Sessions"),
        h("h1", {}, day),
        h("p", { class: "facts" }, facts.join(" · ")),
        session.problem && h("p", { class: "problem" }, session.problem),
        h("p", { class: "exports" }, h("span", { class: "quiet" }, "Save as"), ...links),
        failure),
      h("div", { class: "columns" },
        h("section", { class: "transcript", "aria-label": "Transcript" }, h("ol", { class: "lines" }, ...lines),
          lines.length === 0 && h("p", { class: "tentative" }, "There was no speech in this session.")),
        notesPart));
    player = new Player(session.segments, session.sample_rate);
    player.rate = session.sample_rate;
    player.addEventListener("place", drawDock);
    player.addEventListener("failure", ({ detail }) => failure.replaceChildren(problemBox(detail)));
    dock.hidden = lines.length === 0;
    drawDock();
    const wanted = rows.get(Number(query.get("segment") ?? NaN));
    if (wanted) {
      wanted.item.classList.add("wanted");
      wanted.item.scrollIntoView({ block: "center" });
      player.load(wanted.segment, wanted.segment.speech_start_frame);
    }
  }

  async function load() {
    try {
      const [session, words] = await Promise.all([getJSON(address, ended.signal), readWords()]);
      show(session, words);
      await loadNotes();
    } catch (error) {
      if (ended.signal.aborted) return;
      element.replaceChildren(h("a", { class: "quiet back", href: "#/sessions" }, icon("back"), "Sessions"), problemBox(error));
    }
  }
  const redraw = () => player && drawDock();
  const resize = () => {
    shape = null;
    redraw();
  };
  document.addEventListener("theme", redraw);
  addEventListener("resize", resize);
  load();

  return {
    element,
    dock,
    title: "Session",
    keys: { " ": () => player?.toggle(), ArrowLeft: () => stepWord(-1), ArrowRight: () => stepWord(1) },
    close() {
      ended.abort();
      player?.close();
      document.removeEventListener("theme", redraw);
      removeEventListener("resize", resize);
    },
  };
}
