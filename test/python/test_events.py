"""Events, settings and errors: the names that other programs go by."""

import dataclasses
import json
import pickle
import typing
from typing import Annotated

import pytest

import dictum
from conftest import SAMPLE, wait_until
from dictum._native import core
from dictum.errors import make_error

EVENTS = typing.get_args(dictum.AnyEvent)
ENVELOPE = {"session": "20261122_154501", "sequence": 7, "timestamp": 1795363501.25, "frame": 123456}

COMPLETE = {
    "event": "TranscriptionComplete",
    **ENVELOPE,
    "segment_index": 2,
    "text": "hello",
    "success": False,
    "error": {"code": "worker_died", "message": "It died."},
    "processing_time_sec": 0.5,
    "words": [{"text": "hello", "start_frame": 1, "end_frame": 2, "confidence": 0.75}],
    "no_speech_probability": None,
    "suspect": True,
    "revision": 1,
    "phrases": [{"phrase": "end note", "confidence": 0.5, "start_frame": 3, "end_frame": 4}],
    "annotations": ["[BLANK_AUDIO]"],
    "engine": "whisper.cpp 1.9.3",
    "language": "en",
    "replacements": [{"written": "cube control", "meant": "kubectl"}],
}


def test_the_stable_text_of_a_partial_one_is_counted_in_bytes_of_utf8() -> None:
    event = dictum.RecorderEvent.from_dict(
        {
            "event": "TranscriptionPartial",
            **ENVELOPE,
            "segment_index": 2,
            "text": "naïve Wörter und",
            "stable_chars": 14,
        }
    )
    assert isinstance(event, dictum.TranscriptionPartial)
    assert event.stable_text == "naïve Wörter"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[dictum.RecorderEvent]:
    """The events of a real session."""
    received: list[dictum.RecorderEvent] = []
    backend = dictum.RecorderBackend(
        received.append,
        capture_input=SAMPLE,
        capture_pace="fast",
        events_level_hz=20,
        session_root=tmp_path_factory.mktemp("sessions"),
        transcription_transcriber="simulated",
    )
    with backend:
        wait_until(lambda: backend.state == dictum.RecordingState.IDLE)
        backend.wait_until_idle()
    return received


def test_what_is_recorded_survives_json_and_pickle(recorded: list[dictum.RecorderEvent]) -> None:
    assert len({type(event) for event in recorded}) > 6
    for event in recorded:
        assert dictum.RecorderEvent.from_dict(json.loads(json.dumps(event.to_dict()))) == event
        assert pickle.loads(pickle.dumps(event)) == event
        assert hash(event) == hash(pickle.loads(pickle.dumps(event)))


def test_a_journal_line_becomes_the_same_dictionary_again(recorded: list[dictum.RecorderEvent]) -> None:
    assert dictum.RecorderEvent.from_dict(COMPLETE).to_dict() == COMPLETE


def test_nested_values_have_types_of_their_own() -> None:
    event = dictum.RecorderEvent.from_dict(COMPLETE)
    assert isinstance(event, dictum.TranscriptionComplete)
    assert event.words == (dictum.Word("hello", 1, 2, 0.75),)
    assert event.error == dictum.EventError("worker_died", "It died.")
    assert "TranscriptionComplete(" in repr(event)


def test_events_can_be_matched() -> None:
    match dictum.RecorderEvent.from_dict(COMPLETE):
        case dictum.TranscriptionComplete(segment_index=index, success=False, error=dictum.EventError(code=code)):
            assert (index, code) == (2, "worker_died")
        case other:
            pytest.fail(f"not matched: {other}")


def test_fields_of_a_newer_version_are_passed_over() -> None:
    assert dictum.RecorderEvent.from_dict({**COMPLETE, "mood": "good"}).to_dict() == COMPLETE


def test_an_event_of_a_newer_version_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        dictum.RecorderEvent.from_dict({"event": "MoodChanged", **ENVELOPE})


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_is_a_frozen_recorder_event(event: type[dictum.RecorderEvent]) -> None:
    assert issubclass(event, dictum.RecorderEvent)
    assert {"session", "sequence", "timestamp", "frame"} <= {field.name for field in dataclasses.fields(event)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.__new__(event).frame = 1  # type: ignore[misc]


def test_the_settings_are_those_of_the_core() -> None:
    assert set(dictum.Settings.__annotations__) == {name for name, _, _ in core.list_settings()}


@pytest.mark.parametrize("name, default, _", core.list_settings(), ids=lambda value: str(value)[:40])
def test_every_setting_takes_its_default_but_no_empty_text(name: str, default: object, _: str) -> None:
    if default == "" and name != "retention_older_than":
        with pytest.raises(dictum.ConfigInvalidError, match="is empty"):
            dictum.RecorderBackend(**{name: default})  # type: ignore[misc]
    else:
        dictum.RecorderBackend(**{name: default})  # type: ignore[misc]


def test_a_misspelt_setting_names_the_nearest() -> None:
    with pytest.raises(dictum.ConfigInvalidError, match="vad_threshold"):
        dictum.RecorderBackend(vad_thresold=0.5)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [3, -1, "loud", None, object(), 10**30, [1]])
def test_a_wrong_value_is_refused(value: object) -> None:
    with pytest.raises(dictum.ConfigInvalidError, match="vad_threshold"):
        dictum.AsyncRecorderBackend(vad_threshold=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", [dictum.RecorderBackend, dictum.AsyncRecorderBackend])
def test_what_cannot_be_called_or_subscribed_to_is_refused_at_once(backend: type[dictum.RecorderBackend]) -> None:
    with pytest.raises(dictum.InvalidArgumentError, match="event_callback"):
        backend(42)  # type: ignore[arg-type]
    with pytest.raises(dictum.InvalidArgumentError, match="PushSource"):
        backend(source="microphone")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", dictum.ErrorCode)
def test_every_code_has_an_error_of_its_own(code: dictum.ErrorCode) -> None:
    error = make_error(code, "This is wrong: do that.")
    assert isinstance(error, dictum.RecorderError)
    assert (error.code, str(error)) == (code, "This is wrong: do that.")


def test_errors_are_what_python_users_expect(root: object) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        dictum.RecorderBackend(capture_input="/nowhere.wav", session_root=str(root)).start_recording()
    assert isinstance(caught.value, dictum.RecorderError)
    assert caught.value.code == "input_not_found"


def test_an_event_is_told_apart_by_its_name() -> None:
    pydantic = pytest.importorskip("pydantic")
    reader = pydantic.TypeAdapter(Annotated[dictum.AnyEvent, pydantic.Field(discriminator="event")])
    event = dictum.SpeechEnded(
        session="s", sequence=1, timestamp=2.0, frame=3, segment_index=0, duration_sec=1.0, kept=True, start_frame=0,
        end_frame=9,
    )  # fmt: skip
    assert event.event == "SpeechEnded"
    assert reader.validate_python(event.to_dict()) == event
    with pytest.raises(pydantic.ValidationError):
        reader.validate_python({**event.to_dict(), "event": "NoSuchEvent"})
