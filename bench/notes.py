#!/usr/bin/env python3
"""Spoken notes through the whole pipeline: which commands and titles come out, and which are false.

    bench/notes.py [--bin build/release/bin] [--minutes 10] [--check] [MODEL...]

Speaks the notes of ../shared/notes and of test/notes/phrasings.json, and records them, the recordings of ../shared/audio,
and ten minutes of noise, music and typing made here, with each MODEL: a file or the name of an installed one, or
"pocketsphinx" (see test/notes/record_texts). Titles are compared without case and punctuation. With --check the exit code
is 1 where a limit is broken: of ../shared/notes 90 % of the commands with base and 85 % with tiny.en, three quarters of the
titles exact, and not one false command anywhere.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "notes"))
import spoken_notes as notes

LIMITS = {"base": 0.90, "tiny.en": 0.85}
TITLES = 0.75
SPOKEN_IN_AUDIO = {"voice_note.wav": ["start"]}  # the commands that the recordings of ../shared/audio hold


def sox(*arguments):
    subprocess.run(["sox", "-R", *map(str, arguments)], check=True)


def typing(path, seconds):
    """Key strokes: short decaying bursts of noise, in runs with pauses."""
    generator = random.Random(7)
    samples = notes.silence(seconds)
    at = 0.5
    while at < seconds - 0.1:
        first, loudness = int(at * notes.RATE), generator.uniform(1500, 9000)
        for i in range(int(0.02 * notes.RATE)):
            samples[first + i] = int(loudness * generator.uniform(-1, 1) * 0.985**i)
        at += generator.uniform(0.07, 0.3) if generator.random() < 0.93 else generator.uniform(1, 4)
    for i, sample in enumerate(samples):
        samples[i] = max(-32768, min(32767, sample + int(generator.gauss(0, 20))))
    notes.write_wav(path, samples)


def music(path, seconds, folder):
    """Plucked chords, in an order that a seed decides."""
    generator = random.Random(11)
    chords = []
    for i, (root, third, fifth) in enumerate([(220, 277, 330), (196, 247, 294), (262, 330, 392), (175, 220, 262)]):
        for j, length in enumerate((0.25, 0.5, 1.0)):
            chord = folder / f"chord{i}{j}.wav"
            sox("-n", "-r", notes.RATE, "-c", 1, "-b", 16, chord, "synth", length, "pluck", root, "pluck", third, "pluck", fifth,
                "remix", "-", "gain", "-n", "-8")
            chords.append((chord, length))
    tune, total = [], 0
    while total < seconds:
        chord, length = generator.choice(chords)
        tune.append(chord)
        total += length
    sox(*tune, path)


def without_speech(folder, minutes):
    """Files without speech, `minutes` in all."""
    each = minutes * 60 / 5
    for colour, volume in (("white", 0.05), ("pink", 0.2), ("brown", 0.5)):
        sox("-n", "-r", notes.RATE, "-c", 1, "-b", 16, folder / f"{colour}_noise.wav", "synth", each, f"{colour}noise", "vol", volume,
            "tremolo", 0.3, 80)
    typing(folder / "typing.wav", each)
    music(folder / "music.wav", each, folder)
    return [folder / f"{name}.wav" for name in ("white_noise", "pink_noise", "brown_noise", "typing", "music")]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bin", type=pathlib.Path, default=notes.TREE / "build" / "release" / "bin")
    options.add_argument("--minutes", type=float, default=10, help="of noise, music and typing; 0 leaves them out")
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
        quiet = without_speech(folder, options.minutes) if options.minutes else []

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
