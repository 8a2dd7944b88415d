#pragma once

#include <algorithm>
#include <cstddef>

#include "worker_audio.hpp"

namespace dictum::workers {

/// What Whisper's encoder computes for a text that stays: 30 s, silence included. With fewer frames every second or
/// third text is another (`bench/short_context.py`).
inline constexpr int kEncoderFrames = 1500;

/// For a text that will be replaced: as many frames as the sound needs (50 a second), and as many again. A multiple of
/// 256, to which the library pads: its sums would run over what an earlier job left in the padding. At least 512, below
/// which sentences are repeated.
constexpr int interim_frames(std::size_t samples) {
  constexpr std::size_t kBlock = 256;
  constexpr std::size_t kLeast = 512;
  const std::size_t twice = std::min<std::size_t>(2 * samples / (kEngineRate / 50), kEncoderFrames);
  const std::size_t padded = std::max(kLeast, (twice + kBlock - 1) / kBlock * kBlock);
  return std::min(static_cast<int>(padded), kEncoderFrames);
}

}  // namespace dictum::workers
