#!/usr/bin/env python3
"""Gathers what the site is made of: the documents, each link that leads out of them, and the configuration of MkDocs.

    tools/gather_site.py FOLDER

README.md becomes the first page. Files of the sources that a document links to come along as they are.
"""

import json
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAVIGATION = [
    ("Dictum", ["index"]),
    ("Begin", ["first-steps", "concepts", "troubleshooting", "comparison", "migration"]),
    ("Use", ["tui", "notes", "sessions", "transcribers", "microphone", "listening", "inputs", "commands", "settings"]),
    ("Embed", ["library", "python", "events", "worker-protocol"]),
    ("Operate", ["packages", "server", "operating", "cluster", "faults", "performance"]),
    ("About", ["CHANGELOG", "SECURITY", "HACKING", "THIRD_PARTY"]),
]
TOP = {name: ROOT / f"{name}.md" for name in ("CHANGELOG", "SECURITY", "HACKING", "THIRD_PARTY")}
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
FENCE = re.compile(r"^( *)(`{3,})([a-z]+)[^\n]*$", re.MULTILINE)


def documents():
    """The name of a page to the file that it is made of."""
    pages = {"index": ROOT / "README.md", **TOP}
    pages |= {file.stem: file for file in sorted((ROOT / "docs").glob("*.md"))}
    return pages


def moved(target, source, pages, folder):
    """The link as it is on the site; copies the file that it leads to where that is no page."""
    path, hash_mark, heading = target.partition("#")
    if re.match(r"[a-z]+:", target) or not path:
        return target
    file = (source.parent / path).resolve()
    for name, page in pages.items():
        if page == file:
            return f"{name}.md{hash_mark}{heading}"
    if file.is_dir():
        file = file / "README.md" if (file / "README.md").exists() else listing(file, folder)
    relative = file.relative_to(ROOT) if file.is_relative_to(ROOT) else pathlib.Path("sources") / file.name
    name = str(relative.relative_to("docs")) if relative.parts[0] == "docs" else f"sources/{relative}"
    if file.suffix in ("", ".txt", ".nix", ".rb", ".py", ".cpp", ".c", ".md") and not name.endswith(".txt"):
        name += ".txt"  # a browser shows it
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder / name)
    return name


def listing(directory, folder):
    """A page of one's own for a folder: every file in it, whole."""
    file = folder / f"{directory.relative_to(ROOT)}.txt".replace("/", "-")
    parts = [
        f"==== {each.relative_to(ROOT)}\n\n{each.read_text(encoding='utf-8')}"
        for each in sorted(directory.rglob("*"))
        if each.suffix in (".cpp", ".c", ".py")
    ]
    file.write_text("\n".join(parts), encoding="utf-8")
    return file


def without_instructions(text):
    """Fences say how a block is tested, which is not for readers; a list needs an empty line before it."""
    return FENCE.sub(r"\1\2\3", text)


def outside_of_code(text, change):
    parts = re.split(r"(^ *```.*?^ *```$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if index % 2 else change(part) for index, part in enumerate(parts))


def configuration(pages):
    listed = [name for _, names in NAVIGATION for name in names]
    if missing := sorted(set(pages) ^ set(listed)):
        raise SystemExit(f"gather_site: not in the navigation, or not there: {', '.join(missing)}")
    navigation = [{title: [f"{name}.md" for name in names]} for title, names in NAVIGATION]
    navigation[0] = {"Home": "index.md"}
    return {
        "site_name": "Dictum",
        "docs_dir": "docs",
        "use_directory_urls": False,
        "theme": {"name": "mkdocs", "color_mode": "auto", "navigation_depth": 2},
        "markdown_extensions": ["tables", "fenced_code", "sane_lists", {"toc": {"permalink": True}}],
        "plugins": ["search"],
        "validation": {
            "links": {"anchors": "warn", "unrecognized_links": "warn", "not_found": "warn"},
            "nav": {"omitted_files": "warn"},
        },
        "nav": navigation,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    documents_folder = folder / "docs"
    documents_folder.mkdir(parents=True)
    pages = documents()
    for name, file in pages.items():

        def linked(part, file=file):
            return LINK.sub(lambda found: found[1] + moved(found[2], file, pages, documents_folder) + found[3], part)

        text = without_instructions(file.read_text(encoding="utf-8"))
        (documents_folder / f"{name}.md").write_text(outside_of_code(text, linked), encoding="utf-8")
    (folder / "mkdocs.yml").write_text(json.dumps(configuration(pages), indent=2), encoding="utf-8")


main()
