"""What a recorder emits: one class for each event, all of them a `RecorderEvent`."""

import dataclasses
import enum
import json
import math
import pathlib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal


class RecordingState(StrEnum):
    STARTING = "starting"
    RECORDING = "recording"
    PAUSED = "paused"
    STOPPING = "stopping"
    IDLE = "idle"
    FAILED = "failed"


class VADMode(StrEnum):
    NORMAL = "normal"
    LONG_NOTE = "long_note"


class NoteCommand(StrEnum):
    START = "start"
    END = "end"
    CANCEL = "cancel"
    SCRATCH = "scratch"
    STOP = "stop"
    COMPLETE = "complete"  #: nobody said it: `complete_note` was called


class GapReason(StrEnum):
    OVERFLOW = "overflow"
    DEVICE_LOST = "device_lost"
    STALLED = "stalled"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    DISK = "disk"


class DiscardReason(StrEnum):
    TOO_SHORT = "too_short"  #: it has less speech than `vad_min_speech_ms`
    NO_AUDIO = "no_audio"  #: none of its sound reached the disk: it was full, or found so after a crash


class WorkerState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word, and where it was said on the session's clock."""

    text: str
    start_frame: int
    end_frame: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Replacement:
    """Words of a text that a fixed correction replaced."""

    written: str
    """By the engine."""
    meant: str
    """What stands in the text in its place."""


@dataclass(frozen=True, slots=True)
class DetectedPhrase:
    """A phrase that the engine was asked to listen for, and spotted by itself."""

    phrase: str
    confidence: float
    start_frame: int
    end_frame: int


@dataclass(frozen=True, slots=True)
class EventError:
    """Why something failed: a name for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderEvent:
    """The envelope of every event. A value: it can be compared, hashed, pickled and matched."""

    session: str
    """The name of the session's folder."""
    sequence: int | None
    """Without a gap from 0 in a session; None in AudioLevel, QueueStatus and TranscriptionPartial."""
    timestamp: float
    """The moment of emission, seconds since the Unix epoch."""
    frame: int
    """The position on the recording's one clock."""

    def to_dict(self) -> dict[str, Any]:
        """The event as it stands in the session's journal, ready for `json.dumps`."""
        made: dict[str, Any] = {"event": type(self).__name__}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if value != each.default and (each.name != "sequence" or value is not None):
                made[each.name] = _plain(value)
        return made

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> "AnyEvent":
        """The event that `to_dict`, a journal or the network gave. Fields of newer versions are passed over; an event
        of a newer version is a KeyError."""
        made = _CLASSES[source["event"]]
        readers = _READERS[made]
        given = {name: read for name, read in readers.items() if name in source or name not in _OPTIONAL[made]}
        return made(**{name: read(source.get(name)) for name, read in given.items()})

    @classmethod
    def from_json(cls, line: str) -> "AnyEvent":
        return cls.from_dict(json.loads(line))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStateChanged(RecorderEvent):
    """`recording` is the first event of a session. After `idle` or `failed` only transcription, note and fault events
    follow."""

    event: Literal["RecordingStateChanged"] = field(default="RecordingStateChanged", repr=False)
    state: RecordingState
    is_recording: bool
    is_paused: bool
    is_muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VADModeChanged(RecorderEvent):
    event: Literal["VADModeChanged"] = field(default="VADModeChanged", repr=False)
    mode: VADMode
    min_silence_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechDetected(RecorderEvent):
    """Opens a segment; `frame` is where the speech begins."""

    event: Literal["SpeechDetected"] = field(default="SpeechDetected", repr=False)
    segment_index: int
    start_frame: int
    """Where the kept audio begins, the pre-roll included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEnded(RecorderEvent):
    """Exactly one for each SpeechDetected."""

    event: Literal["SpeechEnded"] = field(default="SpeechEnded", repr=False)
    segment_index: int
    duration_sec: float
    kept: bool
    start_frame: int
    end_frame: int
    discard_reason: DiscardReason | None = None
    """Where it was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionQueued(RecorderEvent):
    """Exactly one for each kept segment, once its sound file is complete."""

    event: Literal["TranscriptionQueued"] = field(default="TranscriptionQueued", repr=False)
    segment_index: int
    wav_path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionComplete(RecorderEvent):
    """Exactly one for each queued segment and revision, also where every attempt failed."""

    event: Literal["TranscriptionComplete"] = field(default="TranscriptionComplete", repr=False)
    segment_index: int
    text: str
    success: bool
    error: EventError | None
    processing_time_sec: float
    words: tuple[Word, ...]
    no_speech_probability: float | None
    suspect: bool
    """The engine's own evidence says that the text may be invented."""
    revision: int
    phrases: tuple[DetectedPhrase, ...]
    edited: bool = False
    """A person wrote the text; in JSON only where it is true."""
    suspect_reason: str = ""
    annotations: tuple[str, ...] = ()
    """What the engine wrote beside words, taken out of the text: "[BLANK_AUDIO]"."""
    engine: str = ""
    model: str = ""
    language: str = ""
    """Of the text, BCP 47; empty where the engine does not report it."""
    replacements: tuple[Replacement, ...] = ()
    """Fixed corrections in `text`, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionLanguageChosen(RecorderEvent):
    """The language of the session was decided, since its first texts agree: all further segments are transcribed in it.
    At most one a session, and only with `transcription_language="auto"`."""

    event: Literal["TranscriptionLanguageChosen"] = field(default="TranscriptionLanguageChosen", repr=False)
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCommandDetected(RecorderEvent):
    event: Literal["NoteCommandDetected"] = field(default="NoteCommandDetected", repr=False)
    segment_index: int
    command: NoteCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTitleCaptured(RecorderEvent):
    event: Literal["NoteTitleCaptured"] = field(default="NoteTitleCaptured", repr=False)
    segment_index: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCompleted(RecorderEvent):
    event: Literal["NoteCompleted"] = field(default="NoteCompleted", repr=False)
    title: str
    text: str
    segments: tuple[int, ...]
    path: Path
    revision: int  #: 0 for the note as it was spoken; later ones follow revised texts
    late: bool = False
    """Its start has a text only since the recording ended: no other note event reports it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCancelled(RecorderEvent):
    event: Literal["NoteCancelled"] = field(default="NoteCancelled", repr=False)
    title: str
    text: str
    segments: tuple[int, ...]
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioGap(RecorderEvent):
    """Frames that the clock counts and that were not recorded. Emitted when the gap has ended."""

    event: Literal["AudioGap"] = field(default="AudioGap", repr=False)
    start_frame: int
    frames: int
    reason: GapReason


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged(RecorderEvent):
    event: Literal["DeviceChanged"] = field(default="DeviceChanged", repr=False)
    device: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus(RecorderEvent):
    event: Literal["WorkerStatus"] = field(default="WorkerStatus", repr=False)
    worker: str
    state: WorkerState
    reason: str
    code: str = ""
    """Of what went wrong, as in `RecorderFault.code`; otherwise empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderFault(RecorderEvent):
    """Every failure is reported by this event."""

    event: Literal["RecorderFault"] = field(default="RecorderFault", repr=False)
    code: str
    message: str
    recoverable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionPartial(RecorderEvent):
    """Ephemeral: the text so far of a segment that is still being spoken."""

    event: Literal["TranscriptionPartial"] = field(default="TranscriptionPartial", repr=False)
    segment_index: int
    text: str
    stable_chars: int
    """How many bytes of `text` in UTF-8, not characters, will not change any more: see `stable_text`."""

    @property
    def stable_text(self) -> str:
        """The beginning of `text` that will not change any more."""
        return self.text.encode()[: self.stable_chars].decode(errors="ignore")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioLevel(RecorderEvent):
    """Ephemeral, as often as `events_level_hz` says."""

    event: Literal["AudioLevel"] = field(default="AudioLevel", repr=False)
    rms_dbfs: float
    peak_dbfs: float
    speech_probability: float
    silence_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus(RecorderEvent):
    """Ephemeral."""

    event: Literal["QueueStatus"] = field(default="QueueStatus", repr=False)
    queued_jobs: int
    completed_transcriptions: int
    oldest_sec: float


AnyEvent: typing.TypeAlias = (
    RecordingStateChanged
    | VADModeChanged
    | SpeechDetected
    | SpeechEnded
    | TranscriptionQueued
    | TranscriptionComplete
    | NoteCommandDetected
    | NoteTitleCaptured
    | NoteCompleted
    | NoteCancelled
    | AudioGap
    | DeviceChanged
    | WorkerStatus
    | RecorderFault
    | TranscriptionLanguageChosen
    | TranscriptionPartial
    | AudioLevel
    | QueueStatus
)
"""Each of them, distinguished by `event`: for an exhaustive `match`, for a callback, and as a model of pydantic's."""


def _plain(value: object) -> object:
    """What json.dumps takes."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _reader(kind: Any) -> Callable[[Any], Any]:
    """From what JSON has to a field of that type; the inverse of `_plain`."""
    if kind is bool:
        return bool
    if kind is float:
        return lambda value: math.nan if value is None else float(value)
    if typing.get_origin(kind) is tuple:
        item = _reader(typing.get_args(kind)[0])
        return lambda value: tuple(item(each) for each in value or ())
    if typing.get_origin(kind) is types.UnionType:
        inner = _reader(next(each for each in typing.get_args(kind) if each is not types.NoneType))
        return lambda value: None if value is None else inner(value)
    if dataclasses.is_dataclass(kind):
        names = [each.name for each in dataclasses.fields(kind)]
        make = typing.cast(Callable[..., object], kind)
        return lambda value: make(**{name: value[name] for name in names})
    if kind is Path or issubclass(kind, enum.Enum):
        return typing.cast(Callable[[Any], Any], kind)
    return lambda value: value


_CLASSES: dict[str, type[AnyEvent]] = {cls.__name__: cls for cls in typing.get_args(AnyEvent)}
_OPTIONAL = {
    cls: {each.name for each in dataclasses.fields(cls) if each.default is not dataclasses.MISSING}
    for cls in _CLASSES.values()
}
_READERS = {
    cls: {name: _reader(kind) for name, kind in typing.get_type_hints(cls).items() if name != "event"}
    for cls in _CLASSES.values()
}
