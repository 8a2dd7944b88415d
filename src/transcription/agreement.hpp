#pragma once

#include <cstddef>
#include <string>

namespace dictum::transcription {

/// Makes a growing text calm to read: what two successive versions agree on is committed and changes no more, whatever
/// later versions say of it. A plain value.
class Agreement {
 public:
  struct Version {
    std::string text;            ///< the committed beginning, and what the newest version says behind it
    std::size_t stable_chars{};  ///< bytes of `text` that are committed, in whole words, or in whole characters of a
                                 ///< script that puts no spaces between words; never fewer than before
  };

  Version with_next(std::string text);

 private:
  std::string last_;           // as it was returned
  std::size_t committed_ = 0;  // bytes of it
};

}  // namespace dictum::transcription
