"""Sessions on disk: to look at, to search, to delete. Everything here reads files, so it blocks."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Unpack

from ._native import core
from ._signatures import plain
from .events import AnyEvent, RecorderEvent
from .settings import Settings

Root = str | PathLike[str] | None
"""The folder of the sessions; None: where the configuration says."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A spoken segment, as the manifest has it. Frames count from the session's start, gaps included."""

    index: int
    path: Path | None
    """The sound file; None where the segment was not kept."""
    start_frame: int
    end_frame: int
    speech_start_frame: int
    speech_end_frame: int
    status: Literal["recording", "queued", "done", "failed", "skipped", "discarded"]
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    title: str
    path: Path
    """A Markdown file."""
    segments: tuple[int, ...]

    def read(self) -> str:
        """The Markdown."""
        return self.path.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Session:
    """One recording. What its files say is read when it is first asked for, and then stays as it was."""

    path: Path
    problem: str
    """What is wrong with it, one sentence; empty where all is well."""
    is_open: bool
    """Somebody records it, or works on it."""

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Everything that is known of the session, as it stands in its `manifest.json`."""
        read: dict[str, Any] = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        return read

    @property
    def started_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["started_at"])

    @property
    def sample_rate(self) -> int:
        return int(self.manifest["sample_rate"])

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(
            Segment(
                index=each["index"],
                path=self.path / each["file"] if each["file"] else None,
                start_frame=each["start_frame"],
                end_frame=each["end_frame"],
                speech_start_frame=each["speech_start_frame"],
                speech_end_frame=each["speech_end_frame"],
                status=each["status"],
                text=each["text"],
            )
            for each in self.manifest["segments"]
        )

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        return tuple(
            Note(title=each["title"], path=self.path / each["path"], segments=tuple(each["segments"]))
            for each in self.manifest["notes"]
        )

    @property
    def text(self) -> str:
        """What was said, a line a segment, in the order of speech."""
        return "\n".join(segment.text for segment in self.segments if segment.text)

    @property
    def size_bytes(self) -> int:
        return core.size_of(self.path)

    def events(self) -> Iterator[AnyEvent]:
        """The journal: everything that happened. Paths in it are relative to the session. Events of newer versions, and
        a last line that is still being written, are passed over."""
        with (self.path / "events.jsonl").open(encoding="utf-8") as journal:
            for line in journal:
                if line.endswith("\n"):
                    try:
                        yield RecorderEvent.from_json(line)
                    except KeyError:
                        continue

    def problems(self) -> list[str]:
        """Everything that is wrong with the session's files, looked at closely. Nothing is changed."""
        return core.problems_of(self.path)

    def export(
        self,
        file: str | PathLike[str],
        *,
        format: Literal["txt", "srt", "vtt", "json", "md", "wav", "flac"] | None = None,
        revision: int | None = None,
        whole_timeline: bool = False,
    ) -> list[str]:
        """Writes the session to a new file, in the format of its extension or in `format`: text, subtitles or sound.
        `revision`: each text is the newest that is not newer than that. `whole_timeline`, of sound: with silence in place
        of what was not kept. Returns what is missing in the file, a sentence each. Raises OutputUnwritableError also
        where the file exists."""
        return _export(self.path, Path(file), format or "", revision, whole_timeline)

    def edit(self, segment: int, text: str) -> None:
        """Corrects a segment's text by hand, as a new revision: the old texts and the sound stay. This object then has
        the new text."""
        _edit(self.path, segment, text)
        self._forget()

    def retranscribe(self, *, replace_edits: bool = False, drain_sec: float = -1, **settings: Unpack[Settings]) -> None:
        """Transcribes every segment again, each result a new revision; texts that a person wrote stay, unless
        `replace_edits` is given. Blocks until all is done, or `drain_sec` are over (negative: no limit). A segment that
        fails keeps its text. This object then has the new texts."""
        try:
            _retranscribe(self.path, dict(settings), replace_edits, drain_sec)
        finally:
            self._forget()

    def to_dict(self) -> dict[str, Any]:
        """The session, ready for `json.dumps`: what a listing or an API shows of it. `manifest` has all that is known."""
        return {
            "name": self.name,
            "path": str(self.path),
            "problem": self.problem,
            "is_open": self.is_open,
            "started_at": self.started_at.isoformat(),
            "sample_rate": self.sample_rate,
            "text": self.text,
            "segments": [_plain(segment) for segment in self.segments],
            "notes": [_plain(note) for note in self.notes],
        }

    def _forget(self) -> None:
        for name in ("manifest", "segments", "notes"):
            self.__dict__.pop(name, None)

    def delete(self) -> None:
        """Removes the session, whole."""
        core.delete_session(self.path)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A segment or a note that was found."""

    session: Path
    text: str
    marks: tuple[tuple[int, int], ...]
    """What was looked for: (begin, end) in `text`."""
    note_title: str
    """Empty where it is a segment."""
    note_path: Path | None
    segment_index: int
    start_sec: float
    """Where it was said in the session."""
    end_sec: float
    said_at: datetime


_export = plain(core.export_session)
_edit = plain(core.edit_session)
_retranscribe = plain(core.retranscribe_session)


def _plain(value: Segment | Note) -> dict[str, Any]:
    made = asdict(value)
    return {**made, "path": None if value.path is None else str(value.path)}


def list_sessions(root: Root = None) -> list[Session]:
    """Every session, oldest first; damaged ones too, with their `problem`."""
    return [_session(each) for each in json.loads(core.list_sessions(_folder(root)))]


def find_session(what: str | PathLike[str], root: Root = None) -> Session:
    """A path, a name, the beginning of just one name, or "last". Raises InputNotFoundError."""
    return _session(json.loads(core.find_session(_folder(root), str(what))))


@plain
def search(
    text: str = "",
    *,
    scope: Literal["everything", "segments", "notes"] = "everything",
    since: datetime | None = None,
    before: datetime | None = None,
    session: str = "",
    limit: int = 50,
    root: Root = None,
) -> list[SearchHit]:
    """What was said and noted, newest first. All words of `text` must be there: a word, the beginning of one
    ("trans*"), or a phrase ('"new note"'). No words find everything."""
    hits = json.loads(core.search(_folder(root), text, scope, _seconds(since), _seconds(before), session, limit))
    return [_hit(hit) for hit in hits]


def list_notes(root: Root = None) -> list[Note]:
    """Every note of every session that can be read, oldest first."""
    return [note for session in list_sessions(root) if not session.problem for note in session.notes]


def _session(read: dict[str, Any]) -> Session:
    return Session(path=Path(read["path"]), problem=read["problem"], is_open=read["is_open"])


def _hit(read: dict[str, Any]) -> SearchHit:
    session = Path(read["session"])
    rate = read["sample_rate"] or 1
    return SearchHit(
        session=session,
        text=read["text"],
        marks=tuple((begin, end) for begin, end in read["marks"]),
        note_title=read["note_title"],
        note_path=session / read["note_path"] if read["note_path"] else None,
        segment_index=read["segment_index"],
        start_sec=read["start_frame"] / rate,
        end_sec=read["end_frame"] / rate,
        said_at=datetime.fromtimestamp(read["said_at"], UTC),
    )


def _folder(root: Root) -> Path:
    return core.session_root({} if root is None else {"session_root": root})


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    try:
        return moment.timestamp()
    except (ValueError, OverflowError):  # at the ends of the calendar, where local time leaves it
        return moment.replace(tzinfo=UTC).timestamp()
