"""Every relative link and picture of our Markdown files leads somewhere, also to a heading; the address of every other one is
well-formed."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("samples/*.md"), *root.glob("python/*.md")]


def prose(document):
    return re.sub(r"^ *```.*?^ *```$", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def headings(document):
    """Their names as the end of an address, as GitHub and MkDocs make them."""
    names = set()
    for heading in re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        names.add(re.sub(r" +", "-", words.strip()))
    return names


dead, links = [], 0
for document in documents:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        links += 1
        if re.match(r"[a-z]+:", target):
            if not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/\S*)?|mailto:\S+@\S+", target):
                dead.append(f"{document.relative_to(root)}: {target} is no address")
            continue
        path, _, heading = target.partition("#")
        file = document.parent / path if path else document
        if not file.exists():
            dead.append(f"{document.relative_to(root)}: {target}")
        elif heading and heading not in headings(file):
            dead.append(f"{document.relative_to(root)}: {target} names no heading of that file")
print("\n".join(dead) or f"{len(documents)} documents, {links} links, none of them dead")
sys.exit(bool(dead) or links < 50)
