"""Real nats-server processes on loopback, and recorders and workers around them: what the tests of the cluster and its
benchmark share.
"""

import contextlib
import json
import os
import random
import socket
import subprocess
import threading
import time
import wave

RATE = 16000
SEGMENT_SECONDS = 0.6


class Failure(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_speech(path, segments):
    """So many bursts of noise with silence between them, each a segment of its own."""
    rng = random.Random(segments)
    noise = rng.randbytes(int(RATE * 0.3) * 2)  # FLAC cannot make it smaller
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(int(RATE * 0.2) * 2))
        for _ in range(segments):
            file.writeframes(noise + bytes((int(RATE * (SEGMENT_SECONDS - 0.3)) + rng.randrange(64)) * 2))


class Server:
    """A nats-server on a free port; `end` kills it, `start` starts it again with what it has stored."""

    def __init__(self, folder, extra="", jetstream="max_file_store: 64GB", cluster="", listen="127.0.0.1"):
        self.folder = folder
        self.port = free_port()
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)
        block = f'jetstream {{ store_dir: "{folder}/store", {jetstream} }}\n' if jetstream else ""
        self.config = folder / "server.conf"
        self.config.write_text(f"server_name: {folder.name}\nlisten: {listen}:{self.port}\n{block}{cluster}{extra}")

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["nats-server", "-c", self.config], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                if connection.recv(5) == b"INFO ":
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise Failure("nats-server did not start: " + (self.folder / "log").read_text(errors="replace")[-500:])

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Network:
    """Between a client and a server; while it is cut, nothing passes and nothing is closed."""

    def __init__(self, port):
        self.target = port
        self.open = threading.Event()
        self.open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            self.open.wait()
            server = socket.create_connection(("127.0.0.1", self.target))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.pass_on, args=(one, other), daemon=True).start()

    def pass_on(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self.open.wait()
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)


class Namespace:
    """A machine of its own on a network of two, in a network namespace; `ip link` cuts it off. Needs root."""

    def __init__(self, number):
        self.name = f"dictum-{os.getpid()}-{number}"
        self.link = f"dt{os.getpid() % 10**6}-{number}"
        self.host = f"10.213.{number}.1"
        inside = ("netns", "exec", self.name, "ip")
        self.ip("netns", "add", self.name)
        try:
            self.ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            self.ip("addr", "add", f"{self.host}/24", "dev", self.link)
            self.ip("link", "set", self.link, "up")
            self.ip(*inside, "addr", "add", f"10.213.{number}.2/24", "dev", "eth0")
            self.ip(*inside, "link", "set", "eth0", "up")
            self.ip(*inside, "link", "set", "lo", "up")
        except Exception:
            self.end()
            raise

    @staticmethod
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    @property
    def before(self):
        """What starts a program in it."""
        return ("ip", "netns", "exec", self.name)

    def cut(self, seconds):
        self.ip("link", "set", self.link, "down")
        time.sleep(seconds)
        self.ip("link", "set", self.link, "up")

    def end(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)
        subprocess.run(["ip", "link", "delete", self.link], capture_output=True)


class Home:
    """The home of one scenario: its processes end with it."""

    def __init__(self, folder, programs, slow):
        self.folder = folder
        self.programs = programs
        self.slow = slow
        self.children = []
        self.namespaces = []
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "DICTUM_WORKER_DIR": str(programs),
        }
        for name in os.environ:
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = os.environ[name]

    def server(self, name="server", **arguments):
        server = Server(self.folder / name, **arguments)
        self.children.append(server)
        return server.start()

    def start(self, *arguments, before=(), environment=None):
        """Starts `dictum`; `before` is the command that starts it, and `environment` is added to that of the home."""
        name = f"{arguments[0]}-{len(self.children)}"
        log_file = self.folder / f"{name}.log"
        command = [*before, self.programs / "dictum", *map(str, arguments)]
        variables = {**self.environment, **(environment or {})}
        with open(log_file, "wb") as log:
            process = subprocess.Popen(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        process.log = log_file
        self.children.append(process)
        return process

    def run(self, *arguments, code=0):
        process = self.start(*arguments)
        text = self.finish(process)
        if process.returncode != code:
            raise Failure(f"dictum {' '.join(map(str, arguments))} ended with {process.returncode}: {text[-2000:]}")
        return text

    def finish(self, process, seconds=120):
        try:
            process.wait(seconds * self.slow)
        except subprocess.TimeoutExpired:
            raise Failure(
                f"{process.args[1:]} does not end: {process.log.read_text(errors='replace')[-2000:]}"
            ) from None
        return process.log.read_text(errors="replace")

    def worker(self, url, *more, script=None, transcriber="simulated", environment=None):
        arguments = ["worker", "--nats-url", url, "--transcriber", transcriber, "--ack-wait-sec", 1, *more]
        if script is not None:
            path = self.folder / f"script-{len(self.children)}.json"
            path.write_text(json.dumps(script))
            arguments += ["--simulated-script", path]
        process = self.start(*arguments, environment=environment)
        self.wait(lambda: "Serving" in process.log.read_text(errors="replace") or process.poll() is not None)
        if process.poll() is not None:
            raise Failure("the worker ended: " + process.log.read_text(errors="replace"))
        return process

    def wait(self, condition, seconds=30):
        deadline = time.monotonic() + seconds * self.slow
        while not condition():
            if time.monotonic() > deadline:
                raise Failure("what was waited for does not happen")
            time.sleep(0.02)

    def speech(self, segments):
        path = self.folder / f"speech-{segments}.wav"
        if not path.exists():
            write_speech(path, segments)
        return path

    def recording(self, root, segments, *more):
        return [
            "record", "--input", self.speech(segments), "--pace", "fast", "--vad", "energy", "--min-silence-ms", 150,
            "--pre-roll-ms", 50, "--post-roll-ms", 50, "--durability", "crash", "--output-dir", self.folder / root, *more,
        ]  # fmt: skip

    def over_cluster(self, root, url, segments, *more, jobs=4):
        return self.recording(root, segments, "--transcriber", "nats", "--nats-url", url, "--workers", jobs, *more)

    def local(self, segments):
        root = f"local-{segments}"
        if not (self.folder / root).exists():
            self.run(*self.recording(root, segments, "--transcriber", "simulated"))
        return self.texts(root)

    def journal(self, root):
        lines = []
        for session in sorted((self.folder / root).iterdir()):
            if (session / "events.jsonl").exists():
                lines += [
                    json.loads(line)
                    for line in (session / "events.jsonl").read_text().splitlines(True)
                    if line.endswith("\n")
                ]
        return lines

    def texts(self, root):
        """The text of each segment. Fails where one has two, or none."""
        texts, queued = {}, set()
        for event in self.journal(root):
            if event["event"] == "TranscriptionQueued":
                queued.add(event["segment_index"])
            if event["event"] != "TranscriptionComplete":
                continue
            index = event["segment_index"]
            if index in texts:
                raise Failure(f"segment {index} of {root} ended twice")
            texts[index] = event.get("text", "") if not event.get("error") else event["error"]
        if not texts:
            raise Failure(f"{root} has no texts: {[event['event'] for event in self.journal(root)]}")
        if queued != set(texts):
            raise Failure(f"{root} lacks texts of the segments {sorted(queued - set(texts))}")
        return texts

    def faults(self, root):
        return " | ".join(event.get("message", "") for event in self.journal(root) if event["event"] == "RecorderFault")

    def revised(self, root):
        """The newest text of each segment."""
        completed = [event for event in self.journal(root) if event["event"] == "TranscriptionComplete"]
        return {event["segment_index"]: event["text"] for event in completed}

    def resume(self, root, url, *more):
        sessions = [self.folder / root / session.name for session in (self.folder / root).iterdir()] if more else []
        where = ["--output-dir", self.folder / root]
        cluster = ["--transcriber", "nats", "--nats-url", url, "--workers", 4]
        return self.run("resume", *sessions, *where, *cluster, *more)

    def end(self):
        for child in reversed(self.children):
            if isinstance(child, Server):
                child.end()
            elif child.poll() is None:
                child.kill()
                child.wait()
        for namespace in self.namespaces:
            namespace.end()


def same(home, root, segments):
    got, wanted = home.texts(root), home.local(segments)
    if got != wanted:
        differing = [(i, got.get(i), wanted.get(i)) for i in sorted({*got, *wanted}) if got.get(i) != wanted.get(i)]
        raise Failure(f"{root} differs from a local run: {differing[:5]}")


def ask(server, subject, data=b""):
    """A request, as a plain client makes it; returns the answer."""
    with socket.create_connection(("127.0.0.1", server.port)) as client, client.makefile("rwb") as lines:
        lines.readline()
        lines.write(f'CONNECT {{"verbose":false}}\r\nSUB answer 1\r\nPUB {subject} answer {len(data)}\r\n'.encode())
        lines.write(data + b"\r\n")
        lines.flush()
        while not lines.readline().startswith(b"MSG"):
            pass
        return lines.readline().decode()


def three_servers(home, listen="127.0.0.1"):
    """A cluster of three, each with routes to the others."""
    routes = [free_port() for _ in range(3)]
    servers = []
    for i, port in enumerate(routes):
        others = ", ".join(f"nats://127.0.0.1:{other}" for other in routes if other != port)
        cluster = f"cluster {{ name: test, listen: 127.0.0.1:{port}, routes: [{others}], no_advertise: true }}\n"
        servers.append(Server(home.folder / f"n{i + 1}", cluster=cluster, listen=listen))
        home.children.append(servers[-1])
    for server in servers:
        server.start()
    time.sleep(5)  # until they have a leader, which nothing reports to a client
    return servers


def rate_of(home, root):
    """Texts a second, from the first to the last."""
    times = [event["timestamp"] for event in home.journal(root) if event["event"] == "TranscriptionComplete"]
    return (len(times) - 1) / (max(times) - min(times))


def status_of(home, server):
    status = json.loads(home.run("cluster", "status", "--json", "--nats-url", server.url))
    status["queues"].sort(key=lambda queue: -queue["under_way"])
    return status
