#pragma once

#include <nanobind/nanobind.h>
#include <unistd.h>

namespace dictum::python {

/// For a thread that the interpreter has left behind: until Python 3.14 a daemon thread that comes back to an
/// interpreter that has ended is unwound by force, and no destructor or handler of C++ on its way survives that.
[[noreturn]] inline void wait_for_the_process_to_end() noexcept {
  for (;;) pause();
}

/// Other Python threads run in the meantime. A value, on the stack of a thread that has the GIL.
class WithoutGIL {
 public:
  WithoutGIL() noexcept : thread_(PyEval_SaveThread()) {}
  WithoutGIL(const WithoutGIL&) = delete;
  WithoutGIL& operator=(const WithoutGIL&) = delete;
  ~WithoutGIL() {
    try {
      PyEval_RestoreThread(thread_);
    } catch (...) {
      wait_for_the_process_to_end();
    }
  }

 private:
  PyThreadState* thread_;
};

}  // namespace dictum::python
