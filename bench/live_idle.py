#!/usr/bin/env python3
"""What listening to silence costs: `dictum record --no-transcribe` beside a Python process that does the same with
sounddevice and Silero VAD through ONNX Runtime, at the same time, each on a virtual microphone of its own: a sound
server delivers to all of its clients as often as the most impatient one asks for.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install onnxruntime numpy sounddevice
    /tmp/peers/bin/python bench/live_idle.py --bin build/release/bin --onnx build/models/silero_vad_16k_op15.onnx

Processor time is the kernel's count for each thread (schedstat), memory is VmRSS, wake-ups are voluntary context
switches. Both are measured at once, so that a busy machine is equally hard on both. The peer is let off lightly: it
takes 16 kHz from the sound server, keeps no audio and writes no file. It is left out, with a word on why, where its
packages are missing. Fails where Dictum takes more than 0.5 % of a core, 24 MB or 40 wake-ups a second.
"""

import argparse
import importlib.util
import pathlib
import queue
import signal
import subprocess
import sys
import time

import results
from virtual_microphone import VirtualMicrophone

WARM_UP_SEC = 5
CPU_LIMIT_PERCENT = 0.5
MEMORY_LIMIT_MB = 24
WAKES_LIMIT = 40


def peer(model):
    """Reads the microphone until it is ended: what a Python application does at the least."""
    import numpy
    import onnxruntime
    import sounddevice

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    state = numpy.zeros((2, 1, 128), numpy.float32)
    context = numpy.zeros((1, 64), numpy.float32)
    rate = numpy.array(16000, numpy.int64)
    blocks = queue.Queue()
    with sounddevice.InputStream(samplerate=16000, channels=1, blocksize=512, dtype="float32",
                                 callback=lambda data, *_: blocks.put(data[:, 0].copy())):
        print("ready", flush=True)
        while True:
            frame_input = numpy.concatenate([context, blocks.get()[None]], axis=1)
            _, state = session.run(None, {"input": frame_input, "state": state, "sr": rate})
            context = frame_input[:, -64:]


def snapshot(pid):
    """Nanoseconds of processor time and voluntary switches, of each thread."""
    threads = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        switches = next(line for line in (task / "status").read_text().splitlines()
                        if line.startswith("voluntary_ctxt_switches"))
        threads[task.name] = int((task / "schedstat").read_text().split()[0]), int(switches.split()[1])
    return threads


def memory_mb(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


def measure(processes, seconds):
    time.sleep(WARM_UP_SEC)
    before = {name: (time.monotonic(), snapshot(process.pid)) for name, process in processes.items()}
    time.sleep(seconds)
    found = {}
    for name, process in processes.items():
        if process.poll() is not None:
            sys.exit(f"live_idle: {name} ended with {process.returncode}")
        began, old = before[name]
        new = snapshot(process.pid)
        passed = time.monotonic() - began
        nanoseconds = sum(value[0] - old.get(thread, (0, 0))[0] for thread, value in new.items())
        switches = sum(value[1] - old.get(thread, (0, 0))[1] for thread, value in new.items())
        found[name] = nanoseconds / passed / 1e7, memory_mb(process.pid), switches / passed
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", type=pathlib.Path)
    arguments.add_argument("--onnx", type=pathlib.Path)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.peer:
        return peer(str(options.onnx))
    if options.bin is None:
        arguments.error("--bin is needed")

    with VirtualMicrophone() as microphone, VirtualMicrophone() as peers_microphone:
        processes = {"dictum": subprocess.Popen([options.bin.resolve() / "dictum", "record", "--no-transcribe", "--json",
                                                 "--output-dir", microphone.folder / "sessions"],
                                                env=microphone.environment, stdout=subprocess.DEVNULL)}
        missing = [name for name in ("sounddevice", "onnxruntime", "numpy") if importlib.util.find_spec(name) is None]
        if missing:
            print(f"the peer is left out: {', '.join(missing)} not installed")
        elif options.onnx is None:
            print("the peer is left out: no --onnx model given")
        else:
            process = subprocess.Popen([sys.executable, __file__, "--peer", "--onnx", options.onnx.resolve()],
                                       env=peers_microphone.environment, stdout=subprocess.PIPE, text=True)
            if process.stdout.readline() != "ready\n":
                sys.exit("live_idle: the peer does not start")
            processes["python"] = process
        try:
            found = measure(processes, options.seconds)
        finally:
            for process in processes.values():
                process.send_signal(signal.SIGINT if process is processes["dictum"] else signal.SIGKILL)
                process.wait(10)

    for name, (cpu, memory, wakes) in found.items():
        print(f"{name:8} {cpu:6.2f} % of a core  {memory:6.1f} MB  {wakes:6.0f} wake-ups a second")
    if "python" in found:
        ratios = [theirs / ours for ours, theirs in zip(found["dictum"], found["python"], strict=True)]
        print("python / dictum: {:.1f} x the processor, {:.1f} x the memory, {:.1f} x the wake-ups".format(*ratios))
    for i, (what, unit, limit) in enumerate([("listening to silence", "% of a core", CPU_LIMIT_PERCENT),
                                             ("its memory", "MB", MEMORY_LIMIT_MB),
                                             ("its wake-ups", "a second", WAKES_LIMIT)]):  # fmt: skip
        peers = {"Python with sounddevice": found["python"][i]} if "python" in found else {}
        results.add(what, found["dictum"][i], unit, peers=peers, limit=limit)
    cpu, memory, wakes = found["dictum"]
    return 0 if cpu <= CPU_LIMIT_PERCENT and memory <= MEMORY_LIMIT_MB and wakes <= WAKES_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
