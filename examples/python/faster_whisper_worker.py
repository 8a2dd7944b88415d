#!/usr/bin/env python3
"""faster-whisper as a transcriber. Installed as an executable `dictum-worker-faster-whisper` on PATH:

    pip install faster-whisper
    RecorderBackend(transcription_transcriber="faster-whisper", transcription_model="small.en")

The model is the name of one (downloaded once) or a folder with one.
"""

import numpy
import numpy.typing
from faster_whisper import WhisperModel

from dictum import Word
from dictum.worker import Segment, Transcript, worker

RATE = 16000  # what Whisper expects
Samples = numpy.typing.NDArray[numpy.float32]


def load(model: str | None) -> WhisperModel:
    return WhisperModel(model or "base.en", device="cpu", compute_type="int8")


def resample(segment: Segment) -> Samples:
    samples = numpy.frombuffer(segment.pcm16(), dtype="<i2") / numpy.float32(32768)
    positions = numpy.arange(0, len(samples), segment.sample_rate / RATE)
    samples_16k: Samples = numpy.interp(positions, numpy.arange(len(samples)), samples).astype(numpy.float32)
    return samples_16k


@worker(engine="faster-whisper", load=load)
def transcribe(segment: Segment, model: WhisperModel) -> Transcript:
    pieces, _ = model.transcribe(
        resample(segment),
        language=segment.language.split("-")[0] or None,
        initial_prompt=segment.prompt or None,
        condition_on_previous_text=False,
        word_timestamps=True,
    )
    transcribed = list(pieces)  # it is computed here

    def frame(seconds: float) -> int:
        return segment.start_frame + round(seconds * segment.sample_rate)

    return Transcript(
        text="".join(piece.text for piece in transcribed).strip(),
        words=tuple(
            Word(word.word.strip(), frame(word.start), frame(word.end), word.probability)
            for piece in transcribed
            for word in piece.words or ()
        ),
        no_speech_probability=max((piece.no_speech_prob for piece in transcribed), default=1.0),
    )


if __name__ == "__main__":
    transcribe.run()
