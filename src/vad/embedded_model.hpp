#pragma once

#include <cstddef>
#include <span>

namespace dictum::vad {

/// The Silero VAD model (an ONNX file) that the build put into the program; empty where the build had none. Read-only
/// data of the program: valid for ever, safe from any thread.
std::span<const std::byte> embedded_model();

}  // namespace dictum::vad
