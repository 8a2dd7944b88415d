#!/usr/bin/env python3
"""What the durability of a recording costs: `power` beside `crash`, at once, each on an ext4 of its own in a loop device.

    sudo bench/durability.py --bin build/release/bin [--minutes 10] [--audio ../shared/audio/radio.wav]

The speech of AUDIO is given in a loop to `dictum record --no-transcribe --input -` in real time. Processor time is what
the kernel counts for the process, writes and flushes are its system calls (`strace -c` would slow them down, so they are
counted from /proc and from the device), and the wear is what reached the device, journal of the file system included.
Figures are for an hour of audio; those of the file system itself, while nothing is recorded, are taken off.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parents[1]
SIZE_MB = 1024
SECTOR = 512


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout.strip()


class Disk:
    """A file system of its own; `written` is how many bytes its device has taken, and how many flushes."""

    def __init__(self, folder):
        self.image, self.folder = folder / "image", folder / "mounted"
        self.folder.mkdir(parents=True)
        with open(self.image, "wb") as file:
            file.truncate(SIZE_MB << 20)
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        self.device = run("losetup", "--find", "--show", self.image)
        run("mount", self.device, self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        run("umount", self.folder)
        run("losetup", "--detach", self.device)

    def written(self):
        fields = pathlib.Path("/sys/block", pathlib.Path(self.device).name, "stat").read_text().split()
        return int(fields[6]) * SECTOR, int(fields[15]) if len(fields) > 15 else 0


class Recorder:
    def __init__(self, options, disk, durability, rate):
        self.process = subprocess.Popen(
            [options.bin.resolve() / "dictum", "record", "--no-transcribe", "--json", "--input", "-", "--input-format",
             f"s16le:{rate}:1", "--output-dir", disk.folder / "sessions", "--durability", durability],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def processor_sec(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def writes(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/io").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("syscw")).split()[1])

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        if self.process.wait(30) != 0:
            sys.exit(f"durability: the recorder ended with {self.process.returncode}")


def speak(recorders, rate, samples, seconds):
    """The same block to each, in real time."""
    block = rate // 50 * 2
    began = time.monotonic()
    position = 0
    for number in range(int(seconds * 50)):
        time.sleep(max(0, began + number / 50 - time.monotonic()))
        if position + block > len(samples):
            position = 0
        for recorder in recorders:
            recorder.process.stdin.write(samples[position: position + block])
            recorder.process.stdin.flush()
        position += block


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    arguments.add_argument("--audio", type=pathlib.Path, default=ROOT / "../shared/audio/radio.wav")
    arguments.add_argument("--minutes", type=float, default=10)
    options = arguments.parse_args()
    with wave.open(str(options.audio)) as file:
        rate, samples = file.getframerate(), file.readframes(file.getnframes())

    names = ("power", "crash")
    with tempfile.TemporaryDirectory(prefix="dictum-durability-") as folder:
        folder = pathlib.Path(folder)
        with Disk(folder / "power") as power, Disk(folder / "crash") as crash:
            disks = (power, crash)
            subprocess.run(["sync"], check=True)
            before = [disk.written() for disk in disks]
            recorders = [Recorder(options, disk, name, rate) for disk, name in zip(disks, names, strict=True)]
            speaker = threading.Thread(target=speak, args=(recorders, rate, samples, 60 * options.minutes))
            speaker.start()
            speaker.join()
            used = [(recorder.processor_sec(), recorder.writes()) for recorder in recorders]
            for recorder in recorders:
                recorder.stop()
            subprocess.run(["sync"], check=True)
            after = [disk.written() for disk in disks]

    hours = options.minutes / 60
    for name, (processor, writes), (bytes_before, flushes_before), (bytes_after, flushes_after) in zip(
            names, used, before, after, strict=True):
        wear = (bytes_after - bytes_before) / hours
        print(f"{name:6} an hour: {processor / hours:6.1f} s of processor  {writes / hours:7.0f} writes  "
              f"{(flushes_after - flushes_before) / hours:6.0f} flushes of the device  {wear / 1e6:6.0f} MB on the device, "
              f"{wear / (2 * rate * 3600):.2f} times the audio")
    return 0


if __name__ == "__main__":
    sys.exit(main())
