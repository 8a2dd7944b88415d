// dictum-worker-openai: any server with an OpenAI-compatible /v1/audio/transcriptions. The only transcriber that sends
// audio to another machine.
//
//   DICTUM_OPENAI_URL        the server, up to its version; https://api.openai.com/v1 where it is not set
//   DICTUM_OPENAI_KEY_FILE   a file with the key, readable by its owner alone
//   DICTUM_OPENAI_KEY        the key itself; OPENAI_API_KEY serves as well
//   --model MODEL            as the server names it; whisper-1 where it is not named
// Proxies are taken from https_proxy, http_proxy and no_proxy.

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dictum/error.hpp"
#include "openai_client.hpp"
#include "suspicion.hpp"
#include "temporary_wav.hpp"
#include "transcription/worker_main.hpp"
#include "vocabulary_prompt.hpp"
#include "worker_audio.hpp"
#include "worker_options.hpp"

namespace dictum::workers {
namespace {

constexpr std::string_view kOpenAI = "https://api.openai.com/v1";
constexpr std::size_t kMaxPromptBytes = 560;  // servers read the 224 tokens of Whisper

std::string base_url() {
  const char* url = std::getenv("DICTUM_OPENAI_URL");
  return url == nullptr || *url == '\0' ? std::string(kOpenAI) : url;
}

OpenAIClient::Settings settings(const WorkerOptions& options) {
  OpenAIClient::Settings made;
  made.base_url = base_url();
  made.model = options.model.empty() ? "whisper-1" : options.model;
  made.key = APIKey::from_environment();
  if (made.key.empty() && made.base_url == kOpenAI) {
    throw RecorderError(Errc::config_invalid,
                        "api.openai.com needs a key: write it into a file of your own, and set DICTUM_OPENAI_KEY_FILE. "
                        "DICTUM_OPENAI_URL names another server");
  }
  return made;
}

/// Lives on the worker's main thread. A cancelled job is answered at once: the request is given up.
class OpenAIWorker final : public transcription::WorkerEngine {
 public:
  explicit OpenAIWorker(const WorkerOptions& options) : model_(settings(options).model), client_(settings(options)) {}

  transcription::Hello describe() const override {
    transcription::Hello hello;
    hello.engine = "openai " + base_url();
    hello.model = model_;
    hello.abilities = {"words", "vocabulary"};
    return hello;
  }

  transcription::Result transcribe(const transcription::Job& job, std::stop_token cancelled,
                                   transcription::JobSink& /*sink*/) override {
    const WorkerAudio audio = read_worker_audio(job.wav, job.range);
    transcription::Result result;
    if (audio.samples.empty()) return result;
    const auto begin = std::chrono::steady_clock::now();
    const auto response = client_.transcribe(
        {wav_bytes(audio.samples), job.language, vocabulary_prompt(job.vocabulary, job.prompt, kMaxPromptBytes)},
        cancelled);
    result.timings["request"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result.text = response.text;
    for (const auto& word : response.words) {
      result.words.push_back({word.text, audio.frame_at(word.start), audio.frame_at(word.end), word.confidence});
    }
    result.no_speech_probability = response.no_speech_probability;
    result.suspect_reason = suspicion({response.text, audio.seconds(), loudest_dbfs(audio.samples),
                                       response.no_speech_probability, response.mean_log_probability});
    result.suspect = !result.suspect_reason.empty();
    return result;
  }

 private:
  const std::string model_;
  OpenAIClient client_;
};

}  // namespace
}  // namespace dictum::workers

int main(int argc, char** argv) {
  const auto options = dictum::workers::parse_options(argc, argv);
  if (!options) return 2;
  return dictum::transcription::run_worker([&] { return std::make_unique<dictum::workers::OpenAIWorker>(*options); });
}
