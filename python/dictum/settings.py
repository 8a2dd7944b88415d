"""The settings of a recorder: keyword arguments, named as in the configuration file, `section_key`."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Literal, TypedDict


class Settings(TypedDict, total=False):
    """What is not given stands in the configuration file, or else has its default."""

    capture_input: str | PathLike[str]
    """A file instead of the microphone; - is standard input. Default: ""."""
    capture_input_format: str
    """Samples that have no header, in a file or on standard input, for example s16le:48000:2. Default: ""."""
    capture_device: str
    """Microphone: its id, name, or a part of it. Default: ""."""
    capture_backend: Literal["auto", "pulse", "portaudio"]
    """Sound system. Default: "auto"."""
    capture_channel: int | str
    """Channel to record, from 0, or mix. Default: "mix"."""
    capture_pace: Literal["realtime", "fast"]
    """How fast a file is read; by dictum record: fast. Default: "realtime"."""
    capture_block_frames: int
    """Frames a reading; 0: 100 ms. Unit: frames. From 0 to 1000000. Default: 0."""
    capture_duration_sec: float
    """Stop after so many seconds; 0: no limit. Unit: seconds. From 0 to 1000000000. Default: 0."""
    capture_stop_after_silence_sec: float
    """Stop after so many seconds without speech; 0: never. Unit: seconds. From 0 to 1000000000. Default: 0."""
    vad_detector: Literal["silero", "energy"]
    """Speech detector. Default: "silero"."""
    vad_threshold: float
    """Probability from which a window is speech. From 0.2 to 0.95. Default: 0.5."""
    vad_mode: Literal["normal", "long_note"]
    """Which silence ends a segment. Default: "normal"."""
    vad_min_silence_ms: int
    """Silence that ends a segment. Unit: milliseconds. From 32 to 60000. Default: 800."""
    vad_long_note_silence_ms: int
    """The same in long_note mode. Unit: milliseconds. From 32 to 60000. Default: 5000."""
    vad_pre_roll_ms: int
    """Audio kept before speech. Unit: milliseconds. From 0 to 10000. Default: 500."""
    vad_post_roll_ms: int
    """Audio kept after speech. Unit: milliseconds. From 0 to 10000. Default: 500."""
    vad_min_speech_ms: int
    """Less speech than this is not kept. Unit: milliseconds. From 0 to 10000. Default: 96."""
    vad_max_segment_sec: float
    """Longer segments are split. Unit: seconds. From 6 to 3600. Default: 30."""
    vad_rescue_gain: bool
    """Amplify very quiet input for the speech detector. Default: true."""
    transcription_transcriber: str
    """Auto, none, or the name of a worker. Default: "auto"."""
    transcription_model: str
    """Model: a name or a file. Default: ""."""
    transcription_language: str
    """Language, for example en; auto: what is spoken, decided once a session. Default: "auto"."""
    transcription_vocabulary: Sequence[str]
    """Names and terms that are likely to be said, for example Kovacs,Tallinn. Default: []."""
    transcription_vocabulary_file: str | PathLike[str]
    """File with more of them, one a line. Default: ""."""
    transcription_replacements: Mapping[str, str]
    """Fixed corrections of texts, as JSON: {"what is written": "what is meant"}. Default: {}."""
    transcription_workers: int
    """Worker processes. From 1 to 64. Default: 1."""
    transcription_deadline_base_sec: float
    """An attempt may take this long ... Unit: seconds. From 0.05 to 86400. Default: 30."""
    transcription_deadline_per_sec: float
    """... and this much more a second of audio. Unit: seconds. From 0 to 3600. Default: 10."""
    transcription_drain_sec: float
    """How long a stop waits for texts; negative: no limit, as for files of dictum record. Unit: seconds. At most 86400.
    Default: 30."""
    transcription_memory_mb: int
    """MiB of memory that a worker may take; 0: no limit. Unit: megabytes. From 0 to 1048576. Default: 8192."""
    transcription_eager: bool | Literal["auto"]
    """Transcribe before the end of a segment is certain. Default: "auto"."""
    transcription_unload_after_sec: float
    """End a worker that is idle for so long; 0: never. Unit: seconds. From 0 to 1000000. Default: 300."""
    transcription_simulated_script: str | PathLike[str]
    """Script of the simulated transcriber. Default: ""."""
    transcription_nats_url: str
    """Servers of the nats transcriber, for example nats://gpu.local:4222. Default: ""."""
    transcription_nats_credentials: str | PathLike[str]
    """File with NATS credentials, an nkey seed, USER:PASSWORD or a token. Default: ""."""
    transcription_nats_tls_ca: str | PathLike[str]
    """File of certificates that the server's must be signed by. Default: ""."""
    transcription_nats_tls_cert: str | PathLike[str]
    """Certificate of this machine, where the server asks for one. Default: ""."""
    transcription_nats_tls_key: str | PathLike[str]
    """Key of that certificate. Default: ""."""
    transcription_nats_queue: str
    """Which workers take the jobs; otherwise those of the model, or of the queue "default". Default: ""."""
    transcription_nats_fallback_after_sec: float
    """After so long without the cluster this machine transcribes until it is back; 0: never. Unit: seconds. From 0 to
    86400. Default: 0."""
    transcription_nats_fallback: str
    """The transcriber that does it: auto, or the name of a worker. Default: "auto"."""
    notes_start: Sequence[str]
    """Phrases that begin a note. Default: []."""
    notes_title: Sequence[str]
    """Phrases that lead in its title. Default: []."""
    notes_end: Sequence[str]
    """Phrases that complete a note. Default: []."""
    notes_cancel: Sequence[str]
    """Phrases that cancel a note. Default: []."""
    notes_scratch: Sequence[str]
    """Phrases that take back what was said last. Default: []."""
    notes_stop: Sequence[str]
    """Phrases that end the recording. Default: []."""
    notes_prefix: Sequence[str]
    """What may be said before a command. Default: []."""
    session_root: str | PathLike[str]
    """Folder of the sessions; otherwise dictum/sessions in $XDG_DATA_HOME or ~/.local/share. Default: ""."""
    session_keep_all: bool
    """Also keep the whole timeline as FLAC. Default: false."""
    session_durability: str
    """What the newest second survives. Default: "power"."""
    retention_older_than: str
    """Delete sessions that are older, at each start; empty: never. Default: ""."""
    retention_keep_notes: bool
    """Sessions with notes stay. Default: true."""
    events_level_hz: float
    """AudioLevel events a second; 10 for what shows them. Unit: a second. From 0 to 20. Default: 0."""
