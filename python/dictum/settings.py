"""The settings of a recorder: keyword arguments, named as in the configuration file, `section_key`."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Literal, TypedDict


class Settings(TypedDict, total=False):
    """What is not given stands in the configuration file, or else has its default."""

    capture_input: str | PathLike[str]
    """A file instead of the microphone; - is standard input."""
    capture_input_format: str
    capture_device: str
    capture_backend: Literal["auto", "pulse", "portaudio"]
    capture_channel: int | str
    capture_pace: Literal["realtime", "fast"]
    capture_block_frames: int
    capture_duration_sec: float
    """The recording ends by itself at this time of it; 0: no limit."""
    capture_stop_after_silence_sec: float
    """It ends after so much audio without speech; 0: never."""
    vad_detector: Literal["silero", "energy"]
    vad_threshold: float
    vad_mode: Literal["normal", "long_note"]
    vad_min_silence_ms: int
    vad_long_note_silence_ms: int
    vad_pre_roll_ms: int
    vad_post_roll_ms: int
    vad_min_speech_ms: int
    vad_max_segment_sec: float
    vad_rescue_gain: bool
    transcription_transcriber: str
    """auto, none, or the name of a worker."""
    transcription_model: str
    transcription_language: str
    """BCP 47; auto: what is spoken, decided once a session."""
    transcription_vocabulary: Sequence[str]
    """Names and terms that are likely to be said; the first count most."""
    transcription_vocabulary_file: str | PathLike[str]
    transcription_replacements: Mapping[str, str]
    """Fixed corrections of texts: what is written, what is meant."""
    transcription_workers: int
    transcription_deadline_base_sec: float
    transcription_deadline_per_sec: float
    transcription_drain_sec: float
    transcription_memory_mb: int
    transcription_eager: bool | Literal["auto"]
    transcription_unload_after_sec: float
    transcription_simulated_script: str | PathLike[str]
    transcription_nats_url: str
    transcription_nats_credentials: str | PathLike[str]
    transcription_nats_tls_ca: str | PathLike[str]
    transcription_nats_tls_cert: str | PathLike[str]
    transcription_nats_tls_key: str | PathLike[str]
    transcription_nats_queue: str
    transcription_nats_fallback_after_sec: float
    transcription_nats_fallback: str
    notes_start: Sequence[str]
    """What begins a note, in place of the English phrases; and so on for the other commands."""
    notes_title: Sequence[str]
    notes_end: Sequence[str]
    notes_cancel: Sequence[str]
    notes_scratch: Sequence[str]
    notes_stop: Sequence[str]
    notes_prefix: Sequence[str]
    session_root: str | PathLike[str]
    session_keep_all: bool
    session_durability: str
    """"power" or "crash": what the newest second of a recording survives."""
    retention_older_than: str
    """90d, 12h, 8w: sessions that are older are deleted; empty: never."""
    retention_keep_notes: bool
    events_level_hz: float
