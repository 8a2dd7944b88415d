#!/usr/bin/env python3
"""The cluster with real speech statistics: throughput, what a job costs more than in the recorder's own pool, and bytes.

    bench/cluster.py BIN [--recorders N] [--workers 1,2,4,8] [--segments N] [--slow FACTOR]

A real nats-server on loopback; `dictum record` as recorders, `dictum worker` with engines that sleep for 200 ms. All of
it shares the cores of this machine. Exit code 77: nats-server is missing; 1: throughput is not linear within 10 %.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "cluster"))
from cluster_home import RATE, Home, free_port, rate_of, status_of

LATENCY_MS = 200

# Seconds of the segments that Silero finds, with pre-roll and post-roll, in 12 minutes of read, spoken and broadcast
# English (`dictum analyze --json` over the recordings of the test data), and of the silence between two of them.
SEGMENTS = (1.0, 1.6, 2.0, 2.1, 2.1, 2.4, 2.7, 3.0, 3.3, 3.3, 5.3, 6.0, 6.1, 7.1, 7.3, 7.9, 9.4, 23.7, 29.0)
GAPS = (0.8, 0.9, 0.9, 1.0, 1.0, 1.1, 1.2, 1.3, 1.9, 2.3)
SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "samples" / "voice_note.wav"


def loudest_second():
    """Of the bundled sample: real speech without a pause, so that FLAC has what it has with people."""
    with wave.open(str(SAMPLE)) as file:
        frames = file.readframes(file.getnframes())
    seconds = [frames[at : at + RATE * 2] for at in range(0, len(frames) - RATE * 2, RATE // 2)]
    return max(seconds, key=lambda part: sum(abs(int.from_bytes(part[i : i + 2], "little", signed=True))
                                             for i in range(0, len(part), 64)))  # fmt: skip


def write_speech(path, segments, rng):
    """A recording of so many segments, their lengths and gaps drawn from the table. Returns seconds of speech."""
    speech, spoken = loudest_second(), 0.0
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for _ in range(segments):
            seconds = rng.choice(SEGMENTS)
            frames = int(seconds * RATE) * 2
            file.writeframes(bytes(int(rng.choice(GAPS) * RATE) * 2))
            file.writeframes((speech * (int(seconds) + 1))[:frames])
            spoken += seconds
        file.writeframes(bytes(RATE * 2))
    return spoken


def recording(home, root, sound, *more):
    return [
        "record", "--input", sound, "--pace", "fast", "--vad", "energy", "--durability", "crash", "--drain-sec=-1",
        "--output-dir", home.folder / root, *more,
    ]  # fmt: skip


def counters(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/varz", timeout=10) as answer:
        values = json.load(answer)
    return {key: values[key] for key in ("in_msgs", "out_msgs", "in_bytes", "out_bytes")}


def jobs_of(home, roots):
    return sum(event["event"] == "TranscriptionComplete" for root in roots for event in home.journal(root))


def measure(home, workers, arguments):
    """Texts a second over the cluster and in a local pool; messages and bytes a job at the server."""
    port = free_port()
    server = home.server(f"server-{workers}", extra=f'http: "127.0.0.1:{port}"\n')
    script = {"latency_ms": LATENCY_MS}
    home.worker(server.url, "--workers", workers, script=script)
    rng = random.Random(workers)
    share = arguments.segments * workers // arguments.recorders
    sounds = []
    for i in range(arguments.recorders):
        sounds.append(home.folder / f"sound-{i}.wav")
        write_speech(sounds[-1], share, rng)
    before = counters(port)
    roots = [f"cluster-{workers}-{i}" for i in range(arguments.recorders)]
    under_way = max(2, 2 * workers // arguments.recorders)
    cluster = ("--transcriber", "nats", "--nats-url", server.url, "--workers", under_way)
    running = [home.start(*recording(home, r, s, *cluster)) for r, s in zip(roots, sounds, strict=True)]
    for process in running:
        home.finish(process, 600)
    after = counters(port)
    jobs = jobs_of(home, roots)
    times = [e["timestamp"] for r in roots for e in home.journal(r) if e["event"] == "TranscriptionComplete"]
    rate = (len(times) - 1) / (max(times) - min(times))
    server.end()
    local = home.folder / "sleep.json"
    local.write_text(json.dumps(script))
    pool = ("--transcriber", "simulated", "--simulated-script", local, "--workers", workers)
    home.run(*recording(home, f"local-{workers}", sounds[0], *pool))
    local_rate = rate_of(home, f"local-{workers}")
    row = {key: (after[key] - before[key]) / jobs for key in after}
    return row | {
        "rate": rate,
        "more_ms": 1000 * workers * (1 / rate - 1 / local_rate),
    }


def bytes_of_jobs(home, sound):
    """Bytes a second of speech in the stream, and in 16-bit samples: a recording without workers."""
    server = home.server("bytes")
    home.worker(server.url).kill()
    arguments = ["--transcriber", "nats", "--nats-url", server.url, "--workers", 8, "--eager", "false"]
    made = recording(home, "bytes", sound, *arguments)
    made[made.index("energy")] = "silero"
    process = home.start(*made)

    def has_all():  # a recorder that ends takes its jobs back
        if not (home.folder / "bytes").exists():
            return False
        queued = sum(event["event"] == "TranscriptionQueued" for event in home.journal("bytes"))
        ended = any(
            event["event"] == "RecordingStateChanged" and event["state"] == "idle" for event in home.journal("bytes")
        )
        return ended and status_of(home, server)["streams"][0]["messages"] == queued

    home.wait(has_all)
    stream = status_of(home, server)["streams"][0]
    process.kill()
    process.wait()
    raw = 0
    for file in sorted((home.folder / "bytes").rglob("*.wav")):
        with wave.open(str(file)) as wav:
            raw += wav.getnframes() * 2
    server.end()
    return stream["messages"], stream["bytes"], raw


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--recorders", type=int, default=2)
    parser.add_argument("--workers", default="1,2,4,8")
    parser.add_argument("--segments", type=int, default=40, help="a worker")
    parser.add_argument("--slow", type=float, default=4)
    arguments = parser.parse_args()
    programs = arguments.bin.resolve()
    if not shutil.which("nats-server") or not (programs / "dictum-worker-nats").exists():
        print("skipped: nats-server or dictum-worker-nats is missing")
        return 77
    print(subprocess.run(["nats-server", "--version"], capture_output=True, text=True).stdout.strip())
    rates = {}
    with tempfile.TemporaryDirectory(prefix="dictum-bench-", dir="/dev/shm") as folder:
        home = Home(pathlib.Path(folder), programs, arguments.slow)
        try:
            jobs, stored, raw = bytes_of_jobs(home, SAMPLE)
            seconds = raw / 2 / RATE
            print(f"{jobs} jobs of the sample, {seconds:.1f} s: {stored / seconds / 1000:.1f} kB a second in the "
                  f"stream, {raw / seconds / 1000:.1f} kB raw: {100 * stored / raw:.0f} %")  # fmt: skip
            print("workers  texts/s  linear  ms more than locally  messages in+out/job  kB in/job  kB out/job")
            for workers in map(int, arguments.workers.split(",")):
                row = measure(home, workers, arguments)
                rates[workers] = row["rate"]
                linear = row["rate"] / workers / (rates[min(rates)] / min(rates))
                print(f"{workers:7}  {row['rate']:7.1f}  {linear:6.2f}  {row['more_ms']:20.1f}  "
                      f"{row['in_msgs']:8.1f} + {row['out_msgs']:8.1f}  {row['in_bytes'] / 1000:9.1f}  "
                      f"{row['out_bytes'] / 1000:10.1f}", flush=True)  # fmt: skip
        finally:
            home.end()
    least = min(rates)
    return 0 if all(rate >= 0.9 * rates[least] * count / least for count, rate in rates.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
