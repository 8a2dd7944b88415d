"""What can go wrong: one exception a code, all of them a `RecorderError`."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """What went wrong, for a program to act on; the sentence of the exception is for a person."""

    INVALID_ARGUMENT = "invalid_argument"
    INVALID_STATE = "invalid_state"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    RESOURCE_DEADLOCK_WOULD_OCCUR = "resource_deadlock_would_occur"
    INPUT_NOT_FOUND = "input_not_found"
    INPUT_UNREADABLE = "input_unreadable"
    DEVICE_BUSY = "device_busy"
    DEVICE_LOST = "device_lost"
    DEVICE_AMBIGUOUS = "device_ambiguous"
    OUTPUT_UNWRITABLE = "output_unwritable"
    DISK_FULL = "disk_full"
    MODEL_MISSING = "model_missing"
    TRANSCRIBER_MISSING = "transcriber_missing"
    TRANSCRIPTION_FAILED = "transcription_failed"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    WORKER_DIED = "worker_died"
    WORKER_PROTOCOL = "worker_protocol"
    QUARANTINED = "quarantined"
    SESSION_UNREADABLE = "session_unreadable"
    SESSION_LOCKED = "session_locked"
    CONFIG_INVALID = "config_invalid"
    INTERNAL = "internal"


class RecorderError(Exception):
    """The base of everything that Dictum raises."""

    code = ErrorCode.INTERNAL


class InvalidArgumentError(RecorderError, ValueError):
    code = ErrorCode.INVALID_ARGUMENT


class InvalidStateError(RecorderError, RuntimeError):
    """The call does not fit the state, such as pausing what does not record."""

    code = ErrorCode.INVALID_STATE


class CancelledError(RecorderError):
    """The start was ended by a stop, or by somebody who cancelled it."""

    code = ErrorCode.CANCELLED


class TimedOutError(RecorderError, TimeoutError):
    code = ErrorCode.TIMED_OUT


class DeadlockError(RecorderError):
    """A blocking stop from inside the recorder's own callback, for which it would wait."""

    code = ErrorCode.RESOURCE_DEADLOCK_WOULD_OCCUR


class InputNotFoundError(RecorderError, FileNotFoundError):
    code = ErrorCode.INPUT_NOT_FOUND


class InputUnreadableError(RecorderError):
    code = ErrorCode.INPUT_UNREADABLE


class DeviceError(RecorderError):
    """The microphone: busy, gone, or a name that means several."""


class DeviceBusyError(DeviceError):
    code = ErrorCode.DEVICE_BUSY


class DeviceLostError(DeviceError):
    code = ErrorCode.DEVICE_LOST


class DeviceAmbiguousError(DeviceError):
    code = ErrorCode.DEVICE_AMBIGUOUS


class OutputUnwritableError(RecorderError):
    code = ErrorCode.OUTPUT_UNWRITABLE


class DiskFullError(RecorderError):
    code = ErrorCode.DISK_FULL


class TranscriptionError(RecorderError):
    """The transcriber: missing, broken or too slow."""


class ModelMissingError(TranscriptionError):
    code = ErrorCode.MODEL_MISSING


class TranscriberMissingError(TranscriptionError):
    code = ErrorCode.TRANSCRIBER_MISSING


class TranscriptionFailedError(TranscriptionError):
    code = ErrorCode.TRANSCRIPTION_FAILED


class DeadlineExceededError(TranscriptionError):
    code = ErrorCode.DEADLINE_EXCEEDED


class WorkerDiedError(TranscriptionError):
    code = ErrorCode.WORKER_DIED


class WorkerProtocolError(TranscriptionError):
    code = ErrorCode.WORKER_PROTOCOL


class QuarantinedError(TranscriptionError):
    code = ErrorCode.QUARANTINED


class SessionUnreadableError(RecorderError):
    code = ErrorCode.SESSION_UNREADABLE


class SessionLockedError(RecorderError):
    code = ErrorCode.SESSION_LOCKED


class ConfigInvalidError(RecorderError, ValueError):
    code = ErrorCode.CONFIG_INVALID


class InternalError(RecorderError):
    code = ErrorCode.INTERNAL


_BY_CODE = {
    cls.code: cls
    for group in (RecorderError, DeviceError, TranscriptionError)
    for cls in group.__subclasses__()
    if "code" in vars(cls)
}


def make_error(code: str, sentence: str) -> RecorderError:
    """The exception of that code."""
    return _BY_CODE[ErrorCode(code)](sentence)
