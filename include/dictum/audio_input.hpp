#pragma once

#include <functional>
#include <memory>
#include <span>

#include "dictum/config.hpp"
#include "dictum/export.hpp"
#include "dictum/source.hpp"

/// The built-in sources: for a program that reads the microphone without a recorder, or that wants the samples of a
/// recording as well, for a level meter or a spectrum:
///
///     config.source = [config] {
///       return dictum::tap_source(dictum::make_source(config), [](auto samples, auto format) { ... });
///     };
namespace dictum {

/// The source that `config` names: `config.source`, the file or standard input of `capture.input`, or the microphone.
/// Opens no device or file yet.
///
/// Errors: RecorderError: `invalid_argument` for an unknown back end or `capture.input_format`, and where
/// `config.source` returns a null pointer; `input_not_found` where standard input is closed.
///
/// Thread safety: any thread. Lifetimes: nothing of `config` is kept.
DICTUM_API std::unique_ptr<AudioSource> make_source(const RecorderConfig& config);

/// Called with the samples of each reading, interleaved, nominally within -1 to 1, and their format. They are those of
/// the device: a gap is left out, and a recording that is muted or paused does not change them. The span is valid
/// during the call only.
///
/// Threads: as AudioSource::read: one call at a time, not always on the same thread. It delays the recording, so it
/// must not block. What it throws ends the recording.
using AudioTap = std::function<void(std::span<const float> interleaved, const AudioFormat& format)>;

/// A source that delivers exactly what `source` does, and passes every sample to `tap` first.
///
/// Errors: RecorderError(invalid_argument) where `source` or `tap` is null.
DICTUM_API std::unique_ptr<AudioSource> tap_source(std::unique_ptr<AudioSource> source, AudioTap tap);

}  // namespace dictum
