"""What the tests of the Python package share."""

import asyncio
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import time
import types
from collections.abc import Callable

import pytest

import dictum

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples/voice_note.wav"
SAMPLE_TEXTS = [
    "start a new note",
    "shopping list",
    "buy some bread and a bottle of milk",
    "the shop closes at seven in the evening",
    "do not forget the coffee",
]
LONG = bool(os.environ.get("DICTUM_LONG_TESTS"))
NOTHING_FAILED, SKIPPED = 0, 77


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """ctest counts a file as skipped where one of its tests was, so that nobody overlooks it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == NOTHING_FAILED and reporter.stats.get("skipped"):
        session.exitstatus = SKIPPED


def shared(path: str) -> pathlib.Path:
    """A file of the test data, or the test is skipped."""
    for folder in (os.environ.get("DICTUM_TEST_DATA"), ROOT.parent / "shared"):
        if folder and (pathlib.Path(folder) / path).exists():
            return pathlib.Path(folder) / path
    pytest.skip(f"test data not found: {path}")


def example(name: str) -> types.ModuleType:
    """One of examples/python/ as a module."""
    specification = importlib.util.spec_from_file_location(name, ROOT / f"examples/python/{name}.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """No test reads the configuration of whoever runs it, or writes to their sessions."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DICTUM_CONFIG", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DICTUM_WORKER_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "sessions"


@pytest.fixture
def simulated(tmp_path: pathlib.Path) -> Callable[..., dictum.Settings]:
    """Settings of a recorder whose texts are at hand: the sample in place of the microphone, scripted texts."""

    def make(*, pace: str = "realtime", input: pathlib.Path = SAMPLE, latency_ms: int = 0) -> dictum.Settings:
        script = tmp_path / "script.json"
        script.write_text(json.dumps(script_of(latency_ms)))
        return dictum.Settings(
            capture_input=input,
            capture_pace=pace,  # type: ignore[typeddict-item]
            session_root=tmp_path / "sessions",
            transcription_transcriber="simulated",
            transcription_simulated_script=script,
        )

    return make


def script_of(latency_ms: int) -> dict[str, object]:
    return {"latency_ms": latency_ms, "texts": SAMPLE_TEXTS}


@pytest.fixture
def config_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """What the user of an unchanged program has: the audio of a file, by DICTUM_CONFIG."""
    file = tmp_path / "dictum.toml"
    file.write_text(
        f'[capture]\ninput = "{SAMPLE}"\n[session]\nroot = "{tmp_path / "sessions"}"\n'
        f'[transcription]\ntranscriber = "pocketsphinx"\n'
    )
    monkeypatch.setenv("DICTUM_CONFIG", str(file))
    return file


def run_python(code: str, *arguments: object, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess:
    """A program of its own, with its output."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
        check=False,
    )


async def until(condition: Callable[[], bool], deadline_sec: float = 20) -> None:
    """Waits for what no event reports to a test."""
    deadline = time.monotonic() + deadline_sec
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.005)


def wait_until(condition: Callable[[], bool], deadline_sec: float = 20) -> None:
    deadline = time.monotonic() + deadline_sec
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def names_of(events: list[dictum.RecorderEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def native_threads() -> int:
    return len(os.listdir("/proc/self/task"))


def children() -> list[str]:
    return pathlib.Path("/proc/thread-self/children").read_text().split()
