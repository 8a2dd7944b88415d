"""Imports, interpreters, forks: the package as a guest of somebody's process."""

import multiprocessing
import pathlib
import time
from collections.abc import Callable

import pytest

import dictum
from conftest import SAMPLE, run_python

Simulated = Callable[..., dictum.Settings]

COUNT = """
import os, sys, threading, time
def holdings():
    return (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), threading.active_count(),
            sorted(map(str, __import__("pathlib").Path(os.environ["HOME"]).rglob("*"))))
"""


def test_import_and_construction_have_no_side_effects(home: pathlib.Path) -> None:
    ended = run_python(
        COUNT
        + """
import asyncio, atexit, gc, logging, json, select, signal, wave, argparse, inspect, datetime, logging
before = holdings()
handlers = [signal.getsignal(number) for number in range(1, 32)]
import dictum, recorder_backend, recorder_backend_async
assert holdings() == before, (before, holdings())
assert [signal.getsignal(number) for number in range(1, 32)] == handlers
times = []
for _ in range(100):
    begin = time.perf_counter()
    one = dictum.RecorderBackend(print, vad_threshold=0.4)
    other = dictum.AsyncRecorderBackend(print, vad_threshold=0.4)
    times.append(time.perf_counter() - begin)
    assert holdings() == before, (before, holdings())
assert sorted(times)[50] < 0.002, times
"""
    )
    assert ended.returncode == 0, ended.stderr


def test_a_configuration_file_that_is_wrong_is_reported_at_the_start(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "broken.toml").write_text("[vad]\nthresold = 1\n")
    monkeypatch.setenv("DICTUM_CONFIG", str(home / "broken.toml"))
    backend = dictum.RecorderBackend()
    with pytest.raises(dictum.ConfigInvalidError, match=r"broken\.toml:2"):
        backend.start_recording()


def record_in_child(settings: dictum.Settings) -> list[str]:
    received: list[str] = []
    with dictum.RecorderBackend(lambda event: received.append(type(event).__name__), **settings) as backend:
        time.sleep(1.2)
    assert not backend.is_recording
    return received


def test_records_in_a_spawned_process(simulated: Simulated) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert "SpeechDetected" in pool.apply_async(record_in_child, [simulated()]).get(60)


def test_a_fork_is_a_clear_error_and_not_a_hang(home: pathlib.Path, root: pathlib.Path) -> None:
    ended = run_python(
        """
import asyncio, dictum, os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
settings = dict(capture_input=sys.argv[1], session_root=sys.argv[2], transcription_transcriber="simulated")
backend = dictum.RecorderBackend(lambda event: None, **settings)
unused = dictum.RecorderBackend(**settings)
backend.start_recording()
child = os.fork()
if child == 0:
    refused = 0
    for use in (backend.start_recording, backend.stop_recording, backend.pause_recording, backend.wait_until_idle,
                backend.get_session_path, lambda: backend.is_recording, lambda: backend.state):
        try:
            use()
        except dictum.InvalidStateError as error:
            refused += "fork" in str(error)
    del backend
    unused.start_recording()   # what was not started before the fork is as good as new
    unused.stop_recording(0)
    sys.exit(10 + refused)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 17, status
assert backend.is_recording
backend.stop_recording(0)

async def main():
    backend = dictum.AsyncRecorderBackend(lambda event: None, **settings)
    await backend.start_recording()
    child = os.fork()
    if child == 0:
        try:
            await backend.stop_recording()
        except dictum.InvalidStateError as error:
            os._exit(10 + ("fork" in str(error)))
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 11, status
    await backend.stop_recording(0)
asyncio.run(main())
""",
        SAMPLE,
        root,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr


def test_a_sub_interpreter_refuses_clearly() -> None:
    ended = run_python(
        """
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
import dictum
other = interpreters.create()
problem = interpreters.run_string(other, "import dictum")
assert problem is None or "main interpreter only" in str(problem) or "subinterpreters" in str(problem), problem
assert problem is not None
"""
    )
    refusals = (
        "main interpreter only",
        "does not support loading in subinterpreters",
    )  # ours; Python's, where it comes first
    assert ended.returncode == 0 or any(refusal in ended.stderr for refusal in refusals), ended.stderr
    assert ended.returncode >= 0, "it crashed"


LEFT_INSIDE = {
    "blocking calls": """
backend = dictum.RecorderBackend(print, **settings)
backend.start_recording()
def forever():
    while True:
        backend.wait_until_idle()
        backend.is_recording
""",
    "a loop that records": """
async def record():
    async with dictum.AsyncRecorderBackend(print, events_level_hz=20, **settings):
        await asyncio.sleep(100)
def forever():
    asyncio.run(record())
""",
    "computations": """
vad, silence = dictum.SileroVAD(), bytes(32000)
def forever():
    while True:
        vad(silence)
        dictum.analyze(silence, 16000)
""",
}


@pytest.mark.parametrize("inside", LEFT_INSIDE)
def test_ends_while_daemon_threads_are_inside(inside: str, root: pathlib.Path) -> None:
    """Python before 3.14 ends such a thread by force when it comes back."""
    ended = run_python(
        """
import asyncio, dictum, sys, threading, time
settings = dict(capture_input=sys.argv[1], session_root=sys.argv[2], transcription_transcriber="simulated")
"""
        + LEFT_INSIDE[inside]
        + """
for _ in range(3):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.5)
""",
        SAMPLE,
        root,
    )
    assert ended.returncode == 0, ended.stderr


def test_the_module_names_of_the_first_version_are_the_package() -> None:
    import recorder_backend
    import recorder_backend_async

    assert recorder_backend.RecorderBackend is dictum.RecorderBackend
    assert recorder_backend_async.AsyncRecorderBackend is dictum.AsyncRecorderBackend
    assert recorder_backend_async.SpeechDetected is dictum.SpeechDetected
