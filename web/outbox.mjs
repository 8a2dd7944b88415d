// Sound on its way to the server: kept until the server says that it is safe, so that a connection that broke loses none of
// it. Pure.

const NUMBER_BYTES = 8;

export class Outbox {
  #blocks = []; // {first, samples}, without gaps
  #next = 0; // the frame behind the last one
  #acknowledged = 0;

  /** Adds samples (Float32Array); what is to be sent of them, at once where there is a connection. */
  push(samples) {
    const block = { first: this.#next, samples };
    this.#blocks.push(block);
    this.#next += samples.length;
    return block;
  }

  /** The server has so many frames safe. */
  acknowledge(frames) {
    this.#acknowledged = Math.max(this.#acknowledged, frames);
    while (this.#blocks.length > 0 && this.#blocks[0].first + this.#blocks[0].samples.length <= frames) this.#blocks.shift();
  }

  /** What the server has not received, which has everything before `frame`. */
  from(frame) {
    return this.#blocks
      .filter(({ first, samples }) => first + samples.length > frame)
      .map(({ first, samples }) => ({ first: Math.max(first, frame), samples: samples.subarray(Math.max(0, frame - first)) }));
  }

  /** The stream begins anew with the first frame that is not safe. */
  restart() {
    this.#blocks = this.from(this.#acknowledged).map(({ first, samples }) => ({ first: first - this.#acknowledged, samples }));
    this.#next -= this.#acknowledged;
    this.#acknowledged = 0;
  }

  /** Frames that are kept. */
  get length() {
    return this.#next - (this.#blocks[0]?.first ?? this.#next);
  }
}

/** A message of the stream: the number of its first frame, and samples in little-endian order. */
export function messageOf({ first, samples }) {
  const message = new ArrayBuffer(NUMBER_BYTES + samples.length * 4);
  const view = new DataView(message);
  view.setBigUint64(0, BigInt(first), true);
  samples.forEach((sample, i) => view.setFloat32(NUMBER_BYTES + i * 4, sample, true));
  return message;
}
