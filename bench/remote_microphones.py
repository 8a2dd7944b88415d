#!/usr/bin/env python3
"""Many remote microphones at one `dictum serve`, at the pace of real microphones, beside a single one in the same run.

    build/venv/bin/python bench/remote_microphones.py --bin build/release/bin --streams 256 --seconds 60

Each microphone sends a recording over a WebSocket of its own, in messages of 100 ms, each from a place of its own in the
recording, so that their segments do not end together. How late the end of a segment is known: from the moment when the
silence of 800 ms behind it had been sent to the moment when the event was there; this process, which shares the
processors, is in it. Fails where a stream lost audio or an event, or
where it has a gap. Nothing is transcribed. The sessions lie in $TMPDIR."""

import argparse
import asyncio
import contextlib
import json
import pathlib
import re
import resource
import struct
import subprocess
import sys
import tempfile
import time
import wave

import websockets

CHUNK_SEC = 0.1
SILENCE_SEC = 0.8  # behind a segment, before its end is certain


class Microphone:
    """One stream: sends, receives, and checks what it gets."""

    def __init__(self, url, sound, rate, number, seconds):
        self.url, self.rate, self.number = url, rate, number
        self.chunk = int(rate * CHUNK_SEC)
        self.chunks = int(seconds / CHUNK_SEC)
        begin = number * len(sound) // 97 // 2 * 2 % len(sound)
        self.sound = sound[begin:] + sound[:begin]
        self.sent = []  # when each message was
        self.late = []
        self.ended = 0
        self.faults = []
        self.last_sequence = None

    async def run(self):
        async with websockets.connect(self.url, compression=None, max_size=None, open_timeout=60) as socket:
            hello = {"type": "hello", "format": "s16", "rate": self.rate, "channels": 1, "device": f"{self.number}"}
            await socket.send(json.dumps(hello))
            welcome = json.loads(await socket.recv())
            if welcome.get("type") != "welcome":
                self.faults.append(f"no welcome: {welcome}")
                return
            receiving = asyncio.create_task(self.receive(socket))
            begin = time.monotonic()
            for i in range(self.chunks):
                await asyncio.sleep(max(0.0, begin + (i + 1) * CHUNK_SEC - time.monotonic()))
                at = i * self.chunk * 2 % len(self.sound)
                piece = self.sound[at : at + self.chunk * 2]
                piece += self.sound[: self.chunk * 2 - len(piece)]
                self.sent.append(time.monotonic())
                await socket.send(struct.pack("<Q", i * self.chunk) + piece)
            await socket.send('{"type":"stop"}')
            await receiving
        if self.ended != self.chunks * self.chunk:
            self.faults.append(f"sent {self.chunks * self.chunk} frames, of which the session has {self.ended}")

    async def receive(self, socket):
        async for message in socket:
            now = time.monotonic()
            event = json.loads(message)
            if event.get("type") == "ended":
                self.ended = event["frames"]
            if event.get("type") == "problem" or "status" in event:
                self.faults.append(f"{event}")
            if "event" not in event:
                continue
            if self.last_sequence is not None and event["sequence"] != self.last_sequence + 1:
                self.faults.append(f"event {event['sequence']} behind {self.last_sequence}")
            self.last_sequence = event["sequence"]
            if event["event"] in ("AudioGap", "RecorderFault"):
                self.faults.append(f"{event}")
            at = int(event["frame"] + SILENCE_SEC * self.rate - 1) // self.chunk
            # The last segment may end with the recording, without its silence.
            if event["event"] == "SpeechEnded" and at < len(self.sent):
                self.late.append(now - self.sent[at])


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def usage_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    memory = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
    return (int(fields[11]) + int(fields[12])) / 100, int(memory.group(1)) / 1024


@contextlib.contextmanager
def serving(programs, folder):
    server = subprocess.Popen(
        [programs / "dictum", "serve", "--output-dir", folder, "--port", "0", "--transcriber", "none", "--no-control"],
        stdout=subprocess.PIPE, text=True)
    try:
        yield server, re.search(r"http(\S+)", server.stdout.readline()).group(1)
    finally:
        server.terminate()
        server.wait(60)


async def measure(url, sound, rate, streams, seconds):
    microphones = [Microphone(url, sound, rate, i, seconds) for i in range(streams)]
    await asyncio.gather(*(each.run() for each in microphones))
    return microphones


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--sound", type=pathlib.Path, default=pathlib.Path("samples/voice_note.wav"))
    parser.add_argument("--streams", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with wave.open(str(options.sound)) as file:
        rate, sound = file.getframerate(), file.readframes(file.getnframes())
    failed = False
    print("streams  segments  late p50 ms  p99 ms  p99.9 ms  worst ms  cores of the server  its memory MB")
    for streams in (1, options.streams):
        with tempfile.TemporaryDirectory() as folder, serving(options.bin, folder) as (server, url):
            before, _ = usage_of(server.pid)
            begin = time.monotonic()
            microphones = asyncio.run(measure(f"ws{url}/api/v1/stream", sound, rate, streams, options.seconds))
            elapsed = time.monotonic() - begin
            used, memory = usage_of(server.pid)
            late = [1000 * value for each in microphones for value in each.late] or [float("nan")]
            print(f"{streams:7}  {len(late):8}  {percentile(late, 0.5):11.1f}  {percentile(late, 0.99):6.1f}  "
                  f"{percentile(late, 0.999):8.1f}  {max(late):8.1f}  {(used - before) / elapsed:19.2f}  {memory:13.0f}",
                  flush=True)
            for each in microphones:
                for fault in each.faults[:2]:
                    failed = True
                    print(f"microphone {each.number}: {fault}", file=sys.stderr)
    sys.exit(failed)


main()
