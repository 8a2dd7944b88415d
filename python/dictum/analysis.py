"""Where speech is in audio that is there already: what a recorder would make of it, without a session."""

import json
from dataclasses import dataclass
from typing import TypedDict, Unpack

from ._buffer import Buffer
from ._native import core
from ._signatures import plain


class AnalysisSettings(TypedDict, total=False):
    """The settings that bear on it; the configuration file does not."""

    vad_detector: str
    vad_threshold: float
    vad_mode: str
    vad_min_silence_ms: int
    vad_long_note_silence_ms: int
    vad_pre_roll_ms: int
    vad_post_roll_ms: int
    vad_min_speech_ms: int
    vad_max_segment_sec: float


@dataclass(frozen=True, slots=True)
class AnalysedSegment:
    index: int
    kept: bool
    start_frame: int
    """Of the kept audio."""
    end_frame: int
    speech_start_frame: int
    speech_end_frame: int


@dataclass(frozen=True, slots=True)
class Analysis:
    sample_rate: int
    frames: int
    probabilities: tuple[float, ...]
    """Of every full window of 512 samples at 16 kHz."""
    segments: tuple[AnalysedSegment, ...]
    warnings: tuple[str, ...]


@plain
def analyze(samples: Buffer, sample_rate: int, **settings: Unpack[AnalysisSettings]) -> Analysis:
    """Finds speech in `samples`: an array of (frames) or (frames, channels), int16 or float, or the bytes of 16-bit
    ones. Other threads run meanwhile."""
    read = json.loads(core.analyze(samples, sample_rate, dict(settings)))
    return Analysis(
        sample_rate=read["sample_rate"],
        frames=read["frames"],
        probabilities=tuple(read["probabilities"]),
        segments=tuple(AnalysedSegment(**segment) for segment in read["segments"]),
        warnings=tuple(read["warnings"]),
    )
