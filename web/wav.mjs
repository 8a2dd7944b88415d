// The shape of a segment's sound. Pure.

/** The samples of a WAV file of 16 bits and one channel, as Dictum writes them, and their rate. Throws for another. */
export function parseWAV(buffer) {
  const view = new DataView(buffer);
  const name = (at) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (buffer.byteLength < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") throw new Error("This is no WAV file.");
  let rate = 0;
  for (let at = 12; at + 8 <= buffer.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (name(at) === "fmt " && body + 16 <= buffer.byteLength) {
      const isOurs = view.getUint16(body + 2, true) === 1 && view.getUint16(body + 14, true) === 16;
      if (!isOurs) throw new Error("This is no WAV file of 16 bits and one channel.");
      rate = view.getUint32(body + 4, true);
    }
    if (name(at) === "data" && rate > 0) {
      const bytes = Math.min(size, buffer.byteLength - body); // one that still grows says less than there is, or more
      return { rate, samples: new Int16Array(buffer.slice(body, body + bytes - (bytes % 2))) };
    }
    at = body + size + (size % 2);
  }
  throw new Error("The WAV file has no sound in it.");
}

/** The loudest sample of each of `count` equal parts, from 0 to 1. */
export function peaks(samples, count) {
  const out = new Float32Array(count);
  for (let part = 0; part < count; part += 1) {
    const end = Math.floor(((part + 1) * samples.length) / count);
    for (let at = Math.floor((part * samples.length) / count); at < end; at += 1) {
      out[part] = Math.max(out[part], Math.abs(samples[at]) / 32768);
    }
  }
  return out;
}
