#include "config/config_json.hpp"

#include <boost/json/value_from.hpp>
#include <variant>

#include "config/config_fields.hpp"

namespace dictum::config {

boost::json::object to_json(const RecorderConfig& config) {
  boost::json::object all;
  for (const ConfigField& field : config_fields()) {
    boost::json::value& section = all[field.section];
    if (!section.is_object()) section = boost::json::object();
    std::visit([&](const auto& value) { section.as_object()[field.key] = boost::json::value_from(value); },
               field.get(config));
  }
  return all;
}

}  // namespace dictum::config
