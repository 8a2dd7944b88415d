// Model files, damaged and cut short.

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "dictum/error.hpp"
#include "whisper_model_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream bytes(std::string(reinterpret_cast<const char*>(data), size));
  try {
    dictum::workers::check_whisper_model(bytes, "model.bin");
  } catch (const dictum::RecorderError&) {  // is the right answer to most of it
  }
  return 0;
}
