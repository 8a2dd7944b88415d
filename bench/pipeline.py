#!/usr/bin/env python3
"""How many times faster than real time the whole pipeline goes through a file, on one core, without transcription.

    bench/pipeline.py --bin build/release/bin

Ten minutes of speech at 48 kHz, mono, 16 bit (radio.wav of the shared test data, resampled by sox and repeated) are
recorded by `dictum record --no-transcribe`, pinned to one core: reading, resampling, the Silero network on every window,
segments, WAV files, journal. Beside it, as a baseline, sox only brings the same file to 16 kHz. Processor time is what
counts: a busy machine does not stretch it. The goal is 300 times real time.
"""

import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

GOAL = 300
MINUTES = 10


def recording(name):
    here = pathlib.Path(__file__).resolve().parent
    for folder in (os.environ.get("DICTUM_TEST_DATA", ""), here.parent.parent / "shared"):
        path = pathlib.Path(folder) / "audio" / name
        if folder and path.exists():
            return path
    sys.exit(f"pipeline: {name} was not found in $DICTUM_TEST_DATA or ../shared")


def measured(command):
    """Seconds of the wall clock and of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    subprocess.run(["taskset", "-c", "0", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the built programs")
    parser.add_argument("--runs", type=int, default=5, help="the best one counts")
    options = parser.parse_args()
    for tool in ("sox", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"pipeline: {tool} is not installed")

    with tempfile.TemporaryDirectory() as folder:
        sound = pathlib.Path(folder) / "radio-48k.wav"
        subprocess.run(["sox", recording("radio.wav"), "-r", "48000", sound, "repeat", str(MINUTES - 1)], check=True)
        seconds = MINUTES * 60
        commands = {
            "record": [options.bin / "dictum", "record", "--no-transcribe", "--json", "--output-dir",
                       pathlib.Path(folder) / "sessions", "--input", sound],
            "analyze": [options.bin / "dictum", "analyze", "--json", sound],
            "sox, resampling only": ["sox", sound, "-r", "16000", pathlib.Path(folder) / "radio-16k.wav"],
        }
        ratios = {}
        for name, command in commands.items():
            runs = [measured(command) for _ in range(options.runs)]
            wall, processor = min(run[0] for run in runs), min(run[1] for run in runs)
            ratios[name] = seconds / processor
            print(f"{name:<22} {seconds / processor:7.0f} x real time of processor  ({processor:.3f} s), "
                  f"{seconds / wall:7.0f} x by the clock")
        print(f"goal: {GOAL} x; record reaches {ratios['record']:.0f} x")


if __name__ == "__main__":
    main()
