"""The documented examples of the first version, verbatim and unchanged; their source is chosen by DICTUM_CONFIG."""

import asyncio
import inspect
import pathlib
import subprocess
import sys
import textwrap
import threading

import pytest

import dictum
import original
from conftest import shared, until


def run(example: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", original.__file__, shared(f"original/{example}")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_basic(config_file: pathlib.Path, root: pathlib.Path) -> None:
    said = run("basic.py").stdout.splitlines()
    assert said[0] == "Event: RecordingStateChanged"
    assert said.count("Event: SpeechDetected") >= 3
    assert "Event: TranscriptionComplete" in said
    (session,) = dictum.list_sessions(root)
    assert said[-1] == f"Session: {session.path}"
    assert session.text.startswith("start a new note")


@pytest.mark.parametrize("example", ["migration_before.py", "migration_after.py"])
def test_migration(example: str, config_file: pathlib.Path, root: pathlib.Path) -> None:
    ended = run(example)
    assert "Handled: RecordingStateChanged" in ended.stdout
    # On a busy machine asyncio's debug mode finds the import, which stands in a coroutine here, slow.
    assert [line for line in ended.stderr.splitlines() if not line.startswith("Executing ")] == []
    (session,) = dictum.list_sessions(root)
    assert session.manifest["stopped_at"]


def test_the_handlers_of_the_migration_guide(
    config_file: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file defines the same name twice; each definition serves its flavour."""
    path = shared("original/migration_callbacks.py")
    before, after = path.read_text().split("# After")
    halves = []
    for name, half in (("before", before), ("after", "# After" + after)):
        (tmp_path / f"{name}.py").write_text(half)
        halves.append(original.load(tmp_path / f"{name}.py").my_handler)
    blocking, awaited = halves
    assert not inspect.iscoroutinefunction(blocking)
    assert inspect.iscoroutinefunction(original.load(path).my_handler)

    seen = threading.Event()
    with dictum.RecorderBackend(lambda event: (blocking(event), seen.set())) as backend:
        assert seen.wait(10)
        assert backend.is_recording

    async def main() -> None:
        async with dictum.AsyncRecorderBackend(awaited):
            await asyncio.sleep(0.1)

    asyncio.run(main())
    assert "RecordingStateChanged(" in capsys.readouterr().out


def test_textual_app(config_file: pathlib.Path) -> None:
    """Subclassed for the two things that it leaves to its reader: the `status` widget and a key."""
    pytest.importorskip("textual")
    from textual.app import ComposeResult
    from textual.widgets import Static

    base = original.load(shared("original/textual_app.py")).MyApp

    class App(base):  # type: ignore[misc, valid-type]
        BINDINGS = [("r", "toggle_recording", "Record")]  # noqa: RUF012

        def compose(self) -> ComposeResult:
            self.status = Static("nothing yet")
            yield self.status

    async def main() -> None:
        app = App()
        async with app.run_test() as pilot:
            await pilot.press("r")
            await until(lambda: app.backend.is_recording)
            await until(lambda: "SpeechDetected" in str(app.status.render()), 10)
            await pilot.press("r")
            await until(lambda: not app.backend.is_recording)
            await until(lambda: "Event:" in str(app.status.render()))
        assert app.backend.get_session_path().is_dir()

    asyncio.run(main())


def test_the_examples_are_those_of_the_document() -> None:
    document = shared("original/async_recorder_backend.md").read_text()
    for file in shared("original").glob("*.py"):
        if not file.name.startswith("migration_"):
            assert textwrap.dedent(file.read_text()).strip() in document
