#!/usr/bin/env python3
"""A recording several times over, at a multiple of its rate: repeat.py IN RATE TIMES OUT

Each sample is written as often as the rate asks for: enough for a benchmark, not for ears."""

import sys
import wave


def main():
    source, rate, times, target = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    with wave.open(source) as sound:
        width, samples = sound.getsampwidth(), sound.readframes(sound.getnframes())
        factor = rate // sound.getframerate()
    frames = b"".join(samples[at : at + width] * factor for at in range(0, len(samples), width))
    with wave.open(target, "wb") as copy:
        copy.setnchannels(1)
        copy.setsampwidth(width)
        copy.setframerate(rate)
        for _ in range(times):
            copy.writeframes(frames)


main()
