#!/usr/bin/env python3
"""The cluster against real nats-server processes on loopback: what ends on the way, and what must come of it.

    cluster_test.py BIN [--slow FACTOR] [--only NAME]

Each scenario has a server, a home and ports of its own, and compares the journal of a recording over the cluster with
that of the same recording with a local worker. DICTUM_SOAK=1 adds the long ones. Exit code 77: nats-server or the
cluster's programs are missing.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import wave

SKIPPED = 77
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

    def __init__(self, folder, extra="", jetstream="max_file_store: 64GB", cluster=""):
        self.folder = folder
        self.port = free_port()
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)
        block = f'jetstream {{ store_dir: "{folder}/store", {jetstream} }}\n' if jetstream else ""
        self.config = folder / "server.conf"
        self.config.write_text(f"server_name: {folder.name}\nlisten: 127.0.0.1:{self.port}\n{block}{cluster}{extra}")

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


class Home:
    """The home of one scenario: its processes end with it."""

    def __init__(self, folder, programs, slow):
        self.folder = folder
        self.programs = programs
        self.slow = slow
        self.children = []
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

    def start(self, *arguments):
        name = f"{arguments[0]}-{len(self.children)}"
        log_file = self.folder / f"{name}.log"
        command = [self.programs / "dictum", *map(str, arguments)]
        with open(log_file, "wb") as log:
            process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
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

    def worker(self, url, *more, script=None, transcriber="simulated"):
        arguments = ["worker", "--nats-url", url, "--transcriber", transcriber, "--ack-wait-sec", 1, *more]
        if script is not None:
            path = self.folder / f"script-{len(self.children)}.json"
            path.write_text(json.dumps(script))
            arguments += ["--simulated-script", path]
        process = self.start(*arguments)
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
                lines += [json.loads(line) for line in (session / "events.jsonl").read_text().splitlines()]
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


def same(home, root, segments):
    got, wanted = home.texts(root), home.local(segments)
    if got != wanted:
        differing = [(i, got.get(i), wanted.get(i)) for i in sorted({*got, *wanted}) if got.get(i) != wanted.get(i)]
        raise Failure(f"{root} differs from a local run: {differing[:5]}")


# Scenarios: each is a sentence.


def texts_come_back_as_from_a_local_worker(home):
    server = home.server()
    worker = home.worker(server.url, "--workers", 2)
    home.run(*home.over_cluster("cluster", server.url, 12))
    same(home, "cluster", 12)
    status = json.loads(home.run("cluster", "status", "--json", "--nats-url", server.url))
    streams = {stream["name"]: stream for stream in status["streams"]}
    if streams["DICTUM_JOBS"]["messages"] or streams["DICTUM_RESULTS"]["messages"] != len(home.texts("cluster")):
        raise Failure(f"the streams hold {streams}")
    if status["machines"][0]["done"] != len(home.texts("cluster")):
        raise Failure(f"the machines report {status['machines']}")
    opened = [pathlib.Path(os.readlink(file)) for file in pathlib.Path(f"/proc/{worker.pid}/fd").iterdir()]
    folders = [path for path in opened if path.is_dir() and f"dictum-{os.getuid()}" in path.parts]
    if len(folders) != 1 or list(folders[0].glob("*.wav")):
        raise Failure(f"the worker's machine keeps audio, or has no folder for it: {opened}")


def a_recording_without_cluster_is_finished_by_resume(home):
    server = home.server()
    server.end()
    text = home.run(*home.over_cluster("down", server.url, 5, "--drain-sec", 100), code=1)
    if "cannot be reached" not in home.faults("down") + text:
        raise Failure(f"no fault reports that the cluster is down: {home.faults('down')} {text}")
    server.start()
    home.worker(server.url)
    home.resume("down", server.url)
    same(home, "down", 5)


def a_job_whose_machine_dies_is_done_by_another(home):
    server = home.server()
    slow = home.worker(server.url, script={"latency_ms": 3_600_000})
    recording = home.start(*home.over_cluster("killed", server.url, 6))
    home.wait(lambda: status_of(home, server)["queues"][0]["under_way"] > 0)
    slow.kill()
    slow.wait()
    home.worker(server.url)
    home.finish(recording)
    same(home, "killed", 6)


def status_of(home, server):
    status = json.loads(home.run("cluster", "status", "--json", "--nats-url", server.url))
    status["queues"].sort(key=lambda queue: -queue["under_way"])
    return status


def a_server_that_is_killed_and_started_again_loses_nothing(home):
    server = home.server()
    home.worker(server.url, "--workers", 2, script={"latency_ms": 100})
    recording = home.start(*home.over_cluster("restart", server.url, 30))
    home.wait(lambda: status_of(home, server)["machines"][0]["done"] > 3)
    server.end()
    time.sleep(0.3)
    server.start()
    home.finish(recording)
    same(home, "restart", 30)


def a_job_that_fails_for_good_is_kept_with_its_reason(home):
    server = home.server()
    home.worker(server.url, script={"segments": {"1": [{"do": "error", "message": "no such word"}]}})
    home.run(*home.over_cluster("poison", server.url, 4), code=1)
    texts = home.texts("poison")
    if not isinstance(texts[1], dict) or "no such word" not in texts[1]["message"]:
        raise Failure(f"segment 1 should have failed: {texts}")
    listed = home.run("cluster", "dead", "--nats-url", server.url)
    if "no such word" not in listed or "-1-" not in listed:
        raise Failure(f"the failed job is not listed: {listed}")
    number = listed.split()[0]
    home.run("cluster", "dead", "--drop", number, "--nats-url", server.url)
    if "No job has failed" not in home.run("cluster", "dead", "--nats-url", server.url):
        raise Failure("the dropped job is still there")


def a_job_that_cannot_be_done_is_answered_and_kept(home):
    """A job whose audio is not FLAC, and one that is no job, as only a faulty or hostile client publishes them."""
    server = home.server()
    home.worker(server.url)
    header = {"id": "odd", "generation": 0, "sample_rate": RATE, "frames": 9, "version": 1, "bytes": 5, "pieces": 0}
    header["job"] = {"type": "job", "id": 1, "wav": ""}
    text = json.dumps(header).encode()
    for message in (struct.pack("<I", len(text)) + text + b"noise", b"nothing"):
        if "seq" not in ask(server, "dictum.jobs.live.default", message):
            raise Failure("the job is not stored")
    home.wait(lambda: status_of(home, server)["streams"][3]["messages"] == 2)
    listed = home.run("cluster", "dead", "--nats-url", server.url).splitlines()
    if len(listed) != 2 or "not FLAC" not in listed[0] or "unreadable" not in listed[1]:
        raise Failure(f"the failed jobs are not listed: {listed}")
    home.wait(lambda: [stream["messages"] for stream in status_of(home, server)["streams"]] == [0, 0, 1, 2])
    said = home.run("cluster", "dead", "--retry", listed[0].split()[0], "--nats-url", server.url, code=1)
    if "without its audio" not in said:
        raise Failure(f"a job without audio is not refused: {said}")


def large_jobs_travel_in_pieces_and_leave_none(home):
    server = home.server(extra="max_payload: 8KB\n")
    home.worker(server.url, "--workers", 2)
    home.run(*home.over_cluster("pieces", server.url, 6))
    same(home, "pieces", 6)
    pieces = status_of(home, server)["streams"][1]
    if pieces["last_seq"] < 6 or pieces["messages"] != 0:
        raise Failure(f"no pieces travelled, or some are left: {pieces}")


def refusals_are_one_clear_sentence_and_lose_nothing(home):
    """Wrong credentials, JetStream disabled, a full stream, a payload limit that is too low, no permission."""
    users = 'authorization { users = [ { user: "recorder", password: "right" } ] }\n'
    locked = home.server("locked", extra=users)
    limited = home.server("limited", extra="max_payload: 1100\n")
    plain = home.server("plain", jetstream="")
    allowed = 'permissions: { publish: ["dictum.>"], subscribe: [">"] }'
    powerless = home.server(
        "powerless", extra=f'authorization {{ users = [ {{ user: "recorder", password: "right", {allowed} }} ] }}\n'
    )
    bare = home.server("bare", jetstream="max_file_store: 1MB")
    cases = {
        "wrong": (locked.url.replace("//", "//recorder:wrong@"), "refuses this user"),
        "plain": (plain.url, "JetStream"),
        "powerless": (powerless.url.replace("//", "//recorder:right@"), "does not allow this user"),
        "limited": (limited.url, "max_payload"),
        "bare": (bare.url, "takes no more"),
    }
    running = {
        name: home.start(*home.over_cluster(name, url, 3, "--drain-sec", 100)) for name, (url, _) in cases.items()
    }
    for name, (_, words) in cases.items():
        text = home.finish(running[name])
        if words not in home.faults(name) + text:
            raise Failure(f'{name}: no fault has "{words}": {home.faults(name)} {text}')
        if "wrong@" in text or "right@" in text:
            raise Failure(f"the password is shown: {text}")
    server = home.server()
    home.worker(server.url)
    for name in ("wrong", "plain", "powerless", "bare"):
        home.resume(name, server.url)
        same(home, name, 3)


def the_roles_of_the_written_configuration_suffice(home):
    folder = home.folder / "cluster"
    port = free_port()
    home.run("cluster", "init", folder, "--port", port)
    server = Server(home.folder / "roles")
    server.port, server.config = port, folder / "server-1.conf"
    home.children.append(server)
    server.start()
    url = server.url
    home.worker(url, "--nats-credentials", folder / "worker.credentials")
    home.run(*home.over_cluster("roles", url, 4, "--nats-credentials", folder / "recorder.credentials"))
    same(home, "roles", 4)
    status = home.run("cluster", "status", "--nats-url", url, "--nats-credentials", folder / "admin.credentials")
    if "DICTUM_RESULTS" not in status or "machine " not in status:
        raise Failure(f"the status is {status}")


# Long ones.


def everything_ends_now_and_then(home):
    """4 recorders, 8 workers, 2,000 segments: a worker is killed every second, one server of three twice."""
    recorders, workers, segments = 4, 8, int(os.environ.get("DICTUM_CLUSTER_SEGMENTS", "500"))
    servers = three_servers(home)
    url = ",".join(server.url for server in servers)
    script = {"latency_ms": 100}
    machines = [home.worker(url, script=script) for _ in range(workers)]
    for i in range(recorders):
        home.local(segments + i)
    began = time.monotonic()
    running = [
        home.start(*home.over_cluster(f"soak-{i}", url, segments + i, "--drain-sec=-1")) for i in range(recorders)
    ]
    ended = threading.Event()

    def disturb():
        rng = random.Random(7)
        for second in range(10_000):
            if ended.wait(1):
                return
            at = rng.randrange(len(machines))
            machines[at].kill()
            machines[at].wait()
            with contextlib.suppress(Failure):  # it ends where it finds no leader; the next second starts another
                machines[at] = home.worker(url, script=script)
            if second in (5, 20):
                server = rng.choice(servers)
                server.end()
                time.sleep(2)
                server.start()

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    try:
        for process in running:
            home.finish(process, 3600)
    finally:
        ended.set()
        disturbing.join()
    print(f"{recorders * segments} segments in {time.monotonic() - began:.0f} s")
    for i in range(recorders):
        same(home, f"soak-{i}", segments + i)


def busy_machine(home, server):
    """One that has taken a job, and does not end it."""
    machine = home.worker(server.url, script={"latency_ms": 3_600_000})
    home.wait(lambda: status_of(home, server)["machines"][0]["busy"] > 0)
    return machine


def a_job_that_ends_five_machines_is_given_up(home):
    server = home.server()
    recording = home.start(*home.over_cluster("deadly", server.url, 1, "--drain-sec=-1"))
    for _ in range(5):
        machine = busy_machine(home, server)
        machine.kill()
        machine.wait()
    home.worker(server.url)
    home.finish(recording)
    text = home.texts("deadly")[0]
    if not isinstance(text, dict) or text["code"] != "quarantined" or "5 times" not in text["message"]:
        raise Failure(f"the segment should have been given up: {text}")
    number = home.run("cluster", "dead", "--nats-url", server.url).split()[0]
    home.run("cluster", "dead", "--retry", number, "--nats-url", server.url)
    home.wait(lambda: status_of(home, server)["machines"][0]["done"] > 0)
    home.resume("deadly", server.url, "--failed")
    if home.revised("deadly") != {0: "segment 0"}:
        raise Failure(f"the retried job's text is not taken over: {home.revised('deadly')}")


def a_recorder_that_is_cut_off_for_20_seconds_goes_on(home):
    server = home.server()
    network = Network(server.port)
    home.worker(server.url, "--workers", 2, script={"latency_ms": 100})
    recording = home.start(*home.over_cluster("cut", network.url, 120, "--drain-sec=-1"))
    home.wait(lambda: status_of(home, server)["machines"][0]["done"] > 10)
    network.open.clear()
    time.sleep(20)
    network.open.set()
    home.finish(recording)
    same(home, "cut", 120)


def a_machine_that_is_stopped_costs_its_job_no_try(home):
    server = home.server()
    recording = home.start(*home.over_cluster("stopped", server.url, 1, "--drain-sec=-1"))
    for _ in range(7):
        machine = busy_machine(home, server)
        machine.terminate()
        machine.wait()
    home.worker(server.url)
    home.finish(recording)
    same(home, "stopped", 1)


def a_queue_that_is_deleted_is_made_again(home):
    server = home.server()
    worker = home.worker(server.url)
    ask(server, "$JS.API.CONSUMER.DELETE.DICTUM_JOBS.live-default")
    home.run(*home.over_cluster("deleted", server.url, 3, "--drain-sec=-1"))
    same(home, "deleted", 3)
    log = worker.log.read_text(errors="replace")
    if "no consumer" in log or "Jobs of queue default cannot be fetched" not in log:
        raise Failure(f"the sentence is not for people: {log}")


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


def three_servers(home):
    """A cluster of three, each with routes to the others."""
    routes = [free_port() for _ in range(3)]
    servers = []
    for i, port in enumerate(routes):
        others = ", ".join(f"nats://127.0.0.1:{other}" for other in routes if other != port)
        cluster = f"cluster {{ name: test, listen: 127.0.0.1:{port}, routes: [{others}] }}\n"
        servers.append(Server(home.folder / f"n{i + 1}", cluster=cluster))
        home.children.append(servers[-1])
    for server in servers:
        server.start()
    time.sleep(5)  # until they have a leader, which nothing reports to a client
    return servers


def throughput_grows_with_the_workers(home):
    """Engines that sleep for 100 ms, 1, 2, 4 and 8 of them: over the cluster, and in the recorder's own pool."""
    script = home.folder / "sleep.json"
    script.write_text('{"latency_ms": 100}')
    rates, per_job = {}, {}
    for workers in (1, 2, 4, 8):
        server = home.server(f"t{workers}")
        home.worker(server.url, "--workers", workers, script={"latency_ms": 100})
        segments = 60 * workers
        home.run(*home.over_cluster(f"t{workers}", server.url, segments, "--drain-sec=-1", jobs=2 * workers))
        rates[workers] = rate_of(home, f"t{workers}")
        pool = ["--transcriber", "simulated", "--simulated-script", script, "--workers", workers, "--drain-sec=-1"]
        home.run(*home.recording(f"l{workers}", segments, *pool))
        per_job[workers] = 1000 * workers * (1 / rates[workers] - 1 / rate_of(home, f"l{workers}"))
        server.end()
    print("segments a second: " + ", ".join(f"{count}: {rate:.1f}" for count, rate in rates.items()))
    print("ms a job more than locally: " + ", ".join(f"{count}: {ms:.1f}" for count, ms in per_job.items()))
    if rates[8] < 0.9 * 8 * rates[1]:
        raise Failure("the throughput does not grow with the workers")


def rate_of(home, root):
    """Texts a second, from the first to the last."""
    times = [event["timestamp"] for event in home.journal(root) if event["event"] == "TranscriptionComplete"]
    return (len(times) - 1) / (max(times) - min(times))


SHORT = [
    texts_come_back_as_from_a_local_worker,
    a_recording_without_cluster_is_finished_by_resume,
    a_job_whose_machine_dies_is_done_by_another,
    a_server_that_is_killed_and_started_again_loses_nothing,
    a_job_that_fails_for_good_is_kept_with_its_reason,
    a_job_that_cannot_be_done_is_answered_and_kept,
    large_jobs_travel_in_pieces_and_leave_none,
    refusals_are_one_clear_sentence_and_lose_nothing,
    the_roles_of_the_written_configuration_suffice,
]
LONG = [
    a_machine_that_is_stopped_costs_its_job_no_try,
    a_queue_that_is_deleted_is_made_again,
    a_recorder_that_is_cut_off_for_20_seconds_goes_on,
    a_job_that_ends_five_machines_is_given_up,
    everything_ends_now_and_then,
    throughput_grows_with_the_workers,
]


def run(scenario, programs, slow, failures):
    memory = pathlib.Path("/dev/shm")  # a disk that others keep busy is not what is tested
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="dictum-cluster-", dir=where) as folder:
        home = Home(pathlib.Path(folder), programs, slow)
        began = time.monotonic()
        try:
            scenario(home)
            print(f"{scenario.__name__}: {time.monotonic() - began:.1f} s", flush=True)
        except Exception as failure:
            failures.append(scenario.__name__)
            print(f"FAILED {scenario.__name__}: {failure or repr(failure)}", flush=True)
            if not isinstance(failure, Failure):
                traceback.print_exc()
            for log in sorted(home.folder.glob("worker-*.log")):
                print(f"  {log.name}: {log.read_text(errors='replace')[-500:]}")
        finally:
            home.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--slow", type=float, default=1)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    programs = arguments.bin.resolve()
    if not shutil.which("nats-server") or not (programs / "dictum-worker-nats").exists():
        print("skipped: nats-server or dictum-worker-nats is missing (apt-get install nats-server libnats-dev)")
        return SKIPPED
    scenarios = SHORT + (LONG if os.environ.get("DICTUM_SOAK") else [])
    if arguments.only:
        scenarios = [scenario for scenario in SHORT + LONG if arguments.only in scenario.__name__]
    failures = []
    # Most of their time they wait, so the short ones run beside each other.
    threads = [
        threading.Thread(target=run, args=(s, programs, arguments.slow, failures)) for s in scenarios if s in SHORT
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scenario in scenarios:
        if scenario not in SHORT:
            run(scenario, programs, arguments.slow, failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
