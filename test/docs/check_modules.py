#!/usr/bin/env python3
"""Compares HACKING.md's table of modules with what each module's CMakeLists.txt names.

Usage: check_modules.py SOURCE_FOLDER
"""

import pathlib
import re
import sys

# | `name` | what it is for | `seen` `seen` |
ROW = re.compile(r"^\| `(\w+)` \|.*\|([^|]*)\|$", re.MULTILINE)
DECLARATION = re.compile(r"dictum_module\((\w+)([^)]*)\)")


def documented(source: pathlib.Path) -> dict[str, set[str]]:
    table = (source / "HACKING.md").read_text().partition("## The modules")[2].partition("\n## ")[0]
    return {name: set(re.findall(r"`(\w+)`", seen)) for name, seen in ROW.findall(table)}


def declared(source: pathlib.Path) -> dict[str, set[str]]:
    modules = {}
    for file in sorted(source.glob("src/*/CMakeLists.txt")):
        name, arguments = DECLARATION.search(file.read_text()).groups()
        named = re.sub(r"\bLIBRARIES\b.*", "", arguments, flags=re.DOTALL).split()
        modules[name] = set(named) - {"MODULES", "WITHIN"}
    return modules


def main() -> int:
    source = pathlib.Path(sys.argv[1])
    in_table, in_build = documented(source), declared(source)
    wrong = [
        f"{name}: HACKING.md says {sorted(in_table.get(name, []))}, CMake says {sorted(in_build.get(name, []))}"
        for name in sorted(in_table.keys() | in_build.keys())
        if in_table.get(name) != in_build.get(name)
    ]
    print("\n".join(wrong) or f"{len(in_build)} modules, all as documented")
    return bool(wrong or not in_build)


if __name__ == "__main__":
    sys.exit(main())
