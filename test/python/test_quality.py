"""Types and style: what a user's checker makes of the examples, and what ours makes of the package."""

import ast
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import dictum
from conftest import ROOT
from dictum._native import core

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


needs_what_examples_import = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("fastapi", "uvicorn", "numpy", "faster_whisper"))),
    reason="something that the examples import is not installed",
)


@needs_what_examples_import
def test_mypy_accepts_the_examples_and_the_package(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("mypy")
    run(
        sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, "--python-executable", sys.executable,
        *EXAMPLES, *sorted((ROOT / "python/dictum").glob("*.py")),
        MYPYPATH=str(ROOT / "python"),
    )  # fmt: skip


def test_mypy_refuses_a_callback_that_takes_no_events(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(
        "import dictum\n"
        "def counts(number: int) -> None: ...\n"
        "def takes_events(event: dictum.AnyEvent) -> None:\n"
        "    if event.event == 'SpeechEnded':\n"
        "        print(event.duration_sec)\n"  # mypy knows which event it is
        "dictum.RecorderBackend(takes_events)\n"
        "dictum.RecorderBackend(counts)\n"
        "dictum.AsyncRecorderBackend(counts)\n"
        "dictum.RecorderBackend(on_text=counts)\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", program],
        capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": str(ROOT / "python")},
        check=False,
    )
    wrong = [line.split(":")[1] for line in checked.stdout.splitlines() if "error:" in line]
    assert wrong == ["7", "8", "9"], checked.stdout + checked.stderr


@needs_what_examples_import
def test_pyright_accepts_the_examples(tmp_path: pathlib.Path) -> None:
    pyright = ROOT / "build/node/node_modules/.bin/pyright"
    if not pyright.exists() or shutil.which("node") is None:
        pytest.skip("pyright is not installed: ./setup gets it from npm")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    for example in EXAMPLES:
        shutil.copy(example, tmp_path)
    run(pyright, "--project", tmp_path, "--pythonpath", sys.executable, PYTHONPATH=str(PACKAGE.parent))


def parameters_of(function: ast.FunctionDef) -> list[str]:
    return [parameter.arg for parameter in [*function.args.posonlyargs, *function.args.args] if parameter.arg != "self"]


def stubbed() -> dict[str, list[str]]:
    """Every function and property of the stub, with the names of its parameters."""
    found = {}
    for node in ast.parse((PACKAGE / "_native/core.pyi").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = parameters_of(node)
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    found[f"{node.name}.{method.name}"] = parameters_of(method)
    return found


def compiled() -> dict[str, list[str]]:
    """The same of what is there, by nanobind's own account (of an overload: the longest)."""
    found: dict[str, list[str]] = {}

    def add(name: str, member: object) -> None:
        signatures = getattr(member, "__nb_signature__", None)
        if isinstance(member, property):
            found[name] = []
        elif signatures:
            made = [ast.parse(f"{re.sub(r'= .*?(?=[,)])', '', text[0])}: ...").body[0] for text in signatures]
            found[name] = max((parameters_of(each) for each in made if isinstance(each, ast.FunctionDef)), key=len)

    for name, member in vars(core).items():
        add(name, member)
        if isinstance(member, type):
            for inner, method in vars(member).items():
                if inner != "__new__":  # beside which there is an __init__
                    add(f"{name}.{inner}", method)
    return found


def test_the_stub_declares_what_the_module_defines() -> None:
    assert compiled() == stubbed()


def test_ruff_is_clean() -> None:
    pytest.importorskip("ruff")
    run(sys.executable, "-m", "ruff", "check", ".")
    run(sys.executable, "-m", "ruff", "format", "--check", "python", "test/python", "examples/python")
