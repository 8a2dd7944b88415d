"""Every relative link and picture of our Markdown files leads somewhere."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("samples/*.md"), *root.glob("python/*.md")]
dead = []
for document in documents:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:|#", target):
            continue
        if not (document.parent / target.split("#")[0]).exists():
            dead.append(f"{document.relative_to(root)}: {target}")
print("\n".join(dead) or f"{len(documents)} documents, no dead link")
sys.exit(bool(dead))
