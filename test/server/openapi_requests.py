#!/usr/bin/env python3
"""What `/openapi.json` says, compared with what `dictum serve` does: schemathesis makes requests from the document, right
and wrong ones, and checks that each is answered by a status, a media type and a content that the document has.

    openapi_requests.py BIN [--examples N] [--seed N]

The server demands a token, and has sessions of several kinds: with texts, with a note, with a failed segment, without
texts, interrupted, and damaged. DICTUM_SOAK=1 makes more requests."""

import argparse
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import wave

from serving import RATE, SOAK, SPEECH_OPTIONS, Server, check, speech

if importlib.util.find_spec("schemathesis") is None:
    print("SKIPPED: the Python package schemathesis is not installed (./setup installs it)")
    sys.exit(77)

# What no JSON schema can say, so requests that fit the document may be refused: `after` and `Last-Event-ID` have to be of
# a session that is there, a file has to be sound, exactly one of two fields of /prune has to be there.
CHECKS = ",".join(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
     "response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance",
     "use_after_free", "ignored_auth"]
)  # fmt: skip

# What else than 200 is a success: a WebSocket is not asked for here, and a machine may have no sound server.
SUCCESS = {
    "GET /api/v1/stream": {"426"},
    "GET /v1/realtime": {"426"},
    "GET /api/v1/devices": {"200", "503"},
    "POST /api/v1/commands/complete_note": {"200", "409"},  # no note is open
}


def record(programs, folder, name, sound, script, *options):
    """A session of a recording, under a name of its own."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(script))
    sessions = folder / "recorded"
    subprocess.run(
        [programs / "dictum", "record", sound, "--output-dir", sessions, "--transcriber", "simulated",
         "--simulated-script", file, *SPEECH_OPTIONS, *options],
        check=True, stdout=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    (session,) = sessions.iterdir()
    session.rename(folder / "originals" / name)


def write_sound(path, seconds):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(speech(seconds))


def make_sessions(programs, folder):
    sound = folder / "speech.wav"
    write_sound(sound, 6)
    (folder / "originals").mkdir()
    texts = {"texts": ["First words.", "Second ones.", "Third, with ümläuts 語.", "Fourth."], "words": True}
    note = {"texts": ["take a note", "shopping list", "bread and milk", "end of note", "more words"]}
    phrases = folder / "notes.toml"
    phrases.write_text('[notes]\nstart = ["take a note"]\nend = ["end of note"]\n')
    record(programs, folder, "20260101_000000", sound, texts)
    record(programs, folder, "20260102_000000", sound, note, "--config", phrases)
    record(programs, folder, "20260103_000000", sound, texts, "--no-transcribe")
    record(programs, folder, "20260104_000000", sound, texts)
    record(programs, folder, "20260105_000000", sound, texts)
    originals = folder / "originals"
    # Interrupted: the journal has no end, and its last line is half of one. Damaged: a segment and a line are gone.
    journal = originals / "20260104_000000" / "events.jsonl"
    journal.write_bytes(journal.read_bytes()[: journal.stat().st_size * 2 // 3])
    for file in ("manifest.json", "transcript_raw.txt"):
        (journal.parent / file).unlink(missing_ok=True)
    damaged = originals / "20260105_000000"
    (damaged / "seg_0001.wav").unlink()
    lines = (damaged / "events.jsonl").read_text().splitlines(keepends=True)
    (damaged / "events.jsonl").write_text("".join(lines[:4] + lines[5:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--examples", type=int, default=200 if SOAK else 5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("options", nargs="*", help="further ones of schemathesis, behind --")
    options = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dictum-openapi-") as name:
        folder = pathlib.Path(name)
        make_sessions(options.programs, folder)
        shutil.copytree(folder / "originals", folder / "sessions")
        token = subprocess.run([options.programs / "dictum", "serve", "--new-token", folder / "tokens"], check=True,
                               capture_output=True, text=True).stdout.strip()  # fmt: skip
        write_sound(folder / "short.wav", 1)
        write_sound(folder / "long.wav", 600)  # so that there is a recording to be paused and stopped
        recording = ["--input", folder / "long.wav", "--transcriber", "simulated", *SPEECH_OPTIONS]
        with Server(options.programs, folder, "--token-file", folder / "tokens", *recording) as server:
            environment = {
                **os.environ,
                "SCHEMATHESIS_HOOKS": "openapi_hooks",
                "PYTHONPATH": str(pathlib.Path(__file__).parent),
                "PYTHONDONTWRITEBYTECODE": "1",
                "DICTUM_TEST_ORIGINALS": str(folder / "originals"),
                "DICTUM_TEST_SESSIONS": str(folder / "sessions"),
                "DICTUM_TEST_SOUND": str(folder / "short.wav"),
                "DICTUM_TEST_TOKEN": token,
                "DICTUM_TEST_SEED": str(options.seed),
                "DICTUM_TEST_STATUSES": str(folder / "statuses.json"),
            }
            result = subprocess.run(
                [pathlib.Path(sys.executable).parent / "schemathesis", "run", f"{server.url}/openapi.json",
                 "--header", f"Authorization: Bearer {token}", "--checks", CHECKS, "--mode", "all",
                 "--phases", "coverage,fuzzing", "--max-examples", str(options.examples),
                 "--seed", str(options.seed), "--generation-database", "none",
                 "--suppress-health-check", "all", "--request-timeout", "20", "--max-redirects", "0", "--workers", "1",
                 "--continue-on-failure", "--no-color", "--warnings", "off", *options.options],
                cwd=folder, env=environment, check=False,
            )  # fmt: skip
            server.stop()
        statuses = json.loads((folder / "statuses.json").read_text())
    failed = [label for label, seen in statuses.items() if not SUCCESS.get(label, {"200"}) & set(seen)]
    for label in failed:
        print(f"{label}: {statuses[label]}")
    print(f"{time.monotonic() - begin:.0f} s")
    check(result.returncode == 0, f"schemathesis ends with exit code {result.returncode}")
    check(not failed, "nothing of this was answered with success")


if __name__ == "__main__":
    sys.exit(main())
