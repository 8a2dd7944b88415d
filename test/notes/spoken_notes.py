"""Speaks notes, records them with Dictum and compares what came out with what was meant.

A note is an object with `voice` ("flite:NAME" or "espeak:NAME@WORDS_PER_MINUTE"), `parts` (texts, spoken 1.6 s apart, and
numbers, which are seconds of silence), `commands` ([part, command] in order) and `notes` ([title, parts of the body] in
order, without the cancelled ones). The specifications are test/notes/phrasings.json and ../shared/notes/notes.json.
"""

import array
import json
import pathlib
import random
import re
import subprocess
import tempfile
import wave

RATE = 16000
TREE = pathlib.Path(__file__).resolve().parents[2]
OURS = TREE / "test" / "notes" / "phrasings.json"
SHARED = TREE.parent / "shared" / "notes" / "notes.json"


def models(named=()):
    """Whisper's models that figures are given for: those that somebody has named, or else the two small ones."""
    folder = TREE.parent / "shared" / "models"
    return list(named or []) or [folder / f"ggml-{name}-q8_0.bin" for name in ("tiny.en", "base")]


def specifications():
    """Both sets of notes, by name: the shared one is empty where it is not there."""
    return {
        "shared": json.loads(SHARED.read_text()) if SHARED.exists() else {},
        "ours": json.loads(OURS.read_text()),
    }


def silence(seconds):
    return array.array("h", bytes(2 * int(seconds * RATE)))


def spoken(voice, text):
    """Samples of `text`, mono at RATE, with its peak at -6 dBFS."""
    engine, name = voice.split(":", 1)
    with tempfile.TemporaryDirectory() as folder:
        raw, wav = f"{folder}/raw.wav", f"{folder}/16k.wav"
        if engine == "flite":
            command = ["flite", "-voice", name, "-t", text, "-o", raw]
        else:
            name, speed = name.rsplit("@", 1)
            command = ["espeak-ng", "-v", name, "-s", speed, "-w", raw, text]
        subprocess.run(command, check=True)
        subprocess.run(["sox", "-R", "-q", raw, "-r", str(RATE), "-c", "1", "-b", "16", wav, "norm", "-6"], check=True)
        with wave.open(wav) as file:
            return array.array("h", file.readframes(file.getnframes()))


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def speak(note, path):
    """Writes the note as a WAV file, with noise at -62 dBFS so that it is never digitally silent."""
    samples = silence(0.8)
    for part in note["parts"]:
        samples += spoken(note["voice"], part) + silence(1.6) if isinstance(part, str) else silence(part)
    samples += silence(1)
    noise = random.Random(1)
    for i, sample in enumerate(samples):
        samples[i] = max(-32768, min(32767, sample + int(noise.gauss(0, 25))))
    write_wav(path, samples)


def record(dictum, wav, transcriber, model=None, more=()):
    """The events of `dictum record` over a file, with `more` arguments."""
    with tempfile.TemporaryDirectory() as folder:
        command = [dictum, "record", "--input", wav, "--output-dir", folder, "--json", "--transcriber", transcriber,
                   "--deadline-base-sec", "3600", "--drain-sec", "-1"]  # also on a machine that is busy
        if model:
            command += ["--model", model]
        command += more
        run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{wav}: dictum record failed: {run.stderr.strip()}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def segments(events):
    """What the dialogue gets to know, by segment, in frames."""
    found = {}
    for event in events:
        segment = found.setdefault(event["segment_index"], {}) if "segment_index" in event else None
        if event["event"] == "SpeechDetected":
            segment["start"] = event["frame"]
        elif event["event"] == "SpeechEnded":
            segment.update(end=event["frame"], kept=event["kept"])
        elif event["event"] == "TranscriptionComplete" and event.get("revision", 0) == 0:
            segment.update(text=event["text"], suspect=event.get("suspect", False), phrases=event.get("phrases", []))
            segment["words"] = [[w["text"], w["start_frame"], w["end_frame"]] for w in event.get("words", [])]
    return [found[index] for index in sorted(found)]


def commands(events):
    return [e["command"] for e in events if e["event"] == "NoteCommandDetected" and e["command"] != "complete"]


def titles(events):
    return [e["title"] for e in events if e["event"] == "NoteCompleted"]


def plain(title):
    return " ".join(re.findall(r"[\w$%&]+", title.lower()))


def in_common(expected, got):
    """The length of the longest common subsequence."""
    row = [0] * (len(got) + 1)
    for wanted in expected:
        diagonal = 0
        for j, item in enumerate(got, 1):
            diagonal, row[j] = row[j], diagonal + 1 if wanted == item else max(row[j], row[j - 1])
    return row[-1]


class Score:
    """Counts over several notes."""

    def __init__(self):
        self.commands = self.commands_found = self.false_commands = self.titles = self.titles_exact = 0

    def add(self, note, got_commands, got_titles):
        wanted = [command for _, command in note["commands"]]
        meant = [plain(title) for title, _ in note["notes"]]
        found = in_common(wanted, got_commands)
        exact = in_common(meant, [plain(title) for title in got_titles])
        self.commands += len(wanted)
        self.commands_found += found
        self.false_commands += len(got_commands) - found
        self.titles += len(meant)
        self.titles_exact += exact
        return found == len(wanted) == len(got_commands) and exact == len(meant)

    def __str__(self):
        def share(part, whole):
            return f"{part} of {whole}" + (f" ({part / whole:.0%})" if whole else "")

        return (f"commands {share(self.commands_found, self.commands)}, false commands {self.false_commands}, "
                f"titles exact {share(self.titles_exact, self.titles)}")
