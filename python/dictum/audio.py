"""Sound of the program's own: pushed to a recorder, or given to the detector."""

from ._buffer import Buffer
from ._native import core
from ._signatures import plain


class PushSource(core.PushSource):
    """Audio that the program itself feeds to a recorder: pass it as `source`.

    Keeps up to `capacity_sec` of audio that the recorder has not taken yet."""

    @plain
    def __init__(self, sample_rate: int, channels: int = 1, capacity_sec: float = 10.0) -> None:
        super().__init__(sample_rate, channels, capacity_sec)
        self._format = (sample_rate, channels)

    def __repr__(self) -> str:
        return f"PushSource(sample_rate={self._format[0]}, channels={self._format[1]})"


class SileroVAD(core.SileroVAD):
    """Silero VAD v6 over a stream of any rate: probabilities of speech, one for each window of 32 ms. State is carried
    from call to call, so a stream may be cut anywhere."""

    @plain
    def __init__(self, sample_rate: int = 16000) -> None:
        super().__init__(sample_rate)

    @plain
    def __call__(self, samples: Buffer) -> list[float]:
        """The probability of every window that these samples (mono) complete."""
        return super().__call__(samples)

    def __repr__(self) -> str:
        return f"SileroVAD(sample_rate={self.sample_rate})"
