#!/usr/bin/env python3
"""Invented names, spoken by a synthesiser: how many a recogniser writes right with a vocabulary, and how many without.

    bench/vocabulary.py [--bin build/release/bin] [--check] [MODEL...]

A MODEL is a file or the name of an installed one; without any: ggml-base-q8_0.bin of ../shared/models. Each name is
spoken in a sentence of its own. With --check the exit code is 1 unless, with the vocabulary, at least six of the ten are
found, and at least five more than without it.
"""

import argparse
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "notes"))
import spoken_notes as notes

VOICE = "flite:slt"
SENTENCES = {
    "Zorvanta": "The office in Zorvanta opens on Monday.",
    "Quillemar": "Please send the contract to Quillemar.",
    "Bretoski": "Mister Bretoski will call you back.",
    "Velmora": "We met Velmora at the conference.",
    "Hadrizol": "Take Hadrizol twice a day after meals.",
    "Tamberlin": "The train to Tamberlin leaves at nine.",
    "Orvexia": "Our new supplier is called Orvexia.",
    "Kestrand": "Doctor Kestrand has signed the report.",
    "Luminoro": "I would like to order the Luminoro lamp.",
    "Dravenholt": "They moved to Dravenholt last year.",
}


def found(dictum, wav, model, names):
    """The names in what `dictum record` writes, and the texts."""
    more = ["--vocabulary", ",".join(names)] if names else []
    texts = [segment.get("text", "") for segment in notes.segments(notes.record(dictum, wav, "whisper", model, more))]
    words = set(re.findall(r"\w+", " ".join(texts).lower()))
    return [name for name in SENTENCES if name.lower() in words], texts


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bin", type=pathlib.Path, default=notes.TREE / "build" / "release" / "bin")
    options.add_argument("--check", action="store_true", help="fail where a limit is broken")
    options.add_argument("models", nargs="*")
    options = options.parse_args()
    models = options.models or [notes.TREE.parent / "shared" / "models" / "ggml-base-q8_0.bin"]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        wav = pathlib.Path(folder) / "names.wav"
        notes.speak({"voice": VOICE, "parts": list(SENTENCES.values())}, wav)
        for model in models:
            without, texts_without = found(options.bin / "dictum", wav, model, [])
            known, texts_with = found(options.bin / "dictum", wav, model, list(SENTENCES))
            print(f"{pathlib.Path(model).name}: {len(known)} of {len(SENTENCES)} names with a vocabulary, {len(without)} without")
            for pair in zip(texts_without, texts_with, strict=False):
                print("  {} -> {}".format(*pair))
            failed = failed or len(known) < 6 or len(known) < len(without) + 5
    return 1 if failed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
