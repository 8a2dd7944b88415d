"""A session recorded by Python equals one recorded by C++: the same bytes, but for what depends on when a text came."""

import asyncio
import functools
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable

import pytest

import dictum
from conftest import SAMPLE, SAMPLE_TEXTS, shared, until, wait_until
from dictum import _blocking_backend, _loop_recorder
from dictum._native.core import Recorder

NOON = 1795348800  # 2026-11-22
PROGRAM = pathlib.Path(os.environ.get("DICTUM_BUILD", "build/release")) / "bin/python_parity_session"
Files = dict[str, bytes]
Record = Callable[[dictum.Settings], None]

RECORDINGS = [
    "sample",
    "jfk.wav",
    "radio.wav",
    "conversation.wav",
    "voice_note.wav",
    *(f"librivox/{number}.wav" for number in ("0870", "0880", "0890", "0920", "0930")),
]


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    still = functools.partial(Recorder, frozen_at=NOON)
    monkeypatch.setattr(_blocking_backend, "Recorder", still)
    monkeypatch.setattr(_loop_recorder, "Recorder", still)


def by_cpp(settings: dictum.Settings) -> None:
    if not PROGRAM.exists():
        pytest.skip(f"not built: {PROGRAM}")
    arguments = [
        settings["capture_input"],
        settings["session_root"],
        settings["transcription_transcriber"],
        settings["transcription_simulated_script"],
    ]
    subprocess.run([PROGRAM, *arguments, str(NOON)], check=True, timeout=60, stdout=subprocess.DEVNULL)


def by_blocking(settings: dictum.Settings) -> None:
    with dictum.RecorderBackend(lambda event: None, **settings) as backend:
        wait_until(lambda: backend.state == "idle")


def by_async(settings: dictum.Settings) -> None:
    async def main() -> None:
        async with dictum.AsyncRecorderBackend(lambda event: None, **settings) as backend:
            await until(lambda: backend.state == "idle")

    asyncio.run(main())


def files_of(record: Record, settings: dictum.Settings) -> Files:
    """In the same folder for all of them, since the manifest names it."""
    root = pathlib.Path(settings["session_root"])
    shutil.rmtree(root, ignore_errors=True)
    record(settings)
    (session,) = (folder for folder in root.iterdir() if folder.is_dir())
    return {str(file.relative_to(session)): file.read_bytes() for file in session.rglob("*") if file.is_file()}


def lasting(files: Files) -> Files:
    """What does not depend on when texts come."""
    return {
        name: data for name, data in files.items() if name.endswith((".wav", ".md")) or name == "transcript_raw.txt"
    }


def journal(files: Files) -> dict[str, list[dict[str, object]]]:
    """Its events by what they are about, without what depends on when texts come."""
    reported: dict[str, list[dict[str, object]]] = {}
    for line in files["events.jsonl"].decode().splitlines():
        event = json.loads(line)
        if event["event"] == "WorkerStatus":
            continue
        del event["sequence"], event["check"]  # both depend on the lines before
        event.pop("processing_time_sec", None)
        is_text = event["event"].startswith(("Transcription", "Note"))
        reported.setdefault(f"text {event.get('segment_index')}" if is_text else "audio", []).append(event)
    return reported


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> pathlib.Path:
    return SAMPLE if request.param == "sample" else shared(f"audio/{request.param}")


def settings_for(recording: pathlib.Path, tmp_path: pathlib.Path, transcriber: str) -> dictum.Settings:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"texts": SAMPLE_TEXTS}))
    return dictum.Settings(
        capture_input=recording,
        capture_pace="fast",
        vad_min_silence_ms=300,
        session_root=tmp_path / "sessions",
        transcription_transcriber=transcriber,
        transcription_simulated_script=script,
    )


def test_without_texts_every_byte_is_the_same(recording: pathlib.Path, tmp_path: pathlib.Path) -> None:
    settings = settings_for(recording, tmp_path, "none")
    reference = files_of(by_cpp, settings)
    assert any(name.endswith(".wav") for name in reference)
    for record in (by_blocking, by_async):
        assert files_of(record, settings) == reference


def test_with_texts_everything_that_lasts_is_the_same(recording: pathlib.Path, tmp_path: pathlib.Path) -> None:
    settings = settings_for(recording, tmp_path, "simulated")
    reference = files_of(by_cpp, settings)
    for record in (by_blocking, by_async):
        files = files_of(record, settings)
        assert set(files) == set(reference)
        assert lasting(files) == lasting(reference)
        assert journal(files) == journal(reference)
