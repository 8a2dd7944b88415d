// The server's recorder as this page sees it: what it is doing, and the commands it takes. Emits "change" after events,
// "text" for each text that has just become final, "connection", and "failure" with what went wrong, or with null.

import { command, followEvents, getJSON, sessionAddress } from "./api.mjs";
import { apply, elapsed, newRecording } from "./recording.mjs";

const LIVE = new Set(["AudioLevel", "TranscriptionPartial"]); // these are never of the past

export class Recorder extends EventTarget {
  recording = newRecording();
  isConnected = null; // null until it is known
  failure = null; // of the last command, or of following the events
  #rate = null; // frames a second of the session
  #ahead = 0; // seconds that the server's clock is ahead of this one
  #opened = Date.now() / 1000;
  #follow = null;
  #pending = null; // the command that has not been answered

  get session() {
    return this.recording.session;
  }
  get pending() {
    return this.#pending;
  }

  connect() {
    this.disconnect();
    this.#follow = new AbortController();
    followEvents({
      signal: this.#follow.signal,
      onEvent: (event) => this.#take(event),
      onConnection: (isConnected) => {
        if (isConnected === this.isConnected) return;
        this.isConnected = isConnected;
        this.dispatchEvent(new Event("connection"));
      },
    }).catch((error) => this.#fail(error));
  }

  #fail(error) {
    this.failure = error;
    this.dispatchEvent(new CustomEvent("failure", { detail: error }));
  }

  disconnect() {
    this.#follow?.abort();
  }

  #take(event) {
    if (LIVE.has(event.event)) this.#ahead = event.timestamp - Date.now() / 1000;
    const before = this.recording;
    this.recording = apply(before, event);
    if (this.recording !== before) this.#begin();
    const isNew = event.timestamp > this.#opened + this.#ahead;
    if (event.event === "TranscriptionComplete" && isNew && event.session === this.session && event.success) {
      this.dispatchEvent(new CustomEvent("text", { detail: event.text }));
    }
    this.dispatchEvent(new Event("change"));
  }

  /** How many frames a second has: the events do not say. */
  async #begin() {
    const { session } = this;
    this.#rate = null;
    if (session === null) return;
    try {
      const { sample_rate: rate } = await getJSON(sessionAddress(session));
      if (session === this.session) this.#rate = rate;
    } catch {
      // a token that does not read sessions: times are left out
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Seconds since the start; null where that is not known. */
  elapsed() {
    return this.#rate && elapsed(this.recording, this.#rate, Date.now() / 1000 + this.#ahead);
  }

  /** A place on the session's clock in seconds; null where that is not known. */
  seconds(frame) {
    return this.#rate && frame / this.#rate;
  }

  async #give(name, fields) {
    this.#pending = name;
    this.#fail(null);
    this.dispatchEvent(new Event("change"));
    try {
      await command(name, fields);
    } catch (error) {
      // Stopping a start ends that with an error of its own, which is no news.
      if (error.code !== "cancelled") this.#fail(error);
    } finally {
      if (this.#pending === name) this.#pending = null;
      this.dispatchEvent(new Event("change"));
    }
  }

  get isStarting() {
    return this.#pending === "start_recording" || this.recording.state === "starting";
  }

  /** Start, stop, or cancel the start. Texts that are missing at the stop come later. */
  toggle() {
    if (this.isStarting && !this.recording.isRecording) return this.#give("cancel_start");
    if (this.recording.state === "stopping" || this.#pending === "stop_recording") return undefined;
    if (this.recording.isRecording) return this.#give("stop_recording", { drain_sec: 0 });
    return this.#give("start_recording");
  }
  togglePause() {
    const { state } = this.recording;
    if (state === "paused") return this.#give("resume_recording");
    return state === "recording" ? this.#give("pause_recording") : undefined;
  }
  toggleMute() {
    return this.recording.isRecording ? this.#give("set_muted", { muted: !this.recording.isMuted }) : undefined;
  }
  toggleMode() {
    return this.#give("set_vad_mode", { mode: this.recording.mode === "normal" ? "long_note" : "normal" });
  }
  completeNote() {
    return this.#give("complete_note");
  }
  retryFailed() {
    return this.#give("retry_failed");
  }
}
