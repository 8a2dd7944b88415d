#!/usr/bin/env python3
"""Verifies that the program `dictum` is an application of the public headers: of the modules it names only `tui`.

Usage: check_program.py SOURCE_FOLDER
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^#include "((\w+)/[^"]+)"$', re.MULTILINE)

# What it may include all the same, and why.
ALLOWED = {
    "base/base64.hpp": "what a terminal wants for its clipboard; nothing of Dictum's",
    "base/event_fd.hpp": "wakes whoever polls; nothing of Dictum's",
    "base/json.hpp": "JSON that reads back to the same numbers, which Boost.JSON 1.81 does not write",
    "base/nearest.hpp": "the command that was probably meant, as the library finds the setting that was",
    "base/overloaded.hpp": "several functions as one, for std::visit; nothing of Dictum's",
    "base/own_programs.hpp": "finds the program that carries out the commands of the cluster",
    "base/scratch_folder.hpp": "a folder that is gone with the command; nothing of Dictum's",
    "base/unique_fd.hpp": "owns a descriptor; nothing of Dictum's",
    "base/utf8.hpp": "where a character begins and whether it is safe to show",
    "models/model_choice.hpp": "models are fetched by a module of their own: the library needs neither curl nor OpenSSL",
    "models/model_store.hpp": "likewise",
    "server/control_client.hpp": "what the server is controlled by",
    "server/control_socket.hpp": "likewise",
    "server/hook_runner.hpp": "runs programs of the user's; no part of the library",
    "server/server.hpp": "a module of its own: the library needs no HTTP server",
    "server/service_manager.hpp": "what systemd and a service exchange",
    "server/stream_sender.hpp": "likewise",
}


def main() -> int:
    source = pathlib.Path(sys.argv[1])
    modules = {file.parent.name for file in source.glob("src/*/CMakeLists.txt")}
    files = sorted(file for file in (source / "apps/dictum").iterdir() if file.suffix in {".cpp", ".hpp"})
    wrong, used = [], set()
    for file in files:
        for header, module in INCLUDE.findall(file.read_text()):
            if module not in modules or module == "tui":
                continue
            used.add(header)
            if header not in ALLOWED:
                wrong.append(f"apps/dictum/{file.name} includes {header}: use or extend include/dictum")
    wrong += [f"{header} is allowed, but nothing includes it any more" for header in sorted(ALLOWED.keys() - used)]
    print("\n".join(wrong) or f"{len(files)} files, {len(used)} internal headers besides those of tui, all as allowed")
    return bool(wrong or not files)


if __name__ == "__main__":
    sys.exit(main())
