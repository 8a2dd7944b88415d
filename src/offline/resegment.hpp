#pragma once

#include <filesystem>

#include "dictum/config.hpp"
#include "dictum/recorder_backend.hpp"
#include "offline/analysis.hpp"

/// A second look for segments, in a session that kept its whole sound. The probabilities of speech are those that were
/// stored with it; what they do not say (of another detector, or behind a gap that the other settings make end a
/// segment, or no longer) is computed again from the audio.
namespace dictum::offline {

/// Makes a new session beside the old one, which stays as it is: the same sound at the same places of the clock, begun
/// at the same moment, with the segments, texts and notes that `config` gives. Blocks until all is transcribed. The new
/// session's path. Throws RecorderError.
std::filesystem::path resegment_session(RecorderConfig config, const std::filesystem::path& session,
                                        EventCallback on_event);

/// Only the segments.
Analysis analyze_timeline(const RecorderConfig& config, const std::filesystem::path& session);

}  // namespace dictum::offline
