"""Sound from Python: pushed, analysed, and the detector alone beside the official one."""

import array
import asyncio
import pathlib
import threading
import wave
from collections.abc import Callable

import pytest

import dictum
from conftest import SAMPLE, SAMPLE_TEXTS, names_of, shared, until, wait_until

numpy = pytest.importorskip("numpy")

Simulated = Callable[..., dictum.Settings]
RATE = 16000


def read(path: pathlib.Path) -> tuple[object, int]:
    with wave.open(str(path)) as sound:
        return numpy.frombuffer(sound.readframes(sound.getnframes()), dtype=numpy.int16), sound.getframerate()


@pytest.fixture(scope="module")
def sample() -> object:
    return read(SAMPLE)[0]


LAYOUTS = {
    "int16": lambda samples: samples,
    "bytes": lambda samples: samples.tobytes(),
    "memoryview": lambda samples: memoryview(samples),
    "array.array": lambda samples: array.array("h", samples.tobytes()),
    "float32": lambda samples: samples.astype(numpy.float32) / 32768,
    "float64": lambda samples: samples / 32768,
    "a column": lambda samples: samples.reshape(-1, 1),
    "not contiguous": lambda samples: numpy.repeat(samples, 2)[::2],
    "read only": lambda samples: numpy.frombuffer(samples.tobytes(), dtype=numpy.int16),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_analysis_is_the_same_for_every_layout(layout: str, sample: object) -> None:
    expected = dictum.analyze(sample, RATE)
    assert [segment.kept for segment in expected.segments] == [True] * len(SAMPLE_TEXTS)
    assert len(expected.probabilities) == len(sample) // 512
    assert dictum.analyze(LAYOUTS[layout](sample), RATE) == expected


def test_analysis_takes_settings(sample: object) -> None:
    (whole,) = dictum.analyze(sample, RATE, vad_min_silence_ms=5000).segments
    assert whole.kept
    with pytest.raises(dictum.ConfigInvalidError):
        dictum.analyze(sample, RATE, vad_threshold=7)


@pytest.mark.parametrize(
    "samples",
    ["text", 7, None, [1, 2], numpy.zeros(4, dtype=numpy.int64), numpy.zeros((2, 2, 2)), numpy.zeros((4, 0)), b"odd"],
    ids=str,
)
def test_what_is_no_sound_is_refused(samples: object) -> None:
    for use in (lambda: dictum.analyze(samples, RATE), lambda: dictum.SileroVAD()(samples)):
        with pytest.raises(dictum.InvalidArgumentError):
            use()


def test_contiguous_samples_are_pushed_without_copying(sample: object) -> None:
    """An hour of audio takes no memory of its own: tracemalloc sees Python's, and the process its own."""
    import resource

    hour = numpy.zeros(60 * 60 * 48000, dtype=numpy.float32)
    source = dictum.PushSource(48000)
    source.push(hour)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        assert source.push(hour) == 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < hour.nbytes // 1024 // 10


def test_pushed_audio_becomes_a_session(sample: object, simulated: Simulated) -> None:
    async def main() -> None:
        events: list[dictum.RecorderEvent] = []
        source = dictum.PushSource(RATE)
        settings = simulated()
        del settings["capture_input"], settings["capture_pace"]
        backend = dictum.AsyncRecorderBackend(events.append, source=source, **settings)
        assert source.push(sample[:1600]) == 0  # nobody records
        await backend.start_recording()
        left = sample
        while len(left):
            kept = source.push(left[: source.room])
            left = left[kept:]
            await asyncio.sleep(0)
        source.finish()
        await until(lambda: not backend.is_recording)
        await backend.stop_recording()
        assert names_of(events).count("TranscriptionComplete") == len(SAMPLE_TEXTS)
        assert "AudioGap" not in names_of(events)
        session = dictum.find_session(backend.get_session_path())
        assert [(each.start_frame, each.end_frame) for each in session.segments] == [
            (each.start_frame, each.end_frame) for each in dictum.analyze(sample, RATE).segments
        ]

    asyncio.run(main())


@pytest.mark.parametrize(
    "shape, complaint",
    [((3,), "whole frames"), ((6, 1), "2 channels"), ((4, 3), "2 channels"), ((2, 1600), "Transpose")],
    ids=str,
)
def test_what_is_no_frames_of_the_source_is_refused(shape: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(dictum.InvalidArgumentError, match=complaint):
        dictum.PushSource(RATE, channels=2).push(numpy.zeros(shape, dtype=numpy.int16))


@pytest.mark.parametrize(
    "arguments", [(0,), (1,), (RATE, 0), (RATE, 65), (RATE, 1, 0), (RATE, 1, float("nan")), (RATE, 1, 1e9)], ids=str
)
def test_a_source_that_cannot_be_is_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(dictum.InvalidArgumentError):
        dictum.PushSource(*arguments)


def test_many_threads_may_push_into_one_source(simulated: Simulated) -> None:
    settings = simulated()
    del settings["capture_input"], settings["capture_pace"]
    source = dictum.PushSource(RATE, capacity_sec=1)
    backend = dictum.RecorderBackend(source=source, **settings)
    backend.start_recording()
    block = numpy.zeros(777, dtype=numpy.float32)

    def push() -> None:
        for _ in range(2000):
            source.push(block)

    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source.finish()
    wait_until(lambda: not backend.is_recording)
    backend.stop_recording(0)
    session = dictum.find_session(backend.get_session_path())
    assert session.problems() == []
    assert session.manifest["end_frame"] == 4 * 2000 * 777


@pytest.mark.parametrize("block", [1, 511, 512, 1600, 100_000])
def test_the_detector_gives_the_same_result_however_a_stream_is_cut(block: int, sample: object) -> None:
    part = sample[: 20 * 1600]
    expected = dictum.SileroVAD()(part)
    vad = dictum.SileroVAD()
    probabilities = [probability for at in range(0, len(part), block) for probability in vad(part[at : at + block])]
    assert probabilities == expected
    vad.reset()
    assert vad(part) == expected


def test_the_detector_takes_every_rate(sample: object) -> None:
    tripled = numpy.repeat(sample, 3)
    probabilities = dictum.SileroVAD(48000)(tripled)
    assert abs(len(probabilities) - len(sample) // 512) <= 1
    for rate in (0, 1, 10**9):
        with pytest.raises(dictum.InvalidArgumentError):
            dictum.SileroVAD(rate)
        with pytest.raises(dictum.InvalidArgumentError):
            dictum.analyze(sample, rate)


def test_the_detector_equals_the_official_probabilities() -> None:
    for name in ("jfk", "radio", "conversation"):
        samples, rate = read(shared(f"audio/{name}.wav"))
        if rate != RATE:
            continue
        official = [float(line) for line in shared(f"vad/{name}.probs.txt").read_text().split()]
        probabilities = dictum.SileroVAD()(samples)
        assert max(abs(a - b) for a, b in zip(probabilities, official, strict=False)) < 1e-4


def test_the_detector_equals_onnx_runtime_in_the_same_process(sample: object) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    official = official_probabilities(onnxruntime, shared("models/silero_vad_16k_op15.onnx"), sample)
    assert numpy.abs(numpy.array(dictum.SileroVAD()(sample)) - official).max() < 1e-4


def official_probabilities(onnxruntime: object, model: pathlib.Path, samples: object) -> object:
    """As the silero-vad package does it: each window of 512 behind the last 64 of the one before."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    state = numpy.zeros((2, 1, 128), dtype=numpy.float32)
    frame_input = numpy.zeros((1, 64 + 512), dtype=numpy.float32)
    rate = numpy.array(RATE, dtype=numpy.int64)
    probabilities = []
    for window in (samples[: len(samples) // 512 * 512].astype(numpy.float32) / 32768).reshape(-1, 512):
        frame_input[0, :64] = frame_input[0, -64:]
        frame_input[0, 64:] = window
        probability, state = session.run(None, {"input": frame_input, "state": state, "sr": rate})
        probabilities.append(float(probability[0, 0]))
    return numpy.array(probabilities)


def test_detection_lets_other_threads_run(sample: object) -> None:
    long = numpy.tile(sample, 20)
    turns = 0
    finding = threading.Thread(target=dictum.analyze, args=(long, RATE))
    finding.start()
    while finding.is_alive():
        turns += 1
        finding.join(0.001)
    assert turns > 10
