#pragma once

#include <algorithm>
#include <cstddef>

#include "worker_audio.hpp"

namespace dictum::workers {

// How many frames Whisper's encoder computes for so many samples: 50 a second, at most 30 s of them, silence included.
// Functions of the sound's length alone, so that its text is one of the sound alone.

inline constexpr int kEncoderFrames = 1500;

namespace detail {

inline constexpr int kSamplesPerFrame = kEngineRate / 50;
inline constexpr int kMinInterimFrames = 512;  // below it sentences are repeated

// What is left out at the end of 30 s lets the library multiply in blocks of 16 frames, which takes a fifth less time.
inline constexpr int kFinalFrames = kEncoderFrames / 16 * 16;

}  // namespace detail

/// For a text that will be replaced: as many as the sound needs, and as many again.
constexpr int interim_frames(std::size_t samples) {
  const std::size_t twice = std::min<std::size_t>(2 * samples / detail::kSamplesPerFrame, kEncoderFrames);
  return std::clamp((static_cast<int>(twice) + 7) / 8 * 8, detail::kMinInterimFrames, kEncoderFrames);
}

/// For a text that stays: all. Fewer change texts, and for the worse: `bench/short_context.py`.
constexpr int final_frames(std::size_t samples) {
  return samples <= std::size_t{detail::kFinalFrames} * detail::kSamplesPerFrame ? detail::kFinalFrames
                                                                                 : kEncoderFrames;
}

}  // namespace dictum::workers
