"""Starting and stopping again and again leaves nothing: memory, descriptors, threads, tasks, processes."""

import asyncio
import gc
import pathlib
import threading
import tracemalloc
from collections.abc import Callable

import pytest

import dictum
from conftest import LONG, children, native_threads, open_descriptors, until, wait_until

Simulated = Callable[..., dictum.Settings]

CYCLES = 1000 if LONG else 30
OURS = str(pathlib.Path(dictum.__file__).parent / "*")
ALLOWED_BYTES = 16384
"""However many cycles: what one leaves in caches. A single object a cycle would exceed it in the long run."""


class Meter:
    """The first quarter fills the caches, and is what the rest is compared with."""

    def __init__(self) -> None:
        self._before: tuple[int, int, int] | None = None
        self._children = set(children())

    def count(self, cycle: int) -> None:
        if cycle == CYCLES // 4:
            gc.collect()
            tracemalloc.start(10)
            self._memory = self._taken()
            self._before = (open_descriptors(), native_threads(), threading.active_count())

    def check(self) -> None:
        gc.collect()
        grown = self._taken() - self._memory
        tracemalloc.stop()
        assert self._before is not None
        wait_until(lambda: self._children.issuperset(children()))
        wait_until(lambda: (open_descriptors(), native_threads(), threading.active_count()) <= self._before)
        print(f"{grown} bytes over {CYCLES - CYCLES // 4} cycles")
        assert grown < ALLOWED_BYTES

    @staticmethod
    def _taken() -> int:
        """By code of ours."""
        snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, OURS, all_frames=True)])
        return sum(statistic.size for statistic in snapshot.statistics("filename"))


class Owner:
    """The cycle of references that every application has: it owns the backend, which calls its method."""

    def __init__(self, make: Callable[..., object], settings: dictum.Settings) -> None:
        self.received = 0
        self.backend = make(self.on_event, **settings)

    def on_event(self, event: dictum.RecorderEvent) -> None:
        self.received += 1


@pytest.mark.parametrize("anew", [False, True], ids=["one backend", "a new backend each time"])
def test_async(anew: bool, simulated: Simulated) -> None:
    async def main() -> None:
        meter = Meter()
        owner = Owner(dictum.AsyncRecorderBackend, simulated())
        for cycle in range(CYCLES):
            if anew:
                owner = Owner(dictum.AsyncRecorderBackend, simulated())
            await owner.backend.start_recording()
            await owner.backend.events().aclose()
            await owner.backend.stop_recording()
            assert owner.received > 0
            assert len(asyncio.all_tasks()) == 1
            if anew and cycle % 10 == 0:
                gc.collect()
            meter.count(cycle)
        await until(lambda: len(asyncio.all_tasks()) == 1)
        del owner
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, meter.check)

    asyncio.run(main())


@pytest.mark.parametrize("anew", [False, True], ids=["one backend", "a new backend each time"])
def test_blocking(anew: bool, simulated: Simulated) -> None:
    meter = Meter()
    owner = Owner(dictum.RecorderBackend, simulated())
    for cycle in range(CYCLES):
        if anew:
            owner = Owner(dictum.RecorderBackend, simulated())
        owner.backend.start_recording()
        owner.backend.stop_recording()
        if anew and cycle % 10 == 0:
            gc.collect()
        meter.count(cycle)
    del owner
    gc.collect()
    meter.check()
