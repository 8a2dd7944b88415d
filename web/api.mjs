// The server's API. A failure is a `Problem` whose message is for people.

import { EventParser } from "./sse.mjs";

const TOKEN = "dictum-token";
const SILENCE_MS = 40_000; // the server shows every 15 s that it is there
const RETRY_MS = [250, 1000, 2000, 4000];

export class Problem extends Error {
  constructor(message, code = "", status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN) ?? "",
  set: (value) => sessionStorage.setItem(TOKEN, value),
  clear: () => sessionStorage.removeItem(TOKEN),
};

const headers = () => (token.get() ? { Authorization: `Bearer ${token.get()}` } : {});

async function checked(response) {
  if (response.ok) return response;
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // not ours: a proxy's, perhaps
  }
  const detail = problem.detail ?? `The server answered ${response.status} ${response.statusText}.`;
  const error = new Problem(detail, problem.code ?? "", response.status);
  if (response.status === 401) document.dispatchEvent(new CustomEvent("sign-in", { detail: error }));
  throw error;
}

async function request(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { ...options, headers: { ...headers(), ...options.headers } });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem("The server cannot be reached. Is `dictum serve` still running there?", "unreachable");
  }
  return checked(response);
}

export const getJSON = async (address, signal) => (await request(address, { signal })).json();
export const getBytes = async (address, signal) => (await request(address, { signal })).arrayBuffer();
export const getBlob = async (address) => (await request(address)).blob();

export async function post(address, body) {
  const options = { method: "POST" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  return (await request(address, options)).json();
}

export const command = (name, fields) => post(`/api/v1/commands/${name}`, fields);
export const getStatus = () => getJSON("/api/v1/status");
export const sessionAddress = (session) => `/api/v1/sessions/${encodeURIComponent(session)}`;

/** Those that the page shows. */
export const EVENTS = [
  "RecordingStateChanged", "VADModeChanged", "SpeechDetected", "SpeechEnded", "TranscriptionQueued",
  "TranscriptionComplete", "NoteCommandDetected", "NoteTitleCaptured", "NoteCompleted", "NoteCancelled", "AudioGap",
  "DeviceChanged", "RecorderFault", "TranscriptionPartial", "AudioLevel",
];

/**
 * Follows the recorder: the newest session from its start, then whatever comes, each event once. After a connection
 * that broke it goes on behind the last event. `onConnection(isConnected)`. Ends with the signal; throws where the
 * server refuses the token.
 */
export async function followEvents({ onEvent, onConnection, signal }) {
  let after = null;
  for (let failures = 0; !signal.aborted; ) {
    try {
      if (after === null && (await getStatus()).session !== null) after = "-1";
      const query = new URLSearchParams({ types: EVENTS.join(",") });
      if (after !== null) query.set("after", after);
      await readEvents(`/api/v1/events?${query}`, signal, {
        onOpen() {
          failures = 0;
          onConnection(true);
        },
        onEvent(event) {
          if (event.id) after = event.id;
          onEvent(JSON.parse(event.data));
        },
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 401 || error.status === 403) throw error;
      if (error.status === 404) after = null; // its session was deleted
    }
    if (signal.aborted) return;
    onConnection(false);
    const pause = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Reads one stream until it ends. A stream that is silent for too long has ended without saying so. */
async function readEvents(address, signal, { onOpen, onEvent }) {
  const own = new AbortController();
  const abort = () => own.abort();
  signal.addEventListener("abort", abort);
  let silence = setTimeout(abort, SILENCE_MS);
  try {
    const response = await request(address, { signal: own.signal });
    onOpen();
    const parser = new EventParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(abort, SILENCE_MS);
      for (const event of parser.push(decoder.decode(value, { stream: true }))) onEvent(event);
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", abort);
    own.abort();
  }
}

/** Hands a file to the person; a link alone could not send a token. */
export async function download(address, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await getBlob(address));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
