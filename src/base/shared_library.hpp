#pragma once

#include "dictum/error.hpp"

namespace dictum {

/// A library of the system's that is loaded when something of it is first used, and kept until the process ends. Many
/// applications never use the sound server or the network, and should not have their libraries in memory.
///
/// Thread safety: immutable once built. Owner: a static object of the module that uses the library.
class SharedLibrary {
 public:
  /// Loads `file`, which `package` contains. Throws RecorderError(code) with what the system says and what to install
  /// where it cannot.
  SharedLibrary(const char* file, const char* package, Errc code);

  /// An address that becomes a pointer to a function of the type that is asked for.
  struct Symbol {
    void* address;

    template <class Function>
    operator Function*() const {
      return reinterpret_cast<Function*>(address);
    }
  };

  /// A function of the library's, or of a library that it needs. Throws as the constructor does where there is none.
  Symbol function(const char* name) const;

  /// Null where there is none.
  void* find_if_present(const char* name) const noexcept;

 private:
  const char* file_;
  const char* package_;
  Errc code_;
  void* handle_;
};

}  // namespace dictum
