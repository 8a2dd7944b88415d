// This browser's microphone, sent to the server, where it makes a session of its own (docs/server.md, streams). Emits what
// `Recorder` emits.

import { EVENTS, token } from "./api.mjs";
import { messageOf, Outbox } from "./outbox.mjs";
import { apply, elapsed, newRecording } from "./recording.mjs";

const STREAM = "/api/v1/stream";
const MAX_KEPT_SEC = 300; // of sound that the server does not take
const RETRY_MS = 1000;

/** Hands a device back to the browser; either may be missing. */
function close(stream, context) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  if (context && context.state !== "closed") context.close();
}

export class Microphone extends EventTarget {
  recording = newRecording();
  isOffered = false;
  state = "off"; // "starting", "on", "stopping"
  #starts = 0; // one that is no longer the newest was cancelled
  #rate = null;
  #stream = null; // of the browser
  #context = null;
  #tap = null;
  #socket = null;
  #outbox = new Outbox();
  #resume = ""; // what names the stream to the server; empty before it has said so
  #after = ""; // the id of the last event
  #isComplete = false; // the outbox has the last frame
  #wasStopSent = false;
  #retry = 0;

  /** The button appears where the server takes microphones and the browser has one to give. */
  offer(openapi) {
    this.isOffered = Boolean(openapi.paths?.[STREAM] && navigator.mediaDevices?.getUserMedia && globalThis.AudioWorkletNode);
    this.#changed();
  }

  get isOn() {
    return this.state !== "off";
  }
  get isStarting() {
    return this.state === "starting";
  }
  elapsed() {
    return this.#rate && elapsed(this.recording, this.#rate, this.recording.timestamp);
  }
  seconds(frame) {
    return this.#rate && frame / this.#rate;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #say(error) {
    this.dispatchEvent(new CustomEvent("failure", { detail: error }));
  }

  toggle() {
    if (this.state === "off") this.#start();
    else if (this.state === "starting") this.#end();
    else if (this.state === "stopping") this.#leave();
    else this.#stop();
  }

  async #start() {
    this.#starts += 1;
    const start = this.#starts;
    this.state = "starting";
    this.recording = newRecording();
    this.#outbox = new Outbox();
    this.#rate = null;
    this.#resume = this.#after = "";
    this.#isComplete = this.#wasStopSent = false;
    this.#say(null);
    this.#changed();
    let stream = null;
    let context = null;
    try {
      // What is recorded is what was spoken: the server's detector copes with quiet and with noise.
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      context = new AudioContext();
      await context.audioWorklet.addModule("/web/microphone_worklet.mjs");
    } catch (error) {
      close(stream, context);
      if (start !== this.#starts) return;
      this.#end();
      this.#say(new Error(`The browser gives no microphone: ${error.message}. Allow it beside the address of this page.`));
      return;
    }
    if (start !== this.#starts) {
      close(stream, context);
      return;
    }
    this.#stream = stream;
    this.#context = context;
    this.#rate = this.#context.sampleRate;
    this.#tap = new AudioWorkletNode(this.#context, "microphone-tap",
      { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#tap.port.onmessage = ({ data }) => this.#record(data);
    this.#context.createMediaStreamSource(this.#stream).connect(this.#tap);
    this.#stream.getAudioTracks()[0].onended = () => this.#stop(); // taken away in the browser, or pulled out
    this.#connect();
  }

  /** A block from the audio thread; null is the end. */
  #record(samples) {
    if (samples === null) {
      this.#isComplete = true;
      this.#stopDevice();
      this.#sendStop();
    } else if (samples.length > 0) {
      const block = this.#outbox.push(samples);
      if (this.#isReady) this.#socket.send(messageOf(block));
      if (this.state === "on" && this.#outbox.length > MAX_KEPT_SEC * this.#rate) {
        this.#stop();
        this.#say(new Error(`The server has taken no sound for ${MAX_KEPT_SEC / 60} minutes, so the microphone was stopped. Keep this page open: the sound is sent once the server answers.`));
      }
    }
  }

  // The connection

  #isReady = false; // the server has said where it goes on

  #connect() {
    const protocols = token.get() ? ["dictum", `dictum.token.${token.get()}`] : ["dictum"];
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${STREAM}`, protocols);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.#hello()));
    socket.onmessage = ({ data }) => socket === this.#socket && this.#take(JSON.parse(data));
    socket.onclose = () => socket === this.#socket && this.#disconnected();
  }

  #hello() {
    const hello = { type: "hello", device: this.#stream.getAudioTracks()[0].label || "browser", types: EVENTS };
    if (this.#resume === "") return { ...hello, format: "f32", rate: this.#rate, channels: 1 };
    return { ...hello, resume: this.#resume, ...(this.#after && { after: this.#after }) };
  }

  #take(message) {
    if (typeof message.event === "string") this.#takeEvent(message);
    else if (message.type === "welcome") {
      this.#resume = message.token;
      this.#isReady = true;
      for (const block of this.#outbox.from(message.received)) this.#socket.send(messageOf(block));
      if (this.state === "starting") this.state = "on";
      if (this.state === "on") this.#say(null);
      this.#wasStopSent = false;
      this.#sendStop();
      this.#changed();
    } else if (message.type === "acknowledged") {
      this.#outbox.acknowledge(message.frames);
    } else if (message.type === "ended") {
      this.#end();
    } else if (message.code === "stream_unknown") {
      this.#resume = this.#after = ""; // the server was started anew: what is not safe becomes another session
      this.#outbox.restart();
    } else if (message.code === "invalid_argument" || (message.code && this.state === "starting")) {
      this.#fail(message.detail);
    } else if (message.code) {
      this.#say(new Error(message.detail)); // for now: the sound is kept, and the connection tried again
    }
  }

  #takeEvent(event) {
    if (event.id) this.#after = event.id;
    this.recording = apply(this.recording, event);
    if (event.event === "TranscriptionComplete" && event.success) {
      this.dispatchEvent(new CustomEvent("text", { detail: event.text }));
    }
    this.#changed();
  }

  /** The stream waits for its client for a while; what is said meanwhile is kept here. */
  #disconnected() {
    this.#isReady = false;
    if (this.state === "starting") {
      this.#fail("The server does not take this microphone: it cannot be reached, or the token has not the scope “transcribe”.");
    } else if (this.state !== "off") {
      this.#retry = setTimeout(() => this.#connect(), RETRY_MS);
    }
  }

  // The end

  /** What is left in the audio thread is sent; then the server ends the session and sends the rest of its events. */
  #stop() {
    if (this.state !== "on") return;
    this.state = "stopping";
    this.#tap.port.postMessage("flush");
    this.#changed();
  }

  /** Ends without the server, once the person agrees that what it has not confirmed is lost. */
  #leave() {
    const seconds = Math.ceil(this.#outbox.length / this.#rate);
    if (seconds > 0 && !confirm(`The server has not confirmed the last ${seconds} s of sound. Discard them?`)) return;
    this.#end();
  }

  #sendStop() {
    if (!this.#isComplete || !this.#isReady || this.#wasStopSent) return;
    this.#wasStopSent = true;
    this.#socket.send(JSON.stringify({ type: "stop" }));
  }

  #stopDevice() {
    close(this.#stream, this.#context);
  }

  #fail(message) {
    this.#end();
    this.#say(new Error(message));
  }

  #end() {
    this.#starts += 1;
    clearTimeout(this.#retry);
    this.#stopDevice();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#isReady = false;
    this.state = "off";
    this.#changed();
  }
}
