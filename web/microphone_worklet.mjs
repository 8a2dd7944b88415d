// Runs on the browser's audio thread: hands over the samples of the first channel, 40 ms at a time. Asked to flush, it hands
// over the rest, then null, and ends.

const BLOCK = Math.round(sampleRate * 0.04);

class MicrophoneTap extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK);
  #filled = 0;
  #isOver = false;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.port.postMessage(this.#block.slice(0, this.#filled));
      this.port.postMessage(null);
      this.#isOver = true;
    };
  }

  process(inputs) {
    const samples = inputs[0]?.[0];
    if (this.#isOver || !samples) return !this.#isOver;
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + BLOCK - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BLOCK) {
        this.port.postMessage(this.#block, [this.#block.buffer]);
        this.#block = new Float32Array(BLOCK); // the other one is the page's now
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone-tap", MicrophoneTap);
