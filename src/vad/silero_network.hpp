#pragma once

#include <span>

#include "vad/silero_stream.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {

/// Runs the network on the window of each of these streams, with the widest vectors that the processor has. Streams
/// that are run together share the reading of most weights. Never fails, never allocates.
void run_network(const SileroWeights& weights, std::span<SileroStream* const> streams);

}  // namespace dictum::vad
