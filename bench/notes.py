#!/usr/bin/env python3
"""Spoken notes through the whole pipeline: which commands and titles come out, and which are false.

    bench/notes.py [--bin build/release/bin] [--minutes 10] [--check] [MODEL...]

Speaks the notes of ../shared/notes and of test/notes/phrasings.json, and records them, the recordings of ../shared/audio,
and ten minutes of silence, noise, breathing, music and typing (test/notes/without_speech.py), with each MODEL: a file or
the name of an installed one, or "pocketsphinx" (see test/notes/record_texts). Titles are compared without case and
punctuation. With --check the exit code is 1 where a limit is broken: of ../shared/notes 90 % of the commands with base and
85 % with tiny.en, three quarters of the titles exact, and not one false command anywhere.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "notes"))
import spoken_notes as notes
import without_speech

LIMITS = {"base": 0.90, "tiny.en": 0.85}
TITLES = 0.75
SPOKEN_IN_AUDIO = {"voice_note.wav": ["start"]}  # the commands that the recordings of ../shared/audio hold


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bin", type=pathlib.Path, default=notes.TREE / "build" / "release" / "bin")
    options.add_argument("--minutes", type=float, default=10, help="without speech; 0 leaves them out")
    options.add_argument("--check", action="store_true", help="fail where a limit is broken")
    options.add_argument("models", nargs="*")
    options = options.parse_args()
    shared = notes.TREE.parent / "shared"
    models = options.models or [*sorted((shared / "models").glob("ggml-*-q8_0.bin")), "pocketsphinx"]
    dictum = options.bin / "dictum"
    broken = []

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        specifications = notes.specifications()
        for specification in specifications.values():
            for key, note in specification.items():
                notes.speak(note, folder / f"{key}.wav")
        others = [*sorted((shared / "audio").glob("*.wav")), *sorted((shared / "audio" / "librivox").glob("*.wav"))]
        quiet = without_speech.make(folder, options.minutes) if options.minutes else []

        for model in models:
            engine = ("pocketsphinx", None) if model == "pocketsphinx" else ("whisper", model)
            label = pathlib.Path(model).name
            false_commands = 0
            for origin, specification in specifications.items():
                score = notes.Score()
                for key, note in specification.items():
                    events = notes.record(dictum, folder / f"{key}.wav", *engine)
                    got = notes.commands(events), notes.titles(events)
                    if not score.add(note, *got):
                        print(f"  {key}: meant {[c for _, c in note['commands']]} {[t for t, _ in note['notes']]}\n"
                              f"       got   {got[0]} {got[1]}")
                print(f"{label}, {origin}: {score}", flush=True)
                false_commands += score.false_commands
                limit = next((share for key, share in LIMITS.items() if key in label), None)
                if origin == "shared" and limit and score.commands:
                    if score.commands_found < limit * score.commands:
                        broken.append(f"{label}: fewer than {limit:.0%} of the commands")
                    if score.titles_exact < TITLES * score.titles:
                        broken.append(f"{label}: fewer than {TITLES:.0%} of the titles")
            for wav in [*others, *quiet]:
                events = notes.record(dictum, wav, *engine)
                expected, got = SPOKEN_IN_AUDIO.get(wav.name, []), notes.commands(events)
                extra = len(got) - notes.in_common(expected, got)
                texts = [s.get("text", "") for s in notes.segments(events) if s.get("kept")]
                print(f"{label}, {wav.name}: false commands {extra}, segments {len(texts)}"
                      + (f" {texts}" if wav in quiet and texts else ""), flush=True)
                false_commands += extra
            if false_commands:
                broken.append(f"{label}: {false_commands} false commands")
    print("\n".join(broken))
    return 1 if broken and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
