"""The blocking flavour: threads, signals, and the end of the interpreter."""

import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable

import pytest

import dictum
from conftest import SAMPLE, SAMPLE_TEXTS, names_of, run_python, wait_until

Simulated = Callable[..., dictum.Settings]

RECORDING_PROGRAM = """
import atexit, dictum, os, sys, threading, time
seen = threading.Event()
def on_event(event):
    if isinstance(event, dictum.SpeechDetected):
        seen.set()
    print(type(event).__name__, getattr(event, "state", ""), flush=True)
backend = dictum.RecorderBackend(on_event, capture_input=sys.argv[1], session_root=sys.argv[2],
                                 transcription_transcriber="simulated")
backend.start_recording()
seen.wait(10)
"""


def test_a_session_is_reported_from_its_first_event_to_its_last_text(simulated: Simulated) -> None:
    received: list[dictum.RecorderEvent] = []
    with dictum.RecorderBackend(received.append, **simulated(pace="fast")) as backend:
        wait_until(lambda: backend.state == "idle")
    assert [event.text for event in received if isinstance(event, dictum.TranscriptionComplete)] == SAMPLE_TEXTS
    assert backend.get_session_path().is_dir()


def test_callbacks_run_on_one_thread_named_delivery(simulated: Simulated) -> None:
    threads: set[threading.Thread] = set()
    with dictum.RecorderBackend(lambda event: threads.add(threading.current_thread()), **simulated(pace="fast")):
        wait_until(lambda: bool(threads))
    assert [thread.name for thread in threads] == ["delivery"]


def waiting_for_a_text(settings: dictum.Settings) -> dictum.RecorderBackend:
    """One that records, and has a segment without a text."""
    received: list[dictum.RecorderEvent] = []
    backend = dictum.RecorderBackend(received.append, **settings)
    backend.start_recording()
    wait_until(lambda: "TranscriptionQueued" in names_of(received))
    return backend


def test_a_blocking_call_lets_other_threads_run(simulated: Simulated) -> None:
    backend = waiting_for_a_text(simulated(latency_ms=700))
    stopping = threading.Thread(target=backend.stop_recording)
    stopping.start()
    turns = 0
    while stopping.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 100


def test_stop_from_inside_a_callback_is_an_error(simulated: Simulated) -> None:
    raised: list[BaseException] = []

    def on_event(event: dictum.RecorderEvent) -> None:
        if isinstance(event, dictum.SpeechDetected) and not raised:
            try:
                backend.stop_recording()
            except dictum.DeadlockError as error:
                raised.append(error)

    backend = dictum.RecorderBackend(on_event, **simulated())
    with backend:
        wait_until(lambda: bool(raised))
    assert "AsyncRecorderBackend" in str(raised[0])


def test_a_callback_that_raises_is_reported_and_goes_on_being_called(simulated: Simulated) -> None:
    received: list[dictum.RecorderEvent] = []

    def broken(event: dictum.RecorderEvent) -> None:
        received.append(event)
        if isinstance(event, dictum.SpeechDetected):
            raise ZeroDivisionError("so it goes")

    with dictum.RecorderBackend(broken, **simulated()):
        wait_until(lambda: "RecorderFault" in names_of(received))


def test_a_callback_that_exits_goes_on_being_called(simulated: Simulated) -> None:
    """sys.exit ends the thread it is called on; this one belongs to us."""
    received: list[dictum.RecorderEvent] = []

    def exits(event: dictum.RecorderEvent) -> None:
        received.append(event)
        if isinstance(event, dictum.SpeechDetected):
            raise SystemExit(3)

    with dictum.RecorderBackend(exits, **simulated()):
        wait_until(lambda: "RecorderFault" in names_of(received))


def test_several_threads_may_start_and_stop_at_once(simulated: Simulated) -> None:
    backend = dictum.RecorderBackend(lambda event: None, **simulated())
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                backend.start_recording()
                backend.stop_recording(0)
        except dictum.CancelledError:
            pass  # the stop of another thread
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    backend.stop_recording(0)
    assert not errors
    assert not backend.is_recording


def test_ctrl_c_interrupts_a_stop_that_waits_for_texts(simulated: Simulated) -> None:
    backend = waiting_for_a_text(simulated(latency_ms=60_000))
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        backend.stop_recording()
    assert time.monotonic() - began < 5
    assert not backend.is_recording


def test_ctrl_c_in_a_block_does_not_wait_for_texts(simulated: Simulated) -> None:
    backend = waiting_for_a_text(simulated(latency_ms=60_000))
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), backend:
        raise KeyboardInterrupt
    assert time.monotonic() - began < 5
    assert not backend.is_recording


def test_ctrl_c_interrupts_a_wait(simulated: Simulated) -> None:
    backend = waiting_for_a_text(simulated(latency_ms=60_000))
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        backend.wait_until_idle()
    assert backend.is_recording
    backend.stop_recording(0)


def test_a_forgotten_backend_ends_its_session_and_its_thread(simulated: Simulated) -> None:
    class Owner:
        def __init__(self) -> None:
            self.backend = dictum.RecorderBackend(self.on_event, **simulated())

        def on_event(self, event: dictum.RecorderEvent) -> None:
            pass

    owner = Owner()
    owner.backend.start_recording()
    path = owner.backend.get_session_path()
    watch = weakref.ref(owner)
    del owner
    wait_until(lambda: gc.collect() >= 0 and watch() is None)
    wait_until(lambda: threading.enumerate() == [threading.main_thread()])
    assert dictum.find_session(path).manifest["stopped_at"]


@pytest.mark.parametrize("forgets", ["its caller", "its callback"])
def test_a_forgotten_backend_ends_its_session_in_the_middle_of_a_callback(forgets: str, simulated: Simulated) -> None:
    called = threading.Event()
    go_on = threading.Event()
    owned: list[dictum.RecorderBackend] = []

    def on_event(event: dictum.RecorderEvent) -> None:
        called.set()
        go_on.wait(20)
        owned.clear()

    owned.append(dictum.RecorderBackend(on_event, **simulated()))
    owned[0].start_recording()
    path = owned[0].get_session_path()
    assert called.wait(10)
    if forgets == "its caller":
        owned.clear()
        wait_until(lambda: not dictum.find_session(path).is_open)
    go_on.set()
    wait_until(lambda: not dictum.find_session(path).is_open)
    wait_until(lambda: threading.enumerate() == [threading.main_thread()])


@pytest.mark.parametrize(
    "ending",
    [
        "pass",
        "sys.exit(3)",
        "raise ValueError",
        "os.kill(os.getpid(), 2); time.sleep(5)",
        "time.sleep = None; backend._delivery._callback = lambda event: threading.Event().wait(); backend.pause_recording()",
    ],
    ids=["end", "exit", "exception", "ctrl-c", "with a callback that never returns"],
)
def test_an_interpreter_that_ends_while_recording_ends_the_session(ending: str, root: os.PathLike[str]) -> None:
    began = time.monotonic()
    ended = run_python(RECORDING_PROGRAM + ending, SAMPLE, root)
    assert ended.returncode in (0, 1, 3, -2, 130), ended.stderr
    assert "Fatal" not in ended.stderr
    assert time.monotonic() - began < 12
    (session,) = dictum.list_sessions(root)
    assert session.manifest["stopped_at"]
    assert session.problems() == []


def test_the_last_events_are_delivered_while_the_interpreter_ends(root: os.PathLike[str]) -> None:
    ended = run_python(RECORDING_PROGRAM, SAMPLE, root)
    assert "RecordingStateChanged idle" in ended.stdout
