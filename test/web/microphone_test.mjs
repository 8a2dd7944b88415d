import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Microphone } from "../../web/microphone.mjs";

const RATE = 8000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

// A browser whose prompts, audio and connections the test answers.
let prompts; // of the permission: {allow(), stream}
let taps;
let sockets;
let questions; // of confirm
let answer; // to them

function makeStream() {
  const track = { isStopped: false, label: "Desk", stop() { this.isStopped = true; } };
  return { track, getTracks: () => [track], getAudioTracks: () => [track] };
}

Object.defineProperty(globalThis, "navigator", {
  value: {
    mediaDevices: {
      getUserMedia: () => new Promise((resolve) => {
        const stream = makeStream();
        prompts.push({ stream, allow: () => resolve(stream) });
      }),
    },
  },
});
globalThis.sessionStorage = { getItem: () => null };
globalThis.location = { origin: "http://server" };
globalThis.confirm = (question) => {
  questions.push(question);
  return answer;
};
globalThis.AudioContext = class {
  sampleRate = RATE;
  state = "running";
  audioWorklet = { addModule: async () => {} };
  createMediaStreamSource = () => ({ connect() {} });
  close() {
    this.state = "closed";
  }
};
globalThis.AudioWorkletNode = class {
  port = { postMessage: () => this.port.onmessage({ data: null }) }; // a flush: nothing is left
  constructor() {
    taps.push(this);
  }
};
globalThis.WebSocket = class {
  sent = [];
  constructor() {
    sockets.push(this);
  }
  send(message) {
    this.sent.push(message);
  }
  close() {}
  receive(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
};

beforeEach(() => {
  [prompts, taps, sockets, questions, answer] = [[], [], [], [], false];
});

/** A microphone that the server records. */
async function recording(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const microphone = new Microphone();
  const failures = [];
  microphone.addEventListener("failure", ({ detail }) => failures.push(detail?.message ?? null));
  microphone.toggle();
  prompts[0].allow();
  await turn();
  welcome(0);
  assert.equal(microphone.state, "on");
  return { microphone, failures };
}
const welcome = (received) => sockets.at(-1).receive({ type: "welcome", session: "s", token: "t", received });
const speak = (seconds) => taps[0].port.onmessage({ data: new Float32Array(seconds * RATE) });
function breakConnection(t) {
  sockets.at(-1).onclose();
  t.mock.timers.tick(1000);
}
const framesSent = (socket) => socket.sent.filter((message) => message instanceof ArrayBuffer)
  .reduce((frames, message) => frames + (message.byteLength - 8) / 4, 0);

test("a start that was cancelled in the prompt gives its device back, and the next one records alone", async () => {
  const microphone = new Microphone();
  microphone.toggle();
  microphone.toggle();
  microphone.toggle();
  assert.equal(prompts.length, 2);
  prompts[0].allow();
  await turn();
  assert.equal(prompts[0].stream.track.isStopped, true);
  assert.deepEqual([microphone.state, sockets.length], ["starting", 0]);
  prompts[1].allow();
  await turn();
  assert.equal(prompts[1].stream.track.isStopped, false);
  assert.equal(sockets.length, 1);
});

test("five minutes without the server stop the device, and the sound is sent once the server is there again", async (t) => {
  const { microphone, failures } = await recording(t);
  breakConnection(t);
  speak(200);
  speak(101);
  assert.equal(microphone.state, "stopping");
  assert.equal(prompts[0].stream.track.isStopped, true);
  assert.match(failures.at(-1), /Keep this page open/);
  breakConnection(t); // it is not there yet
  welcome(0);
  const socket = sockets.at(-1);
  assert.equal(framesSent(socket), 301 * RATE);
  assert.equal(socket.sent.at(-1), '{"type":"stop"}');
  socket.receive({ type: "ended", session: "s", frames: 301 * RATE });
  assert.equal(microphone.state, "off");
});

test("a server that is stopping does not end it: the sound waits for the next one", async (t) => {
  const { microphone, failures } = await recording(t);
  breakConnection(t);
  speak(2);
  sockets.at(-1).receive({ code: "stopping", detail: "The server is stopping." });
  assert.deepEqual([microphone.state, failures.at(-1)], ["on", "The server is stopping."]);
  breakConnection(t);
  welcome(0);
  assert.equal(framesSent(sockets.at(-1)), 2 * RATE);
  assert.equal(failures.at(-1), null);
});

test("waiting for a server that does not come back can be ended, and says what that loses", async (t) => {
  const { microphone } = await recording(t);
  breakConnection(t);
  speak(3);
  microphone.toggle();
  assert.equal(microphone.state, "stopping");
  microphone.toggle();
  assert.match(questions[0], /last 3 s/);
  assert.equal(microphone.state, "stopping");
  answer = true;
  microphone.toggle();
  assert.equal(microphone.state, "off");
});
