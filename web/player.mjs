// Plays the segments of a session, one after the other. Emits "place" while the place changes, and "failure".

import { getBytes } from "./api.mjs";
import { parseWAV, peaks } from "./wav.mjs";

const KEPT = 8; // segments in memory
const SPEEDS = [1, 1.25, 1.5, 2];

export class Player extends EventTarget {
  #audio = new Audio();
  #segments;
  #rate;
  #sounds = new Map(); // by index: a promise of {url, samples}
  #request = 0; // the newest one wins
  current = null; // the segment that is loaded

  /** `segments` that have sound, in order; `rate` is in frames a second. */
  constructor(segments, rate) {
    super();
    this.#segments = segments;
    this.#rate = rate;
    const tick = () => {
      this.#changed();
      if (!this.#audio.paused) requestAnimationFrame(tick);
    };
    this.#audio.addEventListener("play", tick);
    for (const name of ["pause", "seeked", "loadedmetadata"]) this.#audio.addEventListener(name, () => this.#changed());
    this.#audio.addEventListener("ended", () => this.#next());
  }

  get isPlaying() {
    return !this.#audio.paused;
  }
  get frame() {
    return this.current ? this.current.start_frame + Math.round(this.#audio.currentTime * this.#rate) : 0;
  }
  get position() {
    return this.#audio.currentTime;
  }
  get length() {
    return this.current ? (this.current.end_frame - this.current.start_frame) / this.#rate : 0;
  }
  get speed() {
    return this.#audio.playbackRate;
  }

  nextSpeed() {
    this.#audio.playbackRate = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
    this.#audio.defaultPlaybackRate = this.#audio.playbackRate;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("place"));
  }

  #sound(segment) {
    if (!this.#sounds.has(segment.index)) {
      this.#sounds.set(segment.index, getBytes(segment.audio).then((bytes) => ({
        url: URL.createObjectURL(new Blob([bytes], { type: "audio/wav" })),
        samples: parseWAV(bytes).samples,
      })));
      if (this.#sounds.size > KEPT) this.#forget(this.#sounds.keys().next().value);
    }
    return this.#sounds.get(segment.index);
  }

  #forget(index) {
    this.#sounds.get(index)?.then(({ url }) => URL.revokeObjectURL(url), () => {});
    this.#sounds.delete(index);
  }

  /** The shape of the segment that is loaded. */
  async shape(bars) {
    return this.current ? peaks((await this.#sound(this.current)).samples, bars) : new Float32Array(bars);
  }

  async load(segment, frame = segment.start_frame) {
    const request = (this.#request += 1);
    try {
      if (this.current !== segment) {
        this.#audio.pause();
        const { url } = await this.#sound(segment);
        if (request !== this.#request) return false;
        this.current = segment;
        this.#audio.src = url;
      }
      this.#audio.currentTime = Math.max(0, (frame - segment.start_frame) / this.#rate);
      this.#changed();
      return true;
    } catch (error) {
      this.#forget(segment.index);
      this.dispatchEvent(new CustomEvent("failure", { detail: error }));
      return false;
    }
  }

  /** Plays a segment from a frame on, and goes on with the next one. */
  async play(segment, frame) {
    if (await this.load(segment, frame)) await this.#start();
  }

  async #start() {
    try {
      await this.#audio.play();
    } catch (error) {
      if (error.name === "AbortError") return; // something else was wanted meanwhile
      this.dispatchEvent(new CustomEvent("failure", { detail: new Error(`The browser does not play this: ${error.message}`) }));
    }
  }

  toggle() {
    if (this.isPlaying) this.#audio.pause();
    else if (this.current) this.#start();
    else if (this.#segments.length > 0) this.play(this.#segments[0]);
  }

  /** Moves in the segment that is loaded; `part` is from 0 to 1. */
  seek(part) {
    if (this.current) this.#audio.currentTime = Math.min(0.999, Math.max(0, part)) * this.length;
  }

  #next() {
    const at = this.#segments.indexOf(this.current);
    if (at + 1 < this.#segments.length) this.play(this.#segments[at + 1]);
    else this.#changed();
  }

  close() {
    this.#request += 1;
    this.#audio.pause();
    this.#audio.removeAttribute("src");
    for (const index of [...this.#sounds.keys()]) this.#forget(index);
  }
}
