#!/usr/bin/env python3
"""What a recorder and its workers hold while nobody speaks, and how soon a model is back.

    bench/idle_memory.py --bin build/release/bin [--data ../shared/audio] [--model FILE_OR_NAME ...] [--check]

Feeds `dictum record` speech, silence in which the worker's model is given back (`unload_after_sec`, here 1 s), and speech
again, at the pace of a microphone. Memory is PSS over the recorder and all processes below it, in MiB: with the model, and
without. Back means from the event SpeechDetected to the worker that is ready. With --check the exit code is 1 where the
memory without a model is above 32 MiB, or the model is not back within a second.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test" / "notes"))
import spoken_notes  # noqa: E402

MEMORY_LIMIT_MB = 32
BACK_LIMIT_SEC = 1
BLOCK_SEC = 0.1
PATIENCE_SEC = 60


def processes(pid):
    """It and all below it."""
    yield pid
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from processes(int(child))


def megabytes(pid):
    total = 0
    for process in list(processes(pid)):
        try:
            rollup = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue  # ended meanwhile
        total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1)) / 1024
    return total


class Recorder:
    """`dictum record` on samples that are written at their pace; its events as they come, with the time."""

    def __init__(self, binaries, model, rate, folder):
        command = [binaries / "dictum", "record", "--input", "-", "--input-format", f"s16le:{rate}:1", "--output-dir", folder,
                   "--json", "--transcriber", "whisper", "--model", model, "--language", "en", "--workers", "1",
                   "--unload-after-sec", "1"]  # fmt: skip
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.block = int(rate * BLOCK_SEC) * 2
        self.events = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def feed(self, samples):
        for begin in range(0, len(samples), self.block):
            self.process.stdin.write(samples[begin : begin + self.block])
            self.process.stdin.flush()
            time.sleep(BLOCK_SEC)

    def find(self, name, state=None, after=0):
        """The index of the first such event from `after` on, or None."""
        for index, event in enumerate(self.events[after:], after):
            if event["event"] == name and (state is None or event["state"] == state):
                return index
        return None

    def feed_until(self, samples, *wanted, after=0):
        deadline = time.monotonic() + PATIENCE_SEC
        while (index := self.find(*wanted, after=after)) is None:
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit(f"idle_memory: there was no {' '.join(wanted)}")
            self.feed(samples)
        return index


def examine(binaries, model, wav):
    with wave.open(str(wav)) as sound:
        rate, speech = sound.getframerate(), sound.readframes(sound.getnframes())
    silence = bytes(2 * rate // 2)
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(binaries, model, rate, folder)
        recorder.feed(silence)
        recorder.feed(speech)
        done = recorder.feed_until(silence, "TranscriptionComplete")
        loaded = megabytes(recorder.process.pid)
        unloaded_at = recorder.feed_until(silence, "WorkerStatus", "stopped", after=done)
        recorder.feed(silence)
        unloaded = megabytes(recorder.process.pid)
        recorder.feed(speech)
        ready = recorder.feed_until(silence, "WorkerStatus", "ready", after=unloaded_at)
        spoke = recorder.find("SpeechDetected", after=unloaded_at)
        recorder.process.stdin.close()
        recorder.process.wait()
        return loaded, unloaded, recorder.events[ready]["timestamp"] - recorder.events[spoke]["timestamp"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/audio")
    parser.add_argument("--model", action="append")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    broken = False
    print("model  with the model, MiB  without, MiB  back after, s")
    for model in spoken_notes.models(arguments.model):
        loaded, unloaded, back = examine(arguments.bin, model, arguments.data / "librivox/0880.wav")
        print(f"{pathlib.Path(model).name}  {loaded:.0f}  {unloaded:.1f}  {back:.2f}", flush=True)
        broken = broken or unloaded > MEMORY_LIMIT_MB or back > BACK_LIMIT_SEC
    return 1 if broken and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
