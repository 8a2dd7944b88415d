"""Makes sounds without speech, the same at each call: silence, noise, music, breathing and typing (sox)."""

import math
import random
import subprocess

import spoken_notes as notes


def sox(*arguments):
    subprocess.run(["sox", "-R", *map(str, arguments)], check=True)


def write(path, samples, generator):
    """Adds the hiss of a microphone."""
    for i, sample in enumerate(samples):
        samples[i] = max(-32768, min(32767, sample + int(generator.gauss(0, 20))))
    notes.write_wav(path, samples)


def quiet(path, seconds):
    write(path, notes.silence(seconds), random.Random(3))


def typing(path, seconds):
    """Key strokes: short decaying bursts of noise, in runs with pauses."""
    generator = random.Random(7)
    samples = notes.silence(seconds)
    at = 0.5
    while at < seconds - 0.1:
        first, loudness = int(at * notes.RATE), generator.uniform(1500, 9000)
        for i in range(int(0.02 * notes.RATE)):
            samples[first + i] = int(loudness * generator.uniform(-1, 1) * 0.985**i)
        at += generator.uniform(0.07, 0.3) if generator.random() < 0.93 else generator.uniform(1, 4)
    write(path, samples, generator)


def breathing(path, seconds):
    """In and out: noise without its treble that swells and fades, about fifteen times a minute."""
    generator = random.Random(5)
    samples = notes.silence(seconds)
    at, smoothed = 0.5, 0.0
    while at < seconds - 2.5:
        for length, loudness, softness in ((1.1, 2200, 0.55), (1.4, 1600, 0.8)):
            first, count = int(at * notes.RATE), int(length * notes.RATE)
            for i in range(count):
                smoothed = softness * smoothed + (1 - softness) * generator.uniform(-1, 1)
                samples[first + i] = int(loudness * math.sin(math.pi * i / count) ** 2 * smoothed)
            at += length + 0.1
        at += generator.uniform(0.8, 1.8)
    write(path, samples, generator)


def music(path, seconds, folder):
    """Plucked chords, in an order that a seed decides."""
    generator = random.Random(11)
    chords = []
    for i, (root, third, fifth) in enumerate([(220, 277, 330), (196, 247, 294), (262, 330, 392), (175, 220, 262)]):
        for j, length in enumerate((0.25, 0.5, 1.0)):
            chord = folder / f"chord{i}{j}.wav"
            sox("-n", "-r", notes.RATE, "-c", 1, "-b", 16, chord, "synth", length, "pluck", root, "pluck", third, "pluck", fifth,
                "remix", "-", "gain", "-n", "-8")
            chords.append((chord, length))
    tune, total = [], 0
    while total < seconds:
        chord, length = generator.choice(chords)
        tune.append(chord)
        total += length
    sox(*tune, path)


def make(folder, minutes):
    """Files without speech, `minutes` in all."""
    each = minutes * 60 / 7
    for colour, volume in (("white", 0.05), ("pink", 0.2), ("brown", 0.5)):
        sox("-n", "-r", notes.RATE, "-c", 1, "-b", 16, folder / f"{colour}_noise.wav", "synth", each, f"{colour}noise", "vol", volume,
            "tremolo", 0.3, 80)
    quiet(folder / "silence.wav", each)
    breathing(folder / "breathing.wav", each)
    typing(folder / "typing.wav", each)
    music(folder / "music.wav", each, folder)
    names = ("silence", "white_noise", "pink_noise", "brown_noise", "breathing", "typing", "music")
    return [folder / f"{name}.wav" for name in names]
