"""A transcriber of your own: a function from a segment of sound to its text, made a worker by a decorator.

    #!/usr/bin/env python3
    from dictum.worker import Segment, worker

    @worker
    def transcribe(segment: Segment) -> str:
        return f"{segment.duration_sec:.1f} seconds of sound"

    if __name__ == "__main__":
        transcribe.run()

Installed as an executable `dictum-worker-NAME` on PATH, it is the transcriber NAME. It runs in a process of its own, so
it may be slow, crash or take all its memory without harm to the recorder.
"""

import argparse
import json
import os
import queue
import struct
import threading
import wave
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast, overload

from .events import DetectedPhrase, Word

_PROTOCOL = 1
_LARGEST_FRAME = 16 << 20

Model = TypeVar("Model")


class WorkerError(Exception):
    """Raise it where a segment cannot be transcribed: a code for programs, a sentence for people."""

    def __init__(self, message: str, code: str = "transcription_failed") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Segment:
    """What is to be transcribed: a range of a mono 16-bit WAV file, which may still be growing behind it."""

    wav: Path
    start_frame: int
    end_frame: int
    sample_rate: int
    language: str = ""
    """BCP 47; empty: the engine's own choice."""
    prompt: str = ""
    """What was said before."""
    phrases: tuple[str, ...] = ()
    """What is worth listening for."""
    vocabulary: tuple[str, ...] = ()
    """Names and terms that are likely to be said; the first count most."""
    interim: bool = False
    """A quick text of a segment that is still being spoken is enough."""
    session: str = ""
    segment_index: int = 0
    attempt: int = 1
    _cancelled: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @property
    def duration_sec(self) -> float:
        return (self.end_frame - self.start_frame) / self.sample_rate

    def pcm16(self) -> bytes:
        """The samples: 16-bit, little-endian, mono."""
        with wave.open(str(self.wav), "rb") as sound:
            sound.setpos(self.start_frame)
            return sound.readframes(self.end_frame - self.start_frame)

    def is_cancelled(self) -> bool:
        """The text is no longer needed: a function that can stop early may."""
        return self._cancelled.is_set()


@dataclass(frozen=True)
class Transcript:
    """What a function may return instead of a text. Frames count from the file's first, at its own rate."""

    text: str
    words: tuple[Word, ...] = ()
    phrases: tuple[DetectedPhrase, ...] = ()
    no_speech_probability: float | None = None
    suspect: bool = False
    """The text may be invented."""


class Worker(Generic[Model]):
    """A function as a worker. Called, it is the function. Made by `worker`."""

    def __init__(
        self, function: Callable[..., str | Transcript], engine: str, load: Callable[[str | None], Model] | None
    ) -> None:
        self._function = function
        self._engine = engine
        self._load = load
        self.__doc__ = function.__doc__

    def __call__(self, *arguments: Any) -> str | Transcript:
        return self._function(*arguments)

    def run(self) -> None:
        """Serves the recorder that started this program, until it is asked to end. The function runs here, on the main
        thread; another answers the recorder meanwhile."""
        parser = argparse.ArgumentParser(description=self.__doc__)
        parser.add_argument("--model", help="what the user named as the model")
        model_name = parser.parse_args().model
        channel = _Channel()
        arguments = []
        if self._load is not None:
            try:
                arguments = [self._load(model_name)]
            except Exception as problem:
                code = getattr(problem, "code", "model_missing")
                channel.send(type="error", code=code, message=_sentence(problem), fatal=True)
                return
        channel.send(type="hello", protocol=_PROTOCOL, engine=self._engine, model=model_name or "")
        jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(channel, jobs), daemon=True).start()
        while (job := jobs.get()) is not None:
            self._answer(job, channel, arguments)

    def _answer(self, job: "_Job", channel: "_Channel", arguments: list[Model]) -> None:
        try:
            result = self._function(job.segment(), *arguments)
        except Exception as problem:
            code = getattr(problem, "code", "transcription_failed")
            channel.send(type="error", id=job.id, code=code, message=_sentence(problem))
            return
        transcript = Transcript(result) if isinstance(result, str) else result
        channel.send(type="result", id=job.id, **asdict(transcript))


@overload
def worker(function: Callable[[Segment], str | Transcript], /) -> Worker[None]: ...
@overload
def worker(*, engine: str = "") -> Callable[[Callable[[Segment], str | Transcript]], Worker[None]]: ...
@overload
def worker(
    *, engine: str = "", load: Callable[[str | None], Model]
) -> Callable[[Callable[[Segment, Model], str | Transcript]], Worker[Model]]: ...
def worker(
    function: Callable[..., str | Transcript] | None = None,
    /,
    *,
    engine: str = "",
    load: Callable[[str | None], Any] | None = None,
) -> Any:
    """Makes a worker of a function.

    `engine`: its name for people. `load`: called once, before the first segment, with the model that the user named (or
    None); what it returns is the function's second argument.
    """

    def decorate(plain: Callable[..., str | Transcript]) -> Worker[Any]:
        return Worker(plain, engine or plain.__name__, load)

    return decorate if function is None else decorate(function)


class _Job:
    def __init__(self, message: Mapping[str, Any]) -> None:
        self.id: int = message["id"]
        self.cancelled = threading.Event()
        self._message = message

    def segment(self) -> Segment:
        said = self._message
        try:
            with wave.open(said["wav"], "rb") as sound:
                rate, frames = sound.getframerate(), sound.getnframes()
        except (OSError, EOFError, wave.Error) as problem:
            raise WorkerError(f"{said['wav']}: {_sentence(problem)}", "input_unreadable") from problem
        end = said.get("end_frame")
        return Segment(
            wav=Path(said["wav"]),
            start_frame=said.get("start_frame") or 0,
            end_frame=frames if end is None else end,
            sample_rate=rate,
            language=said.get("language") or "",
            prompt=said.get("prompt") or "",
            phrases=tuple(said.get("phrases") or ()),
            vocabulary=tuple(said.get("vocabulary") or ()),
            interim=bool(said.get("interim")),
            session=said.get("session") or "",
            segment_index=said.get("segment_index") or 0,
            attempt=said.get("attempt") or 1,
            _cancelled=self.cancelled,
        )


class _Channel:
    """Frames to and from the recorder, moved away from descriptors 0 and 1, where libraries read and print."""

    def __init__(self) -> None:
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._sending = threading.Lock()

    def send(self, **message: object) -> None:
        text = json.dumps(message).encode()
        with self._sending:
            self._out.write(struct.pack("<I", len(text)) + text)
            self._out.flush()

    def receive(self) -> dict[str, Any] | None:
        """None at the end."""
        header = self._in.read(4)
        if len(header) < 4:
            return None
        (size,) = struct.unpack("<I", header)
        text = self._in.read(size) if size <= _LARGEST_FRAME else b""
        return cast(dict[str, Any], json.loads(text)) if len(text) == size else None


def _listen(channel: _Channel, jobs: "queue.SimpleQueue[_Job | None]") -> None:
    current: _Job | None = None
    while (message := channel.receive()) is not None and message["type"] != "shutdown":
        match message["type"]:
            case "ping":
                channel.send(type="pong", nonce=message["nonce"])
            case "job":
                current = _Job(message)
                jobs.put(current)
            case "cancel" if current is not None and current.id == message["id"]:
                current.cancelled.set()
    jobs.put(None)


def _sentence(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__
