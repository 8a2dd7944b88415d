#!/usr/bin/env python3
"""How many times faster than real time the whole pipeline goes through a file, on one core, without transcription.

    bench/pipeline.py --bin build/release/bin [--onnx build/models/silero_vad_16k_op15.onnx]

Ten minutes of speech at 48 kHz and at 16 kHz, mono, 16 bit (radio.wav of the shared test data, resampled by sox and
repeated) are recorded by `dictum record --no-transcribe`, pinned to one core: reading, resampling, the Silero network on
every window, segments, WAV files, journal. Beside it: sox that only brings the same file to 16 kHz, and, run by a Python
that has numpy, scipy and onnxruntime, bench/python_pipeline.py, which gets two minutes of the file. All take turns, and
processor time is what counts: a busy machine does not stretch it. The least of the runs counts.
"""

import argparse
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import results

MINUTES = 10
GOAL_16_KHZ = 2000
PYTHON_GOAL = 50
MEMORY_LIMIT_MB = 32


def recording(name):
    here = pathlib.Path(__file__).resolve().parent
    for folder in (os.environ.get("DICTUM_TEST_DATA", ""), here.parent.parent / "shared"):
        path = pathlib.Path(folder) / "audio" / name
        if folder and path.exists():
            return path
    sys.exit(f"pipeline: {name} was not found in $DICTUM_TEST_DATA or ../shared")


def measured(command):
    """Seconds of the wall clock and of the processor, and MB."""
    begin = time.monotonic()
    process = subprocess.Popen(["taskset", "-c", "0", *map(str, command)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"pipeline: {command[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def start_seconds(onnx, folder, runs):
    """What the Python pipeline takes before its first sample, so that its short file is no disadvantage."""
    silence = folder / "short.wav"
    subprocess.run(["sox", "-n", "-r", "16000", "-b", "16", "-c", "1", silence, "trim", "0", "0.2"], check=True)
    command = [sys.executable, pathlib.Path(__file__).with_name("python_pipeline.py"), onnx, silence, folder / "none"]
    return min(measured(command)[1] for _ in range(runs))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the built programs")
    parser.add_argument("--onnx", type=pathlib.Path, help="the model, for the Python pipeline")
    parser.add_argument("--runs", type=int, default=5, help="the best one counts")
    options = parser.parse_args()
    for tool in ("sox", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"pipeline: {tool} is not installed")
    missing = [name for name in ("numpy", "scipy", "onnxruntime") if importlib.util.find_spec(name) is None]
    has_peer = not missing and options.onnx is not None and options.onnx.exists()
    if not has_peer:
        print(f"the Python pipeline is left out: {', '.join(missing) or 'the model'} is missing")

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        starting = start_seconds(options.onnx, folder, options.runs) if has_peer else 0
        for rate in (48000, 16000):
            sound, short = folder / f"{rate}.wav", folder / f"{rate}-short.wav"
            subprocess.run(["sox", recording("radio.wav"), "-r", str(rate), sound, "repeat", str(MINUTES - 1)], check=True)
            subprocess.run(["sox", sound, short, "trim", "0", "120"], check=True)
            commands = {
                "dictum record": (60 * MINUTES, 0, [options.bin / "dictum", "record", "--no-transcribe", "--json", "--output-dir",
                                                    folder / "sessions", "--input", sound]),
                "dictum analyze": (60 * MINUTES, 0, [options.bin / "dictum", "analyze", "--json", sound]),
            }  # fmt: skip
            if rate != 16000:
                commands["sox, resampling only"] = (60 * MINUTES, 0, ["sox", sound, "-r", "16000", folder / "out.wav"])
            if has_peer:
                peer = pathlib.Path(__file__).with_name("python_pipeline.py")
                commands["Python pipeline"] = (120, starting, [sys.executable, peer, options.onnx, short, folder / "peer"])
            runs = {each: [] for each in commands}
            for _ in range(options.runs):
                for each, (_, _, command) in commands.items():
                    runs[each].append(measured(command))
            times = {}
            for each, (seconds, before, _) in commands.items():
                wall, taken = min(run[0] for run in runs[each]), min(run[1] for run in runs[each])
                memory = max(run[2] for run in runs[each])
                times[each] = seconds / (taken - before)
                print(f"{rate / 1000:g} kHz  {each:<22} {times[each]:7.0f} x real time of processor  ({taken:.3f} s), "
                      f"{seconds / wall:7.0f} x by the clock, {memory:5.1f} MB", flush=True)
            ours = times.pop("dictum record")
            peers = {each: times[each] for each in times if not each.startswith("dictum")}
            goal = GOAL_16_KHZ if rate == 16000 else peers["sox, resampling only"]
            results.add(f"pipeline, file of {rate / 1000:g} kHz", ours, "x real time", peers=peers, limit=goal, more_is_better=True,
                        bars="pipeline" if rate != 16000 else None)
            results.add(f"its memory, {rate / 1000:g} kHz", max(run[2] for run in runs["dictum record"]), "MB",
                        limit=MEMORY_LIMIT_MB)
            print(f"{rate / 1000:g} kHz: goal {goal:.0f} x" + (
                f"; {ours / peers['Python pipeline']:.0f} times the Python pipeline, goal {PYTHON_GOAL}" if has_peer else ""))


if __name__ == "__main__":
    main()
