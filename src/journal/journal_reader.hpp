#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "dictum/event.hpp"
#include "journal/line_chain.hpp"

namespace dictum::journal {

/// Something in a journal that is not as it should be.
struct JournalProblem {
  std::uint64_t line{};  ///< from 1
  std::string what;
};

/// Reads a session's journal, which may be foreign or damaged, and may be growing: where it ends today, `next` goes on
/// tomorrow. Damaged lines are skipped and reported by `problems`; events of a newer version are skipped. A last
/// line without its line break is not there yet. Events have absolute paths, as in the API.
///
/// One thread at a time; owned by whoever reads. The constructor throws RecorderError(session_unreadable).
class JournalReader {
 public:
  /// A longer line is damage: memory stays bounded.
  static constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;
  /// More problems than this are not listed.
  static constexpr std::size_t kMaxProblems = 100;

  explicit JournalReader(std::filesystem::path session);

  /// The next event; empty where no further whole line is there.
  std::optional<Event> next();

  /// Goes to the first event whose sequence is `sequence` or greater, in a few readings also where the file is long.
  void seek(std::uint64_t sequence);

  /// What was wrong so far, since the start or the last `seek`.
  const std::vector<JournalProblem>& problems() const { return problems_; }

  /// The sequence that the next event should have; empty after `seek`.
  std::optional<std::uint64_t> expected() const { return expected_; }

  /// The checksums up to the last line, for whoever goes on writing.
  const LineChain& chain() const { return chain_; }

  /// Where the next line begins, in bytes. After `next` came back empty: where the whole lines end.
  std::int64_t offset() const { return offset_ - skipped_; }

  /// After `next` came back empty: bytes behind the last line break.
  std::int64_t torn_bytes() const { return skipped_ + static_cast<std::int64_t>(buffer_.size() - used_); }

 private:
  std::optional<std::string_view> next_line();
  bool read_more();
  void skip(std::int64_t bytes);
  std::uint64_t line_number(std::int64_t offset);
  void go_to(std::int64_t offset);
  void report(std::int64_t line_offset, std::string what);
  std::optional<std::uint64_t> sequence_before(std::int64_t limit);

  std::filesystem::path session_;
  UniqueFD file_;
  std::string buffer_;    // what was read of the file and is not past
  std::size_t used_ = 0;  // of the buffer
  std::int64_t offset_ = 0;
  std::optional<std::uint64_t> expected_ = 0;  // sequence; empty after `seek`
  LineChain chain_;
  std::vector<JournalProblem> problems_;
  bool skipping_ = false;     // inside a line that is too long
  std::int64_t skipped_ = 0;  // bytes of it that are past
  std::int64_t counted_ = 0;  // the lines up to this offset are counted
  std::uint64_t lines_ = 1;   // the number of the line that is there
};

/// Up to `most` events of a session's journal, from sequence `first` to `last`, both included. Fewer where there are no
/// more, none where the journal is gone: for reading on, behind a subscriber's back. Never throws RecorderError.
std::vector<Event> read_journal(const std::filesystem::path& session, std::uint64_t first, std::uint64_t last,
                                std::size_t most);

}  // namespace dictum::journal
