#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dictum::journal {

/// The checksums of a journal's lines, each chained to the one before it, so that a line that was damaged, taken out or
/// put in is noticed. A line ends in `,"check":"PPPPPPPPCCCCCCCC"}`: the checksum of the line before it (00000000 in
/// the first one), then its own, a CRC-32C of the line up to the field, and of the former; both in lower-case
/// hexadecimal. A line is therefore verified by itself, also behind a hole. Older journals have no checksums.
///
/// A value. Threads: one at a time. Errors: none.
class LineChain {
 public:
  /// Adds its checksum to a line, a JSON object without a line break, which becomes the newest of the journal.
  std::string sealed(std::string_view line);

  enum class LineState {
    intact,      ///< as it was written, behind the line that it was written behind
    unverified,  ///< without a checksum, in a journal or a part of one that has none
    unsealed,    ///< without a checksum, behind a line that has one
    displaced,   ///< as it was written, but the line before it is another
    damaged,     ///< not as it was written
  };

  /// Takes the next line of the journal, which may be anything.
  LineState verify(std::string_view line);

  /// The line before the next one is not known: a place in the middle, or behind something that is no line.
  void forget() { last_.reset(); }

 private:
  std::optional<std::uint32_t> last_ = 0;  // checksum of the line before; empty where it is not known
  bool is_sealed_ = false;                 // a line before has a checksum
};

}  // namespace dictum::journal
