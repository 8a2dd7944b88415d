"""Figures of benchmarks on their way to one table: `bench/run` names a file in $DICTUM_BENCH_RESULTS, and every program
here that measures something adds its lines. Run by itself, a program only prints."""

import json
import os
import pathlib
import sys


def _add(line):
    file = os.environ.get("DICTUM_BENCH_RESULTS")
    if not file:
        return
    line["program"] = pathlib.Path(sys.argv[0]).name
    with open(file, "a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")


def add(what, value, unit, *, peers=None, limit=None, more_is_better=False, bars=None):
    """A line of the table. `peers`: the same figure of others, by name; `limit`: what must hold; `bars`: the name of a
    picture of both."""
    _add({"what": what, "value": value, "unit": unit, "peers": peers or {}, "limit": limit,
          "more_is_better": more_is_better, "bars": bars})  # fmt: skip


def add_point(picture, series, x, y, *, x_label, y_label, limit=None):
    """A point of a picture whose axes have these names; `limit`: a line across it."""
    _add({"picture": picture, "series": series, "x": x, "y": y, "x_label": x_label, "y_label": y_label,
          "limit": limit})  # fmt: skip
