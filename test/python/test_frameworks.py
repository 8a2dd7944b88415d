"""Real applications: Textual with its pilot, FastAPI with uvicorn. And whether their loop is held up."""

import asyncio
import json
import logging
import pathlib
import time
from collections.abc import Callable
from typing import Any

import pytest

import dictum
from conftest import LONG, example, names_of, until

Simulated = Callable[..., dictum.Settings]

CLIENTS = 50


class NoBackend:
    """What an app has that records nothing."""

    is_recording = False

    def __init__(self, event_callback: object = None, **config: object) -> None:
        pass

    async def start_recording(self) -> None:
        self.is_recording = True

    async def stop_recording(self, drain_sec: float | None = None) -> None:
        self.is_recording = False


async def longest_frame(backend_of: Callable[[Any], Any], seconds: float) -> tuple[float, list[str], Any]:
    """Runs an app that redraws 60 times a second, records for so long, and quits while texts are still to come: the
    longest time between two frames, the names it saw, the backend."""
    from textual.app import App, ComposeResult
    from textual.widgets import RichLog, Static

    class Recorder(App[None]):
        BINDINGS = [("r", "toggle", "Record")]  # noqa: RUF012

        def __init__(self) -> None:
            super().__init__()
            self.backend = backend_of(self.on_recorder_event)
            self.clock = Static("0")
            self.shown = RichLog()
            self.seen: list[str] = []
            self.gaps: list[float] = []
            self.last_frame = 0.0

        def compose(self) -> ComposeResult:
            yield self.clock
            yield self.shown

        def on_mount(self) -> None:
            self.set_interval(1 / 60, self.draw)

        def draw(self) -> None:
            now = time.perf_counter()
            if self.last_frame:
                self.gaps.append(now - self.last_frame)
            self.last_frame = now
            self.clock.update(f"{now:.3f}")

        async def on_recorder_event(self, event: dictum.RecorderEvent) -> None:
            self.seen.append(type(event).__name__)
            self.shown.write(f"{type(event).__name__} {event.frame}")

        async def action_toggle(self) -> None:
            if self.backend.is_recording:
                await self.backend.stop_recording()
            else:
                await self.backend.start_recording()

    app = Recorder()
    async with app.run_test() as pilot:
        await pilot.pause(0.3)
        app.gaps.clear()
        await pilot.press("r")
        await pilot.pause(seconds)
        lines = app.shown.lines
        assert len(lines) >= len(app.seen) > 0 or isinstance(app.backend, NoBackend)
        longest = max(app.gaps)
    return longest, app.seen, app.backend


def test_textual_shows_events_quits_while_transcribing_and_stays_smooth(simulated: Simulated) -> None:
    pytest.importorskip("textual")
    seconds = 10.0 if LONG else 3.5

    def recording(callback: Any) -> dictum.AsyncRecorderBackend:
        return dictum.AsyncRecorderBackend(callback, **simulated(latency_ms=60_000))

    async def main() -> None:
        ours, theirs = [], []
        for _ in range(3):
            without, _, _ = await longest_frame(NoBackend, seconds)
            within, seen, backend = await longest_frame(recording, seconds)
            ours.append(within)
            theirs.append(without)
            assert "TranscriptionQueued" in seen
            assert backend.is_recording  # it quit in the middle
            await backend.stop_recording(0)
            if min(ours) - min(theirs) < 0.020:
                break
        print(f"longest frame: {min(ours) * 1000:.1f} ms, without a recorder {min(theirs) * 1000:.1f} ms")
        assert min(ours) - min(theirs) < 0.020

    asyncio.run(main())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_fastapi_forwards_events_to_fifty_clients(loop: str, simulated: Simulated) -> None:
    pytest.importorskip("fastapi")
    uvicorn = pytest.importorskip("uvicorn")
    httpx = pytest.importorskip("httpx")
    websockets = pytest.importorskip("websockets")
    runner = pytest.importorskip("uvloop").run if loop == "uvloop" else asyncio.run

    async def listen(address: str, ready: Callable[[], None]) -> list[tuple[int, str]]:
        seen = []
        async with websockets.connect(f"ws{address}/events", open_timeout=30) as socket:
            ready()
            async for line in socket:
                event = json.loads(line)
                seen.append((event["sequence"], event["event"]))
                if event["event"] == "RecordingStateChanged" and event["state"] == "idle":
                    return seen
        raise AssertionError("the stream ended too early")

    async def main() -> None:
        app = example("fastapi_service").make_app(dictum.AsyncRecorderBackend(**simulated()))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        serving = asyncio.ensure_future(server.serve())
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        address = f"://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=f"http{address}", timeout=30) as client:
            waiting = CLIENTS

            def ready() -> None:
                nonlocal waiting
                waiting -= 1

            listeners = [asyncio.ensure_future(listen(address, ready)) for _ in range(CLIENTS)]
            await until(lambda: waiting == 0, 30)
            # All of them start at once, which is one start.
            answers = await asyncio.gather(*(client.post("/start") for _ in range(CLIENTS)))
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.json()["session"] for answer in answers}) == 1
            await asyncio.sleep(20 if LONG else 3)
            answers = await asyncio.gather(*(client.post("/stop") for _ in range(CLIENTS)))
            assert all(answer.json() == {"is_recording": False} for answer in answers)
            seen = await asyncio.gather(*listeners)
        assert all(one == seen[0] for one in seen)
        assert [sequence for sequence, _ in seen[0]] == list(range(len(seen[0])))
        assert "SpeechDetected" in {name for _, name in seen[0]}
        server.should_exit = True
        await asyncio.wait_for(serving, 20)

    runner(main())


def test_asyncio_finds_no_slow_callback_of_ours(simulated: Simulated, caplog: pytest.LogCaptureFixture) -> None:
    """Over a whole live session, in asyncio's debug mode."""
    received: list[dictum.RecorderEvent] = []

    async def on_event(event: dictum.RecorderEvent) -> None:
        received.append(event)

    async def main() -> None:
        asyncio.get_running_loop().slow_callback_duration = 0.02
        backend = dictum.AsyncRecorderBackend(on_event, events_level_hz=20, **simulated())
        listener = asyncio.ensure_future(anext(backend.events(ephemeral=True)))
        await backend.start_recording()
        await until(lambda: names_of(received).count("TranscriptionComplete") >= (5 if LONG else 1))
        await backend.pause_recording()
        await backend.resume_recording()
        await backend.stop_recording()
        await listener

    with caplog.at_level(logging.WARNING, logger="asyncio"):
        asyncio.run(main(), debug=True)
    ours = str(pathlib.Path(dictum.__file__).parent)
    slow = [record.getMessage() for record in caplog.records if "took" in record.getMessage()]
    assert not [message for message in slow if ours in message or "dictum" in message], slow
    assert "AudioLevel" in names_of(received)
