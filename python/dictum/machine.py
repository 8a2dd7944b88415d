"""What this machine has to choose from. Everything here asks the system, so it blocks."""

import json
from dataclasses import dataclass
from pathlib import Path

from ._native import core
from ._signatures import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device to record from."""

    id: str
    """For `capture_device`; stays the same over restarts and replugging."""
    name: str
    """What the sound system calls it."""
    description: str
    """For people."""
    channels: int
    sample_rate: int
    """Its own, in hertz."""
    is_default: bool
    is_monitor: bool
    """It records what the machine plays; not a microphone."""
    is_muted: bool
    """The sound system silences it: muted, or its volume is 0."""
    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledTranscriber:
    name: str
    """For `transcription_transcriber`."""
    executable: Path
    is_auto: bool
    """The setting "auto" stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    name: str
    """For `transcription_model`, with the transcriber "whisper"."""
    path: Path


@plain
def list_devices(backend: str = "auto") -> list[Device]:
    """The devices to record from. Raises DeviceLostError where no sound server answers."""
    return [Device(**each) for each in json.loads(core.list_devices(backend))]


def list_transcribers() -> list[InstalledTranscriber]:
    """The transcribers that are installed, by name."""
    return [
        InstalledTranscriber(name=each["name"], executable=Path(each["executable"]), is_auto=each["is_auto"])
        for each in json.loads(core.list_transcribers())
    ]


def list_models() -> list[Model]:
    """The speech models that are installed; `dictum models list` has those that can be."""
    return [Model(name=each["name"], path=Path(each["path"])) for each in json.loads(core.list_models())]
