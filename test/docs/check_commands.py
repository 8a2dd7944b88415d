"""docs/commands.md and docs/settings.md are what the program writes: they name all that there is."""

import pathlib
import subprocess
import sys

docs = pathlib.Path(sys.argv[1]) / "docs"
program = pathlib.Path(sys.argv[2]) / "bin/dictum"
wrong = False
for name, arguments in {
    "commands.md": ["manual", "--markdown"],
    "settings.md": ["config", "show", "--markdown"],
}.items():
    written = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    if (docs / name).read_text(encoding="utf-8") != written:
        print(f"docs/{name} is not what the program says: {program} {' '.join(arguments)} >docs/{name}")
        wrong = True
print("docs/commands.md, docs/settings.md" + (": see above" if wrong else ": all as the program has them"))
sys.exit(wrong)
