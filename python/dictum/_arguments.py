"""What both flavours are made with."""

from ._native.core import PushSource, check_settings
from .errors import InvalidArgumentError


def check_arguments(event_callback: object, on_text: object, source: object, settings: dict[str, object]) -> None:
    """As soon as they are given; a configuration file is read at the start."""
    if event_callback is not None and not callable(event_callback):
        raise InvalidArgumentError(f"event_callback is called with every event: {event_callback!r} cannot be.")
    if on_text is not None and not callable(on_text):
        raise InvalidArgumentError(f"on_text is called with every text: {on_text!r} cannot be.")
    if source is not None and not isinstance(source, PushSource):
        raise InvalidArgumentError(f"source is a dictum.PushSource or None, not {source!r}.")
    check_settings(settings)
