"""The operations that are one command each, of both flavours side by side."""

from collections.abc import Iterable

from ._commands import command, list_of_texts
from .events import VADMode


class BlockingOperations:
    """Those of RecorderBackend."""

    def _carry_out(self, what: str) -> None:
        """Returns when the command has ended; raises what it failed with."""
        raise NotImplementedError

    def pause_recording(self) -> None:
        """Closes the open segment, marks a gap and hands the device back."""
        self._carry_out(command("pause_recording"))

    def resume_recording(self) -> None:
        """Goes on in the same session."""
        self._carry_out(command("resume_recording"))

    def set_vad_mode(self, mode: VADMode | str) -> None:
        """The silence that ends a segment, from now on, in this session."""
        self._carry_out(command("set_vad_mode", mode=str(mode)))

    def set_muted(self, muted: bool) -> None:
        """While muted, silence is recorded in place of the microphone."""
        self._carry_out(command("set_muted", muted=bool(muted)))

    def set_device(self, device: str) -> None:
        """The microphone from now on, as `capture_device`: of the recording under way too, else of the next start. One
        that cannot be opened is reported as a RecorderFault, and the one before is kept."""
        self._carry_out(command("set_device", device=str(device)))

    def set_vocabulary(self, vocabulary: Iterable[str]) -> None:
        """The names and terms that are likely to be said, in place of all that were configured: for the segments that
        have no text yet, and for the next start."""
        self._carry_out(command("set_vocabulary", vocabulary=list_of_texts(vocabulary)))

    def complete_note(self) -> None:
        """Ends the open note as saying "end note" would."""
        self._carry_out(command("complete_note"))

    def retry_failed(self) -> None:
        """Transcribes the failed segments of the newest session again."""
        self._carry_out(command("retry_failed"))

    def wait_until_idle(self) -> None:
        """Returns when no segment waits for its text."""
        self._carry_out(command("wait_until_idle"))


class AwaitedOperations:
    """Those of AsyncRecorderBackend."""

    async def _carry_out(self, what: str) -> None:
        """Returns when the command has ended; raises what it failed with."""
        raise NotImplementedError

    async def pause_recording(self) -> None:
        """Closes the open segment, marks a gap and hands the device back."""
        await self._carry_out(command("pause_recording"))

    async def resume_recording(self) -> None:
        """Goes on in the same session."""
        await self._carry_out(command("resume_recording"))

    async def set_vad_mode(self, mode: VADMode | str) -> None:
        """The silence that ends a segment, from now on, in this session."""
        await self._carry_out(command("set_vad_mode", mode=str(mode)))

    async def set_muted(self, muted: bool) -> None:
        """While muted, silence is recorded in place of the microphone."""
        await self._carry_out(command("set_muted", muted=bool(muted)))

    async def set_device(self, device: str) -> None:
        """The microphone from now on, as `capture_device`: of the recording under way too, else of the next start. One
        that cannot be opened is reported as a RecorderFault, and the one before is kept."""
        await self._carry_out(command("set_device", device=str(device)))

    async def set_vocabulary(self, vocabulary: Iterable[str]) -> None:
        """The names and terms that are likely to be said, in place of all that were configured: for the segments that
        have no text yet, and for the next start."""
        await self._carry_out(command("set_vocabulary", vocabulary=list_of_texts(vocabulary)))

    async def complete_note(self) -> None:
        """Ends the open note as saying "end note" would."""
        await self._carry_out(command("complete_note"))

    async def retry_failed(self) -> None:
        """Transcribes the failed segments of the newest session again."""
        await self._carry_out(command("retry_failed"))

    async def wait_until_idle(self) -> None:
        """Returns when no segment waits for its text."""
        await self._carry_out(command("wait_until_idle"))
