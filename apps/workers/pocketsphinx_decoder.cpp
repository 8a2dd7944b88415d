#include "pocketsphinx_decoder.hpp"

#include <fmt/format.h>
#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

namespace dictum::workers {
namespace {

constexpr double kSecondsPerFrame = 0.01;        // the model's -frate
constexpr std::size_t kShortestUtterance = 800;  // samples; less than two analysis windows hold no phone
constexpr std::size_t kMaxPhrases = 64;
constexpr std::size_t kMaxPhraseWords = 12;

// A key phrase is found where it is likelier than a loop of free phones by this factor. Chosen on read speech, radio
// and conversation: "end note" (6 phones) is detected in foreign words from 1e-12 on, phrases of 8 phones and more from
// 1e-30 on, and spoken ones stay above 1e-8. A short one is then still only believed where the text bears it out.
constexpr int kShortPhones = 8;
constexpr double kShortThreshold = 1e-10;
constexpr double kLongThreshold = 1e-20;

// The library adds this to the score of a detection, in units of 1024 steps of its logarithm.
constexpr int kKeyPhraseOffset = 1500;
constexpr double kKeyPhraseUnit = 1024;

struct FreeDecoder {
  void operator()(ps_decoder_t* decoder) const { ps_free(decoder); }
};
struct FreeConfig {
  void operator()(cmd_ln_t* config) const { cmd_ln_free_r(config); }
};
struct FreeMemory {
  void operator()(char* text) const { std::free(text); }
};

// The library's log, of which the last error is kept to report why a model does not load.
void keep_complaint(void* last, err_lvl_t level, const char* format, ...) {
  if (level < ERR_ERROR) return;
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  std::string_view message(text);
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  *static_cast<std::string*>(last) = message;
}

void drop(void*, err_lvl_t, const char*, ...) {}

// "read(2)" is the second pronunciation of "read".
std::string_view without_pronunciation(std::string_view word) {
  const auto bracket = word.find('(');
  return bracket == std::string_view::npos || bracket == 0 ? word : word.substr(0, bracket);
}

bool is_filler(std::string_view word) {
  return word.empty() || word.front() == '<' || word.front() == '[' || word.starts_with("++");
}

std::vector<std::string> words_of(std::string_view phrase) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : phrase) {
    if ((c >= 'a' && c <= 'z') || c == '\'') {
      word += c;
    } else if (c >= 'A' && c <= 'Z') {
      word += static_cast<char>(c - 'A' + 'a');
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

class PocketSphinxDecoder::Engine {
 public:
  explicit Engine(const std::filesystem::path& model) {
    err_set_logfp(nullptr);
    err_set_callback(keep_complaint, &complaint_);
    const auto acoustic = model / "en-us";
    const auto language = model / "en-us.lm.bin";
    const auto dictionary = model / "cmudict-en-us.dict";
    for (const auto& part : {acoustic, language, dictionary}) {
      if (std::error_code error; !std::filesystem::exists(part, error)) {
        throw RecorderError(Errc::model_missing,
                            fmt::format("{} is missing: install the package pocketsphinx-en-us, or name another folder "
                                        "in DICTUM_POCKETSPHINX_MODEL",
                                        part.string()));
      }
    }
    // Wide beams: a segment is short, and the default ones double the errors. Silence stays in: removing it shifts
    // the times. No dither: the same samples shall give the same text.
    config_.reset(cmd_ln_init(nullptr, ps_args(), TRUE, "-hmm", acoustic.c_str(), "-dict", dictionary.c_str(), "-beam",
                              "1e-60", "-wbeam", "1e-40", "-cmn", "batch", "-remove_silence", "no", "-dither", "no",
                              nullptr));
    if (config_) decoder_.reset(ps_init(config_.get()));
    if (!decoder_ || ps_set_lm_file(decoder_.get(), kTextSearch, language.c_str()) < 0) {
      throw RecorderError(Errc::model_missing, fmt::format("the model in {} does not load: {}", model.string(),
                                                           complaint_.empty() ? "no reason given" : complaint_));
    }
  }

  ~Engine() {
    decoder_.reset();
    err_set_callback(drop, nullptr);  // the log is one for the process
  }

  Utterance decode(std::span<const std::int16_t> samples, const std::vector<std::string>& phrases) {
    Utterance utterance;
    if (is_silent(samples)) return utterance;
    search(kTextSearch, samples);
    for (const Segment& segment : segments()) {
      const std::string_view word = without_pronunciation(segment.text);
      if (is_filler(word)) continue;
      if (!utterance.text.empty()) utterance.text += ' ';
      utterance.text += word;
      const double confidence = logmath_exp(ps_get_logmath(decoder_.get()), segment.score);
      utterance.words.push_back(recognition(segment, std::string(word), std::clamp(confidence, 0.0, 1.0)));
    }
    for (Recognition& phrase : spot(samples, phrases)) {
      if (!is_short(phrase) || is_borne_out(phrase, utterance.words)) utterance.phrases.push_back(std::move(phrase));
    }
    utterance.phrases = longest_of_overlapping(std::move(utterance.phrases));
    return utterance;
  }

  std::vector<Recognition> spot(std::span<const std::int16_t> samples, const std::vector<std::string>& phrases) {
    std::vector<Recognition> spotted;
    listen_for(phrases);
    if (phones_.empty() || is_silent(samples)) return spotted;
    search(kPhraseSearch, samples);
    for (const Segment& segment : segments()) {
      const auto known = phones_.find(joined(words_of(segment.text)));  // the library leaves a space at the end
      if (known == phones_.end()) continue;
      spotted.push_back(recognition(segment, known->second.asked, likelihood(segment.score, known->second.count)));
    }
    return spotted;
  }

 private:
  static constexpr const char* kTextSearch = "text";
  static constexpr const char* kPhraseSearch = "phrases";

  struct Segment {
    std::string text;
    int first{};  // frames of the model, inclusive
    int last{};
    int score{};
  };

  struct Phones {
    std::string asked;  // the phrase as the job spells it
    int count{};
  };

  // Nothing can have been said, and the model makes words of digital silence.
  static bool is_silent(std::span<const std::int16_t> samples) {
    return samples.size() < kShortestUtterance || std::ranges::all_of(samples, [](auto sample) { return sample == 0; });
  }

  bool is_short(const Recognition& phrase) const {
    return phones_.at(joined(words_of(phrase.text))).count < kShortPhones;
  }

  static Recognition recognition(const Segment& segment, std::string text, double confidence) {
    return {std::move(text), segment.first * kSecondsPerFrame, (segment.last + 1) * kSecondsPerFrame, confidence};
  }

  void search(const char* name, std::span<const std::int16_t> samples) {
    complaint_.clear();
    // A new stream forgets the noise estimate of the utterance before.
    if (ps_set_search(decoder_.get(), name) < 0 || ps_start_stream(decoder_.get()) < 0 ||
        ps_start_utt(decoder_.get()) < 0 ||
        ps_process_raw(decoder_.get(), samples.data(), samples.size(), FALSE, TRUE) < 0 ||
        ps_end_utt(decoder_.get()) < 0) {
      ps_end_utt(decoder_.get());
      throw RecorderError(Errc::transcription_failed, fmt::format("PocketSphinx gave up: {}", complaint_));
    }
  }

  std::vector<Segment> segments() const {
    std::vector<Segment> all;
    for (ps_seg_t* segment = ps_seg_iter(decoder_.get()); segment != nullptr; segment = ps_seg_next(segment)) {
      Segment one;
      one.text = ps_seg_word(segment);
      ps_seg_frames(segment, &one.first, &one.last);
      one.score = ps_seg_prob(segment, nullptr, nullptr, nullptr);
      all.push_back(std::move(one));
    }
    return all;
  }

  // How much likelier than free phones the phrase is, as the mean over its phones, and at most 1.
  double likelihood(int score, int phones) const {
    const double steps = (score + kKeyPhraseOffset) * kKeyPhraseUnit;
    return std::min(1.0, std::exp(steps * std::log(logmath_get_base(ps_get_logmath(decoder_.get()))) / phones));
  }

  // Words that are not in the dictionary cannot be listened for: their phrases are left to the reader of the text.
  void listen_for(const std::vector<std::string>& phrases) {
    if (phrases == listened_) return;
    phones_.clear();
    listened_.clear();
    std::string list;
    for (const std::string& phrase : phrases) {
      const auto words = words_of(phrase);
      if (words.empty() || words.size() > kMaxPhraseWords || phones_.size() == kMaxPhrases) continue;
      const int count = phones_in(words);
      if (count == 0 || !phones_.emplace(joined(words), Phones{phrase, count}).second) continue;
      list += fmt::format("{} /{:g}/\n", joined(words), count < kShortPhones ? kShortThreshold : kLongThreshold);
    }
    if (!phones_.empty()) set_phrases(list);
    listened_ = phrases;
  }

  int phones_in(const std::vector<std::string>& words) const {
    int count = 0;
    for (const std::string& word : words) {
      const std::unique_ptr<char, FreeMemory> phones(ps_lookup_word(decoder_.get(), word.c_str()));
      if (!phones) return 0;
      std::istringstream stream(phones.get());
      for (std::string phone; stream >> phone;) ++count;
    }
    return count;
  }

  // The library reads phrases from a file only; this one lives in memory.
  void set_phrases(const std::string& list) {
    const UniqueFD file(::memfd_create("phrases", MFD_CLOEXEC));
    const auto written = file ? ::write(file.get(), list.data(), list.size()) : -1;
    if (written != static_cast<ssize_t>(list.size()) ||
        ps_set_kws(decoder_.get(), kPhraseSearch, fmt::format("/proc/self/fd/{}", file.get()).c_str()) < 0) {
      phones_.clear();
      throw RecorderError(Errc::transcription_failed,
                          fmt::format("PocketSphinx does not take the phrases: {}", complaint_));
    }
  }

  std::string complaint_;
  std::unique_ptr<cmd_ln_t, FreeConfig> config_;
  std::unique_ptr<ps_decoder_t, FreeDecoder> decoder_;
  std::vector<std::string> listened_;
  std::map<std::string, Phones, std::less<>> phones_;  // by the phrase as the library spells it
};

PocketSphinxDecoder::PocketSphinxDecoder(const std::filesystem::path& model)
    : engine_(std::make_unique<Engine>(model)) {}
PocketSphinxDecoder::~PocketSphinxDecoder() = default;

PocketSphinxDecoder::Utterance PocketSphinxDecoder::decode(std::span<const std::int16_t> samples,
                                                           const std::vector<std::string>& phrases) {
  return engine_->decode(samples, phrases);
}

std::vector<Recognition> PocketSphinxDecoder::spot(std::span<const std::int16_t> samples,
                                                   const std::vector<std::string>& phrases) {
  return engine_->spot(samples, phrases);
}

std::vector<Recognition> longest_of_overlapping(std::vector<Recognition> phrases) {
  std::ranges::sort(phrases, {},
                    [](const Recognition& phrase) { return std::pair(phrase.start - phrase.end, phrase.start); });
  std::vector<Recognition> kept;
  for (Recognition& phrase : phrases) {
    const bool overlaps = std::ranges::any_of(
        kept, [&](const Recognition& other) { return phrase.start < other.end && other.start < phrase.end; });
    if (!overlaps) kept.push_back(std::move(phrase));
  }
  std::ranges::sort(kept, {}, &Recognition::start);
  return kept;
}

bool is_borne_out(const Recognition& phrase, std::span<const Recognition> words) {
  const auto asked = words_of(phrase.text);
  const auto found = std::ranges::search(words, asked, {}, &Recognition::text);
  if (!found.empty()) return true;
  return std::ranges::all_of(words, [&](const Recognition& word) {
    const double middle = (word.start + word.end) / 2;
    return middle >= phrase.start && middle <= phrase.end;
  });
}

}  // namespace dictum::workers
