#!/usr/bin/env python3
"""What `dictum serve` carries, beside FastAPI with uvicorn that serves the same from the same folder, in one run.

    build/venv/bin/python bench/server_load.py --bin build/release/bin

Requests for the status (a small JSON) and for a segment (a WAV of one second) by `wrk` on 16 connections; and the events of a
session from its journal to 100 subscribers at once, from when all have asked to the last event of each. The peer is let off lightly:
it has one route for each, validates nothing, and its status is a constant. One process each; the clients share the
processors with them. The figures are means of the rounds, in which the two take turns; the ratio is what counts."""

import argparse
import json
import pathlib
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SUBSCRIBERS = 100
PEER = """
import pathlib, sys
from fastapi import FastAPI
from fastapi.responses import FileResponse, StreamingResponse

app = FastAPI()
session = pathlib.Path({session!r})
status = {status!r}

@app.get("/status")
async def get_status():
    return status

@app.get("/segments/{{index}}/audio")
async def audio(index: int):
    return FileResponse(session / f"seg_{{index:04}}.wav", media_type="audio/wav")

@app.get("/events")
async def events():
    async def each():
        with open(session / "events.jsonl") as journal:
            for line in journal:
                yield "data: " + line + "\\n"
    return StreamingResponse(each(), media_type="text/event-stream")
"""


def memory_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


def requests_a_second(url, seconds):
    text = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        sys.exit(f"{url}: {text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def events_a_second(host, port, path, last):
    """All subscribers read at once, until each has the event with the sequence `last`."""
    waiting = selectors.DefaultSelector()
    mark = b'"sequence":%d,' % last
    for _ in range(SUBSCRIBERS):
        connection = socket.create_connection((host, port))
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % (path.encode(), port))
        waiting.register(connection, selectors.EVENT_READ, [b""])
    begin = time.monotonic()
    left = SUBSCRIBERS
    while left:
        ready = waiting.select(30)
        if not ready:
            sys.exit(f"{path}: {left} of {SUBSCRIBERS} subscribers miss the last event")
        for key, _ in ready:
            got = key.fileobj.recv(1 << 20)
            tail = key.data[0] + got
            key.data[0] = tail[-len(mark) :]
            if mark in tail or not got:
                left -= 1
                waiting.unregister(key.fileobj)
                key.fileobj.close()
    return SUBSCRIBERS * (last + 1) / (time.monotonic() - begin)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_until_served(port):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("the server does not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("the program wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "sessions"
        sound = pathlib.Path(scratch) / "long.wav"
        subprocess.run(["bench/repeat.py", "samples/voice_note.wav", "16000", "60", sound], check=True)
        program = options.bin / "dictum"
        subprocess.run([program, "record", "--transcriber", "none", "--output-dir", folder, sound], check=True,
                       stdout=subprocess.DEVNULL)
        session = next(each for each in folder.iterdir() if (each / "events.jsonl").exists())
        last = json.loads((session / "events.jsonl").read_text().splitlines()[-1])["sequence"]
        ports = {"dictum": free_port(), "fastapi": free_port()}
        base = f"http://127.0.0.1:{ports['dictum']}/api/v1"
        dictum = subprocess.Popen(
            [program, "serve", "--output-dir", folder, "--transcriber", "none", "--no-control", "--port", str(ports["dictum"])],
            stdout=subprocess.DEVNULL)
        wait_until_served(ports["dictum"])
        status = json.loads(subprocess.run(["curl", "-fsS", f"{base}/status"], capture_output=True, check=True).stdout)
        (pathlib.Path(scratch) / "peer.py").write_text(PEER.format(session=str(session), status=status))
        peer = subprocess.Popen([sys.executable, "-m", "uvicorn", "peer:app", "--port", str(ports["fastapi"]), "--log-level",
                                 "error", "--no-access-log"], cwd=scratch)
        wait_until_served(ports["fastapi"])
        other = f"http://127.0.0.1:{ports['fastapi']}"
        idle = {"dictum": memory_mb(dictum.pid), "fastapi": memory_mb(peer.pid)}
        rows = {
            "status, requests a second": (
                lambda: requests_a_second(f"{base}/status", options.seconds),
                lambda: requests_a_second(f"{other}/status", options.seconds)),
            "segment, downloads a second": (
                lambda: requests_a_second(f"{base}/sessions/{session.name}/segments/0/audio", options.seconds),
                lambda: requests_a_second(f"{other}/segments/0/audio", options.seconds)),
            f"events a second to {SUBSCRIBERS}": (
                lambda: events_a_second("127.0.0.1", ports["dictum"], f"/api/v1/events?after={session.name}/-1", last),
                lambda: events_a_second("127.0.0.1", ports["fastapi"], "/events", last)),
        }
        print(f"{'':32} {'dictum':>10} {'FastAPI':>10} {'ratio':>7}")
        for name, (ours, theirs) in rows.items():
            pairs = [(ours(), theirs()) for _ in range(options.rounds)]
            a, b = (statistics.mean(values) for values in zip(*pairs, strict=True))
            print(f"{name:32} {a:10.0f} {b:10.0f} {a / b:7.1f}", flush=True)
        for name, used in (("memory before, MB", idle),
                           ("memory afterwards, MB", {"dictum": memory_mb(dictum.pid), "fastapi": memory_mb(peer.pid)})):
            print(f"{name:32} {used['dictum']:10.1f} {used['fastapi']:10.1f} {used['dictum'] / used['fastapi']:7.2f}")
        for process in (dictum, peer):
            process.terminate()
            process.wait(30)


main()
