#!/usr/bin/env python3
"""How soon the terminal UI answers a key, how often it draws, and what it costs while nothing happens.

    bench/tui_latency.py --bin build/release/bin

Keys are written into the terminal that the program runs in, and the time is taken until the frame that shows what the
key does has come out of it, whole. The control is a program in the same kind of terminal, in the same run, that only
repaints its screen for every key. Printed are the 50th and the 99th percentile, and how much worse the latter is than the
control's: with a recogniser that hangs, one that crashes, one that takes 30 s, and with 2,000 events a second. Fails
where that is more than 50 ms, where more than 30 frames are drawn in any second, or where it takes 2 % of a core while
it is idle.
"""

import argparse
import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
import tty

KEYS = 120
PAUSES = (0.047, 0.083, 0.061, 0.11, 0.038)  # between an answer and the next key
IDLE_SEC = 8
LIMIT_MS = 50
LIMIT_FRAMES = 30
LIMIT_IDLE_PERCENT = 2
HELP = b"this page"
FRAME_END = b"\0"  # what FTXUI ends each with


def control():
    """Repaints 24 lines for every key; the first of them says whether the help would be seen."""
    tty.setraw(0)
    seen = False
    os.write(1, b"ready" + FRAME_END)
    while key := os.read(0, 1):
        if key == b"q":
            return
        seen = not seen
        os.write(1, b"\x1b[H" + (HELP if seen else b"") + b"\x1b[K\r\n" + b"\r\n".join([b"x" * 79] * 22) + FRAME_END)


class Program:
    def __init__(self, command, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, **environment})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.pending = b""
        self.frames = []  # when they were drawn

    def frame(self, within=20):
        """The next whole frame."""
        deadline = time.monotonic() + within
        while FRAME_END not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise SystemExit(f"tui_latency: no frame within {within} s")
            self.pending += os.read(self.terminal, 1 << 16)
        whole, self.pending = self.pending.split(FRAME_END, 1)
        self.frames.append(time.monotonic())
        return whole

    def drain(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                self.pending += os.read(self.terminal, 1 << 16)
                while FRAME_END in self.pending:
                    self.frame()

    def press(self, key):
        os.write(self.terminal, key)

    def latencies(self):
        taken = []
        for number in range(KEYS):
            self.drain(PAUSES[number % len(PAUSES)])
            began = time.monotonic()
            self.press(b"?")
            while (HELP in self.frame()) != (number % 2 == 0):
                pass
            taken.append((time.monotonic() - began) * 1000)
        return sorted(taken)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def most_frames_a_second(self):
        most = first = 0
        for last, when in enumerate(self.frames):
            while self.frames[first] <= when - 1:
                first += 1
            most = max(most, last - first + 1)
        return most

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--control", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.control:
        control()
        return 0

    sys.stdout.reconfigure(line_buffering=True)
    root = pathlib.Path(__file__).resolve().parent.parent
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "DICTUM_WORKER_DIR": str(arguments.bin.resolve()),
                       "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder, "PULSE_SERVER": "unix:" + folder + "/none"}

        def dictum(name, script):
            path = pathlib.Path(folder, name + ".json")
            path.write_text(json.dumps(script))
            return [str(arguments.bin / "dictum"), "tui", "--output-dir", f"{folder}/{name}", "--transcriber", "simulated",
                    "--simulated-script", str(path), "--input", str(root / "samples/voice_note.wav")]

        scenarios = [("no-op control", [sys.executable, __file__, "--control"]),
                     ("recogniser hangs", dictum("hang", {"do": "hang"})),
                     ("recogniser crashes", dictum("crash", {"do": "crash"})),
                     ("recogniser takes 30 s", dictum("slow", {"latency_ms": 30000})),
                     ("2,000 events a second", [str(arguments.bin / "tui_storm")])]
        base = None
        for name, command in scenarios:
            program = Program(command, environment)
            program.frame()
            began, spent = time.monotonic(), program.cpu_seconds()
            taken = program.latencies()
            load = (program.cpu_seconds() - spent) / (time.monotonic() - began) * 100
            frames = program.most_frames_a_second()
            program.end()
            p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
            if base is None:
                base = p99
                print(f"{name:24} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
                continue
            failures.append(p99 - base > LIMIT_MS or frames > LIMIT_FRAMES)
            print(f"{name:24} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms, {p99 - base:+.2f} ms   "
                  f"{frames} frames in a second at most   {load:.1f} % of a core")

        program = Program([str(arguments.bin / "dictum"), "tui", "--output-dir", f"{folder}/idle"], environment)
        program.drain(2)
        before, frames = program.cpu_seconds(), len(program.frames)
        program.drain(IDLE_SEC)
        idle = (program.cpu_seconds() - before) / IDLE_SEC * 100
        failures.append(idle >= LIMIT_IDLE_PERCENT)
        print(f"idle: {idle:.2f} % of a core, {len(program.frames) - frames} frames in {IDLE_SEC} s")
        program.end()
    return int(any(failures))


if __name__ == "__main__":
    sys.exit(main())
