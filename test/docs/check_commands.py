"""docs/commands.md is what the program writes: it names every command and option that there is."""

import pathlib
import subprocess
import sys

document = pathlib.Path(sys.argv[1]) / "docs/commands.md"
program = pathlib.Path(sys.argv[2]) / "bin/dictum"
written = subprocess.run([program, "manual", "--markdown"], check=True, capture_output=True, text=True).stdout
if document.read_text(encoding="utf-8") != written:
    print(f"docs/commands.md is not what the program says: {program} manual --markdown >docs/commands.md")
    sys.exit(1)
print(f"{written.count('| `--')} options, all as the program has them")
