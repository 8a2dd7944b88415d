"""Which events are texts, and when no further one comes."""

from collections.abc import Callable

from .events import RecorderEvent, RecorderFault, RecordingStateChanged, TranscriptionComplete, TranscriptionQueued

TextCallback = Callable[[str], object]


def text_of(event: RecorderEvent) -> str | None:
    """The first text of a segment; revisions, failures and segments without words are none."""
    if isinstance(event, TranscriptionComplete) and event.success and event.revision == 0 and event.text:
        return event.text
    return None


def text_callback(on_text: TextCallback) -> Callable[[RecorderEvent], object]:
    """A callback for events that calls `on_text`; what that returns is returned, to be awaited."""

    def call(event: RecorderEvent) -> object:
        text = text_of(event)
        return None if text is None else on_text(text)

    return call


class TextFollower:
    """Follows the events of one recording."""

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._has_ended = False
        self.is_over = False
        """The recording has ended, and no text of it is to come."""

    def take(self, event: RecorderEvent) -> str | None:
        """The text that this event is."""
        if isinstance(event, RecordingStateChanged):
            self._has_ended = not event.is_recording
        elif isinstance(event, TranscriptionQueued):
            self._waiting.add(event.segment_index)
        elif isinstance(event, TranscriptionComplete):
            self._waiting.discard(event.segment_index)
        elif isinstance(event, RecorderFault) and event.code == "timed_out":
            self._waiting.clear()  # they are left to a later start
        self.is_over = self._has_ended and not self._waiting
        return text_of(event)
