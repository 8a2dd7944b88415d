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
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

from cluster_home import (
    RATE,
    Failure,
    Home,
    Namespace,
    Network,
    Server,
    ask,
    free_port,
    rate_of,
    same,
    status_of,
    three_servers,
)
from nats_keys import USER, Key, Operator, certificates

SKIPPED = 77
SHARED = pathlib.Path(os.environ.get("DICTUM_TEST_DATA", pathlib.Path(__file__).parents[3] / "shared"))

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
    for role in ("admin", "recorder"):
        status = home.run("cluster", "status", "--nats-url", url, "--nats-credentials", folder / f"{role}.credentials")
        if "DICTUM_RESULTS" not in status or "machine " not in status or "queue " not in status:
            raise Failure(f"the status is {status}")


def each_kind_of_credentials_is_accepted_and_a_wrong_one_refused(home):
    """A token, a user with password, an nkey, and a `.creds` file: the right one works, another one is one sentence."""
    folder = home.folder
    key, other_key = Key(folder, USER), Key(folder, USER)
    operator, stranger = Operator(folder), Operator(folder)
    configurations = {
        "token": 'authorization { token: "right" }\n',
        "password": 'authorization { users = [ { user: "r", password: "right" } ] }\n',
        "nkey": f"authorization {{ users = [ {{ nkey: {key.public} }} ] }}\n",
        "creds": operator.config,
        "expired": operator.config,
    }
    texts = {
        "token": ("right\n", "wrong\n"),
        "password": ("r:right\n", "r:wrong\n"),
        "nkey": (f"{key.seed}\n{key.public}\n", f"{other_key.seed}\n{other_key.public}\n"),
        "creds": (operator.user("right").read_text(), stranger.user("wrong").read_text()),
        "expired": (operator.user("new").read_text(), operator.user("old", expires=int(time.time()) - 60).read_text()),
    }
    running = {}
    for kind, configuration in configurations.items():
        server = home.server(kind, extra=configuration)
        right, wrong = (folder / f"{kind}.{name}" for name in ("right", "wrong"))
        right.write_text(texts[kind][0])
        wrong.write_text(texts[kind][1])
        home.worker(server.url, "--nats-credentials", right)
        refused = home.start(*home.over_cluster(f"{kind}-wrong", server.url, 3, "--nats-credentials", wrong))
        running[kind] = (server, right, refused)
    for kind, (server, right, refused) in running.items():
        text = home.finish(refused) + home.faults(f"{kind}-wrong")
        if "refuses this user" not in text or "credentials" not in text:
            raise Failure(f"{kind}: a wrong one is not reported: {text}")
        home.run(*home.over_cluster(f"{kind}-right", server.url, 3, "--nats-credentials", right))
        same(home, f"{kind}-right", 3)
        home.resume(f"{kind}-wrong", server.url, "--nats-credentials", right)
        same(home, f"{kind}-wrong", 3)


def a_missing_stream_and_a_full_one_are_one_clear_sentence(home):
    """A recorder that may not make the streams, before any worker ran; and a stream of jobs that takes no more."""
    folder, port = home.folder / "cluster", free_port()
    home.run("cluster", "init", folder, "--port", port)
    lacking = Server(home.folder / "lacking")
    lacking.port, lacking.config = port, folder / "server-1.conf"
    home.children.append(lacking)
    lacking.start()
    allowed = ("--nats-credentials", folder / "recorder.credentials")
    missing = home.start(*home.over_cluster("missing", lacking.url, 3, *allowed))
    full = home.server("full")
    home.worker(full.url).kill()  # it makes the streams
    config = json.loads(ask(full, "$JS.API.STREAM.INFO.DICTUM_JOBS"))["config"]
    config["max_bytes"] = 20_000
    ask(full, "$JS.API.STREAM.UPDATE.DICTUM_JOBS", json.dumps(config).encode())
    if "seq" not in ask(full, "dictum.jobs.live.default", bytes(15_000)):  # another recorder's
        raise Failure("the stream takes no job")
    filling = home.start(*home.over_cluster("full", full.url, 6))
    text = home.finish(missing) + home.faults("missing")
    if "Start `dictum worker` once; it makes it" not in text:
        raise Failure(f"the missing stream is not reported: {text}")
    text = home.finish(filling) + home.faults("full")
    if "DICTUM_JOBS" not in text or "max_bytes" not in text:
        raise Failure(f"the full stream is not reported: {text}")
    config["max_bytes"] = 10_000_000
    ask(full, "$JS.API.STREAM.UPDATE.DICTUM_JOBS", json.dumps(config).encode())
    home.worker(lacking.url, "--nats-credentials", folder / "worker.credentials")
    home.worker(full.url)
    home.resume("missing", lacking.url, *allowed)
    same(home, "missing", 3)
    home.resume("full", full.url)
    same(home, "full", 6)


def machines_whose_clocks_differ_by_two_hours_work_together(home):
    """The recorder's clock is an hour ahead of the server's, that of a worker's machine an hour behind."""
    libraries = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        print("skipped machines_whose_clocks_differ_by_two_hours_work_together: apt-get install libfaketime")
        return

    def clock(offset):
        return {"LD_PRELOAD": str(libraries[0]), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    server = home.server()
    slow = home.worker(server.url, script={"latency_ms": 3_600_000}, environment=clock("-1h"))
    recording = home.start(*home.over_cluster("skewed", server.url, 6), environment=clock("+1h"))
    home.wait(lambda: status_of(home, server)["queues"][0]["under_way"] > 0)
    slow.kill()  # its job goes to another machine after the server's time, and nobody else's
    slow.wait()
    home.worker(server.url, environment=clock("-1h"))
    home.finish(recording)
    same(home, "skewed", 6)
    ahead = [event["timestamp"] for event in home.journal("skewed")]
    if min(ahead) < time.time() + 3000:
        raise Failure("the recorder's clock was not an hour ahead")


def a_recorder_without_cluster_falls_back_on_its_own_machine(home):
    url = f"nats://127.0.0.1:{free_port()}"
    fallback = ("--nats-fallback-after-sec", 1, "--nats-fallback", "simulated")
    home.run(*home.over_cluster("fallback", url, 5, *fallback))
    same(home, "fallback", 5)
    if "of this machine makes the texts" not in home.faults("fallback"):
        raise Failure(f"no fault reports the fall-back: {home.faults('fallback')}")
    said = home.run("record", "--transcriber", "nats", "--nats-url", url, "--nats-fallback-after-sec", 1,
                    "--nats-fallback", "none", "--input", home.speech(5), code=1)  # fmt: skip
    if "Name a local transcriber" not in said:
        raise Failure(f"a fall-back that is none is not refused: {said}")


def a_cluster_that_comes_back_gets_the_new_jobs(home):
    """In real time: the cluster is away at the start, and comes while the recording goes on."""
    server = home.server()
    server.end()
    fallback = ("--nats-fallback-after-sec", 1, "--nats-fallback", "simulated", "--drain-sec=-1")
    arguments = home.over_cluster("back", server.url, 40, *fallback)
    arguments[arguments.index("fast")] = "realtime"
    recording = home.start(*arguments)
    home.wait(lambda: (home.folder / "back").exists() and "of this machine makes" in home.faults("back"))
    server.start()
    home.worker(server.url)
    home.finish(recording)
    same(home, "back", 40)
    done = status_of(home, server)["machines"][0]["done"]
    if not 0 < done < 40:
        raise Failure(f"the cluster has done {done} of 40 jobs")


def the_server_publishes_the_figures_of_its_cluster(home):
    server = home.server()
    machine = home.worker(server.url, "--workers", 3)
    serving = home.start("serve", "--port", 0, "--transcriber", "nats", "--nats-url", server.url,
                         "--output-dir", home.folder / "served")  # fmt: skip

    def address():
        return re.search(r"Listening on (\S+)", serving.log.read_text(errors="replace"))

    def scrape():
        began = time.monotonic()
        with urllib.request.urlopen(address()[1] + "/metrics", timeout=30) as answer:
            text = answer.read().decode()
        if time.monotonic() - began > 2 * home.slow:
            raise Failure(f"a scrape took {time.monotonic() - began:.1f} s")
        return text

    home.wait(address)
    home.wait(lambda: "dictum_cluster_reachable 1" in scrape())
    text = scrape()
    for wanted in (
        'dictum_cluster_workers{machine="',
        'jobs_waiting{queue="live-default"} 0',
        'stream="DICTUM_DEAD"} 0',
    ):
        if wanted not in text:
            raise Failure(f"the metrics lack {wanted}: {text}")
    machine.kill()
    server.end()
    home.wait(lambda: "dictum_cluster_reachable 0" in scrape(), 60)


def the_status_of_a_cluster_that_does_not_answer_comes_within_five_seconds(home):
    """A server that takes connections and says nothing, and one whose JetStream does not answer."""
    mute = socket.create_server(("127.0.0.1", 0))
    addresses = ",".join([f"nats://127.0.0.1:{mute.getsockname()[1]}"] * 4)
    server = home.server()
    server.process.send_signal(signal.SIGSTOP)
    for url in (addresses, server.url):
        began = time.monotonic()
        said = home.run("cluster", "status", "--nats-url", url, code=1)
        taken = time.monotonic() - began
        if taken > 5 * home.slow or not ("did not answer" in said or "cannot be reached" in said):
            raise Failure(f"after {taken:.1f} s: {said}")
    server.process.send_signal(signal.SIGCONT)
    mute.close()


def three_servers_encrypt_what_they_send_each_other(home):
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    ca, cert, key = certificates(home.folder, hosts)
    folder, port = home.folder / "cluster", free_port()
    home.run(
        "cluster", "init", folder, "--servers", 3, "--port", port, "--tls-cert", cert, "--tls-key", key,
        "--tls-ca", ca, *[word for host in hosts for word in ("--host", host)],
    )  # fmt: skip
    for number, host in enumerate(hosts, 1):
        server = Server(home.folder / f"tls{number}")
        server.port, server.config = port, folder / f"server-{number}.conf"
        text = server.config.read_text().replace("0.0.0.0", host)  # all of them are on one machine here
        server.config.write_text(text)
        home.children.append(server)
        with open(server.folder / "log", "ab") as log:
            server.process = subprocess.Popen(["nats-server", "-c", server.config], stdout=log, stderr=log)
    url = ",".join(f"nats://{host}:{port}" for host in hosts)
    secure = ("--nats-tls-ca", ca, "--nats-credentials")

    def has_streams():  # once the servers have a leader
        with contextlib.suppress(Failure):
            home.worker(url, *secure, folder / "worker.credentials")
            return True

    home.wait(has_streams, 60)
    status = json.loads(
        home.run("cluster", "status", "--json", "--nats-url", url, *secure, folder / "admin.credentials")
    )
    if [stream["replicas"] for stream in status["streams"]] != [3, 3, 3, 3]:
        raise Failure(f"the streams have no three replicas: {status['streams']}")
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(cert, key)
    with (
        socket.create_connection((hosts[0], port + 2000), 5) as plain,
        context.wrap_socket(plain, server_hostname=hosts[0]) as route,
        route.makefile("rb") as lines,
    ):
        if not lines.readline().startswith(b"INFO "):
            raise Failure("the routes are not encrypted")
    home.run(*home.over_cluster("tls", url, 4, *secure, folder / "recorder.credentials", "--drain-sec=-1"))
    same(home, "tls", 4)


def jobs_that_are_begun_early_in_vain_leave_the_stream(home):
    """Pauses that may be ends of segments begin jobs; speech that goes on withdraws them, and no worker takes any."""
    server = home.server()
    home.worker(server.url).kill()
    recording = home.over_cluster("eager", server.url, 6, "--eager", "true", "--drain-sec", 0)
    recording[recording.index("fast")] = "realtime"
    recording[recording.index("--min-silence-ms") + 1] = 450
    home.run(*recording)
    jobs = status_of(home, server)["streams"][0]
    wanted = len({event["segment_index"] for event in home.journal("eager") if event["event"] == "TranscriptionQueued"})
    if jobs["last_seq"] <= wanted or jobs["messages"] > wanted:
        raise Failure(f"of {wanted} segments and {jobs['last_seq']} jobs {jobs['messages']} are left")


def whisper_on_another_machine_gives_the_local_text(home):
    model = SHARED / "models" / "ggml-tiny.en-q8_0.bin"
    sounds = [SHARED / "audio" / name for name in ("jfk.wav", "voice_note.wav")]
    if not all(path.exists() for path in (model, *sounds)):
        print("skipped whisper_on_another_machine_gives_the_local_text: there are no models and recordings")
        return
    server = home.server()
    home.worker(server.url, "--model", model, "--nats-queue", "default", transcriber="whisper")
    for sound in sounds:
        common = ["record", "--input", sound, "--pace", "fast", "--language", "en", "--drain-sec=-1"]
        here, there = f"here-{sound.stem}", f"there-{sound.stem}"
        home.run(*common, "--output-dir", home.folder / here, "--transcriber", "whisper", "--model", model)
        home.run(*common, "--output-dir", home.folder / there, "--transcriber", "nats", "--nats-url", server.url)
        if home.texts(here) != home.texts(there):
            raise Failure(f"{sound.name}: {home.texts(there)} is not the local text {home.texts(here)}")
        notes = [[event.get("title") for event in home.journal(root) if event["event"] == "NoteCompleted"]
                 for root in (here, there)]  # fmt: skip
        if notes[0] != notes[1]:
            raise Failure(f"{sound.name}: the notes differ: {notes}")


# Long ones.


def everything_ends_now_and_then(home):
    """4 recorders, 8 workers, 2,000 segments: a worker is killed every second, one server of three twice, and one recorder
    is cut off from the network for 20 s."""
    recorders, workers, segments = 4, 8, int(os.environ.get("DICTUM_CLUSTER_SEGMENTS", "500"))
    machine = new_namespace(home)
    servers = three_servers(home, "0.0.0.0" if machine else "127.0.0.1")
    url = ",".join(server.url for server in servers)
    script = {"latency_ms": 100}
    machines = [home.worker(url, script=script) for _ in range(workers)]
    for i in range(recorders):
        home.local(segments + i)
    began = time.monotonic()
    running = [
        home.start(*home.over_cluster(f"soak-{i}", url, segments + i, "--drain-sec=-1")) for i in range(1, recorders)
    ]
    cut_off = home.over_cluster("soak-0", url, segments, "--drain-sec=-1")
    if machine:
        cut_off[cut_off.index(url)] = url.replace("127.0.0.1", machine.host)
    running.append(home.start(*cut_off, before=machine.before if machine else ()))
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
            if second == 10 and machine:
                threading.Thread(target=machine.cut, args=(20,)).start()
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
    if machine and time.monotonic() - began < 40:
        raise Failure("the recordings ended before the network was whole again: take more segments")
    for i in range(recorders):
        same(home, f"soak-{i}", segments + i)


def new_namespace(home):
    """A machine that can be cut off; none, with the reason, where the system does not allow it."""
    try:
        machine = Namespace(1)
    except (OSError, subprocess.CalledProcessError) as problem:
        reason = getattr(problem, "stderr", b"") or str(problem).encode()
        print(f"no network namespace, so that no recorder is cut off: {reason.decode(errors='replace').strip()}")
        return None
    home.namespaces.append(machine)
    return machine


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
    each_kind_of_credentials_is_accepted_and_a_wrong_one_refused,
    a_missing_stream_and_a_full_one_are_one_clear_sentence,
    machines_whose_clocks_differ_by_two_hours_work_together,
    a_recorder_without_cluster_falls_back_on_its_own_machine,
    the_server_publishes_the_figures_of_its_cluster,
]
ALONE = [  # what counts seconds
    the_status_of_a_cluster_that_does_not_answer_comes_within_five_seconds,
    jobs_that_are_begun_early_in_vain_leave_the_stream,
]
LONG = [
    a_cluster_that_comes_back_gets_the_new_jobs,
    three_servers_encrypt_what_they_send_each_other,
    whisper_on_another_machine_gives_the_local_text,
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
    scenarios = SHORT + ALONE + (LONG if os.environ.get("DICTUM_SOAK") else [])
    if arguments.only:
        scenarios = [scenario for scenario in SHORT + ALONE + LONG if arguments.only in scenario.__name__]
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
