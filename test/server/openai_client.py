#!/usr/bin/env python3
"""The OpenAI-compatible API of `dictum serve`, as the official client uses it.

openai_client.py BIN_DIR SOURCE_DIR [--transcriber NAME --sound FILE]
The transcriber is the simulated one, whose texts are known; with another the texts are printed.
"""

import argparse
import array
import base64
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import wave

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


def pcm_of(sound):
    """A WAV of 16 kHz as 24 kHz, by the nearest sample."""
    with wave.open(str(sound)) as file:
        check(file.getframerate() == 16000 and file.getnchannels() == 1, "the sound has to have 16 kHz, mono")
        samples = array.array("h", file.readframes(file.getnframes()))
    return array.array("h", (samples[i * 2 // 3] for i in range(len(samples) * 3 // 2)))


def session_of(turn_detection):
    return {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "whisper-1", "language": "en"},
                "turn_detection": turn_detection,
            }
        },
    }


def say(connection, samples):
    for at in range(0, len(samples), 24000):
        audio = base64.b64encode(samples[at : at + 24000].tobytes()).decode()
        connection.input_audio_buffer.append(audio=audio)


def receive(connection, events, last):
    """Adds events to a list until there is one of the type `last`, which it gives."""
    while True:
        events.append(connection.recv())
        if events[-1].type == last:
            return events[-1]


def realtime(client, sound, count):
    """A session in which the server finds the turns, which has so many."""
    events = []
    with client.realtime.connect(model="whisper-1", extra_query={"intent": "transcription"}) as connection:
        check(connection.recv().type == "session.created", "no session")
        detection = {"type": "server_vad", "silence_duration_ms": 600, "prefix_padding_ms": 300, "threshold": 0.5}
        connection.session.update(session=session_of(detection))
        updated = receive(connection, events, "session.updated")
        check(updated.session.audio.input.turn_detection.silence_duration_ms == 600, updated)
        connection.send({"type": "response.create", "event_id": "mine"})
        error = receive(connection, events, "error").error
        check(error.event_id == "mine" and "response.create" in error.message, error)
        say(connection, pcm_of(sound) + array.array("h", bytes(96_000)))  # silence ends the last turn
        for _ in range(count):
            receive(connection, events, "conversation.item.input_audio_transcription.completed")
    return events


def committed(client, sound):
    """A session in which the client says where its turns end: two, and one that it takes back. Their texts."""
    samples = pcm_of(sound)
    half = len(samples) * 38 // 100  # where nobody speaks in ours
    texts = []
    with client.realtime.connect(model="whisper-1", extra_query={"intent": "transcription"}) as connection:
        connection.session.update(session=session_of(None))
        receive(connection, [], "session.updated")
        for part in (samples[:half], samples[half:]):
            say(connection, part)
            connection.input_audio_buffer.commit()
            item = receive(connection, [], "input_audio_buffer.committed").item_id
            text = receive(connection, [], "conversation.item.input_audio_transcription.completed")
            check(text.item_id == item, text)
            texts.append(text.transcript)
        connection.input_audio_buffer.commit()
        check(receive(connection, [], "error").error.code == "input_audio_buffer_commit_empty", "an empty commit")
        say(connection, samples[:half])
        connection.input_audio_buffer.clear()
        receive(connection, [], "input_audio_buffer.cleared")
    return texts


def check_turns(events):
    kinds = [event.type for event in events]
    for kind in ("speech_started", "speech_stopped", "committed"):
        check(kinds.count("input_audio_buffer." + kind) == len(TEXTS), kinds)
    texts = [event for event in events if event.type.endswith("transcription.completed")]
    check([text.transcript for text in texts] == TEXTS, texts)
    starts = [event.audio_start_ms for event in events if event.type.endswith("speech_started")]
    stops = [event.audio_end_ms for event in events if event.type.endswith("speech_stopped")]
    check(all(start < stop for start, stop in zip(starts, stops, strict=True)), (starts, stops))
    check(starts == sorted(starts) and stops[-1] < 20_000, (starts, stops))


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
            begin = time.monotonic()
            count = len(answers["verbose_json"].segments)
            turns = realtime(client, sound, count)
            texts = committed(client, sound)
            if arguments.transcriber == "simulated":
                check_turns(turns)
                check(" ".join(texts) == WHOLE, texts)
            else:
                for event in turns:
                    print(event)
                print(f"committed: {texts}")
            print(f"realtime: {time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    main()
