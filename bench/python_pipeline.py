#!/usr/bin/env python3
"""What a recorder written in Python does with a file: the peer of bench/pipeline.py.

    python3 bench/python_pipeline.py MODEL.onnx SOUND.wav FOLDER

In blocks of 100 ms, as a microphone would deliver them: to 16 kHz by scipy's `resample_poly`, each window of 512 samples
through Silero VAD by ONNX Runtime on one thread, segments with 500 ms before and behind speech into WAV files by the
module `wave`. Mono, 16 bit.
"""

import collections
import math
import os
import pathlib
import sys
import wave

os.environ["OMP_NUM_THREADS"] = "1"

import numpy
import onnxruntime
from scipy.signal import resample_poly

VAD_RATE, WINDOW, CONTEXT = 16000, 512, 64
THRESHOLD = 0.5
SILENCE_WINDOWS = 25  # 800 ms
ROLL_SEC = 0.5


class Detector:
    def __init__(self, model):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.state = numpy.zeros((2, 1, 128), numpy.float32)
        self.input = numpy.zeros((1, CONTEXT + WINDOW), numpy.float32)
        self.rate = numpy.array(VAD_RATE, numpy.int64)

    def probability(self, window):
        self.input[0, :CONTEXT] = self.input[0, -CONTEXT:]
        self.input[0, CONTEXT:] = window
        out, self.state = self.session.run(None, {"input": self.input, "state": self.state, "sr": self.rate})
        return out[0, 0]


def save(path, params, pieces):
    with wave.open(str(path), "wb") as sound:
        sound.setparams(params)
        sound.writeframes(b"".join(pieces))


def record(source, detector, folder):
    """Returns how many segments there were."""
    rate = source.getframerate()
    divisor = math.gcd(rate, VAD_RATE)
    before = collections.deque(maxlen=max(1, int(ROLL_SEC * 10)))
    pending = numpy.zeros(0, numpy.float32)
    segment, silence, count = [], 0, 0
    while data := source.readframes(rate // 10):
        samples = numpy.frombuffer(data, numpy.int16).astype(numpy.float32) / 32768
        if rate != VAD_RATE:
            samples = resample_poly(samples, VAD_RATE // divisor, rate // divisor).astype(numpy.float32)
        pending = numpy.concatenate([pending, samples])
        speech = False
        while len(pending) >= WINDOW:
            is_speech = detector.probability(pending[:WINDOW]) >= THRESHOLD
            speech = speech or is_speech
            silence = 0 if is_speech else silence + 1
            pending = pending[WINDOW:]
        if not segment and not speech:
            before.append(data)
            continue
        segment += [*before, data]
        before.clear()
        if silence >= SILENCE_WINDOWS:
            save(folder / f"seg_{count:04}.wav", source.getparams(), segment)
            segment, count = [], count + 1
    if segment:
        save(folder / f"seg_{count:04}.wav", source.getparams(), segment)
    return count + bool(segment)


def main():
    folder = pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(sys.argv[2]) as source:
        print(record(source, Detector(sys.argv[1]), folder), "segments")


if __name__ == "__main__":
    main()
