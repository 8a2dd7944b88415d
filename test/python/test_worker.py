"""Transcribers written in Python."""

import json
import os
import pathlib
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

import dictum
from conftest import ROOT, SAMPLE, wait_until
from dictum.worker import Segment, Transcript, worker

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts the transcriber NAME, with that source, where recorders look."""
    folder = tmp_path / "workers"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, source: str) -> None:
        file = folder / f"dictum-worker-{name}"
        file.write_text(f"#!{sys.executable}\n{source}")
        file.chmod(0o755)

    return put


def transcribe(root: pathlib.Path, name: str, **settings: object) -> list[dictum.TranscriptionComplete]:
    received: list[dictum.RecorderEvent] = []
    with dictum.RecorderBackend(
        received.append,
        capture_input=SAMPLE,
        capture_pace="fast",
        session_root=root,
        transcription_transcriber=name,
        **settings,  # type: ignore[misc]
    ) as backend:
        wait_until(lambda: backend.state == "idle")
        backend.wait_until_idle()
    return [event for event in received if isinstance(event, dictum.TranscriptionComplete)]


def test_the_ten_lines_of_the_example_are_a_transcriber(install: Install, root: pathlib.Path) -> None:
    install("length", (ROOT / "examples/python/length_worker.py").read_text())
    results = transcribe(root, "length")
    # From the start of each segment to 256 ms behind its last speech.
    assert [result.text for result in results] == [
        "1.8 seconds of sound",
        "1.7 seconds of sound",
        "2.8 seconds of sound",
        "3.3 seconds of sound",
        "2.2 seconds of sound",
    ]


RICH = """
from dictum import Word
from dictum.worker import Segment, Transcript, WorkerError, worker

def load(name):
    print("this library prints where the frames go")
    return {"name": name or "none", "jobs": 0}

@worker(engine="rich", load=load)
def transcribe(segment: Segment, model) -> Transcript:
    print("so does this")
    model["jobs"] += 1
    assert len(segment.pcm16()) == 2 * (segment.end_frame - segment.start_frame)
    if segment.segment_index == 1:
        raise WorkerError("This one is too quiet.", "too_quiet")
    if segment.segment_index == 2:
        raise ZeroDivisionError
    return Transcript(f"{model['name']} {model['jobs']} {segment.language}", words=(Word("word", 0, 10, 0.5),), suspect=True)

if __name__ == "__main__":
    transcribe.run()
"""


def test_a_worker_loads_once_and_reports_words_and_errors(install: Install, root: pathlib.Path) -> None:
    install("rich", RICH)
    results = {
        result.segment_index: result
        for result in transcribe(root, "rich", transcription_model="tiny", transcription_language="de")
    }
    assert results[0].text == "tiny 1 de"
    assert results[0].words[0].text == "word"
    assert results[0].suspect
    assert not results[1].success
    for segment, code, sentence in (
        (1, "too_quiet", "This one is too quiet."),
        (2, "transcription_failed", "ZeroDivision"),
    ):
        error = results[segment].error
        assert error is not None
        assert error.code == code
        assert sentence in error.message
    assert results[4].success


def test_a_model_that_does_not_load_is_reported(install: Install, root: pathlib.Path) -> None:
    install(
        "broken",
        """
from dictum.worker import worker
def load(name):
    raise OSError("there is no model: download one")
@worker(load=load)
def transcribe(segment, model):
    return ""
transcribe.run()
""",
    )
    results = transcribe(root, "broken")
    assert {result.success for result in results} == {False}
    assert results[0].error is not None
    assert "there is no model: download one" in results[0].error.message


def test_the_faster_whisper_example_asks_for_its_model(install: Install, root: pathlib.Path) -> None:
    """As far as it goes without weights: the library loads, and a model that is not there fails the start."""
    pytest.importorskip("faster_whisper")
    install("faster-whisper", (ROOT / "examples/python/faster_whisper_worker.py").read_text())
    with pytest.raises(dictum.RecorderError) as failure:
        transcribe(root, "faster-whisper", transcription_model=str(root / "no-model"))
    assert failure.value.code == "model_missing"


def test_a_worker_called_is_its_function() -> None:
    @worker(engine="mine")
    def transcribe(segment: Segment) -> str:
        """It says."""
        return segment.wav.name

    segment = Segment(wav=SAMPLE, start_frame=16000, end_frame=32000, sample_rate=16000)
    assert transcribe(segment) == "voice_note.wav"
    assert segment.duration_sec == 1
    assert len(segment.pcm16()) == 32000
    assert Transcript("text").words == ()


class Recorder:
    """The other end of the frame channel."""

    def __init__(self, source: str) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, **message: object) -> None:
        text = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(struct.pack("<I", len(text)) + text)
        self.process.stdin.flush()

    def receive(self) -> dict[str, object]:
        assert self.process.stdout is not None
        (size,) = struct.unpack("<I", self.process.stdout.read(4))
        return json.loads(self.process.stdout.read(size))


PATIENT = """
import time
from dictum.worker import worker
@worker
def transcribe(segment):
    while not segment.is_cancelled():
        time.sleep(0.01)
    return "as far as it went"
transcribe.run()
"""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder(PATIENT)
    yield recorder
    recorder.process.kill()
    recorder.process.wait()


def test_a_worker_answers_pings_and_cancels_in_the_middle_of_a_job(recorder: Recorder) -> None:
    assert recorder.receive() == {"type": "hello", "protocol": 1, "engine": "transcribe", "model": ""}
    recorder.send(type="job", id=7, wav=str(SAMPLE))
    recorder.send(type="ping", nonce=3)
    assert recorder.receive() == {"type": "pong", "nonce": 3}
    recorder.send(type="cancel", id=7)
    answer = recorder.receive()
    assert (answer["type"], answer["id"], answer["text"]) == ("result", 7, "as far as it went")
    recorder.send(type="job", id=8, wav="/nowhere.wav")
    assert recorder.receive()["code"] == "input_unreadable"
    recorder.send(type="shutdown")
    assert recorder.process.wait(10) == 0


def test_a_worker_ends_with_its_input(recorder: Recorder) -> None:
    recorder.receive()
    assert recorder.process.stdin is not None
    recorder.process.stdin.close()
    assert recorder.process.wait(10) == 0
