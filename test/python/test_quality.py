"""Types and style: what a user's checker makes of the examples, and what ours makes of the package."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import dictum
from conftest import ROOT

EXAMPLES = sorted((ROOT / "examples/python").glob("*.py"))
PACKAGE = pathlib.Path(dictum.__file__).parent


def run(*command: object, **environment: str) -> None:
    ended = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=280,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_mypy_accepts_the_examples_and_the_package(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("mypy")
    run(
        sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, "--python-executable", sys.executable,
        *EXAMPLES, *sorted((ROOT / "python/dictum").glob("*.py")),
        MYPYPATH=str(ROOT / "python"),
    )  # fmt: skip


def test_pyright_accepts_the_examples(tmp_path: pathlib.Path) -> None:
    pyright = ROOT / "build/node/node_modules/.bin/pyright"
    if not pyright.exists() or shutil.which("node") is None:
        pytest.skip("pyright is not installed: ./setup gets it from npm")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    for example in EXAMPLES:
        shutil.copy(example, tmp_path)
    run(pyright, "--project", tmp_path, "--pythonpath", sys.executable, PYTHONPATH=str(PACKAGE.parent))


def test_the_stubs_are_those_of_the_compiled_part() -> None:
    pytest.importorskip("mypy")
    run(
        sys.executable, "-m", "mypy.stubtest", "dictum._native.core", "--ignore-missing-stub",
        "--ignore-disjoint-bases", "--mypy-config-file", ROOT / "pyproject.toml",
        "--allowlist", ROOT / "test/python/stubtest-allowlist.txt",
        MYPYPATH=str(PACKAGE.parent),
    )  # fmt: skip


def test_ruff_is_clean() -> None:
    pytest.importorskip("ruff")
    run(sys.executable, "-m", "ruff", "check", ".")
    run(sys.executable, "-m", "ruff", "format", "--check", "python", "test/python", "examples/python")
