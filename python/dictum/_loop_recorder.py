"""The recorder on one event loop. No thread of Python's, and nothing polls: the loop watches a descriptor."""

import asyncio
import contextlib
import functools
import inspect
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol

from ._commands import command, stop_command
from ._delivery import Turn, calling_subscription, context_of, log_fault, report
from ._native.core import Call, Notifier, PushSource, Recorder, Subscription
from .errors import InvalidStateError, RecorderError
from .events import AnyEvent, RecorderEvent

EventCallback = Callable[[AnyEvent], Awaitable[None] | object]

_END_SEC = 2.0


class Consumer(Protocol):
    def wake(self) -> None: ...


class LoopRecorder:
    """Lives on its loop's thread, and is owned by the backend. It ends when the backend goes, when the loop is closed,
    and with the interpreter: each ends the session without draining, within two seconds. Where the loop is shut down
    as asyncio.run does it, that is awaited and the last events are delivered; otherwise it blocks."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: dict[str, object],
        source: PushSource | None,
        callbacks: Sequence[EventCallback],
    ) -> None:
        self.loop = loop
        self.core = Recorder(settings, source)
        self._calls: dict[Call, asyncio.Future[None]] = {}
        self._subscriptions: weakref.WeakKeyDictionary[Consumer, Subscription] = weakref.WeakKeyDictionary()
        self.notifier = self._add_notifier()
        self._deliveries = [Delivery(self, callback) for callback in callbacks] or [Delivery(self, None)]
        self._deliveries[0].logs_faults = True
        for delivery in self._deliveries:
            weakref.finalize(self, delivery.subscription.close)  # it may outlive us, while a callback is stuck
        self._shutdown = _notice_shutdown(weakref.ref(self))
        _advance(self._shutdown)

    def _add_notifier(self) -> Notifier:
        """The loop refers to us weakly. What it holds beside that is `life`, which goes when the loop is closed."""
        react = weakref.WeakMethod(self._on_ring)
        notifier = Notifier()
        life = _Life()
        try:
            self.loop.add_reader(notifier.fileno(), _react, react, life)
        except NotImplementedError:
            notifier = Notifier(functools.partial(_react_soon, self.loop, react, weakref.ref(self.core)))
            weakref.finalize(self, self.core.shut_down, False)
        else:
            weakref.finalize(life, self.core.shut_down, False)
            weakref.finalize(self, _remove_notifier, self.loop, notifier)
        return notifier

    def _on_ring(self) -> None:
        self.notifier.clear()
        for call in [call for call in self._calls if call.done]:
            future = self._calls.pop(call)
            if not future.done():
                future.set_result(None)
        for consumer in list(self._subscriptions):
            consumer.wake()

    def subscribe(self, consumer: Consumer, ephemeral: bool) -> Subscription:
        """`consumer`, referred to weakly, is woken on the loop when events wait."""
        self._subscriptions[consumer] = subscription = self.core.subscribe(ephemeral, self.notifier, may_block=False)
        return subscription

    async def until_done(self, call: Call) -> None:
        """May be cancelled, and called again for the same call."""
        if not call.done:
            self._calls[call] = future = self.loop.create_future()
            await future

    async def carry_out(self, what: str) -> None:
        """A command that is short, and goes on to its end also where its waiter is cancelled."""
        call = self.core.submit(what, None, self.notifier)
        await self.until_done(call)
        call.check()

    async def start(self) -> None:
        ours = not self.core.is_recording
        call = self.core.submit(command("start_recording"), None, self.notifier)
        try:
            await self.until_done(call)
        except asyncio.CancelledError:
            self.core.submit(command("cancel_start"), None, self.notifier)
            await self.until_done(call)
            if ours and _succeeded(call):  # it was done before it could be cancelled
                await self.until_done(self.core.submit(stop_command(0), self._caller(), self.notifier))
            raise
        call.check()

    async def stop(self, drain_sec: float | None) -> None:
        call = self.core.submit(stop_command(drain_sec), self._caller(), self.notifier)
        try:
            await self.until_done(call)
        except asyncio.CancelledError:
            await self.until_done(self.core.submit(stop_command(0), self._caller(), self.notifier))
            raise
        call.check()

    async def end(self) -> None:
        """The loop will be closed."""
        with contextlib.suppress(InvalidStateError):  # of a process that was forked off
            if self.core.is_recording:
                await self.until_done(self.core.submit(stop_command(0), None, self.notifier))
        for delivery in self._deliveries:
            await delivery.end()

    def _caller(self) -> Subscription | None:
        return calling_subscription(list(self._subscriptions.values()))


class Delivery:
    """Calls back with one event a turn of the loop, and awaits what the callback returns before the next."""

    def __init__(self, recorder: LoopRecorder, callback: EventCallback | None) -> None:
        self._loop = recorder.loop
        self._callback = callback
        self.logs_faults = False
        self._is_busy = False
        self._awaited: asyncio.Task[None] | None = None
        self.subscription = recorder.subscribe(self, ephemeral=callback is not None)

    def wake(self) -> None:
        if not self._is_busy:
            self._is_busy = True
            self._deliver()

    def _deliver(self) -> None:
        line = self.subscription.next()
        if line is None:
            self._is_busy = False
            return
        event = RecorderEvent.from_json(line)
        if self.logs_faults:
            log_fault(event)
        turn = Turn(self.subscription)
        context = context_of(turn)
        try:
            returned = None if self._callback is None else context.run(self._callback, event)
            if inspect.isawaitable(returned):
                # A coroutine as it is: one that is cancelled before it begins was to be awaited all the same.
                work = returned if inspect.iscoroutine(returned) else _await(returned)
                self._awaited = self._loop.create_task(work, context=context)
                self._awaited.add_done_callback(functools.partial(self._has_awaited, turn, event))
                return
        except (KeyboardInterrupt, SystemExit):  # they end the loop; should it run again, it goes on
            self._resume_turn(turn)
            raise
        except BaseException as error:  # asyncio.CancelledError is no Exception
            report(self.subscription, event, error)
        self._resume_turn(turn)

    async def end(self) -> None:
        """No event comes any more; a callback that is stuck is cancelled."""
        self.subscription.close()
        if self._awaited is not None:
            self._awaited.cancel()
            await asyncio.wait([self._awaited], timeout=_END_SEC)

    def _has_awaited(self, turn: Turn, event: RecorderEvent, task: asyncio.Task[None]) -> None:
        self._awaited = None
        if not task.cancelled() and (error := task.exception()) is not None:
            report(self.subscription, event, error)
        self._resume_turn(turn)

    def _resume_turn(self, turn: Turn) -> None:
        turn.is_over = True
        self.subscription.handled()
        self._loop.call_soon(self._deliver)


async def _notice_shutdown(recorder: "weakref.ref[LoopRecorder]") -> AsyncGenerator[None, None]:
    """A loop does not announce that it will be closed; but before, it closes the generators that were begun on it."""
    try:
        yield
    finally:
        if (alive := recorder()) is not None:
            await alive.end()


def _advance(generator: AsyncGenerator[None, None]) -> None:
    """To its first yield, before which it awaits nothing."""
    with contextlib.suppress(StopIteration):
        anext(generator).send(None)


async def _await(awaitable: Awaitable[None]) -> None:
    await awaitable


class _Life:
    """What only a loop's reader refers to."""

    __slots__ = ("__weakref__",)


def _react(method: "weakref.WeakMethod[Callable[[], None]]", _life: _Life) -> None:
    if (react := method()) is not None:
        react()


def _react_soon(
    loop: asyncio.AbstractEventLoop,
    method: "weakref.WeakMethod[Callable[[], None]]",
    core: "weakref.ref[Recorder]",
) -> None:
    """On a thread of the recorder's, for loops that watch no descriptors."""
    try:
        loop.call_soon_threadsafe(_react, method, _Life())
    except RuntimeError:  # the loop was closed
        if (recorder := core()) is not None and recorder.is_recording:
            recorder.submit(stop_command(0), None, Notifier())


def _remove_notifier(loop: asyncio.AbstractEventLoop, notifier: Notifier) -> None:
    """On whatever thread the backend was forgotten; the descriptor stays open until the loop has let go of it."""
    try:
        loop.call_soon_threadsafe(loop.remove_reader, notifier.fileno())
        loop.call_soon_threadsafe(notifier.clear)
    except RuntimeError:
        pass  # the loop was closed, and has let go already


def _succeeded(call: Call) -> bool:
    try:
        call.check()
    except RecorderError:
        return False
    return True
