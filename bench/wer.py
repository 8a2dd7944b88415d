#!/usr/bin/env python3
"""Word error rates, time and memory of transcribers: directly, through the whole pipeline, and in noise.

    bench/wer.py --bin build/release/bin [--data ../shared/audio] [--transcriber NAME[:MODEL] ...] [--direct-only]
                 [--sets jfk,librivox,noise] [--markdown] [--check]

Directly means one job for the whole file, given to the worker itself. Through the pipeline means `dictum record --input
FILE --json`, the segments' texts joined in their order. In noise means directly, with pink noise mixed in 10 dB below the
speech. Without --transcriber: every one that works without a key, and Whisper with every model that is installed.
With --check the exit code is 1 where a limit is broken: LIMITS, and the pipeline at most two words worse than decoding
directly.
"""

import argparse
import array
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import wave

JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
ABBREVIATIONS = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
LIMITS = {
    "whisper": {"librivox": 0.03, "jfk": 0.10, "noise": 0.12},
    "pocketsphinx": {"librivox": 0.33, "jfk": 0.30, "noise": 0.60},
}
NOISE_DB = 10
SKIPPED = {"openai", "command", "simulated"}  # a key, a program, a script


def words(text):
    """What counts: letters and apostrophes, in lower case, common abbreviations spoken out."""
    return [ABBREVIATIONS.get(word, word) for word in re.findall(r"[a-z']+", text.lower())]


def errors(reference, hypothesis):
    """Levenshtein's distance in words: substitutions, deletions and insertions at one each."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != got))
    return row[-1]


class Worker:
    """A transcription worker at the other end of the worker protocol."""

    def __init__(self, program, model):
        command = [program] + (["--model", model] if model else [])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.hello = self.receive()
        self.jobs = 0

    def send(self, message):
        frame = json.dumps(message).encode()
        self.process.stdin.write(struct.pack("<I", len(frame)) + frame)
        self.process.stdin.flush()

    def receive(self):
        head = self.process.stdout.read(4)
        if len(head) < 4:
            sys.exit("the worker ended without an answer")
        answer = json.loads(self.process.stdout.read(struct.unpack("<I", head)[0]))
        if answer["type"] == "error" and "id" not in answer:
            sys.exit(answer["message"])
        return answer

    def transcribe(self, wav, **more):
        self.jobs += 1
        self.send({"type": "job", "id": self.jobs, "wav": str(wav), **more})
        while True:
            answer = self.receive()
            if answer["type"] == "error":
                sys.exit(f"{wav}: {answer['message']}")
            if answer["type"] == "result":
                return answer

    def processor_seconds(self):
        """Used so far; unlike time on the clock, it does not depend on what else runs."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self):
        """The most memory that it ever had."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024

    def close(self):
        self.send({"type": "shutdown"})
        self.process.stdin.close()
        self.process.wait()


def through_pipeline(dictum, transcriber, model, wav):
    with tempfile.TemporaryDirectory() as folder:
        command = [dictum, "record", "--input", wav, "--output-dir", folder, "--transcriber", transcriber, "--json"]
        command += ["--model", model] if model else []
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{wav}: dictum record failed: {run.stderr.strip()}")
    events = [json.loads(line) for line in run.stdout.splitlines()]
    texts = {e["segment_index"]: e["text"] for e in events if e["event"] == "TranscriptionComplete"}
    return " ".join(texts[index] for index in sorted(texts))


def seconds_of(wav):
    with wave.open(str(wav), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def with_noise(source, target):
    """The recording with pink noise at NOISE_DB below its level; the same at every run."""
    with wave.open(str(source), "rb") as sound:
        parameters, samples = sound.getparams(), array.array("h", sound.readframes(sound.getnframes()))
    rows, dice = [0.0] * 12, random.Random(7)
    noise = []
    for i in range(len(samples)):  # Voss and McCartney: row n changes every 2^n samples
        row = (i & -i).bit_length() - 1 if i else 0
        if row < len(rows):
            rows[row] = dice.uniform(-1, 1)
        noise.append(sum(rows) + dice.uniform(-1, 1))
    level = math.sqrt(sum(s * s for s in samples) / len(samples))
    scale = level / math.sqrt(sum(n * n for n in noise) / len(noise)) / 10 ** (NOISE_DB / 20)
    mixed = array.array("h", (max(-32768, min(32767, round(s + n * scale))) for s, n in zip(samples, noise, strict=False)))
    with wave.open(str(target), "wb") as sound:
        sound.setparams(parameters)
        sound.writeframes(mixed.tobytes())
    return target


def recordings(data, folder):
    """The sets: each a list of a WAV and what is said in it."""
    librivox = [(wav, wav.with_suffix(".txt").read_text()) for wav in sorted((data / "librivox").glob("*.wav"))]
    jfk = [(data / "jfk.wav", JFK)]
    if not librivox or not jfk[0][0].exists():
        sys.exit(f"the recordings are not in {data}: name their folder with --data")
    noise = [(with_noise(wav, folder / f"noise_{wav.name}"), text) for wav, text in jfk + librivox]
    return {"jfk": jfk, "librivox": librivox, "noise": noise}


def installed(binaries):
    """Every transcriber that needs no key, with every model of Whisper."""
    for program in sorted(binaries.glob("dictum-worker-*")):
        name = program.name.removeprefix("dictum-worker-")
        if name == "whisper":
            listed = subprocess.run([binaries / "dictum", "models", "list"], capture_output=True, text=True).stdout
            yield from (("whisper", line.split()[0]) for line in listed.splitlines() if "installed" in line)
        elif name not in SKIPPED:
            yield name, ""


def examine(options, transcriber, model, sets):
    """One row a set: name, words, wrong directly, wrong through the pipeline (or None), processor seconds a second, megabytes."""
    worker = Worker(options.bin / f"dictum-worker-{transcriber}", model)
    for name, files in sets.items():
        total = direct_errors = pipeline_errors = 0
        taken = length = 0.0
        piped_too = name != "noise" and not options.direct_only
        for wav, text in files:
            reference = words(text)
            began = worker.processor_seconds()
            direct = words(worker.transcribe(wav)["text"])
            taken += worker.processor_seconds() - began
            length += seconds_of(wav)
            total += len(reference)
            direct_errors += errors(reference, direct)
            if not options.markdown:
                print(f"{wav.name}\n  said      {' '.join(reference)}\n  direct    {' '.join(direct)}")
            if piped_too:
                piped = words(through_pipeline(options.bin / "dictum", transcriber, model, wav))
                pipeline_errors += errors(reference, piped)
                if not options.markdown:
                    print(f"  pipeline  {' '.join(piped)}")
        yield name, total, direct_errors, pipeline_errors if piped_too else None, taken / length, worker.megabytes()
    worker.close()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bin", type=pathlib.Path, required=True, help="where dictum and its workers are")
    options.add_argument("--data", type=pathlib.Path, default=pathlib.Path(__file__).parents[2] / "shared" / "audio")
    options.add_argument("--transcriber", action="append", help="a name, or name:model")
    options.add_argument("--sets", default="jfk,librivox,noise")
    options.add_argument("--direct-only", action="store_true", help="leave the pipeline out")
    options.add_argument("--markdown", action="store_true", help="print the table only")
    options.add_argument("--check", action="store_true", help="fail where a limit is broken")
    options = options.parse_args()

    chosen = [tuple((one + ":").split(":")[:2]) for one in options.transcriber or []] or list(installed(options.bin))
    broken, rows = [], []
    with tempfile.TemporaryDirectory() as folder:
        every = recordings(options.data, pathlib.Path(folder))
        sets = {name: every[name] for name in options.sets.split(",")}
        for transcriber, model in chosen:
            label = f"{transcriber} {model}".strip()
            for name, total, direct, piped, pace, memory in examine(options, transcriber, model, sets):
                through = "" if piped is None else f"{piped / total:.1%}"
                rows.append((label, name, f"{direct / total:.1%}", through, f"{pace:.2f}", f"{memory:.0f}"))
                worst = direct if piped is None else max(direct, piped)
                limit = LIMITS.get(transcriber, {}).get(name)
                if limit is not None and worst / total > limit:
                    broken.append(f"{label}, {name}: {worst / total:.1%} is above {limit:.0%}")
                if piped is not None and piped > direct + 2:
                    broken.append(f"{label}, {name}: the pipeline is more than two words worse than decoding directly")
    head = ("transcriber", "recordings", "wrong words, direct", "through the pipeline", "processor seconds for 1 s of audio", "MB")
    print("\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)))
    if broken:
        print("\n".join(broken))
    return 1 if broken and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
