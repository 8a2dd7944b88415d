#!/usr/bin/env python3
"""Compares the table of codes in docs/faults.md with the codes that the sources have.

Usage: check_codes.py SOURCE_FOLDER
"""

import pathlib
import re
import sys

REPORTED = re.compile(
    r'(?:report|fault|SourceFault)\s*[({]\s*"([a-z]+_[a-z_]+)"|(?:kFaultCode|kCallbackThrew) = "([a-z_]+)"'
)


def codes_in_sources(source: pathlib.Path) -> set[str]:
    codes = set(re.findall(r'return \{"([a-z_]+)", "', (source / "src/base/error.cpp").read_text())) - {"unknown"}
    for folder in ("src", "include"):
        for file in (source / folder).rglob("*.[ch]pp"):
            for found in REPORTED.findall(file.read_text()):
                codes.update(code for code in found if code)
    return codes


def main() -> int:
    source = pathlib.Path(sys.argv[1])
    table = (source / "docs/faults.md").read_text().partition("\n## Every code\n")[2]
    documented, known = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)), codes_in_sources(source)
    wrong = [f"{code}: missing in docs/faults.md" for code in sorted(known - documented)]
    wrong += [f"{code}: only in docs/faults.md" for code in sorted(documented - known)]
    print("\n".join(wrong) or f"{len(known)} codes, all documented")
    return bool(wrong or len(known) < 20)


sys.exit(main())
