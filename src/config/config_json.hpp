#pragma once

#include <boost/json/object.hpp>

#include "dictum/config.hpp"

namespace dictum::config {

/// The settings as they stand in the manifest: by section and key.
boost::json::object to_json(const RecorderConfig& config);

}  // namespace dictum::config
