#!/usr/bin/env python3
"""`dictum record --to` while the server is killed (SIGKILL) and started again every few seconds: what the server has
equals the recording of the same file on this machine.

    killed_server.py BIN [--seconds S] [--seed N]

Each server that was started begins another session, with the first frame that the one before had not acknowledged. The
sessions together have every frame of the sound, at its place, and nothing else. A segment that no kill has cut is that
of the local recording, with a text that is made of its samples; where a kill has cut one, the sessions have all of its
speech. The detector's windows of 32 ms begin with a session, so in the later ones a segment may begin or end up to two of
them earlier or later than in the local recording; in the first one it is the same to the frame. DICTUM_SOAK=1: two minutes."""

import argparse
import datetime
import hashlib
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import wave

from serving import RATE, SOAK, SPEECH_OPTIONS, Server, check, speech_with_places

WAV_HEADER = 44
WINDOW = 512  # frames
COMMAND = ["sh", "-c", f'tail -c +{WAV_HEADER + 1} "$0" | sha256sum | cut -c 1-16', "{wav}"]
BOTH_SEC = 2.5  # two sessions may have so much in common: what was not acknowledged yet
SURROUNDINGS_SEC = 1  # a segment that ends or begins so near to a cut may be another one


class Session:
    """What is on disk of a session: its segments, in frames of the sound that was recorded."""

    def __init__(self, folder, sound):
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.name, self.frames = folder.name, manifest["end_frame"]
        self.started = datetime.datetime.fromisoformat(manifest["started_at"])
        self.segments, self.begin = [], None
        for segment in manifest["segments"]:
            if not segment["kept"]:
                continue
            with wave.open(str(folder / segment["file"])) as file:
                samples = file.readframes(file.getnframes())
            # The place of a sound is found by its samples: no two places of it sound the same.
            at = sound.find(samples)
            check(at >= 0 and at % 2 == 0, f"{folder.name}: segment {segment['index']} is nowhere in the sound")
            check(sound.find(samples, at + 2) < 0, f"{folder.name}: segment {segment['index']} is silence")
            begin = at // 2 - segment["start_frame"]
            check(self.begin in (None, begin), f"{folder.name}: segment {segment['index']} is not in its place")
            check(len(samples) // 2 == segment["end_frame"] - segment["start_frame"], f"{folder.name}: a file's length")
            check(segment["status"] == "done", f"{folder.name}: segment {segment['index']} is {segment['status']}")
            check(segment["text"] == hashlib.sha256(samples).hexdigest()[:16],
                  f"{folder.name}: the text of segment {segment['index']} is not that of its samples")  # fmt: skip
            self.begin = begin
            self.segments.append((begin + segment["start_frame"], begin + segment["end_frame"], segment["text"]))

    def place_by_time(self, first):
        """Of one that has only silence, from what its client said of the time of its first frame, in milliseconds."""
        self.begin = round((self.started - first.started).total_seconds() * RATE)

    @property
    def end(self):
        return self.begin + self.frames


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_covered(begin, end, pieces):
    for first, last, *_ in sorted(pieces):
        if first <= begin < last:
            begin = last
    return begin >= end


def is_nearly(one, other):
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= 2 * WINDOW


def compare(local, remote, frames, places):
    """How many segments were the same, and how many a kill has cut."""
    check(remote[0].begin == 0, f"the first session begins with frame {remote[0].begin}")
    for one, next_one in itertools.pairwise(remote):
        # Of silence there is no file: a session that was killed in it ends with the last thing that its journal has.
        missing = [each for each in places if one.end < each[1] and each[0] < next_one.begin]
        check(not missing or next_one.begin <= one.end, f"between {one.name} and {next_one.name} {missing} is missing")
        check(one.end - next_one.begin <= BOTH_SEC * RATE, f"{one.end - next_one.begin} frames are in two sessions")
    slack = 0 if remote[-1].segments else RATE // 1000
    check(abs(remote[-1].end - frames) <= slack, f"the sessions end with frame {remote[-1].end} of {frames}")
    cuts = [place for session in remote[1:] for place in (session.begin,)] + [session.end for session in remote[:-1]]
    all_remote = [segment for session in remote for segment in session.segments]
    margin = SURROUNDINGS_SEC * RATE
    same = 0
    for segment in local.segments:
        is_there = segment in all_remote or any(
            is_nearly(segment, each) for session in remote[1:] for each in session.segments
        )
        is_cut = any(segment[0] - margin <= cut <= segment[1] + margin for cut in cuts)
        check(is_there or is_cut, f"the segment {segment} is not in the server's sessions, and no kill is near")
        same += is_there
    for begin, end in places:
        check(is_covered(begin, end, all_remote), f"the speech from frame {begin} to {end} is not in the segments")
    check(same > 0, "every segment was cut")
    return same, len(local.segments) - same


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=120 if SOAK else 15)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    dictum = options.programs / "dictum"
    os.environ["DICTUM_COMMAND"] = json.dumps(COMMAND)
    recording = [*SPEECH_OPTIONS, "--transcriber", "command"]
    with tempfile.TemporaryDirectory(prefix="dictum-killed-") as name:
        folder = pathlib.Path(name)
        sound, places = speech_with_places(options.seconds, options.seed)
        with wave.open(str(folder / "sound.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(sound)
        subprocess.run([dictum, "record", folder / "sound.wav", "--output-dir", folder / "local", *recording],
                       check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        (local,) = (Session(path, sound) for path in (folder / "local").iterdir() if path.is_dir())
        port = free_port()
        server = Server(options.programs, folder, *recording, port=port)
        with open(folder / "sender.log", "w") as log:
            sender = subprocess.Popen(
                [dictum, "record", "--to", f"ws://127.0.0.1:{port}", "--output-dir", folder / "spool", "--pace", "realtime",
                 "--input", folder / "sound.wav"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip
        kills = 0
        last_kill = time.monotonic() + options.seconds
        while time.monotonic() < last_kill:
            time.sleep(dice.uniform(2, 5))  # how long the server lives is what is tested
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            kills += 1
            time.sleep(dice.uniform(0, 1))
            server = Server(options.programs, folder, *recording, port=port)
        exit_code = sender.wait(120)
        complaints = (folder / "sender.log").read_text()
        check(exit_code == 0, f"the sender ends with exit code {exit_code}: {complaints}")
        server.stop()
        check(not list((folder / "spool").glob("unsent_*")), "what was sent is still in the spool")
        subprocess.run([dictum, "resume", "--output-dir", server.sessions, "--transcriber", "command"], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        sessions = [Session(path, sound) for path in sorted(server.sessions.iterdir()) if path.is_dir()]
        silent = [each for each in sessions if each.begin is None]
        for each in silent:
            each.place_by_time(sessions[0])
        same, cut = compare(local, sessions, len(sound) // 2, places)
    print(
        f"seed {options.seed}: {options.seconds} s, {kills} kills, {len(sessions)} sessions ({len(silent)} of silence): every "
        f"frame is there; of {same + cut} segments {same} are the same, {cut} were cut by a kill and have all their speech"
    )


if __name__ == "__main__":
    sys.exit(main())
