#include "settings.hpp"

#include <fmt/format.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <exception>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/nearest.hpp"
#include "config/config_fields.hpp"
#include "dictum/error.hpp"
#include "dictum/settings.hpp"

namespace dictum::python {
namespace {

namespace nb = nanobind;
using config::ConfigField;
using config::ConfigValue;

std::string keyword(const ConfigField& field) {
  std::string name = field.name();
  std::ranges::replace(name, '.', '_');
  return name;
}

const ConfigField& field_of(const std::string& name) {
  const auto& fields = config::config_fields();
  const auto found = std::ranges::find(fields, name, keyword);
  if (found != fields.end()) return *found;
  std::vector<std::string> names;
  for (const ConfigField& field : fields) names.push_back(keyword(field));
  // Somebody who leaves the section out means this setting, though others have names that are more alike.
  const auto same_key =
      std::ranges::find_if(names, [&](const std::string& each) { return each.ends_with("_" + name); });
  if (same_key != names.end()) {
    throw RecorderError(Errc::config_invalid,
                        fmt::format("unknown setting \"{}\": did you mean \"{}\"?", name, *same_key));
  }
  throw RecorderError(Errc::config_invalid,
                      fmt::format("unknown setting \"{}\": did you mean \"{}\"?", name, nearest(name, names)));
}

ConfigValue value_of(nb::handle value) {
  if (PyBool_Check(value.ptr())) return value.is(Py_True);
  if (PyLong_Check(value.ptr())) return nb::cast<std::int64_t>(value);
  if (PyFloat_Check(value.ptr())) return nb::cast<double>(value);
  if (PyUnicode_Check(value.ptr())) return nb::cast<std::string>(value);
  if (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr())) return nb::cast<std::vector<std::string>>(value);
  if (PyDict_Check(value.ptr())) return nb::cast<std::map<std::string, std::string>>(value);
  const nb::object path = nb::steal(PyOS_FSPath(value.ptr()));
  if (!path) throw nb::python_error();
  return nb::cast<std::string>(path);
}

}  // namespace

void apply_settings(RecorderConfig& config, const nb::dict& settings) {
  for (const auto& [key, value] : settings) {
    const auto name = nb::cast<std::string>(key);
    const ConfigField& field = field_of(name);
    ConfigValue given;
    try {
      given = value_of(value);
    } catch (const std::exception&) {  // Python's own, or nanobind's of a cast
      throw RecorderError(Errc::config_invalid, fmt::format("{} cannot be {}.", name, nb::repr(value).c_str()));
    }
    config::set_config(config, field, given, name);
  }
}

RecorderConfig make_config(const nb::dict& settings) {
  RecorderConfig config;
  if (const auto file = config_file(); !file.empty()) read_config_file(config, file);
  apply_settings(config, settings);
  return config;
}

nb::list list_settings() {
  nb::list all;
  for (const ConfigField& field : config::config_fields()) {
    const auto example = std::visit([](const auto& value) { return nb::cast(value); }, field.example);
    all.append(nb::make_tuple(keyword(field), example, std::string(field.help)));
  }
  return all;
}

}  // namespace dictum::python
