// Reads any bytes as a configuration file: they are refused with a sentence, or give a configuration that is valid.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/config_fields.hpp"
#include "dictum/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dictum::RecorderConfig config;
  try {
    dictum::config::read_config_text(config, {reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const dictum::RecorderError&) {
    return 0;
  }
  config.validate();  // nobody catches what it throws here
  return 0;
}
