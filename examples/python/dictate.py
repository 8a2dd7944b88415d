"""Prints what is said in a sound file while it is recorded, then searches what was kept, and writes subtitles of it.

python dictate.py FILE FOLDER
"""

import asyncio
import sys
from pathlib import Path

from dictum import AsyncRecorderBackend, find_session, search


async def dictate(file: Path, root: Path) -> None:
    backend = AsyncRecorderBackend(capture_input=file, capture_pace="fast", session_root=root)
    texts = backend.texts()
    await backend.start_recording()  # without `capture_input` it is the microphone's, and goes on until a stop
    async for text in texts:
        print(text)
    await backend.stop_recording()


def main(file: Path, root: Path) -> int:
    asyncio.run(dictate(file, root))
    session = find_session("last", root)
    session.export(root / "subtitles.srt")
    print(f"{len(session.segments)} segments, {len(search(root=root))} found, {session.path}")
    return 0 if session.segments else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
