#include "server/form_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "dictum/error.hpp"
#include "server/media_type.hpp"
#include "server/request.hpp"

namespace dictum::server {
namespace {

constexpr std::size_t kMaxBoundary = 70;
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeaderEnd = "\r\n\r\n";

[[noreturn]] void refuse(const char* sentence) {
  throw RecorderError(Errc::invalid_argument, sentence);
}

/// The value of a parameter in a header like `form-data; name="file"`. A backslash escapes a quotation mark.
std::optional<std::string> parameter(std::string_view header, std::string_view wanted) {
  std::size_t at = header.find(';');
  while (at < header.size()) {
    ++at;
    while (at < header.size() && (header[at] == ' ' || header[at] == '\t')) ++at;
    const std::size_t equals = std::min(header.find_first_of("=;", at), header.size());
    const std::string_view name = header.substr(at, equals - at);
    std::string value;
    at = equals;
    if (at < header.size() && header[at] == '=') {
      ++at;
      const bool is_quoted = at < header.size() && header[at] == '"';
      if (is_quoted) ++at;
      for (; at < header.size() && header[at] != (is_quoted ? '"' : ';'); ++at) {
        if (is_quoted && header[at] == '\\' && at + 1 < header.size()) ++at;
        value += header[at];
      }
      if (is_quoted) at = header.find(';', at);
    }
    if (equal_ignoring_case(name, wanted)) return value;
  }
  return std::nullopt;
}

}  // namespace

FormReader::FormReader(std::string_view content_type, Parts& parts) : parts_(parts) {
  const auto boundary = parameter(content_type, "boundary");
  if (!equal_ignoring_case(essence(content_type), "multipart/form-data") || !boundary || boundary->empty() ||
      boundary->size() > kMaxBoundary) {
    refuse("The body has to be a form: send \"Content-Type: multipart/form-data\" with its boundary.");
  }
  delimiter_ = "\r\n--" + *boundary;
}

void FormReader::take(std::string_view bytes) {
  if (state_ == State::epilogue) return;
  pending_ += bytes;
  while (step()) {
  }
}

void FormReader::finish() const {
  if (state_ == State::preamble) refuse("The body does not have the boundary that its header names.");
  if (state_ != State::epilogue) refuse("The form has no end: its last boundary is missing.");
}

/// One step; false where it takes more bytes.
bool FormReader::step() {
  switch (state_) {
    case State::preamble: {
      const std::size_t begin = pending_.find(delimiter_);
      const bool is_found = begin != std::string::npos;
      const std::size_t kept = std::min(pending_.size(), delimiter_.size() - 1);  // a piece of it, perhaps
      pending_.erase(0, is_found ? begin + delimiter_.size() : pending_.size() - kept);
      if (is_found) state_ = State::behind_boundary;
      return is_found;
    }
    case State::behind_boundary:
      if (pending_.size() < kLineEnd.size()) return false;
      if (pending_.starts_with("--")) {
        state_ = State::epilogue;
        pending_.clear();
        return false;
      }
      if (!pending_.starts_with(kLineEnd)) refuse("A boundary of the form is followed by something else.");
      if (++count_ > kMaxParts) refuse("The form has too many parts: 128 are possible.");
      state_ = State::header;  // with the line's end, so that a header without a line ends as well
      return true;
    case State::header: {
      const std::size_t end = pending_.find(kHeaderEnd);
      // The end may be there in part.
      const std::size_t least =
          end == std::string::npos ? pending_.size() - std::min(pending_.size(), kHeaderEnd.size() - 1) : end;
      if (least > kMaxPartHeader) refuse("A part of the form has too long a header.");
      if (end == std::string::npos) return false;
      begin_part(std::string_view(pending_).substr(0, end));
      pending_.erase(0, end + kHeaderEnd.size());
      state_ = State::content;
      return true;
    }
    case State::content:
      return read_content();
    case State::epilogue:
      return false;
  }
  return false;
}

bool FormReader::read_content() {
  const std::size_t end = pending_.find(delimiter_);
  const std::size_t kept = std::min(pending_.size(), delimiter_.size() - 1);
  const std::size_t size = end == std::string::npos ? pending_.size() - kept : end;
  if (size > 0) parts_.content(std::string_view(pending_).substr(0, size));
  pending_.erase(0, size);
  if (end == std::string::npos) return false;
  pending_.erase(0, delimiter_.size());
  parts_.end();
  state_ = State::behind_boundary;
  return true;
}

void FormReader::begin_part(std::string_view header) {
  std::optional<std::string> name;
  std::string file_name;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(kLineEnd), header.size());
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(std::min(end + kLineEnd.size(), header.size()));
    if (!equal_ignoring_case(line.substr(0, line.find(':')), "Content-Disposition")) continue;
    name = parameter(line, "name");
    file_name = parameter(line, "filename").value_or("");
  }
  if (!name) refuse("A part of the form has no name: its header \"Content-Disposition\" has to give one.");
  parts_.begin(*std::move(name), std::move(file_name));
}

}  // namespace dictum::server
