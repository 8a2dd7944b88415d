#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dictum/error.hpp"
#include "session/manifest.hpp"

// Any text is refused with a RecorderError, or is a manifest that is written and read back to the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dictum;
  try {
    const session::Manifest manifest = session::parse_manifest({reinterpret_cast<const char*>(data), size});
    const std::string text = session::to_text(manifest);
    if (session::to_text(session::parse_manifest(text)) != text) std::abort();
  } catch (const RecorderError&) {
  }
  return 0;
}
