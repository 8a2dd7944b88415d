#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dictum/frame.hpp"
#include "dictum/vad.hpp"
#include "vad/segmenter.hpp"

namespace dictum::vad::test {

/// The samples of a mono recording at 16 kHz.
std::vector<float> read_samples(const std::filesystem::path& wav);

/// One probability a line.
std::vector<float> read_probabilities(const std::filesystem::path& text);

/// The detector window of this index.
std::span<const float, kVADWindow> window_of(const std::vector<float>& samples, std::size_t index);

/// White noise, the same at every call, from -amplitude to amplitude.
std::vector<float> noise(std::size_t windows, float amplitude = 0.1f);

/// Calls `action` with the name of each kind of vector unit that this processor has, while the kernels run on that one.
void on_every_vector_unit(const std::function<void(const std::string& name)>& action);

/// The energies of the recording's windows.
std::vector<float> energies(const std::vector<float>& samples);

/// What the segmenter decides about a whole recording at 16 kHz that ends, by stop, after `frames`.
std::vector<SegmentClosed> segments(const SegmenterSettings& settings, const std::vector<float>& probabilities,
                                    const std::vector<float>& energies, Frame frames);

/// The settings that the recorder starts with, at 16 kHz.
SegmenterSettings default_settings();

}  // namespace dictum::vad::test
