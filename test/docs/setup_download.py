"""tools/download against a server on this machine: it continues what was cut short, takes only what has the right
checksum, and says what failed."""

import hashlib
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = sys.argv[1]
CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Cuts a connection after `cut` bytes, `cuts` times; keeps the ranges that were asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cuts = 0
        self.cut = len(CONTENT)
        self.knows_ranges = True
        self.ranges: list[str | None] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path != "/file":
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.knows_ranges else 0
        if begin >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.cuts > 0:
            self.server.cuts -= 1
            body = body[: self.server.cut]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class Download(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.target = pathlib.Path(folder.name) / "file"
        self.part = self.target.with_name("file.part")
        self.server = Server()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.address = f"http://127.0.0.1:{self.server.server_port}/file"

    def download(self, address: str = "", sha256: str = SHA256) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return subprocess.run([sys.executable, PROGRAM, address or self.address, str(self.target), sha256],
                              capture_output=True, text=True, timeout=60, env=environment)

    def test_keeps_what_has_the_right_checksum(self) -> None:
        self.assertEqual(self.download().returncode, 0)
        self.assertEqual(self.target.read_bytes(), CONTENT)
        self.assertFalse(self.part.exists())

    def test_continues_after_the_connection_was_cut(self) -> None:
        self.server.cuts, self.server.cut = 1, 1000
        self.assertEqual(self.download().returncode, 0)
        self.assertEqual(self.server.ranges, [None, "bytes=1000-"])
        self.assertEqual(self.target.read_bytes(), CONTENT)

    def test_continues_what_an_earlier_run_left(self) -> None:
        self.part.write_bytes(CONTENT[:5000])
        self.assertEqual(self.download().returncode, 0)
        self.assertEqual(self.server.ranges, ["bytes=5000-"])
        self.assertEqual(self.target.read_bytes(), CONTENT)

    def test_begins_again_where_the_server_cannot_continue(self) -> None:
        self.server.knows_ranges = False
        self.part.write_bytes(CONTENT[:5000])
        self.assertEqual(self.download().returncode, 0)
        self.assertEqual(self.target.read_bytes(), CONTENT)

    def test_begins_again_where_the_part_was_of_another_file(self) -> None:
        self.part.write_bytes(b"x" * (len(CONTENT) + 1))
        self.assertEqual(self.download().returncode, 0)
        self.assertEqual(self.target.read_bytes(), CONTENT)

    def test_keeps_the_part_of_a_file_whose_server_went_away(self) -> None:
        self.server.cuts, self.server.cut = 3, 1000
        result = self.download()
        self.assertEqual(result.returncode, 1)
        self.assertIn("the connection ended", result.stderr)
        self.assertEqual(self.part.read_bytes(), CONTENT[:3000])
        self.assertFalse(self.target.exists())

    def test_throws_away_what_has_a_wrong_checksum(self) -> None:
        result = self.download(sha256="0" * 64)
        self.assertEqual(result.returncode, 1)
        self.assertIn("checksum is wrong", result.stderr)
        self.assertFalse(self.target.exists() or self.part.exists())

    def test_says_what_failed_without_a_network(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
        result = self.download(address)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"cannot download {address}", result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_says_that_there_is_no_such_file(self) -> None:
        result = self.download(self.address + "s")
        self.assertEqual(result.returncode, 1)
        self.assertIn("404", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
