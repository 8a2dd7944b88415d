#!/usr/bin/env python3
"""An hour of speech on the virtual microphone, while the sound server is killed every minute.

    bench/outages.py --bin build/release/bin [--minutes 60] [--data FOLDER]

The recordings of DATA are played in a loop by `paplay`; every minute the daemon is killed with SIGKILL and started again
a second later. Counted is what must not be: outages that no AudioGap states, a journal with a hole in its sequence, a
timeline that is not what was captured and the gaps, kept segments without exactly one text, sound files whose length is
not that of their segment, memory more than 2 MB above that after ten minutes, other numbers of descriptors and threads,
a stop that takes more than five seconds. The clock of the recording and that of the machine are compared at the end.
"""

import argparse
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import wave

from virtual_microphone import VirtualMicrophone

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECORDINGS = next(folder for folder in (ROOT / "../shared/audio", ROOT / "samples") if folder.is_dir())
DOWN_SEC = 1.0
GROWTH_LIMIT_MB = 2
STOP_LIMIT_SEC = 5


class Player(threading.Thread):
    """Plays the recordings in turn; one whose player ends with the daemon is followed by the next."""

    def __init__(self, files, environment):
        super().__init__(daemon=True)
        self.files, self.environment = files, environment
        self.ended = threading.Event()

    def run(self):
        number = 0
        while not self.ended.is_set():
            played = subprocess.run(["paplay", "--device=spk", self.files[number % len(self.files)]],
                                    env=self.environment, stderr=subprocess.DEVNULL)
            number += 1
            if played.returncode != 0:
                self.ended.wait(0.2)


def resources(pid):
    """Memory in MB, open descriptors, threads."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    value = {line.split(":")[0]: line.split()[1] for line in status if line.startswith(("VmRSS", "Threads"))}
    return int(value["VmRSS"]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(value["Threads"])


def check_session(session, outages):
    """What is wrong with the recording, and a line of figures."""
    events = [json.loads(line) for line in (session / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    faults = []
    if [event["sequence"] for event in events] != list(range(len(events))):
        faults.append("the journal has a hole")
    count = collections.Counter(event["event"] for event in events)
    gaps = [event for event in events if event["event"] == "AudioGap"]
    if len([gap for gap in gaps if gap["reason"] == "device_lost"]) < outages:
        faults.append(f"{outages} outages, {len(gaps)} gaps reported: {collections.Counter(gap['reason'] for gap in gaps)}")
    manifest = json.loads((session / "manifest.json").read_text(encoding="utf-8"))
    kept = [segment for segment in manifest["segments"] if segment["kept"]]
    texts = collections.Counter(event["segment_index"] for event in events if event["event"] == "TranscriptionComplete")
    wrong = [segment["index"] for segment in kept if texts[segment["index"]] != 1]
    if wrong:
        faults.append(f"kept segments without exactly one text: {wrong[:5]}")
    for segment in kept:
        with wave.open(str(session / segment["file"])) as sound:
            if sound.getnframes() != segment["end_frame"] - segment["start_frame"]:
                faults.append(f"{segment['file']} is not as long as its segment")
    ended = next(event for event in reversed(events) if event["event"] == "RecordingStateChanged")
    rate = manifest["sample_rate"]
    lost = sum(gap["frames"] for gap in gaps)
    line = f"{count['SpeechEnded']} segments, {count['TranscriptionComplete']} texts, {len(gaps)} gaps of {lost / rate:.1f} s in all"
    return faults, line, ended["frame"] / rate


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    arguments.add_argument("--data", type=pathlib.Path, default=RECORDINGS)
    arguments.add_argument("--minutes", type=int, default=60)
    options = arguments.parse_args()
    files = sorted(options.data.resolve().glob("**/*.wav"))

    with VirtualMicrophone() as microphone:
        sessions = microphone.folder / "sessions"
        recorder = subprocess.Popen([options.bin.resolve() / "dictum", "record", "--json", "--output-dir", sessions,
                                     "--transcriber", "simulated"], env=microphone.environment, stdout=subprocess.DEVNULL)
        began = time.monotonic()
        player = Player(files, microphone.environment)
        player.start()
        found = []
        for minute in range(1, options.minutes + 1):
            time.sleep(max(0, began + 60 * minute - time.monotonic()))
            if recorder.poll() is not None:
                sys.exit(f"outages: the recorder ended with {recorder.returncode}")
            found.append(resources(recorder.pid))
            print("{:3} min  {:6.1f} MB  {} descriptors  {} threads".format(minute, *found[-1]), flush=True)
            microphone.kill()
            time.sleep(DOWN_SEC)
            microphone.start()
        time.sleep(5)
        player.ended.set()
        stopped = time.monotonic()
        recorder.send_signal(signal.SIGINT)
        code = recorder.wait(60)
        took = time.monotonic() - stopped
        session, = sessions.iterdir()
        faults, line, end_sec = check_session(session, options.minutes)

    drift = end_sec - (stopped - began)
    print(f"{line}; the recording is {drift:+.2f} s beside the clock of the machine; stopped in {took:.2f} s")
    first, last = found[min(9, len(found) - 1)], found[-1]
    if code != 0:
        faults.append(f"exit code {code}")
    if took > STOP_LIMIT_SEC:
        faults.append(f"the stop took {took:.1f} s")
    if last[0] - first[0] > GROWTH_LIMIT_MB:
        faults.append(f"memory grew by {last[0] - first[0]:.1f} MB after the first minutes")
    if last[1:] != first[1:]:
        faults.append(f"descriptors and threads were {first[1:]}, and are {last[1:]}")
    for fault in faults:
        print(f"outages: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
