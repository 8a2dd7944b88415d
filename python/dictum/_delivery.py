"""What both flavours know of calling back: whose callback is running, and what becomes of what it raises."""

import contextvars
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from ._native.core import Subscription
from .events import AnyEvent, RecorderEvent, RecorderFault

_log = logging.getLogger("dictum")

_CALLBACK_THREW = "callback_threw"


@dataclass(eq=False)
class Turn:
    """An event that somebody has been given and still handles: a stop that is asked for there must not wait for it."""

    subscription: Subscription
    is_over: bool = False


_turn: contextvars.ContextVar[Turn | None] = contextvars.ContextVar("dictum_turn", default=None)


def calling_subscription(ours: Iterable[Subscription]) -> Subscription | None:
    """The one of `ours` whose event is being handled where we are called from."""
    turn = _turn.get()
    if turn is None or turn.is_over:
        return None
    return next((each for each in ours if each is turn.subscription), None)


def begin_turn(subscription: Subscription) -> None:
    """In the context that we are called in; until it has another."""
    _turn.set(Turn(subscription))


def context_of(turn: Turn) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(_turn.set, turn)
    return context


def log_fault(event: AnyEvent) -> None:
    """What the library has to say to people, for a program that configures `logging` and nothing else."""
    if isinstance(event, RecorderFault) and event.code != _CALLBACK_THREW:  # that one has its traceback
        _log.log(logging.WARNING if event.recoverable else logging.ERROR, "%s (%s)", event.message, event.code)


def drain_after(kind: type[BaseException] | None) -> float | None:
    """How long the end of a `with` block waits for texts: as it is set; not at all for who cancels, or presses Ctrl-C."""
    return None if kind is None or issubclass(kind, Exception) else 0.0


def report(subscription: Subscription, event: RecorderEvent, error: BaseException) -> None:
    """A callback raised: reported to every subscriber as a RecorderFault, and to the developer with the traceback."""
    _log.error("An event callback raised, and goes on being called", exc_info=error)
    if isinstance(event, RecorderFault) and event.code == _CALLBACK_THREW:
        return  # else it would report itself for ever
    subscription.callback_threw(f"{type(error).__name__}: {error}")
