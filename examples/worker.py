#!/usr/bin/env python3
"""A transcription worker in Python. It recognises no words: it reports how long and how loud the segment is.

Install it as an executable `dictum-worker-loudness` on PATH, and `--transcriber loudness` uses it.
docs/worker-protocol.md says what the messages mean.
"""
import array
import json
import math
import os
import queue
import struct
import threading
import wave

frames_in, frames_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what a library prints must not end up between the frames
writing = threading.Lock()


def send(**message):
    text = json.dumps(message).encode()
    with writing:
        frames_out.write(struct.pack("<I", len(text)) + text)
        frames_out.flush()


def receive():
    header = frames_in.read(4)
    return json.loads(frames_in.read(struct.unpack("<I", header)[0])) if len(header) == 4 else {"type": "shutdown"}


def transcribe(job):
    with wave.open(job["wav"]) as wav:
        start = job.get("start_frame", 0)
        wav.setpos(start)
        samples = array.array("h", wav.readframes(job.get("end_frame", wav.getnframes()) - start))
        seconds = len(samples) / wav.getframerate()
    rms = math.sqrt(sum(s * s for s in samples) / max(len(samples), 1)) / 32768
    return f"{seconds:.1f} seconds at {20 * math.log10(max(rms, 1e-5)):.0f} decibels"


def work(jobs):
    while job := jobs.get():
        try:
            send(type="result", id=job["id"], text=transcribe(job))
        except (OSError, EOFError, wave.Error) as problem:
            send(type="error", id=job["id"], code="input_unreadable", message=f"{job['wav']}: {problem}")


jobs = queue.Queue()
worker = threading.Thread(target=work, args=[jobs])
worker.start()
send(type="hello", protocol=1, engine="loudness meter")
while (message := receive())["type"] != "shutdown":
    if message["type"] == "ping":  # answered at once, also while the other thread works
        send(type="pong", nonce=message["nonce"])
    elif message["type"] == "job":
        jobs.put(message)
jobs.put(None)
worker.join()
