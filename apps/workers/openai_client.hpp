#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "openai_response.hpp"

namespace dictum::workers {

/// The key of an account. It goes into one header of one request and nowhere else: it is not printed, logged or
/// reported in an error.
class APIKey {
 public:
  APIKey() = default;

  /// Throws RecorderError(config_invalid), without quoting it, where it could not stand in a header.
  explicit APIKey(std::string secret);

  /// From $DICTUM_OPENAI_KEY_FILE (a regular file of this user's that nobody else may read), else from
  /// $DICTUM_OPENAI_KEY or $OPENAI_API_KEY; none where neither is set. Throws RecorderError(config_invalid).
  static APIKey from_environment();
  static APIKey from_file(const std::string& path);

  bool empty() const { return secret_.empty(); }
  std::string header() const { return "Authorization: Bearer " + secret_; }

  /// `text` with the key taken out, wherever a server quoted it.
  std::string removed_from(std::string text) const;

 private:
  std::string secret_;
};

/// A server with an OpenAI-compatible /v1/audio/transcriptions. Lives on one thread, owned by the worker.
class OpenAIClient {
 public:
  struct Settings {
    std::string base_url;  ///< "https://api.openai.com/v1"; its transcriptions are at "/audio/transcriptions"
    std::string model;
    APIKey key;
    std::chrono::milliseconds timeout{120'000};  ///< of one request
    std::chrono::milliseconds backoff{500};      ///< before the second attempt, doubled before each further one
    std::chrono::milliseconds longest_wait{30'000};
    int attempts = 4;
  };

  /// Throws RecorderError(config_invalid): a URL that is none, or that would carry the key unencrypted to another
  /// machine.
  explicit OpenAIClient(Settings settings);

  struct Job {
    std::string wav;       ///< the bytes of the file
    std::string language;  ///< BCP 47, or empty
    std::string prompt;
  };

  /// Asks, and asks again where the server is busy, broken or gone, and respects its Retry-After. Blocks; `cancelled`
  /// ends it at once. Throws RecorderError(transcription_failed, timed_out, cancelled).
  OpenAIResponse transcribe(const Job& job, std::stop_token cancelled);

 private:
  const Settings settings_;
  bool plain_ = false;  // the server does not know verbose_json
};

}  // namespace dictum::workers
