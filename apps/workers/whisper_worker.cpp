// dictum-worker-whisper: whisper.cpp's library, on this machine.
//
//   --model MODEL            a file, or the name of an installed model; the first installed one where it is not named
//   DICTUM_WHISPER_THREADS   how many threads compute; at most four where it is not set

#include <chrono>

#include "dictum/error.hpp"
#include "models/model_store.hpp"
#include "suspicion.hpp"
#include "transcription/worker_main.hpp"
#include "whisper_engine.hpp"
#include "worker_audio.hpp"
#include "worker_options.hpp"

namespace dictum::workers {
namespace {

std::filesystem::path model_file(const WorkerOptions& options) {
  const auto store = models::ModelStore::of_user();
  if (!options.model.empty()) return store.resolve(options.model);
  for (const auto& entry : store.list()) {
    if (entry.installed) return store.path(entry.model.name);
  }
  throw RecorderError(Errc::model_missing,
                      "no Whisper model is installed: run `dictum models pull base.en`, for example");
}

/// Lives on the worker's main thread. A cancelled job is answered within one step of the network.
class WhisperWorker final : public transcription::WorkerEngine {
 public:
  explicit WhisperWorker(const WorkerOptions& options) : file_(model_file(options)), engine_(file_) {}

  transcription::Hello describe() const override {
    transcription::Hello hello;
    hello.engine = "whisper.cpp";
    hello.model = file_.stem();
    hello.languages = engine_.languages();
    hello.abilities = {"words", "partials"};
    return hello;
  }

  transcription::Result transcribe(const transcription::Job& job, std::stop_token cancelled,
                                   transcription::JobSink& sink) override {
    const WorkerAudio audio = read_worker_audio(job.wav, job.range);
    transcription::Result result;
    if (audio.samples.empty()) return result;
    const auto begin = std::chrono::steady_clock::now();
    const WhisperEngine::Watcher watcher{[&](const std::string& text) { sink.partial(text); },
                                         [&](double fraction) { sink.progress(fraction); }};
    const auto utterance =
        engine_.transcribe(audio.samples, {job.language, job.prompt, job.interim}, watcher, cancelled);
    result.timings["decode"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result.text = utterance.text;
    for (const auto& word : utterance.words) {
      result.words.push_back({word.text, audio.frame_at(word.start), audio.frame_at(word.end), word.confidence});
    }
    result.no_speech_probability = utterance.no_speech_probability;
    result.suspect = is_suspect({utterance.text, audio.seconds(), loudest_dbfs(audio.samples),
                                 utterance.no_speech_probability, utterance.mean_log_probability});
    return result;
  }

 private:
  const std::filesystem::path file_;
  WhisperEngine engine_;
};

}  // namespace
}  // namespace dictum::workers

int main(int argc, char** argv) {
  const auto options = dictum::workers::parse_options(argc, argv);
  if (!options) return 2;
  return dictum::transcription::run_worker([&] { return std::make_unique<dictum::workers::WhisperWorker>(*options); });
}
