#!/usr/bin/env python3
"""The smallest transcriber: it reports how long a segment is. Installed as an executable `dictum-worker-length` on PATH,
it is the transcriber `length`."""

from dictum.worker import Segment, worker


@worker
def transcribe(segment: Segment) -> str:
    return f"{segment.duration_sec:.1f} seconds of sound"


if __name__ == "__main__":
    transcribe.run()
