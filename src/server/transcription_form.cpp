#include "server/transcription_form.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/disk_error.hpp"
#include "base/utf8.hpp"
#include "config/vocabulary.hpp"
#include "server/problem.hpp"

namespace dictum::server {
namespace {

using Format = TranscriptionRequest::Format;

constexpr std::size_t kMaxFieldBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxLanguage = 35;  // bytes, of BCP 47
constexpr std::size_t kMaxTerm = 100;     // bytes
constexpr const char* kFields =
    "file, model, language, prompt, keywords[], response_format, temperature, timestamp_granularities[], stream and "
    "chunking_strategy";

struct FormatName {
  std::string_view name;
  Format format;
  const char* content_type;
};
constexpr std::array<FormatName, 5> kFormats = {{{"json", Format::json, "application/json"},
                                                 {"text", Format::text, "text/plain; charset=utf-8"},
                                                 {"srt", Format::srt, "application/x-subrip; charset=utf-8"},
                                                 {"vtt", Format::vtt, "text/vtt; charset=utf-8"},
                                                 {"verbose_json", Format::verbose_json, "application/json"}}};

/// A file that is gone with its descriptor, whatever happens to this process.
UniqueFD nameless_file(const std::filesystem::path& folder) {
  std::string name = (folder / "upload-XXXXXX").string();
  UniqueFD file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file || ::unlink(name.c_str()) != 0) throw_disk_error(errno, name);
  return file;
}

/// The name of a field that may be there several times, without the brackets that some clients add.
std::string_view without_brackets(std::string_view name) {
  return name.ends_with("[]") ? name.substr(0, name.size() - 2) : name;
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

/// Where the first term of a prompt ends, and where what follows it begins.
std::pair<std::size_t, std::size_t> end_of_term(std::string_view prompt) {
  static constexpr std::u32string_view kEnds = U",.;:!?\n\r\t、。，．！？；：\u3000";
  for (std::size_t at = 0; at < prompt.size();) {
    const utf8::CodePoint point = utf8::decode(prompt, at);
    if (kEnds.find(static_cast<char32_t>(point.value)) != std::u32string_view::npos) return {at, point.next};
    at = point.next;
  }
  return {prompt.size(), prompt.size()};
}

}  // namespace

const char* content_type_of(Format format) noexcept {
  return std::ranges::find(kFormats, format, &FormatName::format)->content_type;
}

bool is_language(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxLanguage && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<std::string> terms_of(std::string_view prompt) {
  std::vector<std::string> terms;
  while (!prompt.empty()) {
    const auto [end, next] = end_of_term(prompt);
    std::string rest = trimmed(utf8::on_one_line(prompt.substr(0, end)));
    prompt.remove_prefix(next);
    while (rest.size() > kMaxTerm) {
      std::size_t cut = rest.rfind(' ', kMaxTerm);
      if (cut == std::string::npos) {  // a writing without spaces
        cut = kMaxTerm;
        while (utf8::continues(rest[cut])) --cut;
      }
      terms.push_back(trimmed(std::string_view(rest).substr(0, cut)));
      rest = trimmed(std::string_view(rest).substr(cut));
    }
    if (!rest.empty()) terms.push_back(std::move(rest));
  }
  return terms;
}

TranscriptionForm::TranscriptionForm(std::string_view content_type, const std::filesystem::path& folder,
                                     std::function<bool(std::string_view)> is_model)
    : is_model_(std::move(is_model)), folder_(folder), reader_(content_type, *this) {}

void TranscriptionForm::begin(std::string name, std::string file_name) {
  field_ = std::move(name);
  value_.clear();
  const bool is_list = without_brackets(field_) == "timestamp_granularities" || without_brackets(field_) == "keywords";
  if (!is_list) {
    if (std::ranges::find(fields_, field_) != fields_.end()) {
      throw FieldError(excerpt(field_), fmt::format("The form has \"{}\" twice: send it once.", excerpt(field_)));
    }
    fields_.push_back(field_);
  }
  if (field_ != "file") return;
  file_ = nameless_file(folder_);
  if (!file_name.empty()) request_.file_name = excerpt(file_name);
}

void TranscriptionForm::content(std::string_view bytes) {
  if (field_ != "file") {
    value_ += bytes;
    field_bytes_ += bytes.size();
    if (field_bytes_ > kMaxFieldBytes) {
      throw FieldError(excerpt(field_),
                       fmt::format("With \"{}\" the fields of the form have more than {} KiB: send less.",
                                   excerpt(field_), kMaxFieldBytes >> 10));
    }
    return;
  }
  has_content_ = true;
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file_.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw_disk_error(errno, folder_);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

void TranscriptionForm::end() {
  if (field_ == "file") return;
  if (!utf8::is_valid(value_)) {
    throw FieldError(excerpt(field_), fmt::format("The field \"{}\" is not UTF-8.", excerpt(field_)));
  }
  set(field_, value_);
}

void TranscriptionForm::set(const std::string& name, const std::string& value) {
  const auto refuse = [&](const std::string& sentence) { throw FieldError(excerpt(name), sentence); };
  const std::string_view plain = without_brackets(name);
  if (name == "model") {
    if (!is_model_(value)) {
      refuse(fmt::format("There is no model \"{}\" here: GET /v1/models lists what there is.", excerpt(value)));
    }
    request_.model = value;
  } else if (name == "language") {
    if (!is_language(value)) refuse(fmt::format("\"{}\" is no language: send one like \"en\".", excerpt(value)));
    request_.language = value;
  } else if (name == "prompt" || plain == "keywords") {
    if (name == "prompt") {
      std::ranges::move(terms_of(value), std::back_inserter(request_.vocabulary));
    } else {
      request_.vocabulary.push_back(value);
    }
    const std::string complaint = config::complaint_about_vocabulary(request_.vocabulary);
    if (!complaint.empty()) refuse(fmt::format("The {} {}.", plain, complaint));
  } else if (name == "response_format") {
    const auto* const known = std::ranges::find(kFormats, value, &FormatName::name);
    if (known == kFormats.end()) {
      refuse(fmt::format("The response_format \"{}\" is not supported: json, text, srt, vtt and verbose_json are.",
                         excerpt(value)));
    }
    request_.format = known->format;
  } else if (name == "temperature") {
    if (value.empty() || value.find_first_not_of("0.") != std::string::npos) {
      refuse(
          fmt::format("The temperature \"{}\" is not supported: texts are always the most probable ones, so send 0 "
                      "or leave it out.",
                      excerpt(value)));
    }
  } else if (plain == "timestamp_granularities") {
    if (value != "word" && value != "segment") {
      refuse(fmt::format("timestamp_granularities are word and segment, not \"{}\".", excerpt(value)));
    }
    if (!std::exchange(has_granularities_, true)) request_.has_segments = false;
    (value == "word" ? request_.has_words : request_.has_segments) = true;
  } else if (name == "stream") {
    if (value != "true" && value != "false")
      refuse(fmt::format("stream is true or false, not \"{}\".", excerpt(value)));
    request_.is_streamed = value == "true";
  } else if (name == "chunking_strategy") {
    if (value != "auto") {
      refuse(fmt::format("The chunking_strategy \"{}\" is not supported: send \"auto\", or leave it out.",
                         excerpt(value)));
    }
  } else {
    refuse(fmt::format("The field \"{}\" is not supported: {} are.", excerpt(name), kFields));
  }
}

void TranscriptionForm::finish() {
  reader_.finish();
  if (!file_) throw FieldError("file", "The form has no field \"file\": send the sound in it.");
  if (!has_content_) throw FieldError("file", "The field \"file\" is empty: send the sound in it.");
  if (has_granularities_ && request_.format != Format::verbose_json) {
    throw FieldError("timestamp_granularities[]",
                     "timestamp_granularities[] needs the response_format verbose_json: no other has times.");
  }
  if (request_.is_streamed && request_.format != Format::json && request_.format != Format::text) {
    throw FieldError("stream", "A stream has only texts: leave response_format out, or send json.");
  }
}

UniqueFD TranscriptionForm::take_file() {
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) throw_disk_error(errno, folder_);
  return std::move(file_);
}

}  // namespace dictum::server
