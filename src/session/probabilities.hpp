#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dictum/frame.hpp"
#include "journal/append_file.hpp"

/// What the detector said of a session that keeps all: kProbabilitiesFile.
namespace dictum::session {

/// The probabilities of windows that follow each other without a hole.
struct ProbabilityStretch {
  Frame start_frame{};  ///< of the clock, where the detector began afresh
  std::vector<float> values;
  bool operator==(const ProbabilityStretch&) const = default;
};

/// Appends to the file. One thread at a time; owned by the session's writer. Throws what AppendFile throws.
class ProbabilityWriter {
 public:
  explicit ProbabilityWriter(const std::filesystem::path& session);

  /// As AppendFile's.
  bool restore(const journal::SessionFolder& folder) { return file_.restore(folder); }

  /// The next windows of the stretch that begins at `start_frame`.
  void append(Frame start_frame, std::span<const float> values);

 private:
  journal::AppendFile file_;
  std::optional<Frame> stretch_;
};

/// Reads the content of such a file: every stretch, in order. What a crash cut off at the end is left out. Throws
/// RecorderError(session_unreadable) where it is something else.
std::vector<ProbabilityStretch> parse_probabilities(std::string_view bytes);

/// The same of a session; none where there is no file.
std::vector<ProbabilityStretch> read_probabilities(const std::filesystem::path& session);

}  // namespace dictum::session
