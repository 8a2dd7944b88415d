#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.hpp"
#include "wire/command_json.hpp"

// Any text is a command or is refused with a reason; a command is written and read back to itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dictum;
  try {
    const Command command = wire::parse_command({reinterpret_cast<const char*>(data), size});
    if (wire::parse_command(json::to_line(wire::to_json(command))) != command) std::abort();
  } catch (const RecorderError&) {
  }
  return 0;
}
