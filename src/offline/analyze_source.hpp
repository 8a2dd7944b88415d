#pragma once

#include <boost/json/object.hpp>

#include "dictum/analysis.hpp"

namespace dictum::offline {

/// `analyze_file` for a source that is never empty before its end.
Analysis analyze_source(const RecorderConfig& config, AudioSource& source);

/// `Analysis::to_json`, to be added to.
boost::json::object to_json(const Analysis& analysis);

}  // namespace dictum::offline
