// dictum-worker-pocketsphinx: CMU PocketSphinx with the distribution's English model. Works offline.
//
//   --model MODEL               a folder, or the name of one of the distribution's models, or of those beside us
//   DICTUM_POCKETSPHINX_MODEL   the folder where no model is named

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "dictum/error.hpp"
#include "pocketsphinx_decoder.hpp"
#include "transcription/worker_main.hpp"
#include "worker_audio.hpp"
#include "worker_options.hpp"

namespace dictum::workers {
namespace {

constexpr const char* kDistributionModels = "/usr/share/pocketsphinx/model";
constexpr const char* kDefaultModel = "en-us";

/// What was installed together with this worker (a Python wheel brings its model), else the distribution's.
std::filesystem::path installed_models() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);  // PREFIX/libexec/dictum/...
  auto beside = program.parent_path().parent_path().parent_path() / "share/pocketsphinx/model";
  return std::filesystem::is_directory(beside, error) ? beside : std::filesystem::path(kDistributionModels);
}

std::filesystem::path model_folder(const WorkerOptions& options) {
  const char* named = std::getenv("DICTUM_POCKETSPHINX_MODEL");
  if (options.model.find('/') != std::string::npos) return options.model;
  if (!options.model.empty()) return installed_models() / options.model;
  if (named != nullptr && *named != '\0') return named;
  return installed_models() / kDefaultModel;
}

/// Lives on the worker's main thread. A decoding cannot be interrupted: a cancelled job is answered when it is done.
class PocketSphinxWorker final : public transcription::WorkerEngine {
 public:
  explicit PocketSphinxWorker(const WorkerOptions& options) : folder_(model_folder(options)), decoder_(folder_) {}

  transcription::Hello describe() const override {
    return {
        .engine = "pocketsphinx", .model = folder_.filename(), .languages = {"en"}, .abilities = {"words", "phrases"}};
  }

  transcription::Result transcribe(const transcription::Job& job, std::stop_token /*cancelled*/,
                                   transcription::JobSink& /*sink*/) override {
    if (!job.language.empty() && job.language != "auto" && job.language != "en" && !job.language.starts_with("en-")) {
      throw RecorderError(
          Errc::transcription_failed,
          fmt::format("pocketsphinx knows English only, not \"{}\": choose another transcriber", job.language));
    }
    const WorkerAudio audio = read_worker_audio(job.wav, job.range);
    const auto begin = std::chrono::steady_clock::now();
    const auto utterance = decoder_.decode(to_pcm16(audio.samples), job.phrases);

    transcription::Result result{.text = utterance.text};
    result.timings["decode"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    for (const Recognition& word : utterance.words) {
      result.words.push_back({word.text, audio.frame_at(word.start), audio.frame_at(word.end), word.confidence});
    }
    for (const Recognition& phrase : utterance.phrases) {
      result.phrases.push_back(
          {phrase.text, phrase.confidence, audio.frame_at(phrase.start), audio.frame_at(phrase.end)});
    }
    return result;
  }

 private:
  const std::filesystem::path folder_;
  PocketSphinxDecoder decoder_;
};

}  // namespace
}  // namespace dictum::workers

int main(int argc, char** argv) {
  const auto options = dictum::workers::parse_options(argc, argv);
  if (!options) return 2;
  return dictum::transcription::run_worker(
      [&] { return std::make_unique<dictum::workers::PocketSphinxWorker>(*options); });
}
