#!/usr/bin/env python3
"""Attacks on a real `dictum serve`: each is refused clearly, the server's memory stays where it is, and others are served.

    attacks.py BIN

First everything that is wrong by RFC 6455, on each of the WebSockets; then what is too large, too slow, too many, and what
leads out of a folder. Takes 20 s, as a request has 15 s to arrive."""

import argparse
import contextlib
import itertools
import pathlib
import resource
import socket
import struct
import sys
import tempfile
import time
import urllib.parse

from serving import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Server, check, frame, read_frames, upgrade_request

GROWTH_LIMIT_MB = 8  # of what an attack takes while it lasts, beyond what its connections may hold
CONNECTION_KB = (
    256  # that a connection may hold: buffers for a header and a body, and a message that is not complete yet
)
REQUEST_SEC = 15  # a request has to arrive in this time
MOST_CONNECTIONS = 1024
MESSAGE = 1 << 20  # bytes of a message at most
LONG_MESSAGE = (20 << 20) + (64 << 10)  # the same of OpenAI's Realtime API
CLOSES_WITHIN = 60  # seconds
SECRET = b"the-secret-of-somebody-else"

HELLO = b'{"type":"hello","format":"s16","rate":16000}'
UPDATE = b'{"type":"session.update","session":{"type":"transcription"}}'
# The endpoint, a message that it takes, and what its answer has in it; `events` closes with 1008 behind every message.
ENDPOINTS = {
    "/api/v1/events": (b"hello", None),
    "/api/v1/stream": (HELLO, b'"welcome"'),
    "/v1/realtime?intent=transcription": (UPDATE, b'"session.updated"'),
}


class Attacker:
    """A connection that sends what it wants."""

    def __init__(self, server):
        self.server = server
        self.socket = socket.create_connection(server.address, timeout=30)
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False where the server has closed."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def upgrade(self, target):
        self.send(upgrade_request(target, "localhost"))
        while b"\r\n\r\n" not in self.buffer:
            check(self.receive(), f"no answer to the upgrade of {target}")
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        check(head.startswith(b"HTTP/1.1 101"), head)
        self.buffer = bytearray(rest)

    def receive(self):
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += piece
        return bool(piece)

    def frames(self):
        """The frames of the server, until it closes the connection. Its pings alone do not keep this waiting."""
        end = time.monotonic() + CLOSES_WITHIN
        while time.monotonic() < end:
            yield from read_frames(self.buffer)
            if not self.receive():
                return
        check(False, f"the server has not closed the connection within {CLOSES_WITHIN} s")

    def status(self):
        """That of the answer; 0 where there is none."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.receive():
                return 0
        return int(self.buffer.split(b" ", 2)[1])


def close_code(server, target, data):
    """How the server closes the WebSocket after that; 0 where it closes the connection without a frame."""
    with Attacker(server) as attacker:
        attacker.upgrade(target)
        attacker.send(data)
        for opcode, payload in attacker.frames():
            if opcode == CLOSE:
                attacker.send(frame(CLOSE, payload[:2]))
                return struct.unpack(">H", payload[:2])[0] if payload else 1005
    return 0


def wrong_frames(limit):
    """Name, bytes, and the codes that RFC 6455 has for it."""
    for bits in range(1, 8):
        yield f"reserved bits {bits:03b}", frame(TEXT, b"x", reserved=bits), {1002}
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield f"reserved opcode {opcode}", frame(opcode, b"x"), {1002}
    for opcode in (TEXT, BINARY, PING, PONG, CLOSE):
        yield f"opcode {opcode} that is not masked", frame(opcode, b"xx", masked=False), {1002}
    for opcode in (PING, PONG, CLOSE):
        yield f"control frame {opcode} with 126 bytes", frame(opcode, b"\x03\xe8" + bytes(124)), {1002}
        yield f"control frame {opcode} in fragments", frame(opcode, b"\x03\xe8", last=False), {1002}
        yield f"control frame {opcode} with a long form of its length", frame(opcode, b"\x03\xe8", width=16), {1002}
    yield "a continuation of nothing", frame(CONTINUATION, b"x"), {1002}
    yield "a message inside of another", frame(TEXT, b"a", last=False) + frame(TEXT, b"b"), {1002}
    yield "a length in 16 bits that fits 7", frame(TEXT, b"x", width=16), {1002}
    yield "a length in 64 bits that fits 7", frame(TEXT, b"x", width=64), {1002}
    yield "a length of 2^63", frame(BINARY, b"x", length=1 << 63, width=64), {1002, 1009}
    yield "a length of 2^64 - 1", frame(BINARY, b"x", length=(1 << 64) - 1, width=64), {1002, 1009}
    yield "10 GB", frame(BINARY, b"x", length=10_000_000_000, width=64), {1009}
    yield "one byte too many", frame(BINARY, bytes(limit + 1)), {1009}
    pieces = [frame(TEXT if i == 0 else CONTINUATION, b" " * 65536, last=False) for i in range(limit // 65536 + 1)]
    yield "one byte too many in fragments", b"".join(pieces), {1009}
    for name, text in {
        "a lone continuation byte": b"\x80",
        "an overlong slash": b"\xc0\xaf",
        "a surrogate": b"\xed\xa0\x80",
        "beyond Unicode": b"\xf4\x90\x80\x80",
        "half of a character": b"\xe4\xbd",
        "a byte that is never there": b"\xff",
    }.items():
        yield f"text with {name}", frame(TEXT, text), {1007}
        parts = [
            frame(TEXT if i == 0 else CONTINUATION, text[i : i + 1], last=i + 1 == len(text)) for i in range(len(text))
        ]
        yield f"text in fragments with {name}", b"".join(parts), {1007}
    yield "a reason that is no UTF-8", frame(CLOSE, b"\x03\xe8\xff"), {1007, 1002}
    yield "a close of one byte", frame(CLOSE, b"\x03"), {1002}
    for code in (0, 999, 1004, 1005, 1006, 1015, 2999):
        yield f"the close code {code}", frame(CLOSE, struct.pack(">H", code)), {1002}
    for code in (5000, 65535):  # of which the standard says nothing; Beast sends them back
        yield f"the close code {code}", frame(CLOSE, struct.pack(">H", code)), {1002, code}


def right_frames():
    """Closing as the standard allows: the same code comes back."""
    yield "a close without a code", frame(CLOSE), {1005, 1000}
    for code in (1000, 1001, 1003, 1007, 1008, 1009, 1011, 3000, 4999):
        yield f"the close code {code}", frame(CLOSE, struct.pack(">H", code) + b"good bye"), {code}


def in_fragments(message):
    """One byte a frame, with an empty frame and a ping between every two."""
    for i in range(len(message)):
        yield frame(TEXT if i == 0 else CONTINUATION, message[i : i + 1], last=False)
        yield frame(CONTINUATION, b"", last=False) + frame(PING, bytes([i % 256]))
    yield frame(CONTINUATION, b"")


def fragments(server, target, message, answer):
    """A message in frames of one byte is the message; the pings between are answered."""
    with Attacker(server) as attacker:
        attacker.upgrade(target)
        attacker.send(b"".join(in_fragments(message)))
        has_pong = False
        for opcode, payload in attacker.frames():
            has_pong = has_pong or opcode == PONG
            if opcode == CLOSE:
                check(answer is None and payload[:2] == b"\x03\xf0", f"{target}: closed with {payload}")
                break
            if answer is not None and answer in payload:
                break
        check(has_pong, f"{target}: no ping was answered")


def ping_flood(server, target, count):
    """Pings whose answers nobody reads, and then pings whose answers are read."""
    pings = frame(PING, bytes(125)) * 1000
    with Attacker(server) as attacker:
        attacker.upgrade(target)
        attacker.socket.settimeout(1)
        with contextlib.suppress(TimeoutError):  # the server reads no more than it can answer
            for _ in range(count // 1000):
                if not attacker.send(pings):
                    break
        memory = server.memory_mb()
    with Attacker(server) as attacker:
        attacker.upgrade(target)
        for i in range(100):
            attacker.send(frame(PING, b"%d" % i))
            check(any(opcode == PONG and payload == b"%d" % i for opcode, payload in attacker.frames()), "no pong")
    return memory


def torture(server, report):
    for target, (message, answer) in ENDPOINTS.items():
        before = server.memory_mb()
        count = 0
        limit = LONG_MESSAGE if "realtime" in target else MESSAGE
        for name, data, codes in itertools.chain(wrong_frames(limit), right_frames()):
            code = close_code(server, target, data)
            check(code in codes, f"{target}, {name}: closed with {code}, should be {codes}")
            count += 1
        for _ in range(50):  # connections that end inside of a frame
            with Attacker(server) as attacker:
                attacker.upgrade(target)
                attacker.send(frame(BINARY, bytes(100), length=MESSAGE, width=64))
        fragments(server, target, message, answer)
        during = ping_flood(server, target, 200_000)
        server.get("/healthz", timeout=5)
        report(f"{target}: {count} kinds of frames, fragments of 1 byte, 200,000 pings", before, during)


# What is too large, too slow or too many


def too_large(server):
    """Status by what was sent; what the server has not refused within its limits is sent on, up to 10 GB."""
    post = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n%s\r\n\r\n"
    fields = (b"/api/v1/commands/set_device", b"application/json")
    form = b"multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    cases = {
        "10 GB of JSON": (post % (*fields, b"Content-Length: 10000000000"), b" " * 65536, 413),
        "JSON without an end": (post % (*fields, b"Transfer-Encoding: chunked"), chunk, 413),
        "10 GB of a file": (post % (b"/v1/audio/transcriptions", form, b"Content-Length: 10000000000"), part, 413),
        "a file without an end": (post % (b"/v1/audio/transcriptions", form, b"Transfer-Encoding: chunked")
                                  + b"%x\r\n%s\r\n" % (len(part), part), chunk, 413),
        "a header of 100 kB": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", b"x" * 100_000, 431),
        "a header without an end": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", b"A: b\r\n" * 10_000, 431),
        "an address of 100 kB": (b"GET /", b"a" * 100_000, 431),
    }  # fmt: skip
    for name, (begin, more, status) in cases.items():
        with Attacker(server) as attacker:
            attacker.socket.settimeout(60)
            attacker.send(begin)
            sent = 0
            while sent < 10_000_000_000 and attacker.send(more):
                sent += len(more)
                attacker.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError, ConnectionResetError):
                    if attacker.receive():
                        break
                attacker.socket.settimeout(60)
            attacker.socket.settimeout(60)
            got = attacker.status()
            check(got in (status, 0), f"{name}: {got} after {sent} bytes")
            check(got == status or sent > 0, f"{name}: no answer")


def too_slow(server):
    """1 byte a second, in a header and in a body: cut off once the request should have been there."""
    begins = [b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ",
              b"POST /api/v1/commands/set_device HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
              b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
              b"Content-Length: 1000000\r\n\r\n"]  # fmt: skip
    attackers = [Attacker(server) for _ in range(90)]
    for i, attacker in enumerate(attackers):
        attacker.send(begins[i % len(begins)])
        attacker.socket.settimeout(0)
    begin = time.monotonic()
    left = list(attackers)
    while left:
        time.sleep(1)  # the attack
        for attacker in list(left):
            try:
                if not attacker.send(b"x") or not attacker.receive():
                    left.remove(attacker)
            except BlockingIOError:
                pass
        server.get("/healthz", timeout=5)
        check(time.monotonic() - begin < REQUEST_SEC + 10, f"{len(left)} slow clients are still there")
    for attacker in attackers:
        attacker.socket.close()
    return server.memory_mb()


def too_many(server, count):
    """Idle connections: beyond the limit they are refused with 503, one that is there is served, and all are cut off."""
    own = Attacker(server)
    own.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(own.status() == 200, "the connection that was there first")
    idle, refused = [], 0
    for _ in range(count):
        attacker = Attacker(server)
        idle.append(attacker)
    own.buffer.clear()
    check(
        own.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") and own.status() == 200, "others are not served"
    )
    memory = server.memory_mb()
    begin = time.monotonic()
    for attacker in idle:
        status = attacker.status()
        check(status in (0, 503), status)
        refused += status == 503
        attacker.socket.close()
    check(refused >= count - MOST_CONNECTIONS, f"{refused} of {count} connections were refused")
    check(time.monotonic() - begin < REQUEST_SEC + 10, "idle connections are not cut off")
    own.socket.close()
    server.get("/healthz", timeout=5)
    return memory


# What leads out of a folder


def spellings(name):
    """`../` in every encoding that some server has taken for it."""
    dots = ["..", "%2e%2e", "%2E%2e", ".%2e", "%252e%252e", "%25252e%25252e", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "%uff0e%uff0e",
            "%u002e%u002e", "..%00", "%00..", "..;", "....", ". .", "%ef%bc%8e%ef%bc%8e", "%2e%2e%20", "\u2025"]  # fmt: skip
    slashes = [
        "/",
        "%2f",
        "%2F",
        "\\",
        "%5c",
        "%255c",
        "%252f",
        "%c0%af",
        "%c1%9c",
        "%e0%80%af",
        "//",
        "/./",
        "%ef%bc%8f",
        "\u2215",
    ]
    for dot, slash in itertools.product(dots, slashes):
        yield (dot + slash) * 2 + name
        yield (dot + slash) * 6 + name


def out_of_folders(server, folder):
    secret = folder / "secret.txt"
    secret.write_bytes(SECRET)
    places = [
        "/",
        "/web/",
        "/web/app.mjs/",
        "/api/v1/sessions/",
        "/api/v1/sessions/20260101_000000/notes/",
        "/v1/models/",
    ]
    count = 0
    with Attacker(server) as attacker:
        for place, spelling in itertools.product(places, spellings("secret.txt")):
            target = (place + spelling).encode()
            request = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target
            if not attacker.send(request) or not (status := attacker.status()):
                attacker.__init__(server)
                attacker.send(request)
                status = attacker.status()
            head, _, rest = bytes(attacker.buffer).partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(rest) < length and attacker.receive():
                rest = bytes(attacker.buffer).partition(b"\r\n\r\n")[2]
            attacker.buffer = bytearray(rest[length:])
            check(status in (400, 404), f"{urllib.parse.unquote_to_bytes(target)}: {status}")
            check(SECRET not in rest, f"{target}: the secret")
            count += 1
            if b"connection: close" in head.lower():
                attacker.socket.close()
                attacker.__init__(server)
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=pathlib.Path)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    idle = min(10_000, most - 200)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dictum-attacks-") as name:
        folder = pathlib.Path(name)
        with Server(options.programs, folder, "--transcriber", "simulated", "--vad", "energy") as server:
            server.get("/healthz")
            ping_flood(server, "/api/v1/events", 1000)  # what is made once

            def report(what, before, during, connections=0):
                after = server.memory_mb()
                print(f"{what}: memory {before:.1f} MB before, {during:.1f} during, {after:.1f} after", flush=True)
                most_mb = before + GROWTH_LIMIT_MB + connections * CONNECTION_KB / 1024
                check(
                    max(during, after) < most_mb,
                    f"{what}: the memory grew from {before:.1f} to {max(during, after):.1f} MB",
                )

            torture(server, report)
            before = server.memory_mb()
            too_large(server)
            report("too large", before, server.memory_mb())
            before = server.memory_mb()
            count = out_of_folders(server, folder)
            report(f"{count} addresses that lead out of a folder", before, server.memory_mb())
            before = server.memory_mb()
            report("1 byte a second", before, too_slow(server), 90)
            before = server.memory_mb()
            report(f"{idle} idle connections", before, too_many(server, idle), MOST_CONNECTIONS)
            server.stop()
    print(f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
