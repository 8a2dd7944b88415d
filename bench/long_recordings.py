#!/usr/bin/env python3
"""Whether long recordings cost more than short ones: processor time of a second of audio, and of a segment.

    bench/long_recordings.py --bin build/release/bin [--hours 10] [--segments 10000] [--check]

`dictum record --no-transcribe` records the bundled voice note again and again: for a minute, and for hours; and half a
second of it with as much silence behind it, as one segment each, until there are so many, and a tenth of them. (Those are
detected by their energy, so that the detector is not most of it.) What a program takes for
its start and its end is taken out by the difference of two lengths. Memory is the largest resident size. All is pinned
to one processor and written to memory where there is such a place. With --check the exit code is 1 where a second of
the long recording costs 5 % more than one of the short recording, a segment of many 5 % more than one of few, or memory is
above 32 MB.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import wave

import results

MEMORY_LIMIT_MB = 32
GROWTH_LIMIT = 1.05
MINUTE = 60


def recorded(program, sound, folder, *options):
    """Seconds of processor time, and the largest resident size in MB."""
    command = ["taskset", "-c", "0", program, "record", "--no-transcribe", "--json", "--output-dir", folder, *options, sound]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"long_recordings: dictum record ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def write_speech(path, source, seconds):
    with wave.open(str(source)) as original, wave.open(str(path), "wb") as sound:
        sound.setparams(original.getparams())
        frames = original.readframes(original.getnframes())
        left = seconds * original.getframerate() * 2
        while left > 0:
            sound.writeframes(frames[:left])
            left -= len(frames)


def write_words(path, source, segments):
    """Half a second of a voice and half a second of silence, again and again: a segment each."""
    with wave.open(str(source)) as original, wave.open(str(path), "wb") as sound:
        sound.setparams(original.getparams())
        rate = original.getframerate()
        original.setpos(rate * 4 // 5)  # where the recording begins to speak
        period = original.readframes(rate // 2) + bytes(2 * (rate // 2))
        for _ in range(segments):
            sound.writeframes(period)


def typical(measure, runs):
    taken = [measure() for _ in range(runs)]
    return statistics.median(each[0] for each in taken), max(each[1] for each in taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--segments", type=int, default=10000)
    parser.add_argument("--runs", type=int, default=5, help="of the short recordings; the median counts")
    parser.add_argument("--check", action="store_true", help="fail where a limit is not kept")
    options = parser.parse_args()
    program = options.bin.resolve() / "dictum"
    note = pathlib.Path(__file__).resolve().parents[1] / "samples/voice_note.wav"
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    holds = True

    def check(what, ours, limit, unit):
        nonlocal holds
        holds = holds and ours <= limit
        results.add(what, ours, unit, limit=limit)

    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder = pathlib.Path(name)

        def of_speech(seconds, runs):
            sound = folder / "speech.wav"
            write_speech(sound, note, seconds)
            taken = typical(lambda: recorded(program, sound, folder / "sessions"), runs)
            subprocess.run(["rm", "-rf", folder / "sessions", sound], check=True)
            return taken

        lengths = [1 * MINUTE, 10 * MINUTE, int(options.hours * 60 * MINUTE)]
        start, _ = of_speech(1, options.runs)
        per_second = {}
        for seconds in lengths:
            runs = options.runs if seconds <= 10 * MINUTE else 1
            taken, largest = of_speech(seconds, runs)
            per_second[seconds] = 1000 * (taken - start) / (seconds - 1)
            print(f"{seconds / 60:7.0f} min  {per_second[seconds]:.3f} ms of processor a second of audio  {largest:5.1f} MB",
                  flush=True)
            results.add_point("length", "dictum record", seconds / 60, per_second[seconds], x_label="minutes of the file",
                              y_label="ms of processor for a second of audio")
        growth = per_second[lengths[-1]] / per_second[MINUTE]
        print(f"a second of {options.hours:g} h costs {growth:.3f} times one of a minute")
        check(f"a second of a file of {options.hours:g} h, to one of 1 min", growth, GROWTH_LIMIT, "x")
        check(f"memory for a file of {options.hours:g} h", largest, MEMORY_LIMIT_MB, "MB")

        def of_segments(count, runs):
            sound = folder / "tones.wav"
            write_words(sound, note, count)
            taken = typical(lambda: recorded(program, sound, folder / "sessions", "--vad", "energy", "--min-silence-ms", "256",
                                          "--post-roll-ms", "256"), runs)  # fmt: skip
            made = sum(1 for _ in (folder / "sessions").glob("*/seg_*.wav"))
            subprocess.run(["rm", "-rf", folder / "sessions", sound], check=True)
            if made < count * runs:
                sys.exit(f"long_recordings: {made} of {count * runs} segments")
            return taken[0]

        start = of_segments(1, options.runs)
        few = options.segments // 10
        means = [1000 * (of_segments(count, options.runs) - start) / (count - 1) for count in (few, options.segments)]
        print(f"{few} segments: {means[0]:.3f} ms of processor each; {options.segments}: {means[1]:.3f} ms")
        check(f"a segment of {options.segments}, to one of {few}", means[1] / means[0], GROWTH_LIMIT, "x")
    return 1 if options.check and not holds else 0


if __name__ == "__main__":
    sys.exit(main())
