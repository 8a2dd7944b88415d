#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"
#include "server/form_reader.hpp"

namespace dictum::server {

/// What a client of the OpenAI-compatible API wants of a sound file.
struct TranscriptionRequest {
  enum class Format { json, text, srt, vtt, verbose_json };

  std::string file_name = "upload";  ///< of the client's; on one line
  std::string model;
  Format format = Format::json;
  std::string language;                 ///< empty: as configured
  std::vector<std::string> vocabulary;  ///< of the prompt and the keywords
  bool has_words = false;               ///< in verbose_json
  bool has_segments = true;             ///< the same
  bool is_streamed = false;             ///< as Server-Sent Events
};

/// The media type of a format.
const char* content_type_of(TranscriptionRequest::Format format) noexcept;

/// A field of a request is wrong or not supported; the sentence names it.
class FieldError : public RecorderError {
 public:
  FieldError(std::string field, std::string sentence)
      : RecorderError(Errc::invalid_argument, std::move(sentence)), field_(std::move(field)) {}
  const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

/// Whether a text may be the name of a language (BCP 47).
bool is_language(std::string_view text) noexcept;

/// The text of a prompt as terms of a vocabulary: parted by punctuation and line breaks, long ones between words.
std::vector<std::string> terms_of(std::string_view prompt);

/// The form of `POST /v1/audio/transcriptions`, read as it arrives: its fields, and the sound, which goes into a file
/// without a name.
///
/// Threads: one at a time; `take` blocks on the file. Owner: the connection.
class TranscriptionForm final : private FormReader::Parts {
 public:
  /// `folder` is where the file is made. `is_model` says whether a model's name is one of this server's. Throws
  /// RecorderError: invalid_argument where the media type is no form's, disk_full, output_unwritable.
  TranscriptionForm(std::string_view content_type, const std::filesystem::path& folder,
                    std::function<bool(std::string_view)> is_model);
  ~TranscriptionForm() override = default;
  TranscriptionForm(const TranscriptionForm&) = delete;
  TranscriptionForm& operator=(const TranscriptionForm&) = delete;

  /// The next bytes of the body. Throws FieldError, RecorderError: invalid_argument, disk_full, output_unwritable.
  void take(std::string_view bytes) { reader_.take(bytes); }

  /// The body is complete. Throws RecorderError(invalid_argument) where something is missing, or fits nothing else.
  void finish();

  const TranscriptionRequest& request() const { return request_; }

  /// The sound, at its beginning; once.
  UniqueFD take_file();

 private:
  void begin(std::string name, std::string file_name) override;
  void content(std::string_view bytes) override;
  void end() override;
  void set(const std::string& name, const std::string& value);

  const std::function<bool(std::string_view)> is_model_;
  const std::filesystem::path folder_;
  FormReader reader_;
  TranscriptionRequest request_;
  UniqueFD file_;
  std::string field_;  // of the part that is being read
  std::string value_;
  std::vector<std::string> fields_;  // that may be there once, and were
  std::size_t field_bytes_ = 0;      // of all of them
  bool has_granularities_ = false;
  bool has_content_ = false;  // in the file
};

}  // namespace dictum::server
