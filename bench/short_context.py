#!/usr/bin/env python3
"""Which texts change if Whisper's encoder gets less than its 30 s, and what that saves.

    bench/short_context.py --bin build/release/bin [--data ../shared/audio] [--model FILE_OR_NAME ...] [--check]

Each segment of each recording of --data and of the notes of ../shared/notes is decoded twice by the worker itself: as for a
final text, and as for interim text (twice the frames that the sound needs, at least 512). Prints the texts that differ, and
the processor time of both. With --check the exit code is 1 where a text differs: only where none does, a final text may be
made like an interim one.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "test" / "notes")]
import spoken_notes  # noqa: E402
import wer  # noqa: E402


def segments(binaries, recordings, folder):
    """The sound files of every segment, in order."""
    for number, wav in enumerate(recordings):
        session = folder / f"session{number}"
        command = [binaries / "dictum", "record", "--input", wav, "--output-dir", session, "--no-transcribe"]
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        for segment in sorted(session.glob("*/seg_*.wav")):
            yield f"{wav.stem} {segment.stem}", segment


def timed(worker, segment, **more):
    began = worker.processor_seconds()
    text = worker.transcribe(segment, language="en", **more)["text"]
    return text, worker.processor_seconds() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/audio")
    parser.add_argument("--model", action="append")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    changed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        recordings = sorted(arguments.data.rglob("*.wav"))
        for key, note in spoken_notes.specifications()["shared"].items():
            recordings.append(folder / f"{key}.wav")
            spoken_notes.speak(note, recordings[-1])
        found = list(segments(arguments.bin, recordings, folder))
        for model in spoken_notes.models(arguments.model):
            worker = wer.Worker(arguments.bin / "dictum-worker-whisper", model)
            differing, whole_seconds, short_seconds = 0, 0.0, 0.0
            for label, segment in found:
                whole, took = timed(worker, segment)
                whole_seconds += took
                short, took = timed(worker, segment, interim=True)
                short_seconds += took
                if short != whole:
                    differing += 1
                    print(f"{label}\n  30 s   {whole}\n  short  {short}", flush=True)
            worker.close()
            print(f"{pathlib.Path(model).name}: {differing} of {len(found)} texts differ; "
                  f"{whole_seconds:.1f} s of processor time, short {short_seconds:.1f} s", flush=True)
            changed += differing
    return 1 if changed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
