// The page's state of a recording: a fold over the events of the recorder. Pure: no document, no network, no clock.

const MAX_LEVELS = 240;
const MAX_FAULTS = 50;

export function newRecording(session = null) {
  return {
    session,
    state: "idle",
    isRecording: false,
    isMuted: false,
    mode: "normal",
    device: "", // where it changed
    segments: new Map(), // by index, in order of speech
    notes: [],
    openNote: null, // {title, after}: its words are those of the segments behind that one
    faults: [], // {text, times}
    levels: [], // {rms, speech}
    frame: 0, // of the newest event
    timestamp: 0, // of it, in seconds
    changed: new Set(), // indexes of segments since `takeChanged`
  };
}

/** The indexes of segments that changed since the last call. */
export function takeChanged(recording) {
  const { changed } = recording;
  recording.changed = new Set();
  return changed;
}

/**
 * Applies an event. Events of another session are not of this recording, but for the start of a new one, which takes
 * its place: the result is the recording that is shown from now on.
 */
export function apply(recording, event) {
  const isStart = event.event === "RecordingStateChanged" && event.is_recording;
  if (event.session !== recording.session) {
    const isNew = recording.session === null || (isStart && event.session !== "");
    if (!isNew && event.session !== "") return recording;
    if (isNew && event.session !== "") recording = newRecording(event.session);
  }
  if (event.timestamp >= recording.timestamp) {
    recording.timestamp = event.timestamp;
    recording.frame = Math.max(recording.frame, event.frame);
  }
  handlers[event.event]?.(recording, event);
  return recording;
}

/** Seconds since the start of the session, on its one clock, at a moment of the server's. */
export function elapsed(recording, rate, now) {
  const since = recording.isRecording && recording.state !== "stopping" ? Math.max(0, now - recording.timestamp) : 0;
  return recording.frame / rate + since;
}

/** What has been said into the open note so far; empty until it has a title. */
export function openNoteText(recording) {
  const { openNote } = recording;
  if (!openNote?.title) return "";
  const texts = [];
  for (const each of [...recording.segments.values()].sort((a, b) => a.index - b.index)) {
    if (each.index <= openNote.after) continue;
    if (each.command === "scratch") texts.pop();
    else if (each.command === null && each.state === "done" && each.text) texts.push(each.text);
  }
  return texts.join(" ");
}

function segment(recording, index) {
  let found = recording.segments.get(index);
  if (!found) {
    found = { index, state: "speaking", frame: 0, text: "", stableBytes: 0, command: null, isTitle: false, error: null, doubt: "" };
    recording.segments.set(index, found);
  }
  recording.changed.add(index);
  return found;
}

function fault(recording, text) {
  const last = recording.faults.at(-1);
  if (last?.text === text) {
    last.times += 1;
    return;
  }
  recording.faults.push({ text, times: 1 });
  if (recording.faults.length > MAX_FAULTS) recording.faults.shift();
}

const GAPS = {
  overflow: "The machine was too busy, and some sound was not recorded.",
  device_lost: "The microphone was gone, and what was said meanwhile was not recorded. Check its cable.",
  stalled: "The microphone stopped sending, and what was said meanwhile was not recorded.",
  suspended: "The machine slept, and what was said meanwhile was not recorded.",
  disk: "The disk did not keep up, and some sound was not recorded. Free some space on it.",
};

const handlers = {
  RecordingStateChanged(recording, e) {
    recording.state = e.state;
    recording.isRecording = e.is_recording;
    recording.isMuted = e.is_muted;
    if (e.state !== "recording") recording.levels = [];
    if (!e.is_recording) recording.openNote = null;
  },
  VADModeChanged(recording, e) {
    recording.mode = e.mode;
  },
  SpeechDetected(recording, e) {
    segment(recording, e.segment_index).frame = e.frame;
  },
  SpeechEnded(recording, e) {
    const speech = segment(recording, e.segment_index);
    if (!e.kept) recording.segments.delete(e.segment_index);
    else if (speech.state === "speaking") speech.state = "recorded";
  },
  TranscriptionQueued(recording, e) {
    const queued = segment(recording, e.segment_index);
    if (queued.state !== "done") queued.state = "waiting";
  },
  TranscriptionPartial(recording, e) {
    const partial = recording.segments.get(e.segment_index);
    if (!partial || partial.state === "done") return;
    partial.text = e.text;
    partial.stableBytes = e.stable_chars;
    recording.changed.add(e.segment_index);
  },
  TranscriptionComplete(recording, e) {
    const complete = segment(recording, e.segment_index);
    if (!e.success && complete.state === "done") return; // the text that there is stays
    complete.state = e.success ? "done" : "failed";
    complete.text = e.success ? e.text : "";
    complete.error = e.success ? null : e.error?.message || "There is no text.";
    complete.doubt = e.suspect ? e.suspect_reason || "The text may be wrong." : "";
  },
  NoteCommandDetected(recording, e) {
    segment(recording, e.segment_index).command = e.command;
    if (e.command === "start") recording.openNote = { title: "", after: e.segment_index };
  },
  NoteTitleCaptured(recording, e) {
    segment(recording, e.segment_index).isTitle = true;
    recording.openNote = { title: e.title, after: e.segment_index };
  },
  NoteCompleted(recording, e) {
    const note = { title: e.title, text: e.text, path: e.path, segments: e.segments };
    const known = recording.notes.findIndex((each) => each.path === e.path);
    if (known >= 0) recording.notes[known] = note; // completed before, and has other words now
    else recording.notes.push(note);
    if (e.revision === 0 && !e.late) recording.openNote = null;
  },
  NoteCancelled(recording) {
    recording.openNote = null;
  },
  AudioGap(recording, e) {
    if (e.reason === "paused") return; // asked for
    fault(recording, GAPS[e.reason] ?? "Some sound was not recorded.");
  },
  DeviceChanged(recording, e) {
    recording.device = e.device;
  },
  RecorderFault(recording, e) {
    fault(recording, e.message);
  },
  AudioLevel(recording, e) {
    if (recording.state !== "recording") return;
    recording.levels.push({ rms: e.rms_dbfs, speech: e.speech_probability });
    if (recording.levels.length > MAX_LEVELS) recording.levels.shift();
  },
};
