"""What the machine has to choose from, and what the package says of itself and of a mistake."""

import pathlib
import subprocess
import sys

import pytest

import dictum
from conftest import ROOT
from dictum._native import core


def test_the_transcribers_that_are_installed_are_listed() -> None:
    found = {each.name: each for each in dictum.list_transcribers()}
    assert found["simulated"].executable.is_file()
    assert sum(each.is_auto for each in found.values()) <= 1


def test_the_models_of_the_models_folder_are_listed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ggml-tiny.en.bin").write_bytes(b"")
    monkeypatch.setenv("DICTUM_MODELS_DIR", str(tmp_path))
    assert dictum.list_models() == [dictum.Model(name="tiny.en", path=tmp_path / "ggml-tiny.en.bin")]


def test_devices_are_listed_or_it_is_said_why_not(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    with pytest.raises(dictum.DeviceLostError):
        dictum.list_devices("pulse")
    with pytest.raises(dictum.InvalidArgumentError, match="back end"):
        dictum.list_devices("jack")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: dictum.PushSource("fast"),
        lambda: dictum.PushSource(16000, channels=None),
        lambda: dictum.SileroVAD(sample_rate="16 kHz"),
        lambda: dictum.list_devices(5),
        lambda: dictum.search(5),
        lambda: dictum.search("a", limit="many"),
        lambda: dictum.analyze(b"", "16000"),
    ],
)
def test_a_value_of_a_wrong_type_is_named_without_the_binding_s_signature(wrong: object) -> None:
    with pytest.raises(TypeError) as raised:
        wrong()  # type: ignore[operator]
    sentence = str(raised.value)
    assert "wrong type" in sentence
    assert "\n" not in sentence and "incompatible" not in sentence and "self" not in sentence


def test_a_setting_without_its_section_finds_its_name() -> None:
    for given, meant in (("model", "transcription_model"), ("root", "session_root"), ("threshold", "vad_threshold")):
        with pytest.raises(dictum.ConfigInvalidError, match=f'did you mean "{meant}"'):
            dictum.RecorderBackend(**{given: "x"})  # type: ignore[arg-type]


def test_the_docstrings_of_the_settings_are_those_of_the_library() -> None:
    tool = ROOT / "tools/write_python_settings"
    checked = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_setting_has_a_description() -> None:
    assert '"name":"vad_threshold"' in core.describe_settings()
    source = (ROOT / "python/dictum/settings.py").read_text()
    assert source.count("Default: ") == len(dictum.Settings.__annotations__)


def test_objects_say_what_they_are(tmp_path: pathlib.Path) -> None:
    backend = dictum.RecorderBackend(session_root=tmp_path)
    assert repr(backend) == "<RecorderBackend, not started yet>"
    assert repr(dictum.AsyncRecorderBackend()) == "<AsyncRecorderBackend, not started yet>"
    assert repr(dictum.PushSource(8000, 2)) == "PushSource(sample_rate=8000, channels=2)"
    events = backend.events()
    assert repr(backend) == "<RecorderBackend, idle>"
    assert repr(events) == "<BlockingEventStream, open>"
    events.close()
    assert repr(events) == "<BlockingEventStream, closed>"


def test_without_asyncio_it_is_said_what_works() -> None:
    """As under Trio, whose loop is none of asyncio's."""
    coroutine = dictum.AsyncRecorderBackend().start_recording()
    with pytest.raises(dictum.InvalidStateError, match=r"asyncio only.*Trio") as raised:
        coroutine.send(None)
    assert isinstance(raised.value, RuntimeError)
