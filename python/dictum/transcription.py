"""A sound file as text, at once."""

import tempfile
from os import PathLike
from typing import Unpack

from ._blocking_backend import RecorderBackend
from ._texts import TextFollower
from .errors import TranscriptionFailedError
from .events import RecorderFault, TranscriptionComplete
from .settings import Settings


def transcribe(file: str | PathLike[str], **settings: Unpack[Settings]) -> str:
    """What is said in a sound file, a line a segment. Blocks until all of it has its text; on a loop, call it with
    `asyncio.to_thread`. `transcription_language="de"`, `transcription_vocabulary=[...]` and the other settings say how.
    Keeps nothing, unless `session_root` names a folder.

    Raises a RecorderError: InputNotFoundError, TranscriberMissingError, TranscriptionFailedError where a segment has no
    text, and others."""
    with tempfile.TemporaryDirectory(prefix="dictum-") as folder:
        given: Settings = {
            "session_root": folder,
            "transcription_drain_sec": -1,
            **settings,
            "capture_input": file,
            "capture_pace": "fast",
        }
        return _transcribe(given)


def _transcribe(settings: Settings) -> str:
    backend = RecorderBackend(**settings)
    follower = TextFollower()
    texts: dict[int, str] = {}
    error = ""
    with backend.events() as events, backend:
        for event in events:
            follower.take(event)
            if isinstance(event, TranscriptionComplete) and event.success:
                texts[event.segment_index] = event.text
            elif isinstance(event, TranscriptionComplete) and event.segment_index not in texts:
                error = error or (event.error.message if event.error else "A segment has no text.")
            elif isinstance(event, RecorderFault) and not event.recoverable:
                error = error or event.message
            if follower.is_over:
                break
    if error:
        raise TranscriptionFailedError(error)
    return "\n".join(text for _, text in sorted(texts.items()) if text)
