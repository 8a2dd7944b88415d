#!/usr/bin/env python3
"""dictum.SileroVAD beside the silero-vad package's own ONNX path, in one process on one thread: whether they say the
same, and how long a window takes each. Both process a stream, window by window, and answer with a number.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install onnxruntime torch packaging
    /tmp/peers/bin/pip install --no-deps silero-vad==6.2.1
    PYTHONPATH=build/release/python /tmp/peers/bin/python bench/python_vad.py [WAV...]

Its peer wants tensors of PyTorch's; what it costs to make them is not counted. "runtime alone" is ONNX Runtime with the
same model, fed with NumPy arrays. Times are processor time, the median of rounds taken in turn, so that a busy machine
is equally hard on all. The files are mono 16-bit WAV at 16 kHz. Fails where a probability differs by 1e-4.
"""

import os
import pathlib
import statistics
import sys
import time
import types
import wave

os.environ["OMP_NUM_THREADS"] = "1"
sys.modules["torchaudio"] = types.ModuleType("torchaudio")  # it reads files for silero-vad, which nobody asks for here

try:
    import numpy
    import torch
    from silero_vad import load_silero_vad

    import dictum
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit()

WINDOW, CONTEXT, RATE = 512, 64, 16000
ROUNDS = 7
LARGEST_DIFFERENCE = 1e-4


def windows_of(path):
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2), path
        samples = numpy.frombuffer(sound.readframes(sound.getnframes()), dtype=numpy.int16)
    return (samples[: len(samples) // WINDOW * WINDOW].astype(numpy.float32) / 32768).reshape(-1, WINDOW)


def timed(prepare, windows):
    """Microseconds of processor time a window, and the probabilities."""
    detect = prepare()
    begin = time.process_time()
    probabilities = [detect(window) for window in windows]
    return (time.process_time() - begin) / len(windows) * 1e6, probabilities


def main():
    files = sys.argv[1:] or [pathlib.Path(__file__).resolve().parents[1] / "samples/voice_note.wav"]
    arrays = numpy.concatenate([windows_of(file) for file in files])
    tensors = list(torch.from_numpy(arrays))
    package = load_silero_vad(onnx=True)
    no_state = numpy.zeros((2, 1, 128), dtype=numpy.float32)
    rate = numpy.array(RATE, dtype=numpy.int64)

    def ours():
        vad = dictum.SileroVAD()
        return lambda window: vad(window)[0]

    def theirs():
        package.reset_states()
        return lambda window: package(window, RATE).item()

    def runtime():
        state, padded = no_state, numpy.zeros((1, CONTEXT + WINDOW), dtype=numpy.float32)

        def detect(window):
            nonlocal state
            padded[0, :CONTEXT] = padded[0, -CONTEXT:]
            padded[0, CONTEXT:] = window
            probability, state = package.session.run(None, {"input": padded, "state": state, "sr": rate})
            return float(probability[0, 0])

        return detect

    runs = {
        "dictum.SileroVAD": (ours, arrays),
        "silero-vad, onnx=True": (theirs, tensors),
        "runtime alone": (runtime, arrays),
    }
    times = {name: [] for name in runs}
    results = {}
    for _ in range(ROUNDS):
        for name, (prepare, windows) in runs.items():
            taken, results[name] = timed(prepare, windows)
            times[name].append(taken)

    medians = {name: statistics.median(taken) for name, taken in times.items()}
    reference = results["silero-vad, onnx=True"]
    fastest = medians["dictum.SileroVAD"]
    print(f"{len(arrays)} windows\n{'':24} {'us a window':>12} {'ratio':>8} {'differs by':>12}")
    largest = 0.0
    for name, median in medians.items():
        difference = float(numpy.abs(numpy.array(results[name]) - reference).max())
        largest = max(largest, difference)
        print(f"{name:24} {median:12.1f} {median / fastest:7.1f}x {difference:12.1e}")
    return 0 if largest < LARGEST_DIFFERENCE else 1


if __name__ == "__main__":
    sys.exit(main())
