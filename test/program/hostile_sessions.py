"""Sessions that somebody hostile has prepared, under every command.

    hostile_sessions.py BIN [--rounds N] [--commands N] [--slow FACTOR] [--seed SEED]

A round takes a session that dictum itself has recorded, changes files of it (bytes, JSON values, links, second names,
pipes, sockets, devices, folders, modes, owners) and runs commands on it: every one, or so many of them. The list of
commands is compared with what `dictum --help` lists; the server is asked over HTTP and the terminal UI gets keys.
Whatever was done to the session: nothing outside of it changes, nothing of it is shown or copied, no command takes more
than two seconds, none is ended by a signal, and neither standard error nor a terminal gets control characters. A
failure prints the line that repeats its round.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import random
import re
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.error
import urllib.request
import wave

SOAK = bool(os.environ.get("DICTUM_SOAK"))
LONGEST = 2  # seconds of the wall clock, without those in which the machine let a command wait
NEVER = 120  # seconds of the wall clock, after which a command is ended whatever the machine does
SAMPLE = 0.05
RATE = 16000
SECRET = "the-secret-of-somebody-else"
SECRET_SOUND = bytes(range(1, 65)) * 40
FILES = [
    "events.jsonl",
    "manifest.json",
    "manifest.json.new",
    "seg_0000.wav",
    "seg_0001.wav",
    "seg_0004.wav",
    "timeline.flac",
    "probabilities.f32",
    "transcript_raw.txt",
    "transcript_raw.txt.new",
    "transcript_incremental.txt",
    "transcript_incremental.txt.new",
    "unfinished.txt",
    "notes",
    "notes/0001-shopping-list.md",
    "notes/0001-shopping-list.md.new",
    "notes/0001-shopping-list.0.md",
    "x.new",
]
NASTY = [
    0,
    -1,
    1,
    2**31,
    2**32,
    2**53,
    2**63 - 1,
    1e308,
    -1e308,
    0.5,
    None,
    True,
    [],
    {},
    "",
    "\x00",
    "..",
    "../../victim/text",
    "/etc/passwd",
    "notes/../../victim/text",
    "\u202e\x1b[31m\x07",
    "a" * 70000,
    "\ud800",
    [[[[]]]],
    "seg_0001.wav",
    "failed",
    "done",
    "recording",
    "queued",
    "idle",
    "9999-12-31T23:59:59.999Z",
    "0000-00-00T00:00:00Z",
]


class Failure(Exception):
    pass


def tone(seconds):
    """Half a second of sound and half a second of silence, again and again: each a segment."""
    frames = bytearray()
    for i in range(int(seconds * RATE)):
        loud = i % RATE >= RATE // 2
        frames += struct.pack("<h", 16000 if loud and i // 20 % 2 else -16000 if loud else 0)
    return bytes(frames)


def write_wav(path, frames):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(frames)


class Place:
    """A home folder with sessions in it, and what must not change beside them."""

    def __init__(self, folder, programs, slow):
        self.folder = folder
        self.programs = programs
        self.slow = slow
        self.victim = folder / "victim"
        self.root = folder / "sessions"
        self.out = folder / "out"
        self.environment = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "TMPDIR": str(folder / "tmp"),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder}/no-sound-server",
            "DICTUM_WORKER_DIR": str(programs),
        }
        self.environment |= {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
        for path in (self.victim, self.out, folder / "tmp"):
            path.mkdir()
        (folder / "script.json").write_text(
            json.dumps({"texts": ["start a new note", "Shopping list", "bread", "and butter"]})
        )
        write_wav(folder / "tone.wav", tone(4))
        self.speech = ["--vad", "energy", "--min-silence-ms", "200"]
        self.simulated = ["--transcriber", "simulated", "--simulated-script", str(folder / "script.json")]

    def make_victim(self):
        shutil.rmtree(self.victim)
        self.victim.mkdir()
        (self.victim / "text").write_text(SECRET + "\n")
        (self.victim / "empty").write_text("")
        write_wav(self.victim / "sound.wav", SECRET_SOUND * 20)
        (self.victim / "folder").mkdir()
        (self.victim / "folder/0001-shopping-list.md").write_text(SECRET + "\n")
        shutil.copytree(self.template("finished"), self.victim / "20250101_000000")

    def template(self, name):
        return self.folder / "templates" / name

    def make_templates(self):
        templates = self.folder / "templates"
        templates.mkdir()
        self.must_succeed(
            "record", "--output-dir", templates, *self.speech, *self.simulated, "--keep-all", self.folder / "tone.wav"
        )
        next(templates.glob("2*")).rename(self.template("finished"))
        command = [
            self.programs / "dictum",
            "record",
            "--output-dir",
            templates,
            *self.speech,
            *self.simulated,
            "--json",
            "--input",
            "-",
            "--input-format",
            f"s16le:{RATE}:1",
        ]
        with subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as recorder:
            recorder.stdin.write(tone(3.7))
            recorder.stdin.flush()
            for line in recorder.stdout:
                event = json.loads(line)
                if event["event"] == "TranscriptionComplete" and event["segment_index"] == 2:
                    break
            recorder.kill()
        next(templates.glob("2*")).rename(self.template("interrupted"))

    def must_succeed(self, *arguments):
        result = self.run(*arguments)
        if result.code != 0:
            raise Failure(f"{arguments} without a hostile session: {result.code}, {result.err}")

    def run(self, *arguments, terminal=False):
        more = {"terminal": terminal}
        folder = self.folder / "tmp"
        if arguments[-1] == "--help":
            pass
        elif arguments[0] == "tui":
            more = {"keys": KEYS}
            folder = self.out  # where it exports to
        elif arguments[0] == "serve":
            more = {"ask": ask_server(sorted(path.name for path in self.root.iterdir() if path.name.startswith("2")))}
        return Run([self.programs / "dictum", *arguments], self.environment, folder, self.slow, **more)

    def commands_of_the_program(self, *before):
        """Every command that the command line's own definition lists, as a tuple of its words."""
        listed = self.run(*before, "--help").out.decode().partition("\nSubcommands:\n")[2]
        names = re.findall(r"^  (\w+) ", listed, re.MULTILINE)
        for name in names:
            yield from self.commands_of_the_program(*before, name)
        if not names:
            yield before


class Progress(threading.Thread):
    """Why a process and its descendants take so long: the seconds in which each of their threads slept.

    Seconds in which one of them computes, or waits for a processor or for the disk, are the machine's: of those the
    processor's are counted apart. A command that waits for a pipe, for a lock or for a timer sleeps, however much
    else the machine has to do. Ends a command that has slept for too long.
    """

    def __init__(self, process, longest):
        super().__init__(daemon=True)
        self.process = process
        self.longest = longest
        self.began = time.monotonic()
        self.slept = 0.0
        self.where = ""
        self.over = threading.Event()
        self.ended_it = False

    def states(self):
        """The states of all threads of the process' session and of whatever descends from it."""
        of_it = {self.process.pid}
        for folder in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{folder}/stat").read_text().rpartition(")")[2].split()
                if folder in of_it or int(fields[1]) in of_it or int(fields[3]) == self.process.pid:
                    of_it.add(folder)
        for folder in of_it:
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{folder}/task"):
                    status = pathlib.Path(f"/proc/{folder}/task/{thread}/stat").read_text()
                    yield folder, status.rpartition(")")[2].split()[0]

    def run(self):
        last = time.monotonic()
        while not self.over.wait(SAMPLE):
            states = list(self.states())
            now = time.monotonic()
            if not any(state in "RD" for _, state in states):
                self.slept += min(now - last, 2 * SAMPLE)  # this thread may have been held up
            last = now
            if self.slept > self.longest or now - self.began > NEVER:
                self.where = ", ".join(sorted({self.place(process) for process, _ in states}))
                self.ended_it = True
                os.killpg(self.process.pid, signal.SIGKILL)
                return

    def place(self, process):
        with contextlib.suppress(OSError):
            name = pathlib.Path(f"/proc/{process}/comm").read_text().strip()
            return f"{name} in {pathlib.Path(f'/proc/{process}/wchan').read_text()}"
        return "?"

    def end(self):
        self.over.set()
        self.join()


class Terminal:
    """The screen of a command, whose keys are pressed one after the other, each once the screen rests."""

    RESTS_AFTER = 0.1  # seconds without output

    def __init__(self):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))

    def read(self, keys, progress):
        """Presses `keys`. Returns what was shown until the command ended."""
        os.close(self.theirs)
        shown = bytearray()
        # On a busy machine a key may come too early to mean what it should: in the end, one leaves.
        keys = [*keys, *(["\x1b", "q"] * 20)] if keys else []
        while True:
            ready = select.select([self.ours], [], [], self.RESTS_AFTER if keys and shown else None)[0]
            try:
                if not ready:
                    progress.longest += 2 * self.RESTS_AFTER  # the one who looks at the screen took it
                    os.write(self.ours, keys.pop(0).encode())
                    continue
                shown += os.read(self.ours, 65536)
            except OSError:  # nobody has it open any longer
                os.close(self.ours)
                return bytes(shown)


KEYS = ["s", "\r", "\x1b[6~", "\r", "\x1b", "e", "\r", "\x1b", "r", "/", "bread", "\r", "\t", "\x1b", "\x1b", "q", "q"]
OURS = re.compile(rb"\x1b\[[0-9;]*m|\r\x1b\[K")  # colours, and a line that is drawn again


class Run:
    """A command, carried out; with its output in a file or on a terminal, and keys for it."""

    def __init__(self, command, environment, folder, slow, *, terminal=False, keys=(), ask=None):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
            if keys:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        screen = Terminal() if terminal or keys else None
        self.keys = keys
        self.terminal = terminal
        process = subprocess.Popen(
            [str(word) for word in command],
            env={**environment, "TERM": "xterm-256color"},
            cwd=folder,
            stdin=screen.theirs if keys else subprocess.DEVNULL,
            stdout=screen.theirs if screen else subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=limit,
            start_new_session=True,
        )
        progress = Progress(process, LONGEST * slow)
        progress.start()
        self.answers = []
        if screen:
            out = screen.read(keys, progress)
            err = process.communicate()[1]
        else:
            if ask:
                self.answers = list(ask(process))
            out, err = process.communicate()
        progress.end()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.code = process.returncode
        self.out = out + b"".join(self.answers)
        self.err = err
        self.hangs = progress.ended_it
        self.where = progress.where
        self.seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime + progress.slept
        self.longest = progress.longest

    def problems(self):
        if self.hangs:
            yield f"it hangs: {self.where}"
        elif self.code not in (0, 1, 2):
            yield f"it ended with {self.code}"
        if self.seconds > self.longest:
            yield f"it took {self.seconds:.1f} s"
        if any((byte < 32 and byte != 10) or byte == 127 for byte in self.err) or b"\xc2\x9b" in self.err:
            yield "control characters on standard error"
        if self.terminal and any(
            (byte < 32 and byte not in (10, 13)) or byte == 127 for byte in OURS.sub(b"", self.out)
        ):
            yield "control characters on the terminal"
        if (self.terminal or self.keys) and any(
            text in self.out for text in (b"\xe2\x80\xae", b"\xc2\x9b", b"\x1b[31m\x07")
        ):
            yield "what controls a terminal reaches it"
        if SECRET.encode() in self.out + self.err:
            yield "it shows a file of somebody else's"
        if b"Sanitizer" in self.err or b"terminate called" in self.err or b"runtime error" in self.err:
            yield "it broke"
        if self.code != 0 and not self.err and not self.out:
            yield "it fails without a word"


def ask_server(names):
    """What a client asks a server for; it must answer each, and end when it is asked to."""

    def ask(process):
        line = process.stdout.readline()
        if address := re.search(rb"http\S+", line):
            paths = ["sessions", "search?q=bread", "status"]
            paths += [f"sessions/{name}{of}" for name in names for of in SERVED]
            for path in paths:
                try:
                    with urllib.request.urlopen(f"{address.group().decode()}/api/v1/{path}", timeout=NEVER) as answer:
                        yield answer.read()
                except urllib.error.HTTPError as error:
                    yield error.read()
                except OSError:  # it was ended
                    break
        process.terminate()

    return ask


SERVED = ["", "/transcript?format=md", "/transcript?format=srt", "/segments/1/audio", "/notes"]


class Changes:
    """What somebody hostile does to a session. Each returns a sentence."""

    def __init__(self, place, session, choose):
        self.place = place
        self.session = session
        self.choose = choose

    def any(self):
        ways = (
            [self.bytes] * 3
            + [self.values] * 6
            + [self.link] * 5
            + [self.second_name] * 2
            + [self.special] * 3
            + [self.folder] * 2
            + [self.mode] * 2
            + [self.root_file] * 2
            + [self.missing, self.unfinished]
            + [self.lines] * 2
        )
        return self.choose.choice(ways)()

    def target(self):
        name = self.choose.choice(FILES)
        path = self.session / name
        if path.parent != self.session and not path.parent.is_dir():
            path = self.session / "manifest.json"
        return path

    def clear(self, path):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path)
        return path

    def existing(self):
        files = [path for path in sorted(self.session.rglob("*")) if not path.is_symlink() and path.is_file()]
        return self.choose.choice(files) if files else None

    def bytes(self):
        path = self.existing()
        if path is None:
            return "nothing"
        content = bytearray(path.read_bytes())
        for _ in range(self.choose.randint(1, 8)):
            at = self.choose.randrange(len(content) + 1)
            way = self.choose.randrange(4)
            if way == 0 and content:
                content[at % len(content)] = self.choose.randrange(256)
            elif way == 1:
                del content[at : at + self.choose.choice([1, 4, 100, 10**9])]
            elif way == 2:
                content[at:at] = self.choose.choice(
                    [b"\0", b"\n", b"{", b"[" * 100000, b"\xff" * 8, b"../", b"9" * 400]
                )
            else:
                content[at:at] = content[self.choose.randrange(len(content) + 1) :][:200]
        path.write_bytes(content)
        return f"bytes of {path.name}"

    def lines(self):
        path = self.session / "events.jsonl"
        if path.is_symlink() or not path.is_file():
            return "nothing"
        lines = path.read_bytes().splitlines(keepends=True)
        for _ in range(self.choose.randint(1, 4)):
            if not lines:
                break
            at = self.choose.randrange(len(lines))
            way = self.choose.randrange(3)
            if way == 0:
                del lines[at]
            elif way == 1:
                lines.insert(self.choose.randrange(len(lines)), lines[at])
            else:
                other = self.choose.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
        path.write_bytes(b"".join(lines))
        return "lines of events.jsonl"

    def change_value(self, value):
        if isinstance(value, dict) and value and self.choose.random() < 0.95:
            key = self.choose.choice(sorted(value))
            return {**value, key: self.change_value(value[key])}
        if isinstance(value, list) and value and self.choose.random() < 0.9:
            at = self.choose.randrange(len(value))
            return [*value[:at], self.change_value(value[at]), *value[at + 1 :]]
        return self.choose.choice(NASTY)

    def values(self):
        path = self.session / self.choose.choice(["events.jsonl", "manifest.json"])
        if path.is_symlink() or not path.is_file():
            return "nothing"
        with contextlib.suppress(ValueError, RecursionError):
            if path.name == "manifest.json":
                path.write_text(json.dumps(self.change_value(json.loads(path.read_text()))))
            else:
                lines = path.read_text().splitlines()
                if lines:
                    at = self.choose.randrange(len(lines))
                    lines[at] = json.dumps(self.change_value(json.loads(lines[at])))
                    path.write_text("\n".join(lines) + "\n")
        return f"values in {path.name}"

    def link(self):
        victim = self.place.victim
        path = self.target()
        to = self.choose.choice(
            [
                victim / "text",
                victim / "sound.wav",
                victim / "empty",
                victim / "folder",
                victim,
                victim / "made",
                victim / "folder/made",
                "../../victim/text",
                path.name,
                "/dev/zero",
                "/proc/self/exe",
                "/proc/self/fd/0",
                "/proc/self/environ",
                "/dev/tty",
                victim / "20250101_000000" / path.name,
            ]
        )
        self.clear(path).symlink_to(to)
        return f"{path.relative_to(self.session)} is a link to {to}"

    def second_name(self):
        path = self.target()
        to = self.choose.choice(
            [
                "text",
                "sound.wav",
                "empty",
                "folder/0001-shopping-list.md",
                "20250101_000000/events.jsonl",
                "20250101_000000/manifest.json",
            ]
        )
        self.clear(path).hardlink_to(self.place.victim / to)
        return f"{path.relative_to(self.session)} is a second name of {to}"

    def special(self):
        path = self.clear(self.target())
        name = path.relative_to(self.session)
        kind = self.choose.choice(["pipe", "pipe", "socket", "device"])
        if kind == "device" and os.geteuid() == 0:
            with contextlib.suppress(OSError):
                os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, self.choose.choice([3, 5, 7, 8])))
                return f"{name} is a device"
        if kind == "socket":
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as server:  # a long path is refused
                server.bind(str(path))
                return f"{name} is a socket"
        os.mkfifo(path)
        return f"{name} is a pipe"

    def folder(self):
        path = self.clear(self.target())
        path.mkdir()
        if self.choose.random() < 0.5:
            (path / "inner").write_text("inner")
        return f"{path.relative_to(self.session)} is a folder"

    def mode(self):
        path = self.choose.choice([self.session, self.existing() or self.session])
        mode = self.choose.choice([0o000, 0o444, 0o777, 0o200, 0o4755, 0o1777])
        path.chmod(mode)
        if os.geteuid() == 0 and self.choose.random() < 0.5:
            os.chown(path, 65534, 65534)
        return f"mode {mode:o} of {path.name}"

    def root_file(self):
        """What stands beside the session: the index, and what a deletion leaves behind."""
        victim = self.place.victim
        index = ["index.sqlite" + end for end in ("", "", "-wal", "-shm", "-journal")]
        name = self.choose.choice([*index, ".deleted-" + self.session.name])
        path = self.clear(self.place.root / name)
        way = self.choose.randrange(4)
        if way == 0:
            path.symlink_to(self.choose.choice([victim / "text", victim / "made", victim / "folder", "/dev/zero"]))
        elif way == 1:
            os.mkfifo(path)
        elif way == 2:
            path.write_bytes(self.choose.randbytes(5000))
        else:
            path.hardlink_to(victim / "text")
        return f"{name} of the root"

    def missing(self):
        path = self.clear(self.target())
        return f"{path.name} is missing"

    def unfinished(self):
        path = self.session / "unfinished.txt"
        texts = ["", "0 0\n", "4 64000\n5 -1\n", "4 9223372036854775807\n", "99999999999 1\n" * 1000]
        self.clear(path).write_text(self.choose.choice(texts))
        return "it is not finished"


def snapshot(folder):
    """All that can be changed: names, kinds, contents, modes, owners, times of writing. Not how many names a file has."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
        if path.is_symlink():
            content = os.readlink(path)
        written = 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
        found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, written, content)
    return found


def commands(place, session):
    name = str(session)
    root = ["--output-dir", str(place.root)]
    fast = [*place.speech, *place.simulated]
    out = place.out

    yield ["sessions", "list", *root]
    yield ["sessions", "list", "--json", *root]
    yield ["sessions", "show", name, *root]
    yield ["sessions", "show", name, "--json", "--revision", "0", *root]
    yield ["sessions", "search", "bread", *root]
    yield ["sessions", "search", "--json", *root]
    yield ["notes", "list", "--json", *root]
    yield ["notes", "show", name, *root]
    yield ["notes", "search", "butter", *root]
    for end in ("txt", "srt", "vtt", "json", "md", "wav", "flac"):
        yield ["sessions", "export", name, out / f"x.{end}", *root]
    yield ["sessions", "export", name, out / "timeline.wav", "--timeline", *root]
    yield ["sessions", "export", name, "-", "--format", "md", *root]
    yield ["sessions", "play", name, *root]
    yield ["sessions", "verify", *root]
    yield ["sessions", "verify", name, "--json", *root]
    yield ["replay", name, "--speed", "0", *root]
    yield ["analyze", session / "seg_0001.wav"]
    yield ["doctor", *root]
    yield ["worker", "--transcriber", "none"]
    yield ["cluster", "status", "--nats-url", "nats://127.0.0.1:9"]
    yield ["cluster", "dead", "--nats-url", "nats://127.0.0.1:9"]
    yield ["cluster", "init", "/dev/null/cluster"]
    yield ["devices"]
    yield ["transcribers"]
    yield ["models", "list"]
    yield ["models", "path", "base.en"]
    yield ["models", "verify", "base.en"]
    yield ["models", "remove", "base.en"]
    yield ["models", "pull", name]
    yield ["serve", *root, *fast, "--input", place.folder / "tone.wav"]
    yield ["tui", *root, *fast]
    yield ["sessions", "verify", name, "--repair", *root]
    yield ["sessions", "edit", name, "0", "corrected", *root, *place.simulated]
    yield ["sessions", "edit", name, "1", "--speak", "--input", place.folder / "tone.wav", *root, *fast]
    yield ["resegment", name, "--dry-run", *root, *fast]
    yield ["resegment", name, *root, *fast]
    yield ["retranscribe", name, *root, *place.simulated]
    yield ["resume", *root, *place.simulated]
    yield ["resume", name, "--failed", *root, *place.simulated]
    yield ["record", *root, *fast, place.folder / "tone.wav"]
    yield ["sessions", "reindex", *root]
    yield ["sessions", "prune", "--older-than", "1d", "--dry-run", *root]
    yield ["sessions", "delete", name, *root]
    yield ["sessions", "delete", name, "--yes", *root]
    yield ["sessions", "prune", "--older-than", "1d", *root]


WITHOUT_SESSIONS = {"config", "completion", "manual", "ctl"}  # they open none


def check_that_every_command_is_tried(place):
    tried = [tuple(str(word) for word in command) for command in commands(place, place.root / "20260102_030405")]
    every = list(place.commands_of_the_program())
    missing = [" ".join(words) for words in every if not any(words == one[: len(words)] for one in tried)]
    missing = [words for words in missing if words.split()[0] not in WITHOUT_SESSIONS]
    if missing or len(every) < 20:
        raise Failure(f"not tried on hostile sessions: {', '.join(missing)}, of {len(every)} commands")


def a_round(place, seed, count):
    choose = random.Random(seed)
    with contextlib.suppress(OSError):
        place.root.chmod(0o700)
    shutil.rmtree(place.root, ignore_errors=True)
    place.root.mkdir()
    place.make_victim()
    shutil.rmtree(place.folder / "kept", ignore_errors=True)
    for left in [*place.out.iterdir(), *(place.folder / "tmp").iterdir()]:
        left.unlink() if left.is_file() else shutil.rmtree(left)
    innocent = place.root / "20260101_000000"
    shutil.copytree(place.template("finished"), innocent)
    innocent.chmod(0o700)
    session = place.root / "20260102_030405"
    shutil.copytree(place.template(choose.choice(["finished", "interrupted"])), session)
    session.chmod(0o700)
    if choose.random() < 0.5:
        place.must_succeed("sessions", "reindex", "--output-dir", place.root)
    changes = Changes(place, session, choose)
    done = [changes.any() for _ in range(choose.randint(1, 4))]
    all_commands = list(commands(place, session))
    if choose.random() < 0.7:  # else each on what those before it have left
        last = all_commands[-3:]
        choose.shuffle(all_commands)
        all_commands = [command for command in all_commands if command not in last] + last
    if count:
        chosen = set(choose.sample(range(len(all_commands)), count))
        all_commands = [command for i, command in enumerate(all_commands) if i in chosen]

    def others():
        return {**snapshot(place.victim), **snapshot(innocent)}

    def fail(what):
        raise Failure(f"seed {seed}: {what}\n  the session: {'; '.join(done)}")

    before = others()
    for command in all_commands:
        if "prune" in command and "--dry-run" not in command:  # would take the innocent one too, rightly
            innocent.rename(place.folder / "kept")
            innocent = place.folder / "kept"
            before = others()
        result = place.run(*command, terminal=choose.random() < 0.3)
        words = " ".join(str(word) for word in command)
        for problem in result.problems():
            fail(f"dictum {words}: {problem}\n  {result.err[-600:]!r}")
        after = others()
        if after != before:
            changed = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
            fail(f"dictum {words} changed {', '.join(changed)}")
        for path in place.out.iterdir():
            content = path.read_bytes()
            if SECRET.encode() in content or SECRET_SOUND in content:
                fail(f"dictum {words} copied a file of somebody else's")
            if path.stat().st_mode & 0o077:
                fail(f"dictum {words} made a file that others can read")
            path.unlink()
        if any((place.folder / "tmp").iterdir()):
            fail(f"dictum {words} left {list((place.folder / 'tmp').iterdir())}")
    return done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rounds", type=int, default=200 if SOAK else 8)
    parser.add_argument("--commands", type=int, default=0 if SOAK else 6, help="a round; 0: all")
    parser.add_argument("--slow", type=float, default=1, help="how much slower than usual the programs are")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--go-on", action="store_true", help="after a failure")
    given = parser.parse_args()
    seeds = (
        [given.seed]
        if given.seed is not None
        else [random.SystemRandom().randrange(10**9) for _ in range(given.rounds)]
        if "DICTUM_SOAK" in os.environ
        else range(given.rounds)
    )
    os.umask(0)  # as lax as it can be
    failures = 0
    with tempfile.TemporaryDirectory(prefix="dictum-hostile-", ignore_cleanup_errors=True) as folder:
        place = Place(pathlib.Path(folder), given.programs.absolute(), given.slow)
        place.make_templates()
        check_that_every_command_is_tried(place)
        for seed in seeds:
            began = time.monotonic()
            try:
                done = a_round(place, seed, given.commands)
                if given.verbose:
                    print(f"seed {seed}: {time.monotonic() - began:.1f} s: {'; '.join(done)}", flush=True)
            except Failure as failure:
                failures += 1
                print(failure, flush=True)
                print(f"  again: {sys.argv[0]} {given.programs} --seed {seed} --commands {given.commands}", flush=True)
                if not given.go_on:
                    break
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
