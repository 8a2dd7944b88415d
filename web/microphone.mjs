// This browser's microphone, sent to the server, where it makes a session of its own. Emits what `Recorder` emits.

import { token } from "./api.mjs";
import { apply, elapsed, newRecording } from "./recording.mjs";

const STREAM = "/api/v1/stream";
const MAX_UNSENT = 8 << 20; // bytes: 40 s of sound; beyond that the connection is given up

export class Microphone extends EventTarget {
  recording = newRecording();
  isOffered = false;
  isOn = false;
  isStarting = false;
  #rate = null;
  #parts = null; // {socket, context, track}

  /** The button appears where the server takes microphones and the browser has one to give. */
  offer(openapi) {
    this.isOffered = Boolean(openapi.paths?.[STREAM] && navigator.mediaDevices?.getUserMedia && globalThis.AudioWorkletNode);
    this.#changed();
  }

  get session() {
    return this.recording.session;
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

  #fail(message) {
    this.dispatchEvent(new CustomEvent("failure", { detail: new Error(message) }));
  }

  toggle() {
    if (this.isOn) this.#stop();
    else this.#start();
  }

  async #start() {
    this.isOn = this.isStarting = true;
    this.recording = newRecording();
    this.#rate = null;
    this.dispatchEvent(new CustomEvent("failure", { detail: null }));
    this.#changed();
    let stream = null;
    try {
      // What the recorder gets is what was spoken: its own detector copes with quiet and with noise.
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
    } catch (error) {
      this.#end();
      this.#fail(`The browser gives no microphone: ${error.message}. Allow it beside the address of this page.`);
      return;
    }
    const [track] = stream.getAudioTracks();
    const context = new AudioContext();
    const protocols = token.get() ? ["dictum", `dictum.token.${token.get()}`] : ["dictum"];
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${STREAM}`, protocols);
    socket.binaryType = "arraybuffer";
    this.#parts = { socket, context, track };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code, reason }) => {
      const hasEnded = code === 1000 || this.#parts?.isStopping;
      this.#end();
      if (!hasEnded) this.#fail(reason || "The connection to the server broke. What had arrived there is safe; start again to go on.");
    };
    track.onended = () => this.#stop(); // taken away in the browser, or pulled out
    socket.onopen = async () => {
      try {
        await context.audioWorklet.addModule("/web/microphone_worklet.mjs");
        const tap = new AudioWorkletNode(context, "microphone-tap", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
        this.#rate = context.sampleRate;
        socket.send(JSON.stringify({ device: track.label || "browser", format: "f32", rate: context.sampleRate, channels: 1 }));
        tap.port.onmessage = ({ data }) => {
          if (socket.readyState !== WebSocket.OPEN || this.#parts?.isStopping) return;
          socket.send(data);
          if (socket.bufferedAmount > MAX_UNSENT) socket.close();
        };
        context.createMediaStreamSource(stream).connect(tap);
        this.isStarting = false;
        this.#changed();
      } catch (error) {
        socket.close();
        this.#fail(`The browser does not hand over its sound: ${error.message}`);
      }
    };
  }

  #take(event) {
    if (typeof event.event !== "string") return;
    this.recording = apply(this.recording, event);
    if (event.event === "TranscriptionComplete" && event.success) {
      this.dispatchEvent(new CustomEvent("text", { detail: event.text }));
    }
    this.#changed();
  }

  /** The server ends the session, sends what is left of its events, and closes. */
  #stop() {
    const parts = this.#parts;
    if (!parts || parts.isStopping) return;
    parts.isStopping = true;
    parts.track.stop();
    if (parts.socket.readyState === WebSocket.OPEN) parts.socket.send(JSON.stringify({ stop: true }));
    else parts.socket.close();
    this.#changed();
  }

  #end() {
    this.#parts?.track.stop();
    this.#parts?.context.close();
    this.#parts = null;
    this.isOn = this.isStarting = false;
    this.#changed();
  }
}
