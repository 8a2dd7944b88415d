"""The recorder for programs without an event loop."""

import select
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from ._arguments import check_arguments
from ._commands import command, describe, stop_command
from ._delivery import Turn, begin_turn, calling_subscription, context_of, drain_after, log_fault, report
from ._native.core import Call, Notifier, PushSource, Recorder, Subscription
from ._operations import BlockingOperations
from ._texts import TextCallback, TextFollower, text_callback
from .errors import DeadlockError, InvalidStateError, RecorderError, TimedOutError
from .events import AnyEvent, RecorderEvent, RecordingState
from .settings import Settings

EventCallback = Callable[[AnyEvent], object]

_END_SEC = 2.0


class RecorderBackend(BlockingOperations):
    """The recorder, blocking. The same recorder as AsyncRecorderBackend, with the same outputs.

    Constructing opens nothing and starts nothing. Every method may be called from any thread; while it waits, other
    threads run. In the main thread Ctrl-C interrupts it: a start is rolled back, a stop goes on without waiting for
    texts.

    `event_callback` is called on a thread of its own, named `delivery`: in order, one event at a time. What it raises
    is logged and reported as a RecorderFault, and it goes on being called. It may call everything but `stop_recording`,
    which raises DeadlockError there. `on_text` is the same for texts alone, on a thread of its own: it is called with
    the first text of each segment, a string. Faults are logged (logger `dictum`), whoever else is notified.

    A call that fails raises a RecorderError. Used with `with`, it records inside the block; a block that is left by
    Ctrl-C does not wait for texts.
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
        self._source = source
        self._making = threading.Lock()
        self._recorder: Recorder | None = None
        callbacks = [] if event_callback is None else [event_callback]
        if on_text is not None:
            callbacks.append(text_callback(on_text))
        self._deliveries = [Delivery(callback) for callback in callbacks] or [Delivery(None)]
        self._deliveries[0].logs_faults = True
        self._streams: weakref.WeakSet[BlockingEventStream] = weakref.WeakSet()

    def start_recording(self) -> None:
        """Begins a session; returns once audio arrives. While recording it succeeds as the same start. A start that
        fails leaves nothing."""
        recorder = self._made()
        ours = not recorder.is_recording
        notifier = Notifier()
        call = recorder.submit(command("start_recording"), None, notifier)
        try:
            _wait(call, notifier)
        except BaseException:
            recorder.submit(command("cancel_start"), None, Notifier())
            _wait(call, notifier)
            if ours and recorder.is_recording:  # it was done before it could be cancelled
                self._finish(recorder, stop_command(0))
            raise
        call.check()

    def stop_recording(self, drain_sec: float | None = None) -> None:
        """Ends the session, waits for its files, and for outstanding texts up to `drain_sec` (default: the setting;
        negative: no limit). When nothing is recorded it succeeds."""
        recorder = self._recorder
        if recorder is None:
            return
        if any(delivery.is_calling_us() for delivery in self._deliveries):
            raise DeadlockError(
                "stop_recording was called from inside a callback, for which it would wait: call it from another "
                "thread, or use AsyncRecorderBackend."
            )
        try:
            self._finish(recorder, stop_command(drain_sec), self._caller())
        except RecorderError:
            raise
        except BaseException:
            self._finish(recorder, stop_command(0), self._caller())
            raise

    @property
    def is_recording(self) -> bool:
        """True from a start until its stop is complete, pauses included."""
        return self._recorder is not None and self._recorder.is_recording

    @property
    def state(self) -> RecordingState:
        return RecordingState.IDLE if self._recorder is None else RecordingState(self._recorder.state)

    def get_session_path(self) -> Path:
        """The folder of the newest session. Raises InvalidStateError before the first."""
        path = None if self._recorder is None else self._recorder.session_path
        if path is None:
            raise InvalidStateError("There is no session yet: start a recording first.")
        return path

    def events(self, *, ephemeral: bool = False) -> "BlockingEventStream":
        """The events from now on, for `for`; with `ephemeral`, levels and partial texts too. Close it, or use it with
        `with`, where the iteration may end before the recording."""
        stream = BlockingEventStream(self._made(), ephemeral)
        self._streams.add(stream)
        return stream

    def texts(self) -> Iterator[str]:
        """The first text of each segment, from now on, for `for`. Ends when the recording has ended and no text of it is to
        come; before a start it waits for one."""
        return _texts_of(self.events())

    def wait_for_text(self, timeout_sec: float | None = None) -> str:
        """The next text. Raises InvalidStateError where the recording ends without one, and TimedOutError."""
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        follower = TextFollower()
        with self.events() as events:
            while (event := events.next(None if deadline is None else deadline - time.monotonic())) is not None:
                if (text := follower.take(event)) is not None:
                    return text
                if follower.is_over:
                    raise InvalidStateError("The recording ended, and no further text came.")
        raise TimedOutError(f"No text came within {timeout_sec} s.")

    def __repr__(self) -> str:
        return describe(self, self._recorder)

    def __enter__(self) -> Self:
        self.start_recording()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop_recording(drain_after(kind))

    def _made(self) -> Recorder:
        with self._making:
            if self._recorder is None:
                self._recorder = Recorder(self._settings, self._source)
                for delivery in self._deliveries:
                    delivery.begin(self._recorder, self)
            return self._recorder

    def _caller(self) -> Subscription | None:
        """Of the stream whose loop is calling: nobody takes its events meanwhile, so a stop must not wait for it."""
        return calling_subscription([stream.subscription for stream in self._streams])

    def _carry_out(self, what: str) -> None:
        self._finish(self._made(), what)

    @staticmethod
    def _finish(recorder: Recorder, what: str, caller: Subscription | None = None) -> None:
        notifier = Notifier()
        call = recorder.submit(what, caller, notifier)
        _wait(call, notifier)
        call.check()


def _texts_of(events: "BlockingEventStream") -> Iterator[str]:
    follower = TextFollower()
    with events:
        for event in events:
            if (text := follower.take(event)) is not None:
                yield text
            if follower.is_over:
                return


class BlockingEventStream:
    """The events of a recorder, one by one, over all its sessions. For one thread at a time; `close` may be called on any.
    While it waits, other threads run and Ctrl-C interrupts it. It does not end by itself: leave the loop, or close it."""

    def __init__(self, recorder: Recorder, ephemeral: bool) -> None:
        self._is_closed = False
        self._notifier = Notifier()
        self._recorder = recorder
        self.subscription = recorder.subscribe(ephemeral, self._notifier, may_block=True)

    def next(self, timeout_sec: float | None = None) -> AnyEvent | None:
        """The next event; None where none came in time, or the stream was closed."""
        poller = select.poll()
        poller.register(self._notifier.fileno(), select.POLLIN)
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        while not self._is_closed:
            self._notifier.clear()
            if (line := self.subscription.next()) is not None:
                self.subscription.handled()
                begin_turn(self.subscription)
                return RecorderEvent.from_json(line)
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            poller.poll(None if left is None else left * 1000)
        return None

    def close(self) -> None:
        """No event comes any more: the iteration ends."""
        self._is_closed = True
        self.subscription.close()
        self._notifier.notify()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AnyEvent:
        event = self.next()
        if event is None:
            raise StopIteration
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<BlockingEventStream, {'closed' if self._is_closed else 'open'}>"


class Delivery:
    """Calls back on a thread of its own. Between two events that refers to us weakly, and never to the backend: so a
    backend that everybody has forgotten goes, while the thread waits for an event as while a callback is stuck."""

    def __init__(self, callback: EventCallback | None) -> None:
        self._callback = callback
        self.logs_faults = False
        self.subscription: Subscription | None = None

    def begin(self, recorder: Recorder, owner: RecorderBackend) -> None:
        """It ends with its owner."""
        notifier = Notifier()
        self.subscription = recorder.subscribe(self._callback is not None, notifier, may_block=True)
        delivery = weakref.ref(self)
        is_over = threading.Event()
        thread = threading.Thread(target=_run, args=(delivery, notifier, is_over), name="delivery", daemon=True)
        thread.start()
        weakref.finalize(owner, _end, delivery, recorder, self.subscription, notifier, is_over, thread)

    def is_calling_us(self) -> bool:
        return self.subscription is not None and calling_subscription([self.subscription]) is not None

    def deliver(self) -> None:
        subscription = self.subscription
        assert subscription is not None
        while (line := subscription.next()) is not None:
            event = RecorderEvent.from_json(line)
            if self.logs_faults:
                log_fault(event)
            turn = Turn(subscription)
            try:
                if self._callback is not None:
                    context_of(turn).run(self._callback, event)
            except BaseException as error:  # sys.exit's too, which would end only this thread, and in silence
                report(subscription, event, error)
            turn.is_over = True
            subscription.handled()


def _run(delivery: "weakref.ref[Delivery]", notifier: Notifier, is_over: threading.Event) -> None:
    poller = select.poll()
    poller.register(notifier.fileno(), select.POLLIN)
    while not is_over.is_set():
        poller.poll()
        notifier.clear()
        if (alive := delivery()) is not None:
            alive.deliver()
        del alive


def _end(
    delivery: "weakref.ref[Delivery]",
    recorder: Recorder,
    subscription: Subscription,
    notifier: Notifier,
    is_over: threading.Event,
    thread: threading.Thread,
) -> None:
    """The backend was forgotten, maybe by its own callback; or the interpreter ends, and still receives the last events."""
    deadline = time.monotonic() + _END_SEC
    in_callback = thread is threading.current_thread()
    recorder.shut_down(not in_callback and delivery() is not None)
    subscription.close()
    is_over.set()
    notifier.notify()
    if not in_callback:
        thread.join(max(0.0, deadline - time.monotonic()))


def _wait(call: Call, notifier: Notifier) -> None:
    poller = select.poll()
    poller.register(notifier.fileno(), select.POLLIN)
    while not call.done:
        poller.poll()  # a signal handler that raises, as Ctrl-C's does, ends it
        notifier.clear()
