#include "base/invariant.hpp"

#include <fmt/format.h>

#include <string_view>

namespace dictum {
namespace {

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

BrokenInvariant::BrokenInvariant(const char* rule, const std::source_location& where)
    : RecorderError(Errc::internal, fmt::format("Dictum has broken a rule of its own: {} ({}:{}). Please report it.",
                                                rule, file_name(where.file_name()), where.line())) {}

bool is_broken_invariant(const std::exception_ptr& thrown) noexcept {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const BrokenInvariant&) {
    return true;
  } catch (...) {
  }
  return false;
}

}  // namespace dictum
