"""The type of everything that has the buffer interface, until Python 3.12's collections.abc.Buffer can be relied on."""

from typing import Protocol


class Buffer(Protocol):
    """bytes, memoryview, array.array, a NumPy array ..."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
