"""Finds the fenced code blocks of README.md and docs/*.md, so that the tests can compile and run each.

The word behind the fence says what a block is; what follows it, what is done with it:

    ```cpp            a whole program or source file: compiled, and linked where it has a main
    ```cpp run        also run, in a folder of its own
    ```sh             run by bash, stopping at the first command that fails
    ```python         run by Python, where our package is built and those that it imports are installed
    ```javascript     run by Node.js, where it is installed
    ```toml           a configuration file: `dictum` must accept it
    ```json           must parse, whole or line by line
    ```sh skip: why   not run; the test is counted as skipped and shows why
    ```text           not code: prose, pictures, output

    documented_code.py list DOCUMENT...                for CMake: `name;kind;run|build|skip` a line
    documented_code.py extract NAME DOCUMENT FOLDER    writes the block to FOLDER/NAME.EXTENSION
    documented_code.py run NAME DOCUMENT BIN_FOLDER    runs the block; exit code 77 means skipped
"""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
EXTENSIONS = {"cpp": "cpp", "c": "c", "sh": "sh", "python": "py", "javascript": "mjs", "toml": "toml", "json": "json"}
NOT_CODE = {"text", "console", "cmake", "make"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Block:
    def __init__(self, name, line, kind, attributes, text):
        self.name = name
        self.line = line
        self.kind = kind
        self.text = text
        skip = re.match(r"skip:\s*(.+)", attributes)
        self.skip_reason = skip.group(1) if skip else None
        self.runs = attributes == "run" or kind not in ("cpp", "c")
        if attributes and not skip and attributes != "run":
            raise ValueError(f"line {line}: a block says '{attributes}', which is neither 'run' nor 'skip: why'")


def blocks_of(document):
    """The code blocks of a document, in order, each with a name that no other has."""
    document = pathlib.Path(document)
    blocks, number, fence = [], 0, None
    for at, line in enumerate(document.read_text(encoding="utf-8").splitlines(), start=1):
        if fence is None:
            opened = re.match(r"^(\s*)(`{3,})\s*(\S*)\s*(.*)$", line)
            if opened:
                indent, fence, kind, attributes = opened.groups()
                started, lines = at, []
        elif line.strip() == fence:
            if not kind:
                raise ValueError(f"{document}:{started}: a code block that does not say what it is (text, if nothing else)")
            if kind in EXTENSIONS:
                number += 1
                name = re.sub(r"\W+", "_", document.stem.lower()) + f"_{number}"
                blocks.append(Block(name, started, kind, attributes.strip(), "\n".join(lines) + "\n"))
            elif kind not in NOT_CODE:
                raise ValueError(f"{document}:{started}: nobody knows how to test a block of '{kind}'")
            fence = None
        else:
            lines.append(line[len(indent):] if line.startswith(indent) else line)
    if fence is not None:
        raise ValueError(f"{document}:{started}: a code block without an end")
    return blocks


def block_named(name, document):
    return next(block for block in blocks_of(document) if block.name == name)


def run(block, document, bin_folder):
    skip_reason = block.skip_reason
    if block.kind == "python" and importlib.util.find_spec("dictum") is None:
        skip_reason = "the Python package is not built here"
    elif block.kind == "python" and "from openai " in block.text and importlib.util.find_spec("openai") is None:
        skip_reason = "the Python package openai is not installed (./setup installs it)"
    elif block.kind == "javascript" and shutil.which("node") is None:
        skip_reason = "Node.js is not installed"
    if skip_reason:
        print(f"SKIPPED: {skip_reason}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="dictum-docs-") as folder:
        here = pathlib.Path(folder)
        (here / "samples").symlink_to(ROOT / "samples")
        (here / "home").mkdir()
        file = here / f"block.{EXTENSIONS[block.kind]}"
        file.write_text(block.text, encoding="utf-8")
        small_models = os.environ.get("DICTUM_SMALL_MODELS")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "DICTUM_"))}
        environment.update(HOME=str(here / "home"), PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
        if small_models and pathlib.Path(document).name != "README.md":  # the README is run with what a newcomer has
            environment["DICTUM_MODELS_DIR"] = small_models
        if block.kind == "json":
            try:
                json.loads(block.text)
            except json.JSONDecodeError:
                for line in filter(str.strip, block.text.splitlines()):
                    json.loads(line)
            return 0
        command = {
            "cpp": [pathlib.Path(bin_folder) / "docs" / block.name],
            "c": [pathlib.Path(bin_folder) / "docs" / block.name],
            "sh": ["bash", "-euo", "pipefail", file],
            "python": [sys.executable, file],
            "javascript": ["node", file],
            "toml": ["dictum", "record", "--config", file, "--input", "samples/voice_note.wav", "--pace", "fast",
                     "--no-transcribe", "--output-dir", here / "sessions"],
        }[block.kind]
        return subprocess.run(command, cwd=here, env=environment, stdin=subprocess.DEVNULL, timeout=100).returncode


def main():
    if sys.argv[1] == "list":
        for document in sys.argv[2:]:
            for block in blocks_of(document):
                print(block.name, block.kind, "skip" if block.skip_reason else "run" if block.runs else "build", sep=";")
        return 0
    name, document, folder = sys.argv[2:5]
    block = block_named(name, document)
    if sys.argv[1] == "extract":
        target = pathlib.Path(folder) / f"{name}.{EXTENSIONS[block.kind]}"
        text = f'#line {block.line + 1} "{pathlib.Path(document).resolve()}"\n{block.text}'
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return 0
    print(f"{document}:{block.line}", flush=True)
    return run(block, document, folder)


if __name__ == "__main__":
    sys.exit(main())
