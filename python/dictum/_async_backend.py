"""The recorder for programs on asyncio."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from ._arguments import check_arguments
from ._commands import describe
from ._delivery import begin_turn, drain_after
from ._loop_recorder import EventCallback, LoopRecorder
from ._native.core import PushSource
from ._operations import AwaitedOperations
from ._texts import TextCallback, TextFollower, text_callback
from .errors import InvalidStateError
from .events import AnyEvent, RecorderEvent, RecordingState
from .settings import Settings


class AsyncRecorderBackend(AwaitedOperations):
    """The recorder, awaited. The same recorder as RecorderBackend, with the same outputs.

    Constructing opens nothing and starts nothing, and needs no running loop. The first call binds the recorder to the
    loop it runs on (asyncio's, uvloop's); that loop's thread is where everything of this object happens. Once the loop
    has been closed, another may take over.

    `event_callback` is any callable that takes an event. What it returns decides whether it is async: an awaitable is
    awaited before the next event. Events come in order, one at a time. What it raises is logged and reported as a
    RecorderFault, and it goes on being called. `on_text` is the same for texts alone: it is called with the first text
    of each segment, a string. Faults are logged (logger `dictum`), whoever else is notified.

    A call that fails raises a RecorderError. Used with `async with`, it records inside the block; a block that is
    cancelled does not wait for texts.
    """

    def __init__(
        self,
        event_callback: EventCallback | None = None,
        *,
        on_text: TextCallback | None = None,
        source: PushSource | None = None,
        **config: Unpack[Settings],
    ) -> None:
        self._settings = dict(config)
        check_arguments(event_callback, on_text, source, self._settings)
        self._callbacks = [] if event_callback is None else [event_callback]
        if on_text is not None:
            self._callbacks.append(text_callback(on_text))
        self._source = source
        self._recorder: LoopRecorder | None = None

    async def start_recording(self) -> None:
        """Begins a session; returns once audio arrives. While recording it succeeds as the same start. A start that
        fails, or is cancelled, leaves nothing."""
        await self._on_this_loop().start()

    async def stop_recording(self, drain_sec: float | None = None) -> None:
        """Ends the session, waits for its files, and for outstanding texts up to `drain_sec` (default: the setting;
        negative: no limit). When nothing is recorded it succeeds. May be called from a callback, and where events are
        iterated. Cancelling it ends the recording all the same, without waiting for texts."""
        if self._recorder is not None:
            await self._on_this_loop().stop(drain_sec)

    @property
    def is_recording(self) -> bool:
        """True from a start until its stop is complete, pauses included."""
        return self._recorder is not None and self._recorder.core.is_recording

    @property
    def state(self) -> RecordingState:
        return RecordingState.IDLE if self._recorder is None else RecordingState(self._recorder.core.state)

    def get_session_path(self) -> Path:
        """The folder of the newest session. Raises InvalidStateError before the first."""
        path = None if self._recorder is None else self._recorder.core.session_path
        if path is None:
            raise InvalidStateError("There is no session yet: start a recording first.")
        return path

    def events(self, *, ephemeral: bool = False) -> "EventStream":
        """The events from now on, for `async for`; with `ephemeral`, levels and partial texts too."""
        return EventStream(self._on_this_loop(), ephemeral)

    def texts(self) -> AsyncGenerator[str, None]:
        """The first text of each segment, from now on, for `async for`. Ends when the recording has ended and no text of
        it is to come; before a start it waits for one."""
        return _texts_of(self.events())

    async def wait_for_text(self) -> str:
        """The next text. Raises InvalidStateError where the recording ends without one."""
        async with aclosing(self.texts()) as texts:
            async for text in texts:
                return text
        raise InvalidStateError("The recording ended, and no further text came.")

    def __repr__(self) -> str:
        return describe(self, None if self._recorder is None else self._recorder.core)

    async def __aenter__(self) -> Self:
        await self.start_recording()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop_recording(drain_after(kind))

    async def _carry_out(self, what: str) -> None:
        await self._on_this_loop().carry_out(what)

    def _on_this_loop(self) -> LoopRecorder:
        recorder = self._recorder
        is_recording = self.is_recording  # which first of all refuses a process that was forked off
        loop = running_loop()
        if recorder is not None and recorder.loop is not loop:
            if not recorder.loop.is_closed():
                doing = "records" if is_recording else "was used"
                raise InvalidStateError(f"This recorder {doing} on another event loop, which is still open.")
            recorder = None
        if recorder is None:
            self._recorder = recorder = LoopRecorder(loop, self._settings, self._source, self._callbacks)
        return recorder


async def _texts_of(events: "EventStream") -> AsyncGenerator[str, None]:
    follower = TextFollower()
    try:
        async for event in events:
            if (text := follower.take(event)) is not None:
                yield text
            if follower.is_over:
                return
    finally:
        await events.aclose()


def running_loop() -> asyncio.AbstractEventLoop:
    """Raises InvalidStateError, which is a RuntimeError, where there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise InvalidStateError(
            "There is no running event loop of asyncio, and AsyncRecorderBackend works on asyncio only (uvloop included, "
            "and anyio with its asyncio back end): under Trio use RecorderBackend, with trio.to_thread.run_sync."
        ) from None


class EventStream:
    """The events of a recorder, one by one, over all its sessions. Ends when it is closed; forgetting it will do. A
    cancelled `__anext__` loses no event."""

    def __init__(self, recorder: LoopRecorder, ephemeral: bool) -> None:
        self._news = asyncio.Event()
        self._is_closed = False
        self._recorder = recorder
        self._subscription = recorder.subscribe(self, ephemeral)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        if running_loop() is not self._recorder.loop:
            raise InvalidStateError(
                "This stream belongs to another event loop: call events() on the one that iterates."
            )
        await asyncio.sleep(0)  # a burst of events leaves room for what else the loop has to do
        while not self._is_closed:
            self._news.clear()
            if (line := self._subscription.next()) is not None:
                self._subscription.handled()
                begin_turn(self._subscription)
                return RecorderEvent.from_json(line)
            await self._news.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """No event comes any more: every iterator ends."""
        self._is_closed = True
        self._subscription.close()
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    def __repr__(self) -> str:
        return f"<EventStream, {'closed' if self._is_closed else 'open'}>"
