"""What people who embed the library do, done: installed, through CMake and pkg-config, and as a subproject.

    package_test.py CASE SOURCE BUILD COMPILER CMAKE

Cases: `components` (what an installation has, each thing once), `installed-20` and `installed-23` (find_package, C++20 and
C++23), `pkg-config`, `c-api` (with GCC, of any version), `program-in-path` (dictum, found by PATH from a hostile folder, runs
its own programs and no others), `library-only` (without DICTUM_DEVELOPER and DICTUM_WORKERS nothing but the library is built),
`arm64` (what is built for 64-bit ARM runs there, where tools/get_arm64 has got what that needs),
`subproject` (what links the library as a part of another project gets the workers with it; builds all that, and records, only
among the long tests), `old-gcc` and `other-boost` (who refuses them).
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def run(*command, **options):
    print("$", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, **options)


class PackageTest:
    def __init__(self, source, build, compiler, cmake, folder):
        self.source = pathlib.Path(source)
        self.build = pathlib.Path(build)
        self.compiler = compiler
        self.cmake = cmake
        self.folder = folder
        self.prefix = folder / "prefix"
        self.consumer = self.source / "test/package/consumer"

    def install(self):
        first = self.folder / "first"
        run(self.cmake, "--install", self.build, "--prefix", first, stdout=subprocess.DEVNULL)
        first.rename(self.prefix)  # an installed tree may be moved

    def configure_consumer(self, *options):
        target = self.folder / "consumer"
        run(self.cmake, "-S", self.consumer, "-B", target, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={self.compiler}",
            "-DCMAKE_BUILD_TYPE=Release", *options)
        return target

    def run_consumer(self, program, **environment):
        """A recording through the stranger's program, with the installed workers."""
        sessions = self.folder / "sessions"
        output = subprocess.run([program, self.source / "samples/voice_note.wav", sessions], check=True, text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=180,
                                env={**clean_environment(self.folder), **environment}).stdout
        print(output)
        assert '"event":"RecordingStateChanged"' in output, "no event came"
        assert list(sessions.glob("*/manifest.json")), "no session was left"

    def components(self):
        """`runtime` and `development` are all of an installation; `python` is a folder of its own for whoever asks."""
        self.install()
        files = [path.relative_to(self.prefix) for path in self.prefix.rglob("*") if path.is_file() and not path.is_symlink()]
        binaries = [path.name for path in files if ".so" in path.name or path.name.startswith("dictum-")]
        twice = sorted({name for name in binaries if binaries.count(name) > 1 and not name.endswith((".1", ".cmake"))})
        assert not twice, f"installed twice: {twice}"
        assert not (self.prefix / "dictum").exists(), "the Python package is in no installation that did not ask for it"
        assert list(self.prefix.glob("share/doc/dictum/LICENSE")), "the licence is missing"
        development = self.folder / "development"
        run(self.cmake, "--install", self.build, "--prefix", development, "--component", "development",
            stdout=subprocess.DEVNULL)
        assert (development / "include/dictum/dictum.h").exists(), "the headers are missing"
        assert not (development / "libexec").exists(), "the workers belong to the runtime"
        if (self.prefix / "bin/dictum").exists():
            self.check_unit(self.folder / "opt", self.folder / "opt/bin/dictum")
            self.check_unit(self.folder / "package/usr", "dictum")  # which systemd finds in /usr/bin
        python = self.source / "build/venv/bin/python"
        if not list(self.build.glob("python/dictum/_native/core*.so")):
            return
        package = self.folder / "python"
        run(self.cmake, "--install", self.build, "--prefix", package, "--component", "python", stdout=subprocess.DEVNULL)
        run(python, "-c", "import dictum; print(dictum.__version__, dictum.AsyncRecorderBackend)", cwd=self.folder,
            env={**clean_environment(self.folder), "PYTHONPATH": str(package)})

    def check_unit(self, prefix, program):
        """The unit for systemd starts the program that is installed with it."""
        run(self.cmake, "--install", self.build, "--prefix", prefix, "--component", "runtime", stdout=subprocess.DEVNULL)
        unit = (prefix / "lib/systemd/user/dictum.service").read_text(encoding="utf-8")
        assert f'ExecStart="{program}" serve' in unit, unit

    def installed(self, standard):
        self.install()
        target = self.configure_consumer(f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_STANDARD={standard}",
                                         "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
        run(self.cmake, "--build", target)
        self.run_consumer(target / "consumer")
        self.check_whisper()

    def check_whisper(self):
        """The installed worker finds the libraries that are installed with it."""
        worker = self.prefix / "libexec/dictum/dictum-worker-whisper"
        if not (self.build / "bin/dictum-worker-whisper").exists():
            print("SKIPPED: Whisper was not built")
            return
        linked = subprocess.run(["ldd", worker], check=True, text=True, capture_output=True).stdout
        assert "not found" not in linked, linked
        if (self.source / "build/deps/whisper").exists():
            assert f"=> {worker.parent}" in linked, "it takes libraries from elsewhere: " + linked
            assert list(worker.parent.glob("libggml-cpu*.so*")), "there is no code for any processor"

    def compile_with_pkg_config(self, compiler, *arguments):
        """Installs, compiles to `consumer` and returns the folder of the library."""
        self.install()
        library = next(self.prefix.rglob("libdictum.so")).parent
        environment = {**os.environ, "PKG_CONFIG_PATH": str(library / "pkgconfig")}
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "dictum"], check=True, text=True,
                               capture_output=True, env=environment).stdout.split()
        run(compiler, *arguments, "-o", self.folder / "consumer", *flags)
        return library

    def pkg_config(self):
        library = self.compile_with_pkg_config(self.compiler, "-std=c++20", self.consumer / "main.cpp")
        self.run_consumer(self.folder / "consumer", LD_LIBRARY_PATH=str(library))

    def c_api(self):
        compiler = shutil.which("gcc-12") or shutil.which("gcc")
        if not compiler:
            print("SKIPPED: no GCC here")
            return SKIPPED
        library = self.compile_with_pkg_config(compiler, "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra",
                                               "-Wpedantic", "-Werror", self.consumer / "main.c")
        self.run_consumer(self.folder / "consumer", LD_LIBRARY_PATH=str(library))

    def program_in_path(self):
        self.install()
        if not (self.prefix / "bin/dictum").exists():
            print("SKIPPED: built without the program")
            return SKIPPED
        libexec = self.prefix / "libexec/dictum"
        links = self.folder / "links"
        links.mkdir()
        (links / "dictum").symlink_to(self.prefix / "bin/dictum")
        hostile = self.folder / "hostile"
        hostile.mkdir()
        (hostile / "dictum").touch()  # so that the name alone leads to a file of this folder
        ran = self.folder / "ran"
        for name in ["dictum-guard", "dictum-decoder", "dictum-worker-evil",
                     *(worker.name for worker in libexec.glob("dictum-worker-*"))]:
            (hostile / name).write_text(f"#!/bin/sh\necho $0 >>{ran}\n", encoding="utf-8")
            (hostile / name).chmod(0o755)

        def dictum(*arguments, path, **environment):
            result = subprocess.run(["dictum", *arguments], cwd=hostile, text=True, capture_output=True, timeout=180,
                                    stdin=subprocess.DEVNULL, check=False,
                                    env={**clean_environment(self.folder), "PATH": path, **environment})
            print("$ dictum", *arguments, f"(PATH={path})\n{result.stdout}{result.stderr}", flush=True)
            assert not ran.exists(), f"a program of the current folder ran: {ran.read_text(encoding='utf-8')}"
            assert result.returncode == 0, f"exit code {result.returncode}"
            return result.stdout

        sessions = ["--output-dir", self.folder / "sessions"]
        system = "/usr/bin:/bin"
        ours = f"{self.prefix}/bin:{system}"
        dictum("record", "--no-transcribe", *sessions, self.source / "samples/voice_note.wav", path=ours)
        dictum("sessions", "export", "last", self.folder / "compressed.flac", *sessions, path=ours)
        for path, environment in [(ours, {}), (f"{links}:{system}", {}), (f".:{ours}:", {}), (f"{ours}::relative", {}),
                                  (ours, {"DICTUM_WORKER_DIR": "."})]:
            said = dictum("transcribers", path=path, **environment)
            found = [line.strip() for line in said.splitlines() if line.strip().startswith("/")]
            assert sorted(found) == sorted(str(worker) for worker in libexec.glob("dictum-worker-*")), found
            assert "absolute path" in said or not (environment or path not in (ours, f"{links}:{system}")), "not a word"
            dictum("record", "--transcriber", "simulated", *sessions, self.folder / "compressed.flac", path=path,
                   **environment)
        if (libexec / "dictum-decoder").exists():
            decoded = self.folder / "decoded"
            (libexec / "dictum-decoder").unlink()
            (libexec / "dictum-decoder").write_text(f"#!/bin/sh\n: >{decoded}\n", encoding="utf-8")
            (libexec / "dictum-decoder").chmod(0o755)
            subprocess.run(["dictum", "analyze", self.folder / "compressed.flac"], cwd=hostile, check=False,
                           stdin=subprocess.DEVNULL, env={**clean_environment(self.folder), "PATH": ours})
            assert decoded.exists(), "the decoder of the installation was not found"
        return None

    def library_only(self):
        target = self.folder / "build"
        run(self.cmake, "-S", self.source, "-B", target, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={self.compiler}",
            "-DDICTUM_DEVELOPER=OFF", "-DDICTUM_WORKERS=OFF", stdout=subprocess.DEVNULL)
        rules = (target / "build.ninja").read_text(encoding="utf-8")
        programs = re.findall(r"^build (\S+): CXX_EXECUTABLE_LINKER", rules, flags=re.MULTILINE)
        libraries = re.findall(r"^build (\S+).*: CXX_SHARED_LIBRARY_LINKER", rules, flags=re.MULTILINE)
        assert not programs, f"programs would be built: {programs}"
        assert any("libdictum.so" in library for library in libraries), "the library would not be built"

    def subproject(self):
        target = self.configure_consumer(f"-DDICTUM_SOURCE={self.source}",
                                         f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={self.folder}/elsewhere")
        steps = subprocess.run(["ninja", "-C", target, "-t", "commands", "consumer"], check=True, text=True,
                               capture_output=True).stdout
        for program in ["dictum-guard", "dictum-decoder", "dictum-worker-pocketsphinx", "dictum-worker-simulated"]:
            assert re.search(rf"-o \S*libexec/dictum/{program} ", steps), f"{program} would not be built where it is looked for"
        assert f"{self.folder}/elsewhere" not in steps, "the library would not find its programs from there"
        assert not re.search(r"-o \S*bin/\S*_test ", steps), "tests would be built"
        if not os.environ.get("DICTUM_LONG_TESTS"):
            return
        run(self.cmake, "--build", target, "--target", "consumer")
        self.run_consumer(target / "consumer", PATH="/usr/bin:/bin")  # with its own workers

    def arm64(self):
        if not (self.source / "build/deps/arm64/root/made-for").exists():
            print("SKIPPED: tools/get_arm64 has not run here")
            return SKIPPED
        target = self.folder / "arm64"
        run(self.cmake, "-S", self.source, "-B", target, "-G", "Ninja", "--toolchain", self.source / "cmake/arm64.cmake",
            "-DDICTUM_DEVELOPER=OFF", "-DDICTUM_APPS=ON", stdout=subprocess.DEVNULL)
        run(self.cmake, "--build", target, "--target", "dictum-guard")
        guard = target / "bin/dictum-guard"
        processor = int.from_bytes(guard.read_bytes()[18:20], "little")
        assert processor == 0xB7, f"it is for another processor: {processor:#x}"  # 0xB7: AArch64
        ran = subprocess.run([self.source / "tools/on_arm64", guard], text=True, capture_output=True, check=False,
                             stdin=subprocess.DEVNULL, timeout=60)
        assert "started by the recorder" in ran.stderr, ran.stderr
        return None

    def old_gcc(self):
        compiler = shutil.which("g++-12")
        if not compiler:
            print("SKIPPED: no GCC 12 here")
            return SKIPPED
        library = self.compile_with_pkg_config(compiler, "-std=c++20", self.consumer / "main.cpp")  # has no coroutines
        described = subprocess.run(["pkg-config", "--print-errors", "--variable=pcfiledir", "dictum"], check=True, text=True,
                                   capture_output=True, env={**os.environ, "PKG_CONFIG_PATH": str(library / "pkgconfig")})
        assert "GCC 13 or newer" in (pathlib.Path(described.stdout.strip()) / "dictum.pc").read_text(encoding="utf-8")

        def refusal(*command):
            result = subprocess.run(command, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL)
            assert result.returncode != 0, "it was not refused"
            return result.stderr

        awaited = self.folder / "awaited.cpp"
        awaited.write_text("#include <dictum/async_recorder_backend.hpp>\n", encoding="utf-8")
        assert "needs GCC 13 or newer" in refusal(compiler, "-std=c++20", f"-I{self.prefix}/include", "-fsyntax-only", awaited)
        self.compiler = compiler
        assert "miscompiles coroutines" in " ".join(
            refusal(self.cmake, "-S", self.consumer, "-B", self.folder / "refused", "-G", "Ninja",
                    f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_PREFIX_PATH={self.prefix}").split())

    def other_boost(self):
        """A program that is compiled with another Boost than the library was, is refused, and not wrong."""
        self.install()
        boost = self.folder / "boost/boost"
        boost.mkdir(parents=True)
        (boost / "version.hpp").write_text("#define BOOST_VERSION 107400\n", encoding="utf-8")
        awaited = self.folder / "awaited.cpp"
        awaited.write_text("#include <dictum/detail/built_with.hpp>\n", encoding="utf-8")
        result = subprocess.run([self.compiler, "-std=c++20", f"-I{boost.parent}", f"-I{self.prefix}/include", "-fsyntax-only",
                                 awaited], text=True, capture_output=True, check=False)
        assert "was built with Boost" in result.stderr, result.stderr
        run(self.compiler, "-std=c++20", f"-I{self.prefix}/include", "-fsyntax-only", awaited)


def clean_environment(home):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "DICTUM_"))}
    return {**kept, "HOME": str(home)}


def main():
    case, *where = sys.argv[1:]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dictum-package-"))
    try:
        test = PackageTest(*where, folder)
        if case.startswith("installed-"):
            return test.installed(case.removeprefix("installed-"))
        return getattr(test, case.replace("-", "_"))()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
