#include "whisper_engine.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <ggml-backend.h>
#include <sys/resource.h>
#include <whisper.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "encoder_frames.hpp"
#include "plain_text.hpp"
#include "processor_load.hpp"
#include "whisper_model_file.hpp"
#include "worker_audio.hpp"

namespace dictum::workers {
namespace {

constexpr std::size_t kShortest = kEngineRate + kEngineRate / 10;  // the library refuses less than a second
constexpr std::size_t kMaxPromptBytes = 800;                       // bytes: about the 224 tokens that Whisper reads
constexpr double kSecondsPerStep = 0.01;                           // of the library's times
constexpr int kBeam = 5;
constexpr int kMaxThreads = 4;    // beyond four it gains little
constexpr float kEntropy = 2.8F;  // of the last tokens: what is below repeats itself; its maintainers' value
constexpr std::chrono::milliseconds kBetweenCounts{2};
// A fifth faster, in a third less memory. A library that set-up did not build divides its sums by the number of
// threads, which depends on what else runs: the same sound would give another text on a busy machine.
#ifdef DICTUM_FLASH_ATTENTION
constexpr bool kFlashAttention = true;
#else
constexpr bool kFlashAttention = false;
#endif

struct FreeContext {
  void operator()(whisper_context* context) const { whisper_free(context); }
};
struct FreeState {
  void operator()(whisper_state* state) const { whisper_free_state(state); }
};

int threads() {
  const char* asked = std::getenv("DICTUM_WHISPER_THREADS");
  const long number = asked == nullptr ? 0 : std::strtol(asked, nullptr, 10);
  const int cores = physical_cores();
  if (number > 0) return static_cast<int>(std::min(number, 4L * cores));
  const auto count = [] {
    std::string load;
    std::getline(std::ifstream("/proc/loadavg"), load);
    return other_running_threads(load);
  };
  const auto pause = [] { std::this_thread::sleep_for(kBetweenCounts); };
  return threads_for(cores, lasting_threads(count, pause), kMaxThreads);
}

/// Loads the library's code for this processor, which lies beside it as libraries of its own, once a process.
void load_backends() {
  // OpenMP's threads sleep while they wait for each other. They would spin, and starve what else runs.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  Dl_info library{};
  if (::dladdr(reinterpret_cast<void*>(&whisper_full_default_params), &library) != 0 && library.dli_fname != nullptr) {
    std::error_code error;
    const auto folder = std::filesystem::canonical(library.dli_fname, error).parent_path();
    if (!error) ggml_backend_load_all_from_path(folder.c_str());
  }
  // A distribution's package keeps them elsewhere, and knows where.
  if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == nullptr) ggml_backend_load_all();
}

/// The library's log is one for the process; the last error in it says why a model does not load.
void keep_error(ggml_log_level level, const char* text, void* last) {
  if (level == GGML_LOG_LEVEL_ERROR) *static_cast<std::string*>(last) = plain_text(text);
}
void drop(ggml_log_level, const char*, void*) {}

/// The end of `text`, from the beginning of a character.
std::string tail(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t begin = text.size() - most;
  while (begin < text.size() && utf8::continues(text[begin])) ++begin;
  return text.substr(begin);
}

/// Processor time of this process, in seconds.
double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// What the library's callbacks need of a job under way.
struct CallbackContext {
  const WhisperEngine::Watcher& watcher;
  const std::function<bool()>& should_stop;
};

std::string text_so_far(whisper_state* state) {
  std::string text;
  for (int i = 0; i < whisper_full_n_segments_from_state(state); ++i)
    text += whisper_full_get_segment_text_from_state(state, i);
  return plain_text(text);
}

}  // namespace

class WhisperEngine::Model {
 public:
  explicit Model(const std::filesystem::path& file) {
    check_whisper_model(file);
    whisper_log_set(keep_error, &error_);
    static std::once_flag once;
    std::call_once(once, load_backends);
    auto parameters = whisper_context_default_params();
    parameters.use_gpu = false;
    parameters.flash_attn = kFlashAttention;
    context_.reset(whisper_init_from_file_with_params_no_state(file.c_str(), parameters));
    if (context_) whole_.reset(whisper_init_state(context_.get()));
    if (!whole_) {
      whisper_log_set(drop, nullptr);
      throw RecorderError(Errc::model_missing,
                          fmt::format("whisper.cpp cannot load {}: {}", utf8::repaired(file.string()),
                                      error_.empty() ? "it does not say why" : error_));
    }
  }
  ~Model() { whisper_log_set(drop, nullptr); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  bool multilingual() const { return whisper_is_multilingual(context_.get()) != 0; }

  Utterance transcribe(std::span<const float> samples, const Job& job, const Watcher& watcher,
                       const std::function<bool()>& should_stop) {
    std::vector<float> padded(samples.begin(), samples.end());
    padded.resize(std::max(padded.size(), kShortest));

    const int threads_here = threads();
    std::string language = language_of(job);
    if (language.empty()) language = detect_language(padded, samples.size(), threads_here);
    const std::string prompt = tail(plain_text(job.prompt), kMaxPromptBytes);
    CallbackContext context{watcher, should_stop};
    const bool greedy = job.search == Search::greedy;
    auto parameters = whisper_full_default_params(greedy ? WHISPER_SAMPLING_GREEDY : WHISPER_SAMPLING_BEAM_SEARCH);
    parameters.beam_search.beam_size = kBeam;
    parameters.greedy.best_of = 1;
    parameters.temperature_inc = 0;  // no dice: a second try is another search
    parameters.entropy_thold = kEntropy;
    parameters.suppress_nst = true;
    parameters.no_context = true;
    parameters.n_threads = threads_here;
    parameters.language = language.c_str();
    parameters.initial_prompt = prompt.empty() ? nullptr : prompt.c_str();
    parameters.token_timestamps = true;
    const Memory memory = memory_for(job.quick ? interim_frames(samples.size()) : kEncoderFrames);
    parameters.audio_ctx = memory.frames;
    parameters.print_progress = false;
    parameters.print_realtime = false;
    parameters.print_timestamps = false;
    parameters.print_special = false;
    parameters.abort_callback = [](void* data) { return static_cast<CallbackContext*>(data)->should_stop(); };
    parameters.abort_callback_user_data = &context;
    parameters.encoder_begin_callback = [](whisper_context*, whisper_state*, void* data) {
      return !static_cast<CallbackContext*>(data)->should_stop();
    };
    parameters.encoder_begin_callback_user_data = &context;
    parameters.new_segment_callback = [](whisper_context*, whisper_state* current, int, void* data) {
      if (const auto& text = static_cast<CallbackContext*>(data)->watcher.text) text(text_so_far(current));
    };
    parameters.new_segment_callback_user_data = &context;
    parameters.progress_callback = [](whisper_context*, whisper_state*, int percent, void* data) {
      if (const auto& progress = static_cast<CallbackContext*>(data)->watcher.progress)
        progress(std::clamp(percent / 100.0, 0.0, 1.0));
    };
    parameters.progress_callback_user_data = &context;

    error_.clear();
    const int result = whisper_full_with_state(context_.get(), memory.state, parameters, padded.data(),
                                               static_cast<int>(padded.size()));
    if (should_stop()) throw RecorderError(Errc::cancelled, "the transcription was cancelled");
    if (result != 0)
      throw RecorderError(Errc::transcription_failed, fmt::format("whisper.cpp failed ({}): {}", result, error_));
    Utterance utterance = read(memory.state);
    utterance.language = whisper_lang_str(whisper_full_lang_id_from_state(memory.state));
    straighten(utterance.words, static_cast<double>(samples.size()) / kEngineRate);
    return utterance;
  }

 private:
  /// What a job computes in, and how many frames of the encoder; 0 is all.
  struct Memory {
    whisper_state* state;
    int frames;
  };

  /// A part of the frames has a memory of its own, made where it is first wanted: flash attention reads beyond all
  /// frames up to the next multiple of 256, where they leave nothing and others would.
  Memory memory_for(int frames) {
    if (frames >= whisper_n_audio_ctx(context_.get())) return {whole_.get(), 0};
    if (!part_) part_.reset(whisper_init_state(context_.get()));
    if (!part_) throw RecorderError(Errc::transcription_failed, fmt::format("whisper.cpp failed: {}", error_));
    return {part_.get(), frames};
  }

  /// What is spoken, from as much of the encoder as the sound needs. The library's own detection would use as much as
  /// the job before did, and take as long as the text itself.
  std::string detect_language(const std::vector<float>& padded, std::size_t samples, int threads_here) {
    // Takes the sound and the context over, and ends before it computes.
    auto parameters = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    parameters.n_threads = threads_here;
    parameters.language = "en";
    const Memory memory = memory_for(interim_frames(samples));
    parameters.audio_ctx = memory.frames;
    parameters.print_progress = false;
    parameters.encoder_begin_callback = [](whisper_context*, whisper_state*, void*) { return false; };
    whisper_full_with_state(context_.get(), memory.state, parameters, padded.data(), static_cast<int>(padded.size()));
    const int id = whisper_lang_auto_detect_with_state(context_.get(), memory.state, 0, threads_here, nullptr);
    const char* const name = id < 0 ? nullptr : whisper_lang_str(id);
    if (name == nullptr)
      throw RecorderError(Errc::transcription_failed, fmt::format("Whisper finds no language in it: {}", error_));
    return name;
  }

  /// Empty: the one that is spoken.
  std::string language_of(const Job& job) const {
    std::string asked = job.language.substr(0, job.language.find('-'));
    if (asked == "auto") asked.clear();
    if (asked.empty()) return multilingual() ? "" : "en";
    if (whisper_lang_id(asked.c_str()) < 0) {
      throw RecorderError(Errc::transcription_failed,
                          fmt::format("Whisper does not know the language \"{}\"", utf8::repaired(job.language)));
    }
    if (!multilingual() && asked != "en") {
      throw RecorderError(Errc::transcription_failed,
                          fmt::format("this model knows English only, not \"{}\": choose one without .en",
                                      utf8::repaired(job.language)));
    }
    return asked;
  }

  /// Tokens make up words: one that begins with a space begins a word.
  Utterance read(whisper_state* state) const {
    Utterance utterance;
    utterance.text = text_so_far(state);
    double log_probability = 0;
    double no_speech = 0;
    int tokens = 0;
    const int segments = whisper_full_n_segments_from_state(state);
    for (int segment = 0; segment < segments; ++segment) {
      no_speech += whisper_full_get_segment_no_speech_prob_from_state(state, segment);
      TimedWord word;
      double word_log = 0;
      int word_tokens = 0;
      const auto finish = [&] {
        word.text = plain_text(word.text);
        word.confidence = word_tokens > 0 ? std::clamp(std::exp(word_log / word_tokens), 0.0, 1.0) : 0;
        if (!word.text.empty()) utterance.words.push_back(word);
        word = {};
        word_log = 0;
        word_tokens = 0;
      };
      for (int i = 0; i < whisper_full_n_tokens_from_state(state, segment); ++i) {
        const auto token = whisper_full_get_token_data_from_state(state, segment, i);
        if (token.id >= whisper_token_eot(context_.get())) continue;  // times, languages, the end
        const std::string_view text = whisper_full_get_token_text_from_state(context_.get(), state, segment, i);
        if (text.starts_with(' ')) finish();
        if (word_tokens == 0) word.start = static_cast<double>(token.t0) * kSecondsPerStep;
        word.end = std::max(word.start, static_cast<double>(token.t1) * kSecondsPerStep);
        word.text += text;
        word_log += token.plog;
        log_probability += token.plog;
        ++word_tokens;
        ++tokens;
      }
      finish();
    }
    if (segments > 0) utterance.no_speech_probability = std::clamp(no_speech / segments, 0.0, 1.0);
    if (tokens > 0) utterance.mean_log_probability = log_probability / tokens;
    return utterance;
  }

  std::string error_;
  std::unique_ptr<whisper_context, FreeContext> context_;
  std::unique_ptr<whisper_state, FreeState> whole_;
  std::unique_ptr<whisper_state, FreeState> part_;
};

WhisperEngine::WhisperEngine(const std::filesystem::path& model) : model_(std::make_unique<Model>(model)) {}
WhisperEngine::~WhisperEngine() = default;

WhisperEngine::Utterance WhisperEngine::transcribe(std::span<const float> samples, const Job& job,
                                                   const Watcher& watcher, std::stop_token cancelled) {
  return model_->transcribe(samples, job, watcher, [&] { return cancelled.stop_requested(); });
}

std::vector<std::string> WhisperEngine::languages() const {
  if (!model_->multilingual()) return {"en"};
  std::vector<std::string> all;
  for (int id = 0; id <= whisper_lang_max_id(); ++id) all.emplace_back(whisper_lang_str(id));
  return all;
}

double WhisperEngine::measure(double limit) {
  // Processor time: other programs take wall time from it only.
  const int cores = std::min(physical_cores(), kMaxThreads);
  const double begin = processor_seconds();
  const auto used = [&] { return (processor_seconds() - begin) / cores; };
  try {
    const std::vector<float> silence(kShortest);
    model_->transcribe(silence, {.language = "en", .prompt = {}}, {}, [&] { return used() >= limit; });
  } catch (const RecorderError&) {
    if (used() < limit) throw;
  }
  return std::min(used(), limit);
}

std::string WhisperEngine::name() {
  return fmt::format("whisper.cpp {}", whisper_version());
}

}  // namespace dictum::workers
