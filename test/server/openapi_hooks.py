"""What schemathesis does with the requests of `openapi_requests.py`: they are for the sessions that are there, and those
that are deleted come back. Loaded by schemathesis (SCHEMATHESIS_HOOKS), in its process."""

import atexit
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import threading
import urllib.error
import urllib.request

import schemathesis
from schemathesis.core.parameters import ParameterLocation

ORIGINALS = pathlib.Path(os.environ["DICTUM_TEST_ORIGINALS"])
SESSIONS = pathlib.Path(os.environ["DICTUM_TEST_SESSIONS"])
NAME = re.compile(r"^[0-9]{8}_[0-9]{6}(-[0-9]+)?$")
SOUND = pathlib.Path(os.environ["DICTUM_TEST_SOUND"]).read_bytes()
TOKEN = os.environ["DICTUM_TEST_TOKEN"]
NEED_A_RECORDING = ("pause_recording", "resume_recording", "set_muted", "set_vad_mode", "stop_recording")
STREAM_SEC = 0.3  # a stream of events has no end

names = sorted(path.name for path in ORIGINALS.iterdir())
dice = random.Random(int(os.environ["DICTUM_TEST_SEED"]))
restoring = threading.Lock()
statuses = collections.defaultdict(collections.Counter)  # of each operation


def restore():
    """Copies what was deleted: beside it first, so that the server never sees a part of a session."""
    with restoring:
        for name in names:
            if (SESSIONS / name).exists():
                continue
            copy = SESSIONS / f"copy-{name}"
            shutil.copytree(ORIGINALS / name, copy)
            copy.rename(SESSIONS / name)


def is_right(case):
    """Whether the request fits the document."""
    meta = case.meta
    return case.method == "POST" and meta is not None and not any(meta.is_negative_at(place) for place in ParameterLocation)


def command(url, name):
    """A command that goes before; whether it is possible does not matter."""
    request = urllib.request.Request(f"{url}/api/v1/commands/{name}", b"{}", {"Authorization": f"Bearer {TOKEN}"})
    request.add_header("Content-Type", "application/json")
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=20).close()


@schemathesis.hook
def before_call(_context, case, kwargs):
    # A name that is generated is that of a session for one in 10^14 requests.
    for place in (case.path_parameters, case.query):
        if place and NAME.match(str(place.get("session", ""))) and dice.random() < 0.9:
            place["session"] = dice.choice(names)
    for index in ("segment", "note"):
        value = str((case.path_parameters or {}).get(index, ""))
        if value.isdigit() and int(value) > 10 and dice.random() < 0.7:
            case.path_parameters[index] = dice.randrange(4)
    if case.operation.label == "POST /v1/audio/transcriptions" and is_right(case) and dice.random() < 0.5:
        # No file that is generated is sound, and no model has a generated name.
        kept = {key: value for key, value in case.body.items() if key in ("response_format", "stream")}
        case.body = {**kept, "file": SOUND, "model": "whisper-1"}
    name = case.path.removeprefix("/api/v1/commands/")
    if name in NEED_A_RECORDING and is_right(case):
        url = case.operation.schema.get_base_url().rstrip("/")
        command(url, "start_recording")
        if name == "resume_recording":
            command(url, "pause_recording")
    if case.operation.label == "GET /api/v1/events":
        kwargs["timeout"] = STREAM_SEC


@atexit.register
def write_statuses():
    pathlib.Path(os.environ["DICTUM_TEST_STATUSES"]).write_text(json.dumps(statuses))


@schemathesis.hook
def after_call(_context, case, response):
    statuses[case.operation.label][response.status_code] += 1
    if response.status_code == 200 and (case.method == "DELETE" or case.path.endswith("/prune")):
        restore()


@schemathesis.hook
def filter_failure(_context, failure, case, response):
    """False for a status of 503 that says when to come again, since so many long answers at once are too many; and for a
    form with the sound of `before_call`, which schemathesis takes for wrong, as it is no text."""
    if isinstance(case.body, dict) and case.body.get("file") == SOUND and type(failure).__name__ == "AcceptedNegativeData":
        return False
    is_server_error = type(failure).__name__ == "ServerError"
    return not (is_server_error and response.status_code == 503 and "retry-after" in response.headers)
