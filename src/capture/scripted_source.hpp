#pragma once

#include <string>
#include <vector>

#include "dictum/scripted_source.hpp"

namespace dictum::capture {

/// A script on the clock of its own audio.
struct ScriptTimeline {
  struct Line {
    std::string text;
    Frame start{};
    Frame end{};  ///< exclusive
  };

  int sample_rate{};
  std::vector<Line> lines;
  Frame frames{};  ///< in all
};

}  // namespace dictum::capture
