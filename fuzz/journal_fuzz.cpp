#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dictum/error.hpp"
#include "wire/event_json.hpp"

// Any line is refused with a RecorderError, or is an event that is written and read back to the same line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string line = dictum::wire::parse_event({reinterpret_cast<const char*>(data), size}).to_json();
    if (dictum::wire::parse_event(line).to_json() != line) std::abort();
  } catch (const dictum::RecorderError&) {
  }
  return 0;
}
