"""Texts without events: `texts`, `on_text`, `wait_for_text`, `transcribe`; and events pulled by the blocking flavour."""

import asyncio
import logging
import pathlib
import threading
from collections.abc import Callable

import pytest

import dictum
from conftest import SAMPLE, SAMPLE_TEXTS, example

Simulated = Callable[..., dictum.Settings]


def test_texts_of_the_awaited_flavour_end_with_the_recording(simulated: Simulated) -> None:
    async def main() -> list[str]:
        backend = dictum.AsyncRecorderBackend(**simulated(pace="fast"))
        texts = backend.texts()
        await backend.start_recording()
        return [text async for text in texts]

    assert asyncio.run(asyncio.wait_for(main(), 60)) == SAMPLE_TEXTS


def test_texts_of_the_blocking_flavour_end_with_the_recording(simulated: Simulated) -> None:
    backend = dictum.RecorderBackend(**simulated(pace="fast"))
    texts = backend.texts()
    backend.start_recording()
    assert list(texts) == SAMPLE_TEXTS


def test_texts_end_where_nothing_is_transcribed(simulated: Simulated) -> None:
    settings = simulated(pace="fast")
    settings["transcription_transcriber"] = "none"
    backend = dictum.RecorderBackend(**settings)
    texts = backend.texts()
    backend.start_recording()
    assert list(texts) == []


def test_on_text_is_called_with_each_text(simulated: Simulated) -> None:
    async def main() -> list[str]:
        called_with: list[str] = []

        async def on_text(text: str) -> None:
            await asyncio.sleep(0)
            called_with.append(text)

        backend = dictum.AsyncRecorderBackend(on_text=on_text, **simulated(pace="fast"))
        texts = backend.texts()
        await backend.start_recording()
        async for _ in texts:
            pass
        await backend.stop_recording()
        return called_with

    assert asyncio.run(asyncio.wait_for(main(), 60)) == SAMPLE_TEXTS


def test_on_text_and_a_callback_for_events_are_both_called(simulated: Simulated) -> None:
    texts: list[str] = []
    names: list[str] = []
    backend = dictum.RecorderBackend(
        lambda event: names.append(event.event), on_text=texts.append, **simulated(pace="fast")
    )
    all_texts = backend.texts()
    backend.start_recording()
    list(all_texts)
    backend.stop_recording()
    assert texts == SAMPLE_TEXTS
    assert "SpeechEnded" in names


def test_what_is_no_callback_for_texts_is_refused() -> None:
    with pytest.raises(dictum.InvalidArgumentError, match="on_text"):
        dictum.RecorderBackend(on_text="print")  # type: ignore[arg-type]


def test_wait_for_text_gives_the_next_text(simulated: Simulated) -> None:
    async def main() -> str:
        backend = dictum.AsyncRecorderBackend(**simulated(pace="fast"))
        waiting = asyncio.ensure_future(backend.wait_for_text())
        await asyncio.sleep(0)
        await backend.start_recording()
        return await waiting

    assert asyncio.run(asyncio.wait_for(main(), 60)) == SAMPLE_TEXTS[0]


def test_wait_for_text_of_the_blocking_flavour_has_a_time_limit(simulated: Simulated) -> None:
    backend = dictum.RecorderBackend(**simulated())
    with pytest.raises(dictum.TimedOutError):
        backend.wait_for_text(timeout_sec=0.01)  # nothing is recorded


def test_wait_for_text_raises_where_the_recording_ends_without_one(simulated: Simulated) -> None:
    async def main() -> str:
        settings = simulated(pace="fast")
        settings["transcription_transcriber"] = "none"
        backend = dictum.AsyncRecorderBackend(**settings)
        waiting = asyncio.ensure_future(backend.wait_for_text())
        await asyncio.sleep(0)
        await backend.start_recording()
        return await waiting

    with pytest.raises(dictum.InvalidStateError, match="no further text"):
        asyncio.run(asyncio.wait_for(main(), 60))


def test_the_blocking_flavour_gives_its_events_one_by_one(simulated: Simulated) -> None:
    backend = dictum.RecorderBackend(**simulated(pace="fast"))
    with backend.events() as events:
        backend.start_recording()
        first = next(events)
    assert isinstance(first, dictum.RecordingStateChanged)
    assert list(events) == []  # closed
    backend.stop_recording(0)


def test_a_stop_inside_a_loop_over_events_does_not_wait_for_that_loop(simulated: Simulated) -> None:
    backend = dictum.RecorderBackend(**simulated(pace="fast"))
    with backend.events() as events:
        backend.start_recording()
        for _ in events:
            backend.stop_recording(0)
            break
    assert not backend.is_recording


def test_closing_a_stream_wakes_the_thread_that_waits_for_its_events(simulated: Simulated) -> None:
    events = dictum.RecorderBackend(**simulated()).events()
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (list(events), ended.set()))
    thread.start()
    events.close()
    assert ended.wait(10)
    thread.join()


def test_transcribe_gives_the_text_of_a_file_and_leaves_nothing(
    simulated: Simulated, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = simulated()
    del settings["session_root"], settings["capture_input"], settings["capture_pace"]  # type: ignore[misc]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert dictum.transcribe(SAMPLE, **settings) == "\n".join(SAMPLE_TEXTS)
    assert list(scratch.iterdir()) == []


def test_transcribe_names_a_file_that_is_missing() -> None:
    with pytest.raises(dictum.InputNotFoundError, match=r"missing\.wav"):
        dictum.transcribe("missing.wav", transcription_transcriber="none")


def test_faults_are_logged_also_without_a_callback(
    simulated: Simulated, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(SAMPLE.read_bytes()[:100_000])  # the header promises more
    with caplog.at_level(logging.INFO, logger="dictum"):
        backend = dictum.RecorderBackend(**simulated(pace="fast", input=cut))
        faults = []
        with backend.events() as events:
            backend.start_recording()
            for event in events:
                if isinstance(event, dictum.RecorderFault):
                    faults.append(event)
                if isinstance(event, dictum.RecordingStateChanged) and not event.is_recording:
                    break
        backend.stop_recording()
    assert faults
    assert any(faults[0].message in record.getMessage() for record in caplog.records)
    assert {record.name for record in caplog.records} == {"dictum"}


def test_the_example_dictates_a_file_and_writes_subtitles(
    simulated: Simulated, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = simulated()["transcription_simulated_script"]
    config = tmp_path / "config.toml"
    config.write_text(f'[transcription]\ntranscriber = "simulated"\n[transcription.simulated]\nscript = "{script}"\n')
    monkeypatch.setenv("DICTUM_CONFIG", str(config))
    assert example("dictate").main(SAMPLE, tmp_path / "sessions") == 0
    assert capsys.readouterr().out.splitlines()[: len(SAMPLE_TEXTS)] == SAMPLE_TEXTS
    assert "-->" in (tmp_path / "sessions/subtitles.srt").read_text()
