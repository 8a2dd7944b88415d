"""What is asked of the recorder, as the JSON that its core reads."""

import json
import math
from collections.abc import Iterable

from ._native.core import Recorder
from .errors import InvalidArgumentError


def command(name: str, **fields: object) -> str:
    """The command of that name (see include/dictum/command.hpp)."""
    return json.dumps({"command": name, **fields})


def list_of_texts(texts: Iterable[str]) -> list[str]:
    """A single text would be taken for a list of its letters."""
    if isinstance(texts, str):
        raise InvalidArgumentError("Give a list of texts, not a text.")
    return [str(text) for text in texts]


def stop_command(drain_sec: float | None) -> str:
    """A stop that waits for texts that long: None as configured, negative without a limit."""
    if drain_sec is not None:
        drain_sec = float(drain_sec)
        if math.isnan(drain_sec):
            raise InvalidArgumentError("drain_sec is a number of seconds, or negative: no limit.")
        if math.isinf(drain_sec):
            drain_sec = -1.0
    return command("stop_recording", drain_sec=drain_sec)


def describe(backend: object, recorder: Recorder | None) -> str:
    """For the `repr` of a backend."""
    if recorder is None:
        return f"<{type(backend).__name__}, not started yet>"
    session = f", {recorder.session_path}" if recorder.session_path is not None else ""
    return f"<{type(backend).__name__}, {recorder.state}{session}>"
