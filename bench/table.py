#!/usr/bin/env python3
"""One table of everything that the programs of a run of `bench/run` have measured, with ratios to their peers.

    bench/table.py RESULTS.jsonl FOLDER

Prints the table, and writes `results.json`, `table.md` and the pictures into the folder. A ratio says how many times
better ours is: faster, or smaller. Exit code 1 where a limit is not kept.
"""

import datetime
import json
import pathlib
import platform
import sys

import pictures

TITLES = {"window": "32 ms of audio through a speech detector",
          "pipeline": "Audio without transcription, one core",
          "length": "A second of audio, by the length of the file",
          "streams_late": "Live streams in one process: when 999 of 1000 ends of speech are known",
          "streams_cores": "Live streams in one process: cores that they take"}  # fmt: skip


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def holds(row):
    if row["limit"] is None:
        return True
    return row["value"] >= row["limit"] if row["more_is_better"] else row["value"] <= row["limit"]


def ratio(row, theirs):
    if not row["value"] or not theirs:
        return None
    return row["value"] / theirs if row["more_is_better"] else theirs / row["value"]


def limit_text(row):
    if row["limit"] is None:
        return ""
    return f"{'at least' if row['more_is_better'] else 'at most'} {pictures.number(row['limit'])}"


def peers_text(row):
    parts = []
    for name, theirs in row["peers"].items():
        times = ratio(row, theirs)
        parts.append(f"{name} {pictures.number(theirs)}" + (f" ({times:.1f}x)" if times else ""))
    return ", ".join(parts)


def main():
    source, folder = map(pathlib.Path, sys.argv[1:3])
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    rows = [line for line in lines if "what" in line]
    points = [line for line in lines if "picture" in line and "series" in line]
    folder.mkdir(parents=True, exist_ok=True)

    cells = [("what", "dictum", "limit", "peers (how many times better dictum is)", "measured by")]
    cells += [(row["what"], f"{pictures.number(row['value'])} {row['unit']}" + ("" if holds(row) else " !"), limit_text(row),
               peers_text(row), row["program"]) for row in rows]  # fmt: skip
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    failed = [row["what"] for row in rows if not holds(row)]
    if failed:
        print("\nlimits that are not kept: " + "; ".join(failed))

    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    (folder / "results.json").write_text(
        json.dumps({"date": when, "processor": processor(), "rows": rows, "points": points}, indent=1) + "\n")
    markdown = ["| " + " | ".join(line) + " |" for line in cells]
    markdown.insert(1, "|---" * len(cells[0]) + "|")
    (folder / "table.md").write_text("\n".join(markdown) + "\n")

    for row in rows:
        bars = row.get("bars")
        if bars:
            shown = [("dictum", row["value"]), *row["peers"].items()]
            (folder / f"{bars}.svg").write_text(pictures.bars(TITLES[bars], shown, row["unit"]))
    for name in dict.fromkeys(point["picture"] for point in points):
        series = {}
        for point in points:
            if point["picture"] == name:
                series.setdefault(point["series"], []).append((point["x"], point["y"]))
        first = next(point for point in points if point["picture"] == name)
        (folder / f"{name}.svg").write_text(
            pictures.lines(TITLES[name], series, first["x_label"], first["y_label"], limit=first["limit"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
