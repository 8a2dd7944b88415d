#pragma once

#include <nanobind/nanobind.h>

#include "dictum/config.hpp"

/// Keyword arguments as a configuration. With the GIL.
namespace dictum::python {

/// Sets what `settings` names, `section_key` each. Reads no file. Throws RecorderError(config_invalid).
void apply_settings(RecorderConfig& config, const nanobind::dict& settings);

/// The configuration file that the environment names, and `settings` over it. Throws RecorderError.
RecorderConfig make_config(const nanobind::dict& settings);

/// (name, default, help) of every setting there is.
nanobind::list list_settings();

}  // namespace dictum::python
