"""The awaited flavour, on asyncio's loop, on uvloop, under anyio, and on a loop that watches no descriptors."""

import asyncio
import functools
import gc
import importlib.util
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

import dictum
from conftest import SAMPLE_TEXTS, names_of, native_threads, until

Simulated = Callable[..., dictum.Settings]
Runner = Callable[[Coroutine[Any, Any, None]], None]


class LoopWithoutReaders(asyncio.SelectorEventLoop):
    """As Windows' proactor is."""

    def add_reader(self, *arguments: object) -> None:  # type: ignore[override]
        raise NotImplementedError


def run_without_readers(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=LoopWithoutReaders) as runner:
        runner.run(main)


def run_on_uvloop(main: Coroutine[Any, Any, None]) -> None:
    import uvloop

    uvloop.run(main)


def run_under_anyio(main: Coroutine[Any, Any, None]) -> None:
    import anyio

    async def run() -> None:
        async with anyio.create_task_group() as group:
            with anyio.fail_after(30):
                await main
            group.cancel_scope.cancel()

    anyio.run(run)


def where_there_is(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


RUNNERS = pytest.mark.parametrize(
    "run",
    [
        pytest.param(asyncio.run, id="asyncio"),
        pytest.param(run_on_uvloop, id="uvloop", marks=where_there_is("uvloop")),
        pytest.param(run_under_anyio, id="anyio", marks=where_there_is("anyio")),
        pytest.param(run_without_readers, id="no readers"),
    ],
)


async def whole_sample(backend: dictum.AsyncRecorderBackend) -> None:
    """Records it to its end, with all texts."""
    await backend.start_recording()
    await until(lambda: not backend.is_recording)
    await backend.stop_recording()


@RUNNERS
def test_a_session_is_reported_from_its_first_event_to_its_last_text(run: Runner, simulated: Simulated) -> None:
    received: list[dictum.RecorderEvent] = []

    async def main() -> None:
        await whole_sample(dictum.AsyncRecorderBackend(received.append, **simulated(pace="fast")))

    run(main())
    assert [event.text for event in received if isinstance(event, dictum.TranscriptionComplete)] == SAMPLE_TEXTS
    sequences = [event.sequence for event in received if event.sequence is not None]
    assert sequences == list(range(len(sequences)))
    assert received[0].to_dict()["state"] == "recording"


class Received(list[str]):
    def plain(self, event: dictum.RecorderEvent) -> None:
        self.append(type(event).__name__)

    async def awaited(self, event: dictum.RecorderEvent) -> None:
        await asyncio.sleep(0)
        self.append(type(event).__name__)

    async def __call__(self, event: dictum.RecorderEvent) -> None:
        await self.awaited(event)


def callbacks(received: Received) -> dict[str, Callable[[Any], object]]:
    async def function(event: dictum.RecorderEvent) -> None:
        await received.awaited(event)

    async def with_prefix(prefix: str, event: dictum.RecorderEvent) -> None:
        assert prefix == "prefix"
        await received.awaited(event)

    def returns_future(event: dictum.RecorderEvent) -> Awaitable[None]:
        return asyncio.ensure_future(received.awaited(event))

    return {
        "async def": function,
        "plain function": lambda event: received.plain(event),
        "bound method": received.plain,
        "async bound method": received.awaited,
        "functools.partial of async def": functools.partial(with_prefix, "prefix"),
        "object with async __call__": received,
        "lambda returning a coroutine": lambda event: received.awaited(event),
        "function returning a future": returns_future,
    }


@pytest.mark.parametrize("kind", callbacks(Received()))
def test_what_a_callback_returns_decides_whether_it_is_awaited(kind: str, simulated: Simulated) -> None:
    received = Received()

    async def main() -> None:
        await whole_sample(dictum.AsyncRecorderBackend(callbacks(received)[kind], **simulated(pace="fast")))

    asyncio.run(main())
    assert received.count("TranscriptionComplete") == len(SAMPLE_TEXTS)


def test_a_callback_is_awaited_before_its_next_event(simulated: Simulated) -> None:
    running = 0
    most = 0
    order: list[int | None] = []

    async def slow(event: dictum.RecorderEvent) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        order.append(event.sequence)
        running -= 1

    async def main() -> None:
        await whole_sample(dictum.AsyncRecorderBackend(slow, **simulated(pace="fast")))

    asyncio.run(main())
    assert most == 1
    reported = [sequence for sequence in order if sequence is not None]
    assert reported == sorted(reported)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_callback_that_raises_is_reported_and_goes_on_being_called(
    is_async: bool, simulated: Simulated, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[dictum.RecorderEvent] = []

    def broken(event: dictum.RecorderEvent) -> None:
        received.append(event)
        if isinstance(event, dictum.SpeechDetected):
            raise ZeroDivisionError("so it goes")

    async def broken_later(event: dictum.RecorderEvent) -> None:
        await asyncio.sleep(0)
        broken(event)

    async def main() -> None:
        await whole_sample(
            dictum.AsyncRecorderBackend(broken_later if is_async else broken, **simulated(pace="realtime"))
        )

    asyncio.run(until_first_fault(main, received))
    faults = [event for event in received if isinstance(event, dictum.RecorderFault)]
    assert faults[0].code == "callback_threw"
    assert "ZeroDivisionError: so it goes" in faults[0].message
    assert "ZeroDivisionError" in caplog.text


async def until_first_fault(
    main: Callable[[], Coroutine[Any, Any, None]], received: list[dictum.RecorderEvent]
) -> None:
    task = asyncio.ensure_future(main())
    await until(lambda: "RecorderFault" in names_of(received))
    task.cancel()


def test_a_callback_that_raises_as_if_it_were_cancelled_goes_on_being_called(simulated: Simulated) -> None:
    received: list[dictum.RecorderEvent] = []

    def broken(event: dictum.RecorderEvent) -> None:
        received.append(event)
        if len(received) == 2:
            raise asyncio.CancelledError

    asyncio.run(whole_sample(dictum.AsyncRecorderBackend(broken, **simulated(pace="fast"))))
    assert names_of(received).count("TranscriptionComplete") == len(SAMPLE_TEXTS)


async def never_returns(event: dictum.RecorderEvent) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("keeps_it", [True, False])
def test_a_callback_that_never_returns_is_cancelled_with_the_loop(
    keeps_it: bool, simulated: Simulated, caplog: pytest.LogCaptureFixture
) -> None:
    kept: list[object] = []

    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(never_returns, **simulated())
        if keeps_it:
            kept.append(backend)
        await backend.start_recording()
        await asyncio.sleep(0.1)

    began = time.monotonic()
    asyncio.run(main())
    gc.collect()
    assert time.monotonic() - began < 5
    assert not caplog.records  # "Task was destroyed but it is pending"


def test_a_forgotten_backend_ends_its_session_though_a_callback_never_returns(simulated: Simulated) -> None:
    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(never_returns, **simulated())
        await backend.start_recording()
        session = dictum.find_session(backend.get_session_path())
        await asyncio.sleep(0.1)
        del backend
        await until(lambda: gc.collect() >= 0 and not dictum.find_session(session.path).is_open)

    asyncio.run(main())


def test_stop_may_be_called_from_a_callback(simulated: Simulated) -> None:
    async def main() -> None:
        stopped = asyncio.Event()

        async def on_event(event: dictum.RecorderEvent) -> None:
            if isinstance(event, dictum.SpeechDetected):
                await backend.stop_recording()
                stopped.set()

        backend = dictum.AsyncRecorderBackend(on_event, **simulated())
        await backend.start_recording()
        began = time.monotonic()
        await asyncio.wait_for(stopped.wait(), 10)
        assert not backend.is_recording
        assert time.monotonic() - began < 8

    asyncio.run(main())


@RUNNERS
def test_a_cancelled_start_leaves_nothing(run: Runner, simulated: Simulated, root: Any) -> None:
    received: list[dictum.RecorderEvent] = []

    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(received.append, **simulated())
        for turns in range(12):
            start = asyncio.ensure_future(backend.start_recording())
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.sleep(turns / 1000)
            start.cancel()
            results = await asyncio.gather(start, return_exceptions=True)
            if isinstance(results[0], asyncio.CancelledError):
                assert not backend.is_recording
            else:
                await backend.stop_recording(drain_sec=0)
        assert not backend.is_recording

    run(main())


def test_a_cancelled_stop_still_ends_the_recording(simulated: Simulated) -> None:
    async def main() -> None:
        received: list[dictum.RecorderEvent] = []
        backend = dictum.AsyncRecorderBackend(received.append, **simulated(latency_ms=60_000))
        await backend.start_recording()
        await until(lambda: "TranscriptionQueued" in names_of(received))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(backend.stop_recording(), 0.1)
        assert not backend.is_recording

    asyncio.run(main())


def test_a_block_that_is_cancelled_does_not_wait_for_texts(simulated: Simulated) -> None:
    received: list[dictum.RecorderEvent] = []

    async def record() -> None:
        async with dictum.AsyncRecorderBackend(received.append, **simulated(latency_ms=60_000)):
            await asyncio.Event().wait()

    async def main() -> None:
        recording = asyncio.ensure_future(record())
        await until(lambda: "TranscriptionQueued" in names_of(received))
        began = time.monotonic()
        recording.cancel()
        await asyncio.wait([recording])
        assert time.monotonic() - began < 5
        assert recording.cancelled()

    asyncio.run(main())


@RUNNERS
def test_a_loop_that_closes_while_recording_ends_the_session(run: Runner, simulated: Simulated) -> None:
    backend = dictum.AsyncRecorderBackend(lambda event: None, **simulated())

    async def main() -> None:
        await backend.start_recording()

    run(main())
    # The bound belongs to loops without descriptors, which are noticed when the recorder next calls them.
    deadline = time.monotonic() + 5
    while backend.is_recording and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not backend.is_recording
    session = dictum.find_session(backend.get_session_path())
    assert session.manifest["stopped_at"]
    assert session.problems() == []


def test_a_loop_closed_by_hand_ends_the_session(simulated: Simulated) -> None:
    loop = asyncio.new_event_loop()
    backend = dictum.AsyncRecorderBackend(**simulated())
    loop.run_until_complete(backend.start_recording())
    assert backend.is_recording
    loop.close()
    assert not backend.is_recording


def test_another_loop_may_take_over_once_the_first_is_closed(simulated: Simulated) -> None:
    received: list[dictum.RecorderEvent] = []
    backend = dictum.AsyncRecorderBackend(received.append, **simulated(pace="fast"))
    asyncio.run(whole_sample(backend))
    first = backend.get_session_path()
    asyncio.run(whole_sample(backend))
    assert backend.get_session_path() != first
    assert names_of(received).count("TranscriptionComplete") == 2 * len(SAMPLE_TEXTS)


def test_two_loops_at_once_are_refused(simulated: Simulated) -> None:
    backend = dictum.AsyncRecorderBackend(**simulated())
    first = asyncio.new_event_loop()
    second = asyncio.new_event_loop()
    first.run_until_complete(backend.start_recording())
    with pytest.raises(dictum.InvalidStateError, match="another event loop"):
        second.run_until_complete(backend.stop_recording())
    first.run_until_complete(backend.stop_recording(0))
    first.close()
    second.close()


@RUNNERS
def test_events_can_be_iterated_by_many_at_once(run: Runner, simulated: Simulated) -> None:
    async def listen(stream: dictum.EventStream) -> list[str]:
        names = []
        async for event in stream:
            names.append(type(event).__name__)
            if isinstance(event, dictum.RecordingStateChanged) and event.state == "idle":
                break
        return names

    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(**simulated(pace="fast"))
        listeners = [asyncio.ensure_future(listen(backend.events())) for _ in range(3)]
        await whole_sample(backend)
        first, *others = await asyncio.gather(*listeners)
        assert first[0] == "RecordingStateChanged"
        assert all(names == first for names in others)

    run(main())


def test_stop_may_be_called_where_events_are_iterated(simulated: Simulated) -> None:
    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(**simulated())
        stream = backend.events()
        await backend.start_recording()
        names = []
        async for event in stream:
            names.append(type(event).__name__)
            if isinstance(event, dictum.SpeechDetected):
                began = time.monotonic()
                await backend.stop_recording(0)
                assert time.monotonic() - began < 1.5  # it would wait two seconds for whoever reads no further
            if isinstance(event, dictum.RecordingStateChanged) and event.state == "idle":
                break
        assert "SpeechEnded" in names

    asyncio.run(main())


def test_a_stream_is_refused_on_another_loop(simulated: Simulated) -> None:
    async def main() -> None:
        stream = dictum.AsyncRecorderBackend(**simulated()).events()

        def elsewhere() -> None:
            with pytest.raises(dictum.InvalidStateError, match="another event loop"):
                asyncio.run(anext(stream))

        await asyncio.to_thread(elsewhere)

    asyncio.run(main())


def test_forgotten_streams_hold_nothing(simulated: Simulated) -> None:
    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(**simulated(pace="fast"))
        streams = [weakref.ref(backend.events()) for _ in range(100)]
        half_read = backend.events(ephemeral=True)
        recording = asyncio.ensure_future(whole_sample(backend))
        async for _ in half_read:
            break
        await recording
        gc.collect()
        assert not any(stream() for stream in streams)

    asyncio.run(main())


def test_a_closed_stream_ends_its_iteration(simulated: Simulated) -> None:
    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(**simulated())
        stream = backend.events()
        waiting = asyncio.ensure_future(anext(stream, None))
        await asyncio.sleep(0.01)
        await stream.aclose()
        assert await waiting is None

    asyncio.run(main())


def test_a_cancelled_wait_loses_no_event(simulated: Simulated) -> None:
    async def main() -> None:
        backend = dictum.AsyncRecorderBackend(**simulated(pace="fast"))
        stream = backend.events()
        recording = asyncio.ensure_future(whole_sample(backend))
        sequences: list[int | None] = []
        while True:
            try:
                event = await asyncio.wait_for(anext(stream), 0.0005)
            except TimeoutError:
                continue
            sequences.append(event.sequence)
            if isinstance(event, dictum.RecordingStateChanged) and not event.is_recording:
                break
        await recording
        assert sequences == list(range(len(sequences)))

    asyncio.run(main())


def test_pause_resume_mute_and_mode(simulated: Simulated) -> None:
    received: list[dictum.RecorderEvent] = []

    async def main() -> None:
        async with dictum.AsyncRecorderBackend(received.append, **simulated()) as backend:
            await backend.set_muted(True)
            await backend.set_device("")
            await backend.set_vocabulary(["Kovacs", "Tallinn"])
            with pytest.raises(dictum.InvalidArgumentError):
                await backend.set_vocabulary("Kovacs")
            with pytest.raises(dictum.ConfigInvalidError):
                await backend.set_vocabulary([""])
            await backend.set_vad_mode(dictum.VADMode.LONG_NOTE)
            await backend.pause_recording()
            assert backend.state == dictum.RecordingState.PAUSED
            with pytest.raises(dictum.InvalidStateError):
                await backend.start_recording()
            await backend.resume_recording()
            assert backend.state == "recording"
            await backend.complete_note()
            await backend.retry_failed()
            for mode in ("loud", None):
                with pytest.raises(dictum.InvalidArgumentError, match='"normal" or "long_note"'):
                    await backend.set_vad_mode(mode)  # type: ignore[arg-type]
            with pytest.raises(dictum.InvalidArgumentError, match="drain_sec"):
                await backend.stop_recording(float("nan"))
        assert not backend.is_recording
        with pytest.raises(dictum.InvalidStateError):
            await backend.pause_recording()

    asyncio.run(main())
    assert [event.mode for event in received if isinstance(event, dictum.VADModeChanged)] == ["normal", "long_note"]
    assert [event.reason for event in received if isinstance(event, dictum.AudioGap)] == ["paused"]


def test_stop_before_any_start_succeeds() -> None:
    asyncio.run(dictum.AsyncRecorderBackend().stop_recording())


def test_without_a_running_loop_it_can_be_made_and_not_used() -> None:
    backend = dictum.AsyncRecorderBackend()
    assert not backend.is_recording
    with pytest.raises(dictum.InvalidStateError):
        backend.get_session_path()
    with pytest.raises(RuntimeError, match="no running event loop"):
        backend.events()


def test_a_forgotten_backend_ends_its_session(simulated: Simulated) -> None:
    class Owner:
        def __init__(self) -> None:
            self.backend = dictum.AsyncRecorderBackend(self.on_event, **simulated())

        def on_event(self, event: dictum.RecorderEvent) -> None:
            pass

    async def main() -> None:
        threads = native_threads()
        owner = Owner()
        await owner.backend.start_recording()
        path = owner.backend.get_session_path()
        watch = weakref.ref(owner)
        del owner
        await until(lambda: gc.collect() >= 0 and watch() is None)
        await until(lambda: native_threads() == threads)
        assert dictum.find_session(path).manifest["stopped_at"]

    asyncio.run(main())


def test_no_thread_of_python_is_made(simulated: Simulated) -> None:
    async def main() -> None:
        async with dictum.AsyncRecorderBackend(lambda event: None, **simulated()):
            assert threading.enumerate() == [threading.main_thread()]

    asyncio.run(main())
