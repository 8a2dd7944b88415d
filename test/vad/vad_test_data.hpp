#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "dictum/frame.hpp"
#include "vad/segmenter.hpp"

namespace dictum::vad::test {

/// The samples of a mono recording at 16 kHz.
std::vector<float> read_samples(const std::filesystem::path& wav);

/// One probability a line.
std::vector<float> read_probabilities(const std::filesystem::path& text);

/// The energies of the recording's windows.
std::vector<float> energies(const std::vector<float>& samples);

/// What the segmenter decides about a whole recording at 16 kHz that ends, by stop, after `frames`.
std::vector<SegmentClosed> segments(const SegmenterSettings& settings, const std::vector<float>& probabilities,
                                    const std::vector<float>& energies, Frame frames);

/// The settings that the recorder starts with, at 16 kHz.
SegmenterSettings default_settings();

}  // namespace dictum::vad::test
