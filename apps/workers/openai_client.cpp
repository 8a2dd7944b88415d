#include "openai_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "http/transfer.hpp"

namespace dictum::workers {
namespace {

constexpr std::size_t kMaxKeyBytes = 4096;
constexpr std::size_t kMaxAnswerBytes = std::size_t{8} << 20;
constexpr long kOK = 200;
constexpr long kBadRequest = 400;
constexpr long kTooManyRequests = 429;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

[[noreturn]] void invalid(const std::string& sentence) {
  throw RecorderError(Errc::config_invalid, sentence);
}

std::string host_of(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  if (url.starts_with('[')) return std::string(url.substr(0, url.find(']') + 1));
  return std::string(url.substr(0, url.find(':')));
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

bool is_passing(long status) {
  return status == kTooManyRequests || status == 408 || status >= 500;
}

/// Waits, and says whether nobody cancelled.
bool wait(std::chrono::milliseconds time, const std::stop_token& cancelled) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, cancelled, time, [] { return false; });
  return !cancelled.stop_requested();
}

}  // namespace

APIKey::APIKey(std::string secret) : secret_(std::move(secret)) {
  const bool printable = std::ranges::all_of(secret_, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable || secret_.size() > kMaxKeyBytes) {
    secret_.clear();
    invalid("the key of the transcription server holds spaces, line breaks or other characters that no key has");
  }
}

APIKey APIKey::from_environment() {
  if (const auto file = environment("DICTUM_OPENAI_KEY_FILE"); !file.empty()) return from_file(file);
  if (auto key = environment("DICTUM_OPENAI_KEY"); !key.empty()) return APIKey(std::move(key));
  return APIKey(environment("OPENAI_API_KEY"));
}

APIKey APIKey::from_file(const std::string& path) {
  // Not blocking: a pipe in its place would be waited for, and is refused below.
  const UniqueFD file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) {
    invalid(fmt::format("the key file {} cannot be read: {}", utf8::repaired(path), std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) invalid(fmt::format("the key file {} is not a regular file", utf8::repaired(path)));
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    invalid(fmt::format("the key file {} belongs to another user", utf8::repaired(path)));
  }
  if ((status.st_mode & 077) != 0) {
    invalid(fmt::format("the key file {} can be read by others: run `chmod 600` on it", utf8::repaired(path)));
  }
  std::string text(kMaxKeyBytes + 2, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) invalid(fmt::format("the key file {} is empty", utf8::repaired(path)));
  return APIKey(std::move(text));
}

std::string APIKey::removed_from(std::string text) const {
  if (secret_.empty()) return text;
  for (auto at = text.find(secret_); at != std::string::npos; at = text.find(secret_, at))
    text.replace(at, secret_.size(), "…");
  return text;
}

OpenAIClient::OpenAIClient(Settings settings) : settings_(std::move(settings)) {
  const std::string& url = settings_.base_url;
  const bool secure = url.starts_with("https://");
  const bool printable = std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; });
  if ((!secure && !url.starts_with("http://")) || !printable || host_of(url).empty() ||
      url.find_first_of("?#") != std::string::npos) {
    invalid("DICTUM_OPENAI_URL is no address of a server, such as https://api.openai.com/v1");
  }
  if (url.find('@') != std::string::npos) {
    invalid("DICTUM_OPENAI_URL holds a password: put the key into DICTUM_OPENAI_KEY_FILE or DICTUM_OPENAI_KEY instead");
  }
  if (!secure && !settings_.key.empty() && !is_this_machine(host_of(url))) {
    invalid(fmt::format("the key would go unencrypted to {}: use https", host_of(url)));
  }
}

OpenAIResponse OpenAIClient::transcribe(const Job& job, std::stop_token cancelled) {
  const std::string host = host_of(settings_.base_url);
  auto pause = settings_.backoff;
  for (int attempt = 1;; ++attempt) {
    http::Request request;
    request.url =
        settings_.base_url + (settings_.base_url.ends_with('/') ? "audio/transcriptions" : "/audio/transcriptions");
    if (!settings_.key.empty()) request.headers.push_back(settings_.key.header());
    request.timeout = settings_.timeout;
    request.form = {{"model", settings_.model}, {"response_format", plain_ ? "json" : "verbose_json"}};
    if (!plain_) {
      request.form.push_back({"timestamp_granularities[]", "word"});
      request.form.push_back({"timestamp_granularities[]", "segment"});
    }
    // Servers know languages without their regions: "en" of "en-GB".
    if (!job.language.empty()) request.form.push_back({"language", job.language.substr(0, job.language.find('-'))});
    if (!job.prompt.empty()) request.form.push_back({"prompt", job.prompt});
    request.form.push_back({"file", job.wav, "segment.wav", "audio/wav"});

    std::string body;
    std::optional<std::chrono::milliseconds> asked;
    std::string trouble;
    Errc code = Errc::transcription_failed;
    try {
      const auto take = [&](const http::Response&, std::string_view piece) {
        body += piece;
        return body.size() <= kMaxAnswerBytes;
      };
      const http::Response response = http::transfer(request, take, cancelled);
      if (response.status == kOK) return OpenAIResponse::parse(body);
      trouble =
          fmt::format("{} answers {}: {}", host, response.status, error_sentence(settings_.key.removed_from(body)));
      if (response.status == kBadRequest && !plain_ && body.find("response_format") != std::string::npos) {
        plain_ = true;  // asked once more, for the text alone
        continue;
      }
      if (!is_passing(response.status)) throw RecorderError(Errc::transcription_failed, trouble);
      asked = response.retry_after;
    } catch (const http::TransferError& error) {
      using Kind = http::TransferError::Kind;
      if (error.kind() == Kind::cancelled) throw RecorderError(Errc::cancelled, "the request was cancelled");
      if (error.kind() == Kind::refused)
        throw RecorderError(Errc::transcription_failed, fmt::format("{} answers without end", host));
      if (error.kind() == Kind::timed_out) code = Errc::timed_out;
      trouble =
          fmt::format("{} {}: {}", host, error.kind() == Kind::unreachable ? "cannot be reached" : "gave no answer",
                      utf8::repaired(error.what()));
    }
    const auto time = std::max(pause, asked.value_or(std::chrono::milliseconds(0)));
    if (attempt >= settings_.attempts || time > settings_.longest_wait) throw RecorderError(code, trouble);
    if (!wait(time, cancelled)) throw RecorderError(Errc::cancelled, "the request was cancelled");
    pause *= 2;
  }
}

}  // namespace dictum::workers
