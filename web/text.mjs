// Text and time as the page shows them. Pure: no document, no network.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Splits a text behind its first `count` bytes of UTF-8, which is how the server counts. */
export function splitAtByte(text, count) {
  const bytes = encoder.encode(text);
  return [decoder.decode(bytes.subarray(0, count)), decoder.decode(bytes.subarray(count))];
}

/** The pieces of a text, marked or not; `marks` are places in bytes, in order. */
export function markedPieces(text, marks) {
  const bytes = encoder.encode(text);
  const pieces = [];
  let at = 0;
  const push = (end, isMarked) => {
    if (end > at) pieces.push({ text: decoder.decode(bytes.subarray(at, end)), isMarked });
    at = Math.max(at, end);
  };
  for (const { begin, size } of marks) {
    push(begin, false);
    push(begin + size, true);
  }
  push(bytes.length, false);
  return pieces;
}

/**
 * The pieces of a text with the index of the word that each is, or null for what lies between. The text may have
 * punctuation and corrections that the words have not; a word that it has not is passed over.
 */
export function alignWords(text, words) {
  const pieces = [];
  const lower = text.toLowerCase();
  // Where lower case is longer than the original, places in one are not places in the other.
  const haystack = lower.length === text.length ? lower : text;
  let at = 0;
  words.forEach((word, index) => {
    const wanted = word.text.trim();
    const needle = haystack === lower ? wanted.toLowerCase() : wanted;
    if (needle === "") return;
    const found = haystack.indexOf(needle, at);
    if (found < 0 || found - at > MAX_BETWEEN) return;
    if (found > at) pieces.push({ text: text.slice(at, found), word: null });
    pieces.push({ text: text.slice(found, found + wanted.length), word: index });
    at = found + wanted.length;
  });
  if (at < text.length) pieces.push({ text: text.slice(at), word: null });
  return pieces;
}

const MAX_BETWEEN = 80; // characters: a word that is found further on is another one of the same letters

/** The index of the word that is spoken at a frame, or of the last one before it; -1 before the first. */
export function wordAt(words, frame) {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].start_frame <= frame) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** "0:07", "12:40", "1:02:03". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** "7 s", "12 min", "1 h 2 min". */
export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1 note", "3 notes". */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** A local day and time: "Sunday, 22 November 2026" and "15:45", in the reader's language. */
export function dayAndTime(iso, locale) {
  const date = new Date(iso);
  return {
    day: date.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    time: date.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" }),
  };
}
