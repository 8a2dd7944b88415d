"""What both flavours know of calling back: whose callback is running, and what becomes of what it raises."""

import contextvars
import logging
from dataclasses import dataclass

from ._native.core import Subscription
from .events import RecorderEvent, RecorderFault

_log = logging.getLogger("dictum")

_CALLBACK_THREW = "callback_threw"


@dataclass(eq=False)
class Turn:
    """A callback that has been called and has not ended yet: a stop that it asks for must not wait for it."""

    subscription: Subscription
    is_over: bool = False


_turn: contextvars.ContextVar[Turn | None] = contextvars.ContextVar("dictum_turn", default=None)


def calling_subscription(own: Subscription | None) -> Subscription | None:
    """The subscription whose callback we are called from, where it is `own`."""
    turn = _turn.get()
    return own if turn is not None and not turn.is_over and turn.subscription is own else None


def context_of(turn: Turn) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(_turn.set, turn)
    return context


def report(subscription: Subscription, event: RecorderEvent, error: BaseException) -> None:
    """A callback raised: told to every subscriber as a RecorderFault, and to the developer with the traceback."""
    _log.error("An event callback raised, and goes on being called", exc_info=error)
    if isinstance(event, RecorderFault) and event.code == _CALLBACK_THREW:
        return  # else it would report itself for ever
    subscription.callback_threw(f"{type(error).__name__}: {error}")
