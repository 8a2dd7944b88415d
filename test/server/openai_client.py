#!/usr/bin/env python3
"""The OpenAI-compatible API of `dictum serve`, as the official client uses it.

openai_client.py BIN_DIR SOURCE_DIR [--transcriber NAME --sound FILE]
The transcriber is the simulated one, whose texts are known; with another the texts are printed.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

try:
    import openai
except ImportError:
    print("SKIPPED: the Python package openai is not installed (./setup installs it)")
    sys.exit(77)

TEXTS = ["First.", "Second one.", "Third.", "Fourth.", "Fifth."]
WHOLE = " ".join(TEXTS)


def check(holds, what):
    if not holds:
        raise AssertionError(what)


class Server:
    """A server on this machine, with its sessions in a folder of its own."""

    def __init__(self, programs, folder, transcriber, options):
        self.process = subprocess.Popen(
            [programs / "dictum", "serve", "--output-dir", folder / "sessions", "--transcriber", transcriber, *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = re.search(r"http\S+", self.process.stdout.readline()).group()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        check(self.process.wait(30) == 0, "the server does not end well")


def transcribe(client, sound, **fields):
    with sound.open("rb") as file:
        return client.audio.transcriptions.create(file=file, model="whisper-1", **fields)


def files(client, sound):
    """Every format, a stream, and what is refused. Gives what was answered in each format."""
    answers = {"models": [model.id for model in client.models.list()]}
    check(client.models.retrieve("whisper-1").id == "whisper-1", "a model")
    answers["json"] = transcribe(client, sound, prompt="Dictum, Silero", language="en", temperature=0).text
    for response_format in ("text", "srt", "vtt"):
        answers[response_format] = transcribe(client, sound, response_format=response_format)
    answers["verbose_json"] = transcribe(
        client, sound, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    answers["stream"] = list(transcribe(client, sound, stream=True))
    try:
        transcribe(client, sound, include=["logprobs"])
        raise AssertionError("an unsupported field was accepted")
    except openai.BadRequestError as error:
        check("include[]" in error.message and error.param == "include[]", error)
        answers["error"] = error.message
    try:
        client.models.retrieve("gpt-9")
        raise AssertionError("an unknown model was found")
    except openai.NotFoundError as error:
        check(error.code == "model_not_found", error)
    return answers


def check_texts(answers):
    check(answers["json"] == WHOLE, answers["json"])
    check(answers["text"].strip() == WHOLE, answers["text"])
    check([line for line in answers["srt"].splitlines() if line in TEXTS] == TEXTS, answers["srt"])
    check(answers["vtt"].startswith("WEBVTT"), answers["vtt"])
    verbose = answers["verbose_json"]
    check([segment.text for segment in verbose.segments] == TEXTS, verbose)
    check(all(segment.start < segment.end <= verbose.duration for segment in verbose.segments), verbose)
    check(len(verbose.words) == len(WHOLE.split()), verbose)
    deltas = [event.delta for event in answers["stream"] if event.type == "transcript.text.delta"]
    check(len(deltas) == len(TEXTS) and "".join(deltas) == WHOLE, deltas)
    check(answers["stream"][-1].type == "transcript.text.done", answers["stream"])
    check(answers["stream"][-1].text == WHOLE, answers["stream"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--transcriber", default="simulated")
    parser.add_argument("--sound", type=pathlib.Path)
    arguments, options = parser.parse_known_args()
    sound = arguments.sound or arguments.source / "samples" / "voice_note.wav"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if arguments.transcriber == "simulated":
            script = folder / "script.json"
            script.write_text(json.dumps({"texts": TEXTS, "words": True}))
            options = ["--simulated-script", script]
        with Server(arguments.programs, folder, arguments.transcriber, options) as server:
            client = openai.OpenAI(base_url=server.url + "/v1", api_key="none")
            begin = time.monotonic()
            answers = files(client, sound)
            if arguments.transcriber == "simulated":
                check_texts(answers)
            else:
                for kind, answer in answers.items():
                    print(f"{kind}: {answer}")
            print(f"files: {time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    main()
