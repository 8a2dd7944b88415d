// Runs on the browser's audio thread: hands over the samples of the first channel, 40 ms at a time.

const BLOCK_SEC = 0.04;

class MicrophoneTap extends AudioWorkletProcessor {
  #block = new Float32Array(Math.round(sampleRate * BLOCK_SEC));
  #filled = 0;

  process(inputs) {
    const samples = inputs[0]?.[0];
    if (!samples) return true;
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#block.length) {
        this.port.postMessage(this.#block.buffer, [this.#block.buffer]);
        this.#block = new Float32Array(this.#block.length);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone-tap", MicrophoneTap);
