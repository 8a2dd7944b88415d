"""Sessions on disk, search and notes."""

import datetime
import json
import pathlib
import time
from collections.abc import Callable

import pytest

import dictum
from conftest import SAMPLE_TEXTS, wait_until

Simulated = Callable[..., dictum.Settings]


@pytest.fixture
def session(simulated: Simulated, root: pathlib.Path) -> dictum.Session:
    with dictum.RecorderBackend(**simulated(pace="fast")) as backend:
        wait_until(lambda: backend.state == "idle")
        backend.wait_until_idle()
    return dictum.find_session("last", root)


def test_a_session_gives_its_transcript(session: dictum.Session, root: pathlib.Path) -> None:
    assert session.text.splitlines() == SAMPLE_TEXTS
    assert [segment.text for segment in session.segments] == SAMPLE_TEXTS
    assert all(segment.path is not None and segment.path.is_file() for segment in session.segments)
    assert session.sample_rate == 16000
    assert not session.is_open
    assert session.problem == ""
    assert session.problems() == []
    assert session.size_bytes > 100_000
    assert abs(session.started_at - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=5)
    assert dictum.list_sessions(root) == [session] == [dictum.find_session(session.name, root)]


def test_its_journal_is_events(session: dictum.Session) -> None:
    events = list(session.events())
    assert [event.sequence for event in events] == list(range(len(events)))
    assert isinstance(events[0], dictum.RecordingStateChanged)
    with (session.path / "events.jsonl").open("a") as journal:
        journal.write('{"event":"MoodChanged","session":"x","sequence":99,"timestamp":0,"frame":0}\n{"event":"Spee')
    assert list(session.events()) == events


def test_a_note_is_markdown(session: dictum.Session, root: pathlib.Path) -> None:
    (note,) = session.notes
    assert note.title == "shopping list"
    assert note.segments == (2, 3, 4)
    assert "# shopping list" in note.read()
    assert dictum.list_notes(root) == [note]


def test_search_finds_words_beginnings_and_phrases(session: dictum.Session, root: pathlib.Path) -> None:
    (hit,) = dictum.search("bread", scope="segments", root=root)
    assert hit.session == session.path
    assert [hit.text[begin:end] for begin, end in hit.marks] == ["bread"]
    assert hit.start_sec == pytest.approx(94720 / 16000)
    assert hit.segment_index == 2
    assert {hit.segment_index for hit in dictum.search("sho*", scope="segments", root=root)} == {1, 3}
    assert dictum.search('"bread some"', root=root) == []
    (note,) = dictum.search("coffee", scope="notes", root=root)
    assert note.note_title == "shopping list"
    assert note.note_path is not None and note.note_path.is_file()
    assert len(dictum.search(root=root, scope="segments")) == len(SAMPLE_TEXTS)
    assert len(dictum.search(root=root, limit=2)) == 2
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    assert dictum.search("bread", since=tomorrow, root=root) == []
    assert dictum.search("bread", before=tomorrow, session=session.name, root=root) != []
    assert dictum.search("bread", since=datetime.datetime.max, root=root) == []
    assert dictum.search("bread", before=datetime.datetime.max, root=root) != []
    with pytest.raises(dictum.InvalidArgumentError):
        dictum.search("bread", scope="dreams", root=root)  # type: ignore[arg-type]
    with pytest.raises(dictum.InvalidArgumentError):
        dictum.search("bread", limit=-1, root=root)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_the_ends_of_the_calendar_are_moments_in_every_zone(
    zone: str, root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", zone)
        time.tzset()
        assert dictum.search("bread", since=datetime.datetime.max, root=root) == []
        assert dictum.search("bread", before=datetime.datetime.min, root=root) == []
    time.tzset()


def test_marks_count_characters(simulated: Simulated, root: pathlib.Path) -> None:
    settings = simulated(pace="fast")
    pathlib.Path(settings["transcription_simulated_script"]).write_text(json.dumps({"texts": ["größere Brötchen"]}))
    with dictum.RecorderBackend(**settings) as backend:
        wait_until(lambda: backend.state == "idle")
        backend.wait_until_idle()
    (hit,) = dictum.search("brotchen", root=root)
    assert [hit.text[begin:end] for begin, end in hit.marks] == ["Brötchen"]


def test_a_deleted_session_is_gone(session: dictum.Session, root: pathlib.Path) -> None:
    session.delete()
    assert dictum.list_sessions(root) == []
    with pytest.raises(dictum.InputNotFoundError):
        dictum.find_session("last", root)


def test_a_damaged_session_is_listed_with_its_problem(session: dictum.Session, root: pathlib.Path) -> None:
    (session.path / "manifest.json").write_text("{")
    (damaged,) = dictum.list_sessions(root)
    assert damaged.problem
    assert damaged.problems()
    assert dictum.list_notes(root) == []


def test_the_root_is_that_of_the_configuration(
    session: dictum.Session, root: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dictum.list_sessions() == []
    (tmp_path / "dictum.toml").write_text(f'[session]\nroot = "{root}"\n')
    monkeypatch.setenv("DICTUM_CONFIG", str(tmp_path / "dictum.toml"))
    assert dictum.list_sessions() == [session]


def test_a_session_is_exported(session: dictum.Session, tmp_path: pathlib.Path) -> None:
    assert session.export(tmp_path / "said.txt") == []
    assert (tmp_path / "said.txt").read_text().lower().count("coffee") == 1
    session.export(tmp_path / "subtitles", format="srt")
    assert "-->" in (tmp_path / "subtitles").read_text()
    with pytest.raises(dictum.OutputUnwritableError, match=r"said\.txt"):
        session.export(tmp_path / "said.txt")
    with pytest.raises(dictum.InvalidArgumentError, match="doc"):
        session.export(tmp_path / "said", format="doc")  # type: ignore[arg-type]


def test_an_edited_text_is_the_session_s(session: dictum.Session, root: pathlib.Path) -> None:
    assert session.segments[0].text == SAMPLE_TEXTS[0]
    session.edit(session.segments[0].index, "corrected by hand")
    assert session.segments[0].text == "corrected by hand"
    assert dictum.find_session("last", root).segments[0].text == "corrected by hand"
    with pytest.raises(dictum.InvalidArgumentError):
        session.edit(99, "nowhere")


def test_a_session_is_transcribed_again_but_for_what_a_person_wrote(
    session: dictum.Session, simulated: Simulated, tmp_path: pathlib.Path
) -> None:
    session.edit(session.segments[0].index, "corrected by hand")
    settings = simulated()
    script = tmp_path / "again.json"
    script.write_text(json.dumps({"texts": [f"{text} again" for text in SAMPLE_TEXTS]}))
    settings["transcription_simulated_script"] = script
    session.retranscribe(**settings)
    assert session.segments[0].text == "corrected by hand"
    assert session.segments[1].text == f"{SAMPLE_TEXTS[1]} again"
    session.retranscribe(replace_edits=True, **settings)
    assert session.segments[0].text == f"{SAMPLE_TEXTS[0]} again"


def test_a_session_is_a_dictionary_for_json(session: dictum.Session) -> None:
    read = json.loads(json.dumps(session.to_dict()))
    assert read["name"] == session.name
    assert [segment["text"] for segment in read["segments"]] == SAMPLE_TEXTS
    assert read["notes"][0]["title"] == session.notes[0].title
    assert read["started_at"] == session.started_at.isoformat()
