// dictum-worker-whisper: whisper.cpp's library, on this machine.
//
//   --model MODEL            a file, or the name of an installed model; where it is not named, the best installed one
//   that
//                            keeps up with this machine
//   DICTUM_WHISPER_THREADS   how many threads compute; where it is not set, one a core that nothing else uses, at most
//   four

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "annotations.hpp"
#include "dictum/error.hpp"
#include "models/model_choice.hpp"
#include "models/model_store.hpp"
#include "phrase_check.hpp"
#include "suspicion.hpp"
#include "transcription/worker_main.hpp"
#include "transcription/worker_text.hpp"
#include "vocabulary_prompt.hpp"
#include "whisper_engine.hpp"
#include "worker_audio.hpp"
#include "worker_options.hpp"

namespace dictum::workers {
namespace {

constexpr int kCancelMs = 100;  // the library asks between the nodes of its graph, each a few milliseconds
constexpr std::size_t kMaxPromptBytes = 560;  // of the 224 tokens that Whisper reads; names have long ones

/// A model and the file that it was read from.
struct LoadedModel {
  std::filesystem::path file;
  std::unique_ptr<WhisperEngine> engine;
};

/// The model that the user named; else the best that keeps up. What was never measured here is measured now, once.
LoadedModel load_model(const WorkerOptions& options) {
  const auto store = models::ModelStore::of_user();
  if (!options.model.empty()) {
    auto file = store.resolve(options.model);
    auto engine = std::make_unique<WhisperEngine>(file);
    return {std::move(file), std::move(engine)};
  }
  const auto files = models::by_quality(store);
  const auto speeds = models::SpeedCache::of_user();
  for (std::size_t tries = 0; tries <= files.size(); ++tries) {
    const auto file = models::choose(files, speeds);
    if (file.empty()) break;
    auto engine = std::make_unique<WhisperEngine>(file);
    const bool is_only = files.size() == 1;
    if (is_only || speeds.find(file)) return {file, std::move(engine)};
    const double seconds = engine->measure(models::kKeepsUpSeconds);
    speeds.keep(file, seconds);
    if (seconds < models::kKeepsUpSeconds || !speeds.find(file)) return {file, std::move(engine)};
  }
  throw RecorderError(Errc::model_missing,
                      fmt::format("no Whisper model is installed: run `dictum models pull {}`", models::kDefaultModel));
}

/// A text, and what speaks against it.
struct Attempt {
  PartedText parted;
  WhisperEngine::Utterance utterance;
  std::string doubt;  ///< empty where there is none
};

std::string_view first_sentence(std::string_view text) {
  const auto end = text.find_first_of(".!?");
  return text.substr(0, end);
}

/// Lives on the worker's main thread. A cancelled job is answered within one step of the network.
class WhisperWorker final : public transcription::WorkerEngine {
 public:
  explicit WhisperWorker(const WorkerOptions& options) : model_(load_model(options)) {}

  transcription::Hello describe() const override {
    transcription::Hello hello;
    hello.engine = WhisperEngine::name();
    hello.model = models::name_of(model_.file);
    hello.languages = model_.engine->languages();
    hello.abilities = {"words", "phrases", "partials", "vocabulary"};
    hello.cancel_ms = kCancelMs;
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
    WhisperEngine::Job asked{.language = job.language,
                             .prompt = vocabulary_prompt(job.vocabulary, job.prompt, kMaxPromptBytes),
                             .quick = job.interim};
    Attempt best = attempt(audio, asked, watcher, cancelled);
    if (!best.doubt.empty() && !job.interim) {
      asked.search = WhisperEngine::Search::beam;
      Attempt second = attempt(audio, asked, watcher, cancelled);
      if (second.doubt.empty() || best.parted.text.empty()) best = std::move(second);
    }
    const bool is_speech = best.doubt.empty() && !best.parted.text.empty();
    if (!job.interim && is_speech) result.phrases = check_phrases(job, audio, best, cancelled);
    result.timings["decode"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result.text = std::move(best.parted.text);
    result.annotations = std::move(best.parted.annotations);
    // A text that repeats itself can have more words than the protocol lets pass; it is marked, and keeps its text.
    const std::size_t plausible = transcription::max_words(audio.seconds());
    if (best.parted.words.size() > plausible) best.parted.words.resize(plausible);
    for (const auto& word : best.parted.words) {
      result.words.push_back({word.text, audio.frame_at(word.start), audio.frame_at(word.end), word.confidence});
    }
    result.no_speech_probability = best.utterance.no_speech_probability;
    result.language = std::move(best.utterance.language);
    if (!job.interim) {
      result.suspect = !best.doubt.empty();
      result.suspect_reason = std::move(best.doubt);
    }
    return result;
  }

 private:
  Attempt attempt(const WorkerAudio& audio, const WhisperEngine::Job& job, const WhisperEngine::Watcher& watcher,
                  const std::stop_token& cancelled) {
    Attempt made;
    made.utterance = model_.engine->transcribe(audio.samples, job, watcher, cancelled);
    const double loudest = loudest_dbfs(audio.samples);
    made.parted = part_annotations(made.utterance.text, made.utterance.words,
                                   is_silent(loudest, made.utterance.no_speech_probability));
    made.doubt = suspicion({made.parted.text, audio.seconds(), loudest, made.utterance.no_speech_probability,
                            made.utterance.mean_log_probability});
    return made;
  }

  /// The phrase that the text only sounds like, if a second decoding that is given the phrases writes it. Its text is
  /// used for nothing else: a prompt makes Whisper write what was not said.
  std::vector<DetectedPhrase> check_phrases(const transcription::Job& job, const WorkerAudio& audio,
                                            const Attempt& first, const std::stop_token& cancelled) {
    if (job.phrases.empty()) return {};
    const PhraseCheck check(job.phrases);
    if (!check.is_worthwhile(first.parted.text)) return {};
    const Attempt second =
        attempt(audio, {.language = first.utterance.language, .prompt = check.prompt()}, {}, cancelled);
    // Behind what was said, Whisper may go on with the sentences of the prompt.
    const bool goes_on = goes_in_circles(second.parted.text);
    if (!second.doubt.empty() && !goes_on) return {};
    const std::string_view text = second.parted.text;
    return check.confirmed(first.parted.text, goes_on ? first_sentence(text) : text, audio);
  }

  const LoadedModel model_;
};

}  // namespace
}  // namespace dictum::workers

int main(int argc, char** argv) {
  const auto options = dictum::workers::parse_options(argc, argv);
  if (!options) return 2;
  return dictum::transcription::run_worker([&] { return std::make_unique<dictum::workers::WhisperWorker>(*options); });
}
