#include "time_zone.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string_view>

#include "output.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

// The largest file of a zone has 4 kB. The C library allocates what a file's header claims.
constexpr off_t kMaxBytes = 1 << 20;

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

/// Nothing there is safe, too: the C library then takes the name for a rule, or for UTC.
bool is_safe_to_read(const fs::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return true;
  return S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_size <= kMaxBytes);
}

}  // namespace

void guard_time_zone() noexcept {
  try {
    const std::string_view zone = variable("TZ");
    const std::string_view name = zone.starts_with(':') ? zone.substr(1) : zone;
    if (name.empty()) return;  // the system's own, or UTC
    const std::string_view given_folder = variable("TZDIR");
    const fs::path folder = given_folder.empty() ? "/usr/share/zoneinfo" : given_folder;
    const fs::path file = folder / name;  // `name` alone where that is absolute
    // A rule that does not say when summer begins ("EST5EDT") is looked up in the second file.
    if (is_safe_to_read(file) && is_safe_to_read(folder / "posixrules")) return;
    print_error(
        "the time zone '{}' (TZ) is not used: '{}' is no file of a time zone. Times are shown in UTC; unset TZ for "
        "the zone of this machine",
        zone, file.string());
  } catch (const std::exception&) {  // no memory
  }
  ::setenv("TZ", "UTC0", 1);
  ::unsetenv("TZDIR");
}

}  // namespace dictum::program
