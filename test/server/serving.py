"""What the tests of `dictum serve` in Python share: the process, its memory, and clients that read slowly or wrongly.

Only the standard library, so that they run wherever the program was built."""

import array
import asyncio
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request

RATE = 16_000
SOAK = bool(os.environ.get("DICTUM_SOAK"))
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def check(holds, what):
    if not holds:
        raise AssertionError(what)


class Server:
    """`dictum serve` with its sessions in `folder`/sessions; a port that is free is taken where none is given."""

    def __init__(self, programs, folder, *options, port=0, environment=None, stdin=subprocess.DEVNULL):
        self.sessions = folder / "sessions"
        self.process = subprocess.Popen(
            [programs / "dictum", "serve", "--output-dir", self.sessions, "--port", str(port), "--no-control", *options],
            stdin=stdin,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), **(environment or {})},
        )
        line = self.process.stdout.readline()
        check(line.startswith("Listening on http"), f"the server does not start: {line!r}")
        self.url = re.search(r"http\S+", line).group()
        self.address = (self.url.split("//")[1].split(":")[0], int(self.url.rsplit(":", 1)[1]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    def stop(self):
        """As a user stops it; it has to end well."""
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(60) == 0, f"the server ends with exit code {self.process.returncode}")

    def request(self, method, path, body=None, headers=None, timeout=120):
        """The status, the headers and the body of an answer, whatever the status is."""
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json", **(headers or {})})
        request.method = method
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.headers, problem.read()

    def get(self, path, **more):
        status, _, body = self.request("GET", path, **more)
        check(status == 200, f"GET {path}: {status} {body[:500]}")
        return json.loads(body)

    def command(self, name, fields=None, timeout=600):
        body = json.dumps(fields or {}).encode()
        status, _, answer = self.request("POST", f"/api/v1/commands/{name}", body, timeout=timeout)
        check(status == 200, f"{name}: {status} {answer[:500]}")
        return json.loads(answer)

    def wait_for_end(self):
        """Until the recording has ended with its source, and every text is there."""
        while self.get("/api/v1/status")["is_recording"]:
            time.sleep(0.05)
        self.command("wait_until_idle")

    def memory_mb(self):
        """What the server itself has allocated; not the files that it has mapped."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) / 1024

    def journal(self, session):
        """The ids of the events in a journal."""
        lines = (self.sessions / session / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [f"{session}/{json.loads(line)['sequence']}" for line in lines]


def speech_with_places(seconds, seed=1, sound_sec=(0.3, 0.6), pause_sec=(0.5, 0.7)):
    """Samples (s16) that the energy detector finds segments in, and where the sounds are, in frames.

    No two places of it are the same. The pauses have noise: without a background the detector does not know what is loud."""
    dice = random.Random(seed)
    frames, samples, places = int(seconds * RATE), bytearray(), []
    while len(samples) < 2 * frames:
        begin = len(samples) // 2
        samples += dice.randbytes(2 * int(dice.uniform(*sound_sec) * RATE))
        places.append((begin, min(len(samples) // 2, frames)))
        quiet = dice.randbytes(int(dice.uniform(*pause_sec) * RATE))
        pause = array.array("h", (byte % 128 - 64 for byte in quiet))
        samples += pause.tobytes()
    return bytes(samples[: 2 * frames]), places


def speech(seconds, seed=1):
    return speech_with_places(seconds, seed)[0]


# The recorder's options that make each sound of `speech` a segment.
SPEECH_OPTIONS = ["--vad", "energy", "--min-silence-ms", "300", "--pre-roll-ms", "100", "--post-roll-ms", "100"]


# WebSockets, byte by byte, so that a test can send what no library sends


def upgrade_request(target, host, headers=""):
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
    ).encode()


def frame(opcode, payload=b"", last=True, masked=True, reserved=0, length=None, width=None):
    """`length` and `width` (7, 16 or 64 bits) announce another length than that of the payload, or in another form."""
    size = len(payload) if length is None else length
    width = width or (7 if size < 126 else 16 if size < 1 << 16 else 64)
    out = bytearray([(0x80 if last else 0) | reserved << 4 | opcode])
    bit = 0x80 if masked else 0
    if width == 7:
        out.append(bit | size)
    else:
        out.append(bit | (126 if width == 16 else 127))
        out += size.to_bytes(width // 8, "big")
    if not masked:
        return bytes(out) + payload
    mask = b"\x12\x34\x56\x78"
    repeated = int.from_bytes(mask * (len(payload) // 4 + 1), "big") >> 8 * (4 - len(payload) % 4)
    out += mask
    out += (int.from_bytes(payload, "big") ^ repeated).to_bytes(len(payload), "big")
    return bytes(out)


def read_frames(buffer):
    """Takes the whole frames off a buffer of what a server sent: their opcodes and payloads."""
    at, frames = 0, []
    while len(buffer) - at >= 2:
        size, begin = buffer[at + 1] & 0x7F, at + 2
        if size >= 126:
            begin += 2 if size == 126 else 8
            if begin > len(buffer):
                break
            size = int.from_bytes(buffer[at + 2 : begin], "big")
        if begin + size > len(buffer):
            break
        frames.append((buffer[at] & 0x0F, bytes(buffer[begin : begin + size])))
        at = begin + size
    del buffer[:at]
    return frames


# Clients of events


class EventClient:
    """Follows the events of a server by one connection after the other, each from the last event that it has seen.

    `seen` has the ids of all of them. `kind` is "sse" or "websocket"."""

    SSE_EVENT = re.compile(rb"(?:id: ([^\n]*)\n)?data: ([^\n]*)\n\n|:[^\n]*\n\n")

    def __init__(self, server, kind, receive_buffer=0):
        self.server, self.kind, self.receive_buffer = server, kind, receive_buffer
        self.seen = []
        self.socket = None

    async def connect(self):
        after = self.seen[-1] if self.seen else "-1"
        self.socket = socket.socket()
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.setblocking(False)
        self.buffer = bytearray()
        self.has_head = False
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, self.server.address)
        host = f"{self.server.address[0]}:{self.server.address[1]}"
        if self.kind == "websocket":
            request = upgrade_request(f"/api/v1/events?after={after}", host)
        elif self.seen:
            request = f"GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nLast-Event-ID: {after}\r\n\r\n".encode()
        else:
            request = f"GET /api/v1/events?after={after} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        await loop.sock_sendall(self.socket, request)

    async def receive(self, size=65536):
        """Reads once. How many bytes came; 0 where the server has ended the connection."""
        loop = asyncio.get_running_loop()
        piece = await loop.sock_recv(self.socket, size)
        self.buffer += piece
        if not self.has_head:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return len(piece)
            status = int(self.buffer[:end].split(b" ", 2)[1])
            check(status == (101 if self.kind == "websocket" else 200), bytes(self.buffer))
            del self.buffer[: end + 4]
            self.has_head = True
        if self.kind == "websocket":
            await self.take_frames()
        else:
            self.take_lines()
        return len(piece)

    async def take_frames(self):
        for opcode, payload in read_frames(self.buffer):
            if opcode == PING:
                await asyncio.get_running_loop().sock_sendall(self.socket, frame(PONG, payload))
            elif opcode == TEXT:
                found = re.match(rb'\{"id":"([^"]*)"', payload)
                check(found, f"an event without an id: {payload[:200]}")
                self.seen.append(found.group(1).decode())

    def take_lines(self):
        at = 0
        for found in self.SSE_EVENT.finditer(self.buffer):
            check(found.start() == at, f"not an event: {bytes(self.buffer[at : found.start()])}")
            at = found.end()
            if found.group(2) is not None:
                self.seen.append(found.group(1).decode())
        del self.buffer[:at]

    def kill(self):
        """As the end of a process that is killed, or of a network: nothing is said, and what was on the way is lost."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def difference(seen, expected):
    """The first place where a client saw something else; empty where there is none."""
    for i, (a, b) in enumerate(zip(seen, expected, strict=False)):
        if a != b:
            return f"event {i} is {a}, and should be {b}"
    if len(seen) != len(expected):
        return f"{len(seen)} events of {len(expected)}"
    return ""


@contextlib.asynccontextmanager
async def sampled_memory(server, interval=0.25):
    """A list that grows by the server's memory (MB), again and again."""
    samples = [server.memory_mb()]

    async def sample():
        while True:
            await asyncio.sleep(interval)
            with contextlib.suppress(OSError, AttributeError):
                samples.append(server.memory_mb())

    task = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        task.cancel()
