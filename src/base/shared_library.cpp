#include "base/shared_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace dictum {

SharedLibrary::SharedLibrary(const char* file, const char* package, Errc code)
    : file_(file), package_(package), code_(code), handle_(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    throw RecorderError(code_,
                        fmt::format("The library {} cannot be loaded: {}. Install {}.", file_, ::dlerror(), package_));
  }
}

void* SharedLibrary::find_if_present(const char* name) const noexcept {
  return ::dlsym(handle_, name);
}

SharedLibrary::Symbol SharedLibrary::function(const char* name) const {
  void* const found = find_if_present(name);
  if (found == nullptr) {
    throw RecorderError(
        code_, fmt::format("The library {} has no {}: it is too old. Install a newer {}.", file_, name, package_));
  }
  return {found};
}

}  // namespace dictum
