#!/usr/bin/env python3
"""Clients of /api/v1/events that are killed at random points, while a session goes on, and go on by the last event that
each has: what each of them saw is the journal, each event once and in order.

    killed_clients.py BIN [--clients N] [--seconds S] [--seed N]

Half of the clients read Server-Sent Events (and go on by `Last-Event-ID`), half a WebSocket (and go on by `after`). Each
is killed again and again until the session ends, after a random number of bytes: inside of an event, too. DICTUM_SOAK=1
has 500 of them."""

import argparse
import asyncio
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from serving import RATE, SOAK, SPEECH_OPTIONS, EventClient, Server, check, difference, speech

PACE = 10  # times the speed of speech
PIECE_SEC = 0.1
MOST_BYTES = 20_000  # that a client reads before it is killed


class Scene:
    def __init__(self):
        self.last_event = None  # of the journal, once it is complete: nobody is killed any more
        self.kills = 0


async def feed(server, sound, seconds):
    """Speaks for so long."""
    piece = 2 * int(RATE * PIECE_SEC)
    begin = time.monotonic()
    for i, at in enumerate(range(0, int(seconds * PACE * RATE) * 2, piece)):
        await asyncio.sleep(max(0, begin + i * PIECE_SEC / PACE - time.monotonic()))
        await asyncio.to_thread(server.process.stdin.buffer.write, sound[at % len(sound) :][:piece])
    server.process.stdin.close()


async def live(client, scene, dice):
    """A client that is killed and goes on, until it has the last event, and stays connected. How often it was killed."""
    killed = 0
    while True:
        left = dice.randrange(MOST_BYTES)
        await client.connect()
        is_cut_off = False
        try:
            while scene.last_event is None and left > 0:
                async with asyncio.timeout(dice.uniform(0.1, 2)):
                    left -= await client.receive(min(left, 4096))
        except TimeoutError:  # what was received in this moment is lost, so the connection cannot be used any more
            is_cut_off = True
        if is_cut_off or scene.last_event is None:
            client.kill()
            killed += 1
            await asyncio.sleep(dice.uniform(0, 0.5))
        else:
            while client.seen[-1:] != [scene.last_event]:
                check(await client.receive() > 0, "the server has ended the connection")
            return killed


async def run(server, options):
    dice = random.Random(options.seed)
    scene = Scene()
    clients = [EventClient(server, "sse" if i % 2 == 0 else "websocket") for i in range(options.clients)]
    sound = speech(60, options.seed)
    speaking = asyncio.create_task(feed(server, sound, options.seconds))
    session = (await asyncio.to_thread(server.command, "start_recording"))["session"]
    living = [asyncio.create_task(live(each, scene, random.Random(dice.random()))) for each in clients]
    await speaking
    await asyncio.to_thread(server.wait_for_end)
    journal = server.journal(session)
    scene.last_event = journal[-1]
    async with asyncio.timeout(300):
        kills = await asyncio.gather(*living)
    server.process.terminate()
    for client in clients:  # nothing more comes
        while await client.receive() > 0:
            pass
    faults = [f"client {i}, {each.kind}: {fault}" for i, each in enumerate(clients) if (fault := difference(each.seen, journal))]
    check(not faults, "\n".join(faults[:5]))
    check(min(kills) > 0, "a client was never killed")
    return len(journal), sum(kills)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--clients", type=int, default=500 if SOAK else 24)
    parser.add_argument("--seconds", type=float, default=60 if SOAK else 8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dictum-events-") as folder:
        recording = [*SPEECH_OPTIONS, "--transcriber", "simulated", "--input", "-", "--input-format", "s16le:16000:1"]
        with Server(options.programs, pathlib.Path(folder), *recording, "--pace", "fast", stdin=subprocess.PIPE) as server:
            events, kills = asyncio.run(run(server, options))
            check(server.process.wait(60) == 0, "the server does not end well")
    print(f"seed {options.seed}: {options.clients} clients, killed {kills} times, each saw {events} events once and in order; "
          f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
