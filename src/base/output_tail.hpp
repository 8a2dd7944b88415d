#pragma once

#include <cstddef>
#include <string>

namespace dictum {

/// Appends what can be read of a pipe now, which does not block, until `text` has more than `most` bytes. False at the
/// end of the pipe.
bool drain(int fd, std::string& text, std::size_t most);

/// The end of what a program writes to its standard error, to explain a failure.
///
/// Thread: the owner's.
class OutputTail {
 public:
  /// As the function.
  bool drain(int fd);

  /// The last line that is not empty, safe to show.
  std::string last_line() const;

 private:
  std::string text_;
};

}  // namespace dictum
