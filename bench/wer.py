#!/usr/bin/env python3
"""Word error rates of a transcriber: through the whole pipeline, and beside it by decoding each whole file directly.

    bench/wer.py --bin build/release/bin [--data ../shared/audio] [--transcriber pocketsphinx] [--direct-only] [--check]

Through the pipeline means `dictum record --input FILE --json`, the segments' texts joined in their order. Directly means
one job for the whole file, given to the worker itself. With --check the exit code is 1 where a limit is broken:
librivox at most 33 %, jfk at most 30 %, the pipeline at most two words worse than decoding directly.
"""

import argparse
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

JFK = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
ABBREVIATIONS = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
LIMITS = {"librivox": 0.33, "jfk": 0.30}


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

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
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
        return json.loads(self.process.stdout.read(struct.unpack("<I", head)[0]))

    def transcribe(self, wav, **more):
        self.jobs += 1
        self.send({"type": "job", "id": self.jobs, "wav": str(wav), **more})
        while True:
            answer = self.receive()
            if answer["type"] == "error":
                sys.exit(f"{wav}: {answer['message']}")
            if answer["type"] == "result":
                return answer

    def close(self):
        self.send({"type": "shutdown"})
        self.process.stdin.close()
        self.process.wait()


def through_pipeline(dictum, transcriber, wav):
    with tempfile.TemporaryDirectory() as folder:
        command = [dictum, "record", "--input", wav, "--output-dir", folder, "--transcriber", transcriber, "--json"]
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{wav}: dictum record failed: {run.stderr.strip()}")
    events = [json.loads(line) for line in run.stdout.splitlines()]
    texts = {e["segment_index"]: e["text"] for e in events if e["event"] == "TranscriptionComplete"}
    return " ".join(texts[index] for index in sorted(texts))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bin", type=pathlib.Path, required=True, help="where dictum and its workers are")
    options.add_argument("--data", type=pathlib.Path, default=pathlib.Path(__file__).parents[2] / "shared" / "audio")
    options.add_argument("--transcriber", default="pocketsphinx")
    options.add_argument("--direct-only", action="store_true", help="leave the pipeline out")
    options.add_argument("--check", action="store_true", help="fail where a limit is broken")
    options = options.parse_args()

    sets = {"jfk": [(options.data / "jfk.wav", JFK)]}
    sets["librivox"] = [(wav, wav.with_suffix(".txt").read_text()) for wav in sorted((options.data / "librivox").glob("*.wav"))]
    if not all(wav.exists() for files in sets.values() for wav, _ in files) or not sets["librivox"]:
        sys.exit(f"the recordings are not in {options.data}: name their folder with --data")

    worker = Worker(options.bin / f"dictum-worker-{options.transcriber}")
    broken = []
    for name, files in sets.items():
        total = direct_errors = pipeline_errors = 0
        for wav, text in files:
            reference = words(text)
            direct = words(worker.transcribe(wav)["text"])
            total += len(reference)
            direct_errors += errors(reference, direct)
            print(f"{wav.name}\n  said      {' '.join(reference)}\n  direct    {' '.join(direct)}")
            if not options.direct_only:
                piped = words(through_pipeline(options.bin / "dictum", options.transcriber, wav))
                pipeline_errors += errors(reference, piped)
                print(f"  pipeline  {' '.join(piped)}")
        figures = [("direct", direct_errors)] + ([] if options.direct_only else [("pipeline", pipeline_errors)])
        print(f"{name}: " + ", ".join(f"{way} {wrong} of {total} words wrong ({wrong / total:.1%})" for way, wrong in figures) + "\n")
        if figures[-1][1] / total > LIMITS[name]:
            broken.append(f"{name}: above {LIMITS[name]:.0%}")
        if not options.direct_only and pipeline_errors > direct_errors + 2:
            broken.append(f"{name}: the pipeline is more than two words worse than decoding directly")
    worker.close()
    if broken:
        print("\n".join(broken))
    return 1 if broken and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
