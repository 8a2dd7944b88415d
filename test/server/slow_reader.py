#!/usr/bin/env python3
"""A long session, recorded as fast as it goes, and two clients that read its events slowly: one over Server-Sent Events,
one over a WebSocket. Each gets every event once and in order, and the server's memory stays where it was.

    slow_reader.py BIN [--hours H] [--bytes-per-second N] [--sound FILE]

DICTUM_SOAK=1: 3 hours, 20 kB/s."""

import argparse
import asyncio
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import wave

from serving import RATE, SOAK, SPEECH_OPTIONS, EventClient, Server, check, difference, sampled_memory, speech

RECEIVE_BUFFER = 65536
GROWTH_LIMIT_MB = 8
PIECES = 10  # a second


def lag_of(server):
    """How many events the slowest client has still to be sent, as the server counts them: without those that the system
    keeps for it."""
    _, _, metrics = server.request("GET", "/metrics")
    return int(re.search(rb"^dictum_event_lag (\d+)", metrics, re.MULTILINE).group(1))


async def read_slowly(client, rate, is_last):
    """Reads at that pace until it has the last event. When that was, and how many bytes were read."""
    await client.connect()
    begin, received = time.monotonic(), 0
    while not is_last(client):
        got = await client.receive(rate // PIECES)
        check(got > 0, f"{client.kind}: the server has ended the connection after {len(client.seen)} events")
        received += got
        await asyncio.sleep(max(0, begin + received / rate - time.monotonic()))
    return time.monotonic(), received


async def feed(server, sound, seconds):
    stdin = server.process.stdin.buffer

    def write():
        for left in range(int(seconds * RATE) * 2, 0, -len(sound)):
            stdin.write(sound[:left])
        stdin.close()

    await asyncio.to_thread(write)


async def run(server, options, sound):
    journal = []
    clients = [EventClient(server, kind, RECEIVE_BUFFER) for kind in ("sse", "websocket")]
    session = asyncio.create_task(asyncio.to_thread(server.command, "start_recording"))
    feeding = asyncio.create_task(feed(server, sound, options.hours * 3600))
    name = (await session)["session"]
    begin = time.monotonic()
    async with sampled_memory(server) as memory:
        reading = [asyncio.create_task(read_slowly(each, options.bytes_per_second,
                                                   lambda client: journal and client.seen[-1:] == journal[-1:]))
                   for each in clients]  # fmt: skip
        await feeding
        await asyncio.to_thread(server.wait_for_end)
        recorded = time.monotonic()
        lag = await asyncio.to_thread(lag_of, server)
        journal += server.journal(name)
        missing = min(len(journal) - len(each.seen) for each in clients)
        ends = await asyncio.gather(*reading)
    for client in clients:
        check(not (fault := difference(client.seen, journal)), f"{client.kind}: {fault}")
        client.socket.close()
    check(missing > 0, "the clients were not slow: they had everything when the session ended")
    quarter = max(memory[: max(1, len(memory) // 4)])
    growth = max(memory) - quarter
    later, size = max(end for end, _ in ends) - recorded, max(size for _, size in ends) / 1e6
    print(f"{options.hours:g} h in {recorded - begin:.1f} s; {len(journal)} events; at the end of the session the clients "
          f"lacked {missing}, of which the server had {lag} still to send; "
          f"all were there {later:.1f} s later, at {options.bytes_per_second / 1000:g} kB/s ({size:.2f} MB each)")
    print(f"memory: {memory[0]:.1f} MB before, {max(memory):.1f} MB at most, {memory[-1]:.1f} MB at the end; "
          f"{growth:+.1f} MB after the first quarter")
    check(growth < GROWTH_LIMIT_MB, f"the memory grew by {growth:.1f} MB after the first quarter of the time")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--hours", type=float, default=3 if SOAK else 0.25)
    parser.add_argument("--bytes-per-second", type=int, default=20_000 if SOAK else 100_000)
    parser.add_argument("--sound", type=pathlib.Path, help="a WAV of 16 kHz, mono, said again and again")
    options = parser.parse_args()
    sound = speech(600)
    if options.sound:
        with wave.open(str(options.sound)) as file:
            check(file.getframerate() == RATE and file.getnchannels() == 1, "the sound has to have 16 kHz, mono")
            sound = file.readframes(file.getnframes())
    recording = ["--transcriber", "simulated", "--input", "-", "--input-format", f"s16le:{RATE}:1", "--pace", "fast"]
    with tempfile.TemporaryDirectory(prefix="dictum-slow-") as folder, Server(
        options.programs, pathlib.Path(folder), *recording, *([] if options.sound else SPEECH_OPTIONS),
        stdin=subprocess.PIPE) as server:  # fmt: skip
        asyncio.run(run(server, options, sound))
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
