#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "session/manifest.hpp"

// Any text is refused with a RecorderError, or is a manifest that is written and read back to the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dictum;
  try {
    const session::Manifest manifest = session::parse_manifest({reinterpret_cast<const char*>(data), size});
    const std::string text = json::to_pages(session::to_json(manifest));
    if (json::to_pages(session::to_json(session::parse_manifest(text))) != text) std::abort();
  } catch (const RecorderError&) {
  }
  return 0;
}
