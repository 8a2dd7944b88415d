#!/usr/bin/env python3
"""How long `dictum` takes to print its help, and from the call of `dictum record` to the first audio from a microphone.

    bench/start_time.py --bin build/release/bin [--check]

Each is the median of many runs. The help is also counted as time of the processor, which a busy machine does not
stretch. The microphone is a virtual one of PulseAudio's, so its part of the time is the sound server's: opening the
connection, listing the devices, the first fragment. The first audio is known by the event `RecordingStateChanged` of the
state `recording`, which is emitted once real audio has arrived. Beside them: /bin/true, the least that a process takes,
and `python3 -c ''`. With --check the exit code is 1 where the help takes more than 15 ms or the first audio more than
60 ms.
"""

import argparse
import pathlib
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import results
from virtual_microphone import VirtualMicrophone

HELP_LIMIT_MS = 15
RECORD_LIMIT_MS = 60


def process_times(command, runs):
    """Milliseconds of a run: the clock's, and the processor's."""
    clock, processor = [], []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        clock.append(1000 * (time.perf_counter() - begin))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return statistics.median(clock), statistics.median(processor)


def first_audio_ms(program, environment, folder):
    begin = time.perf_counter()
    process = subprocess.Popen([program, "record", "--no-transcribe", "--json", "--output-dir", folder], env=environment,
                               stdout=subprocess.PIPE)
    for line in process.stdout:
        if b'"recording"' in line:
            break
    took = 1000 * (time.perf_counter() - begin)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--check", action="store_true", help="fail where a limit is not kept")
    options = parser.parse_args()
    program = options.bin.resolve() / "dictum"

    commands = {"dictum --help": [program, "--help"], "python3 -c ''": [sys.executable, "-c", ""], "true": ["/bin/true"]}
    medians = {}
    for name, command in commands.items():
        medians[name] = process_times(command, options.runs)
        print(f"{name:24} {medians[name][0]:6.1f} ms  ({medians[name][1]:5.1f} ms of processor time)")
    shown = medians["dictum --help"][0]
    results.add("dictum --help", shown, "ms", peers={"python3 -c ''": medians["python3 -c ''"][0]}, limit=HELP_LIMIT_MS)
    holds = shown <= HELP_LIMIT_MS

    if shutil.which("pulseaudio") is None:
        print("the microphone is left out: pulseaudio is not installed")
    else:
        with VirtualMicrophone() as microphone, tempfile.TemporaryDirectory() as folder:
            taken = [first_audio_ms(program, microphone.environment, folder) for _ in range(options.runs // 4)]
        first = statistics.median(taken)
        print(f"dictum record, to the first audio {first:6.1f} ms, of {len(taken)} runs {min(taken):.1f} to {max(taken):.1f} ms")
        results.add("dictum record, to the first audio", first, "ms", limit=RECORD_LIMIT_MS)
        holds = holds and first <= RECORD_LIMIT_MS
    return 1 if options.check and not holds else 0


if __name__ == "__main__":
    sys.exit(main())
