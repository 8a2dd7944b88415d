#include "child_process.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/child_program.hpp"
#include "base/event_fd.hpp"
#include "base/output_tail.hpp"
#include "base/pipe.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::workers {

ChildOutput run_child(const std::vector<std::string>& argv, std::size_t most, std::stop_token cancelled, int kept) {
  const EventFD stop;
  const std::stop_callback wake(cancelled, [&stop] { stop.notify(); });
  Pipe out;
  Pipe err;
  if (!out || !err) throw std::system_error(errno, std::generic_category(), "pipe");
  set_nonblocking(out.reading);
  set_nonblocking(err.reading);
  ChildProgram child(argv, -1, out.writing.get(), err.writing.get(), kept);
  if (child.error() != 0) {
    throw RecorderError(Errc::transcriber_missing, fmt::format("{} cannot be started: {}", utf8::repaired(argv[0]),
                                                               std::generic_category().message(child.error())));
  }
  out.writing.reset();
  err.writing.reset();

  ChildOutput output;
  OutputTail errors;
  for (bool ended = false; !ended;) {
    // A descriptor of -1 is passed over.
    std::array<pollfd, 4> ready{{{stop.get(), POLLIN, 0},
                                 {child.ended(), POLLIN, 0},
                                 {out.reading.get(), POLLIN, 0},
                                 {err.reading.get(), POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) break;
    if (ready[0].revents != 0)
      throw RecorderError(Errc::cancelled, fmt::format("{} was cancelled", utf8::repaired(argv[0])));
    ended = ready[1].revents != 0;  // what it wrote before is in the pipes
    if (out.reading && !drain(out.reading.get(), output.text, most)) out.reading.reset();
    if (err.reading && !errors.drain(err.reading.get())) err.reading.reset();
    if (output.text.size() > most) {
      throw RecorderError(Errc::transcription_failed, fmt::format("{} printed more than {} KiB, which is no transcript",
                                                                  utf8::repaired(argv[0]), most >> 10));
    }
  }
  child.kill();
  output.exit_code = child.wait();
  output.last_words = errors.last_line();
  return output;
}

}  // namespace dictum::workers
