#include "journal/journal_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include "dictum/error.hpp"
#include "journal/event_paths.hpp"
#include "journal/layout.hpp"
#include "journal/session_folder.hpp"
#include "wire/event_json.hpp"

namespace dictum::journal {
namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::int64_t kMaxHole = std::int64_t{1} << 20;  // a larger one is not read

ssize_t read_at(int file, char* to, std::size_t size, std::int64_t offset) {
  ssize_t got = 0;
  do {
    got = ::pread(file, to, size, offset);
  } while (got < 0 && errno == EINTR);
  return got;
}

/// Where the file goes on behind the hole at `offset`, which has no block on the disk and reads as zeros; `offset`
/// where there is none. A file of terabytes may be made in an instant, and consist of a hole.
std::int64_t end_of_hole(int file, std::int64_t offset) {
  const off_t data = ::lseek(file, offset, SEEK_DATA);
  if (data >= 0) return data;
  struct stat status{};
  if (errno != ENXIO || ::fstat(file, &status) != 0) return offset;  // no file system that says it
  return std::max<std::int64_t>(offset, status.st_size);
}

}  // namespace

JournalReader::JournalReader(std::filesystem::path session)
    : session_(std::move(session)), file_(SessionFolder(session_).try_open(kJournalFile, O_RDONLY)) {
  if (file_) return;
  throw RecorderError(Errc::session_unreadable,
                      fmt::format("The journal '{}' cannot be read: {}.", (session_ / kJournalFile).string(),
                                  std::generic_category().message(errno)));
}

std::optional<Event> JournalReader::next() {
  for (;;) {
    const std::int64_t begin = offset_;
    const std::optional<std::string_view> line = next_line();
    if (!line) return std::nullopt;
    const LineChain::LineState state = chain_.verify(*line);
    if (state == LineChain::LineState::damaged) {
      report(begin, "it is not as it was written (its checksum does not match)");
      continue;
    }
    std::optional<Event> event;
    std::optional<std::uint64_t> sequence;
    try {
      event = wire::parse_event(*line);
      sequence = event->sequence;
      if (!sequence) report(begin, fmt::format("a {} does not belong into a journal", event->name()));
    } catch (const wire::UnknownEvent& unknown) {
      sequence = unknown.sequence();
    } catch (const RecorderError& error) {
      report(begin, error.what());
      chain_.forget();
    }
    if (!sequence) continue;
    if (expected_ && *sequence < *expected_) {
      report(begin, fmt::format("sequence {} comes again where {} is expected", *sequence, *expected_));
      continue;
    }
    if (expected_ && *sequence > *expected_) {
      report(begin, fmt::format("sequence {} comes where {} is expected", *sequence, *expected_));
    } else if (state == LineChain::LineState::displaced) {
      report(begin, "the line before it is not the one that it was written behind");
    } else if (state == LineChain::LineState::unsealed) {
      report(begin, "it has no checksum, unlike the lines before it");
    }
    expected_ = *sequence + 1;
    if (event) return with_absolute_paths(*std::move(event), session_);
  }
}

void JournalReader::seek(std::uint64_t sequence) {
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0) return;
  problems_.clear();
  // The sequence grows from line to line, so the place is found by halving; `low` is always the beginning of a line.
  std::int64_t low = 0;
  std::int64_t high = status.st_size;
  while (high - low > static_cast<std::int64_t>(kChunk)) {
    const std::int64_t middle = low + (high - low) / 2;
    go_to(middle);
    next_line();  // the rest of the line that `middle` fell into
    const std::int64_t line = offset_;
    const std::optional<std::uint64_t> found = sequence_before(high);
    if (found && *found < sequence) {
      low = line;
    } else {
      high = middle;
    }
  }
  go_to(low);
  for (;;) {
    const std::int64_t line = offset_;
    const std::optional<std::uint64_t> found = sequence_before(std::numeric_limits<std::int64_t>::max());
    if (found && *found < sequence) continue;
    go_to(line);
    return;
  }
}

/// The sequence of the next event that begins before `limit`, lines without one passed over.
std::optional<std::uint64_t> JournalReader::sequence_before(std::int64_t limit) {
  while (offset_ < limit) {
    const std::optional<std::string_view> line = next_line();
    if (!line) break;
    try {
      if (const Event event = wire::parse_event(*line); event.sequence) return event.sequence;
    } catch (const wire::UnknownEvent& unknown) {
      if (unknown.sequence()) return unknown.sequence();
    } catch (const RecorderError&) {
    }
  }
  return std::nullopt;
}

/// The next whole line, without its line break; valid until the next call.
std::optional<std::string_view> JournalReader::next_line() {
  std::size_t searched = used_;
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(used_, end - used_);
      offset_ += static_cast<std::int64_t>(end + 1 - used_);
      used_ = end + 1;
      skipped_ = 0;
      if (!std::exchange(skipping_, false)) return line;
      searched = used_;
      continue;
    }
    const auto unread = static_cast<std::int64_t>(buffer_.size() - used_);
    const std::int64_t hole = end_of_hole(file_.get(), offset_ + unread) - offset_ - unread;
    if (hole > kMaxHole) {
      skip(unread + hole);
    } else if (unread > static_cast<std::int64_t>(kMaxLineBytes)) {
      skip(unread);
    }
    buffer_.erase(0, std::exchange(used_, 0));
    searched = buffer_.size();
    if (!read_more()) return std::nullopt;
  }
}

/// Passes over so many bytes of a line that is too long.
void JournalReader::skip(std::int64_t bytes) {
  if (!std::exchange(skipping_, true)) report(offset_, "the line is too long");
  chain_.forget();
  offset_ += bytes;
  skipped_ += bytes;
  used_ = buffer_.size();
}

bool JournalReader::read_more() {
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kChunk);
  const ssize_t got = read_at(file_.get(), buffer_.data() + had, kChunk, offset_ + static_cast<std::int64_t>(had));
  buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

void JournalReader::go_to(std::int64_t offset) {
  buffer_.clear();
  used_ = 0;
  offset_ = offset;
  expected_.reset();
  chain_.forget();
  skipping_ = false;
  skipped_ = 0;
}

/// The number of the line that begins at `offset`, from 1. What was counted before is not counted again.
std::uint64_t JournalReader::line_number(std::int64_t offset) {
  if (offset < counted_) {
    counted_ = 0;
    lines_ = 1;
  }
  std::vector<char> chunk(kChunk);
  while (counted_ < offset) {
    const auto size = static_cast<std::size_t>(std::min<std::int64_t>(kChunk, offset - counted_));
    const ssize_t got = read_at(file_.get(), chunk.data(), size, counted_);
    if (got <= 0) break;
    lines_ += static_cast<std::uint64_t>(std::count(chunk.begin(), chunk.begin() + got, '\n'));
    counted_ += got;
    if (const std::int64_t data = end_of_hole(file_.get(), counted_); data - counted_ > kMaxHole)
      counted_ = std::min(data, offset);
  }
  return lines_;
}

void JournalReader::report(std::int64_t line_offset, std::string what) {
  if (problems_.size() < kMaxProblems) {
    problems_.push_back({line_number(line_offset), std::move(what)});
  }
}

std::vector<Event> read_journal(const std::filesystem::path& session, std::uint64_t first, std::uint64_t last,
                                std::size_t most) {
  std::vector<Event> events;
  try {
    JournalReader reader(session);
    if (first > 0) reader.seek(first);
    while (events.size() < most) {
      std::optional<Event> event = reader.next();
      if (!event || *event->sequence > last) break;
      events.push_back(*std::move(event));
    }
  } catch (const RecorderError&) {
  }
  return events;
}

}  // namespace dictum::journal
