"""The wheel that runs elsewhere. Long, since it builds everything: where DICTUM_LONG_TESTS is set. DICTUM_WHEEL names one
that is there already, DICTUM_CHROOT a Debian with Python, with /proc and without a compiler to try it in."""

import os
import pathlib
import shutil
import subprocess
import sys
import venv

import pytest

from conftest import LONG, ROOT, SAMPLE, shared

SYSTEM = {"libc", "libm", "libstdc++", "libgcc_s", "libpthread", "libdl", "librt", "libresolv", "libutil"}


@pytest.fixture(scope="module")
def wheel() -> pathlib.Path:
    if given := os.environ.get("DICTUM_WHEEL"):
        return pathlib.Path(given)
    if not LONG:
        pytest.skip("builds everything again, so only where DICTUM_LONG_TESTS is set")
    pytest.importorskip("auditwheel")
    pytest.importorskip("build")
    subprocess.run([sys.executable, ROOT / "tools/build_wheel"], check=True, timeout=3000)
    return max((ROOT / "dist").glob("dictum-*.whl"), key=lambda file: file.stat().st_mtime)


@pytest.fixture
def installed(wheel: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A fresh environment with nothing but the wheel."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-index", wheel], check=True, env=alone(tmp_path))
    return python


def alone(home: pathlib.Path) -> dict[str, str]:
    """Neither a compiler nor anything of ours is to be found."""
    (home / "programs").mkdir(exist_ok=True)
    return {"HOME": str(home), "PATH": str(home / "programs"), "LANG": "C.UTF-8"}


def test_it_says_on_which_systems_it_runs(wheel: pathlib.Path) -> None:
    assert "manylinux_2_" in wheel.name


def test_everything_that_it_links_is_inside(installed: pathlib.Path) -> None:
    packages = next(installed.parents[1].glob("lib/python*/site-packages"))
    files = [
        *packages.glob("dictum/_native/*.so"),
        *packages.glob("dictum/libexec/dictum/*"),
        *packages.glob("dictum.libs/*"),
    ]
    assert len(files) > 20
    assert (packages / "dictum/share/pocketsphinx/model/en-us/en-us.lm.bin").exists()
    assert list(packages.glob("dictum-*.dist-info/licenses/third-party/*.txt"))
    for file in files:
        linked = subprocess.run(["ldd", file], capture_output=True, text=True, check=True).stdout
        assert "not found" not in linked, linked
        for line in linked.splitlines():
            if "=> /" in line:
                name, path = line.split()[0], line.split()[2]
                assert str(packages) in path or name.split(".so")[0] in SYSTEM, f"{file.name} takes {path}"


def test_it_has_whisper_and_its_code_for_every_processor(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    workers = next(installed.parents[1].glob("lib/python*/site-packages")) / "dictum/libexec/dictum"
    if not (ROOT / "build/deps/whisper").exists():
        pytest.skip("set-up could not build whisper.cpp")
    assert (workers / "dictum-worker-whisper").exists()
    assert list(workers.glob("libggml-cpu*.so"))
    model = shared("models/ggml-tiny.en-q8_0.bin")
    script = f"""
import threading, dictum
ended = threading.Event()
def on_event(event):
    if isinstance(event, dictum.RecordingStateChanged) and not event.is_recording:
        ended.set()
with dictum.RecorderBackend(on_event, capture_input={str(SAMPLE)!r}, capture_pace="fast", session_root="sessions",
                            transcription_transcriber="whisper", transcription_model={str(model)!r}) as backend:
    backend.start_recording()
    ended.wait(60)
    backend.stop_recording()
    print((backend.get_session_path() / "transcript_raw.txt").read_text())
"""
    ended = subprocess.run(
        [installed, "-c", script], env=alone(tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert "shopping list" in ended.stdout.lower()


def test_the_basic_example_runs_where_there_is_nothing_else(
    installed: pathlib.Path, tmp_path: pathlib.Path, config_file: pathlib.Path
) -> None:
    ended = subprocess.run(
        [installed, shared("original/basic.py")],
        env={**alone(tmp_path), "DICTUM_CONFIG": str(config_file)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Event: TranscriptionComplete" in ended.stdout
    transcript = next(tmp_path.glob("sessions/*/transcript_raw.txt")).read_text()
    assert "shopping list" in transcript


def test_the_basic_example_runs_in_a_system_without_a_compiler(wheel: pathlib.Path) -> None:
    if not (system := os.environ.get("DICTUM_CHROOT")):
        pytest.skip("DICTUM_CHROOT names no system to try it in")
    root = pathlib.Path(system)
    place = root / "dictum-test"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for file in (wheel, shared("original/basic.py"), SAMPLE):
        shutil.copy(file, place)
    (place / "dictum.toml").write_text(
        '[capture]\ninput = "/dictum-test/voice_note.wav"\n[session]\nroot = "/dictum-test/sessions"\n'
    )
    script = f"""
! command -v gcc cc clang g++ make cmake || exit 1
cd /dictum-test
python3 -m venv venv
venv/bin/pip install --quiet --no-index {wheel.name}
DICTUM_CONFIG=dictum.toml venv/bin/python basic.py
cat sessions/*/transcript_raw.txt
"""
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"}
    ended = subprocess.run(
        ["chroot", root, "sh", "-eu", "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Event: TranscriptionComplete" in ended.stdout
    assert "shopping list" in ended.stdout
