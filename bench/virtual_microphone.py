"""A PulseAudio daemon of one's own with a virtual microphone: what is played to its only output is heard by it."""

import os
import pathlib
import subprocess
import tempfile
import time

DAEMON = """load-module module-null-sink sink_name=spk format=float32le rate=48000 channels=1 norewinds=1
load-module module-remap-source master=spk.monitor source_name=mic format=float32le channels=1 remix=no
set-default-source mic
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/pulse.sock
"""


class VirtualMicrophone:
    """A context: the daemon lives from its begin to its end, in `folder`, and every sound client with `environment` meets it."""

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="dictum-microphone-")
        self.folder = pathlib.Path(self._temporary.name)
        self.environment = {**os.environ, "HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder),
                            "XDG_CONFIG_HOME": str(self.folder), "PULSE_SERVER": f"unix:{self.folder}/pulse.sock"}
        (self.folder / "daemon.pa").write_text(DAEMON.format(folder=self.folder))
        (self.folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
        self._daemon = None
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self._temporary.cleanup()

    def start(self):
        """Returns once the daemon answers."""
        self._daemon = subprocess.Popen(["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--realtime=no",
                                         "--high-priority=no", "-F", self.folder / "daemon.pa"],
                                        env=self.environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode != 0:
            if time.monotonic() > deadline:
                raise SystemExit("the PulseAudio daemon does not answer")
            time.sleep(0.05)

    def kill(self):
        """With SIGKILL, as at a crash: it leaves its socket behind."""
        if self._daemon:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None
        for left in ("pulse.sock", "pulse/pid"):
            (self.folder / left).unlink(missing_ok=True)
