// The command line that a user configures, and what a program prints.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/utf8.hpp"
#include "command_template.hpp"
#include "dictum/error.hpp"
#include "plain_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!dictum::utf8::is_valid(dictum::workers::plain_text(text))) __builtin_trap();
  try {
    const auto command = dictum::workers::CommandTemplate::parse(text);
    if (command.filled("/a.wav", "/m.bin").front().empty()) __builtin_trap();
  } catch (const dictum::RecorderError&) {  // is the right answer to most of it
  }
  return 0;
}
