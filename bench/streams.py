#!/usr/bin/env python3
"""Many live streams in one process, each a session of its own: bench/many_streams.cpp with more and more of them.

    bench/streams.py --bin build/release/bin [--streams 1 100 300 1000] [--seconds 60] [--check]

With --check the exit code is 1 where the largest number of streams loses audio, reports a fault, or knows one of 1000
ends of speech more than 50 ms late.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import results

LATE_LIMIT_MS = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 100, 300, 1000])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--check", action="store_true", help="fail where a limit is not kept")
    options = parser.parse_args()
    holds = True
    for count in options.streams:
        run = subprocess.run([options.bin / "many_streams", str(count), str(options.seconds)], capture_output=True, text=True)
        print(run.stdout + run.stderr, end="", flush=True)
        holds = run.returncode == 0
        found = re.search(r"p99\.9\s+([\d.]+) max.* ([\d.]+) cores\s+(\d+) MB", run.stdout)
        if not found:
            sys.exit("streams: many_streams printed no figures")
        late, cores, memory = map(float, found.groups())
        x_label = "streams"
        results.add_point("streams_late", "99.9th percentile", count, late, x_label=x_label, y_label="ms late", limit=LATE_LIMIT_MS)
        results.add_point("streams_cores", "recording", count, cores, x_label=x_label, y_label="cores")
        if count == options.streams[-1]:
            results.add(f"{count} live streams, ends of speech late (p99.9)", late, "ms", limit=LATE_LIMIT_MS)
            results.add("their cores", cores, "cores")
            results.add("their memory", memory, "MB")
    return 1 if options.check and not holds else 0


if __name__ == "__main__":
    sys.exit(main())
