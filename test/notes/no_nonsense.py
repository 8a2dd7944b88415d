#!/usr/bin/env python3
"""Real Whisper behind the whole pipeline: no text that is not marked suspect where nobody speaks, and none lost where
somebody does.

    test/notes/no_nonsense.py BIN

Records silence, noise, breathing, typing and music (test/notes/without_speech.py) and the recordings of ../shared/audio
with tiny.en of ../shared/models. DICTUM_SOAK=1: ten minutes and every recording; else 42 s and one. The exit code is 77
where sox, the worker or the model is missing.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import wave

import spoken_notes as notes
import without_speech

SOAK = "DICTUM_SOAK" in os.environ
MINUTES = 10 if SOAK else 0.7
SHARED = notes.TREE.parent / "shared"
MODEL = SHARED / "models" / "ggml-tiny.en-q8_0.bin"


def joined(sounds, path):
    """Writes all `sounds` into one file, so that the model is loaded once. Returns (end frame, name) of each."""
    ends, at = [], 0
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(notes.RATE)
        for sound in sounds:
            with wave.open(str(sound)) as file:
                at += file.getnframes()
                out.writeframes(file.readframes(file.getnframes()))
            ends.append((at, sound.stem))
    return ends


def main():
    program = pathlib.Path(sys.argv[1])
    missing = [str(path) for path in (program / "dictum-worker-whisper", MODEL) if not path.exists()]
    if not shutil.which("sox"):
        missing.append("sox")
    if missing:
        print(f"skipped: {', '.join(missing)} is not there")
        return 77
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ends = joined(without_speech.make(folder, MINUTES), folder / "all.wav")
        events = notes.record(program / "dictum", folder / "all.wav", "whisper", MODEL)
        for segment in notes.segments(events):
            sound = next((name for end, name in ends if segment["start"] < end), "the end")
            print(f"{sound}: kept {segment['kept']}, {segment.get('text')!r}, suspect {segment.get('suspect')}")
            if segment.get("text") and not segment["suspect"]:
                wrong.append(f"{sound}: {segment['text']!r} is not marked suspect")
        if notes.commands(events):
            wrong.append(f"commands without speech: {notes.commands(events)}")

    every = [SHARED / "audio" / "jfk.wav", *(sorted((SHARED / "audio").rglob("*.wav")) if SOAK else [])]
    for wav in dict.fromkeys(wav for wav in every if wav.exists()):
        segments = notes.segments(notes.record(program / "dictum", wav, "whisper", MODEL))
        if not segments:
            wrong.append(f"{wav.name}: no speech was found")
        for index, segment in enumerate(segments):
            if not segment["kept"] or not (segment.get("text") or segment.get("suspect")):
                wrong.append(f"{wav.name}: segment {index} has neither text nor reason")
        print(f"{wav.name}: {len(segments)} segments with text")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
