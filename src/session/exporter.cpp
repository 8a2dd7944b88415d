#include "session/exporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <functional>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include "audio/flac_writer.hpp"
#include "audio/pcm16.hpp"
#include "audio/wav_writer.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "journal/journal_reader.hpp"
#include "journal/layout.hpp"
#include "journal/session_folder.hpp"
#include "session/markdown.hpp"
#include "session/recording.hpp"
#include "session/transcript.hpp"
#include "text/words.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;

// Subtitles as broadcasters set them.
constexpr std::size_t kLineLength = 42;  // columns
constexpr double kMaxCueSec = 7;
constexpr double kPauseSec = 0.8;  // between two words: a new subtitle

constexpr double kMaxSessionSec = 366 * 86400.0;
constexpr double kMaxSegmentSec = 2 * 3600.0;  // an hour can be configured; what is longer is no recording of ours

// Texts.

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string::npos;) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

/// A piece of a subtitle that is not broken, and when it was said.
struct TimedPiece {
  std::string text;
  bool begins_word{};
  Frame start_frame{};
  Frame end_frame{};
};

/// The frames of `pieces` from `start` to `end`, in proportion to their widths.
void share_out(std::span<TimedPiece> pieces, Frame start, Frame end) {
  double width = 0;
  for (const TimedPiece& piece : pieces) width += static_cast<double>(text::columns(piece.text) + 1);
  double passed = 0;
  const auto frame = [&] { return start + static_cast<Frame>(passed / width * static_cast<double>(end - start)); };
  for (TimedPiece& piece : pieces) {
    piece.start_frame = frame();
    passed += static_cast<double>(text::columns(piece.text) + 1);
    piece.end_frame = frame();
  }
}

/// What stands for a segment in an export: its text, or that there is none and why.
std::string text_or_mark(const Segment& segment) {
  const std::string reason = why_not_transcribed(segment);
  return utf8::on_one_line(reason.empty() ? segment.text : fmt::format("[not transcribed: {}]", reason));
}

/// A word, in the pieces between which a line may be broken where it is long: a sentence without spaces, most often.
std::vector<TimedPiece> pieces_of(const TimedPiece& word) {
  if (text::columns(word.text) <= kLineLength / 2) return {word};
  std::vector<TimedPiece> pieces;
  for (const text::Piece& piece : text::line_pieces(word.text)) {
    pieces.push_back({std::string(piece.of(word.text)), pieces.empty(), 0, 0});
  }
  share_out(pieces, word.start_frame, word.end_frame);
  return pieces;
}

/// The pieces of a segment's text and when they were said.
std::vector<TimedPiece> timed_pieces(const Segment& segment, const std::vector<Word>& recognised) {
  std::string text = text_or_mark(segment);
  if (!why_not_transcribed(segment).empty()) {  // a mark stays in one piece, as long as the speech without a text
    return {{std::move(text), true, segment.speech_start_frame, segment.speech_end_frame}};
  }
  std::vector<TimedPiece> words;
  for (std::string& word : split(text)) words.push_back({std::move(word), true, 0, 0});
  if (recognised.size() == words.size()) {  // the engine's words lack the punctuation, its times are right
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i].start_frame = recognised[i].start_frame;
      words[i].end_frame = recognised[i].end_frame;
    }
  } else {
    share_out(words, segment.speech_start_frame, segment.speech_end_frame);
  }
  std::vector<TimedPiece> all;
  for (const TimedPiece& word : words) std::ranges::move(pieces_of(word), std::back_inserter(all));
  return all;
}

/// Whether the pieces of a subtitle fit on two lines, each as full as it can be.
class TwoLines {
 public:
  bool take(const TimedPiece& piece) {
    const std::size_t width = text::columns(piece.text);
    const std::size_t space = line_ > 0 && piece.begins_word ? 1 : 0;
    if (line_ == 0 || line_ + space + width <= kLineLength) {
      line_ += space + width;
      return true;
    }
    if (is_second_ || width > kLineLength) return false;
    is_second_ = true;
    line_ = width;
    return true;
  }

 private:
  std::size_t line_ = 0;  // columns of the line that is being filled
  bool is_second_ = false;
};

/// On two lines where one is too long, broken where the longer of the two is shortest.
std::string on_two_lines(std::string text) {
  const std::size_t width = text::columns(text);
  if (width <= kLineLength) return text;
  std::size_t best = 0;
  std::size_t shortest = width;
  std::size_t before = 0;  // columns of the pieces before this one
  for (const text::Piece& piece : text::line_pieces(text)) {
    const std::size_t spaces = piece.begin > 0 && text[piece.begin - 1] == ' ' ? 1 : 0;
    const std::size_t longer = std::max(before - spaces, width - before);
    if (piece.begin > 0 && longer < shortest) {
      shortest = longer;
      best = piece.begin;
    }
    before += text::columns(piece.of(text));
  }
  if (best == 0) return text;
  if (text[best - 1] == ' ') {
    text[best - 1] = '\n';
  } else {
    text.insert(best, 1, '\n');
  }
  return text;
}

std::string clock_time(std::int64_t ms, char point) {
  return fmt::format("{:02}:{:02}:{:02}{}{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, point, ms % 1000);
}

/// "00:00:01,250 --> 00:00:02,000", never outside of the cue.
std::string cue_times(const Cue& cue, int rate, char point) {
  const auto ms = [&](Frame frame, Frame up) { return (frame / rate) * 1000 + (frame % rate * 1000 + up) / rate; };
  const std::int64_t begin = ms(cue.start_frame, rate - 1);
  return fmt::format("{} --> {}", clock_time(begin, point),
                     clock_time(std::max(ms(cue.end_frame, 0), begin + 1), point));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string replaced;
  std::size_t begin = 0;
  for (std::size_t at = 0; (at = text.find(from, begin)) != std::string::npos; begin = at + from.size()) {
    replaced.append(text, begin, at - begin).append(to);
  }
  text = replaced.append(text, begin);
}

/// Without "-->", which stands between the times of a subtitle, however many dashes there are.
std::string without_arrows(std::string_view text) {
  std::string out;
  for (const char c : text) {
    while (c == '>' && out.ends_with("--")) out.pop_back();
    out += c;
  }
  return out;
}

std::string srt(const Script& script) {
  std::string out;
  for (int number = 1; const Cue& cue : cues_of(script)) {
    out += fmt::format("{}\n{}\n{}\n\n", number++, cue_times(cue, script.manifest.sample_rate, ','),
                       without_arrows(cue.text));
  }
  return out;
}

std::string vtt(const Script& script) {
  std::string out = "WEBVTT\n\n";
  for (Cue cue : cues_of(script)) {
    replace_all(cue.text, "&", "&amp;");
    replace_all(cue.text, "<", "&lt;");
    replace_all(cue.text, ">", "&gt;");
    out += fmt::format("{}\n{}\n\n", cue_times(cue, script.manifest.sample_rate, '.'), cue.text);
  }
  return out;
}

std::string plain(const Script& script) {
  std::string out;
  for (const Segment& segment : script.manifest.segments) {
    if (!segment.is_kept()) continue;
    if (const std::string text = text_or_mark(segment); !text.empty()) out += text + "\n";
  }
  return out;
}

/// The same in Markdown.
std::string markdown_of(const Segment& segment) {
  const std::string reason = why_not_transcribed(segment);
  return reason.empty() ? without_markup(segment.text) : fmt::format("*not transcribed: {}*", without_markup(reason));
}

std::string markdown(const Script& script) {
  const Manifest& manifest = script.manifest;
  const auto ms = [&](Frame frame) { return static_cast<std::int64_t>(manifest.seconds(frame) * 1000); };
  std::string out = fmt::format("# Session {}\n\n", without_markup(manifest.session));
  out += fmt::format("Recorded {}, {} long, from {}.\n", iso_time(manifest.started_at),
                     clock_time(ms(manifest.end_frame), '.'), without_markup(manifest.source));
  for (const Note& note : manifest.notes) {
    out += fmt::format("\n## {}\n\n", without_markup(note.title));
    std::string body;
    for (const std::uint32_t index : note.segments) {
      const Segment* segment = manifest.find(index);
      if (segment != nullptr) body += (body.empty() ? "" : " ") + markdown_of(*segment);
    }
    out += body + "\n";
  }
  out += "\n## Everything\n\n";
  for (const Segment& segment : manifest.segments) {
    if (!segment.is_kept()) continue;
    out += fmt::format("- **{}** {}\n", clock_time(ms(segment.speech_start_frame), '.'), markdown_of(segment));
  }
  return out;
}

std::string json_text(const Script& script) {
  boost::json::object json = to_json(script.manifest);
  for (std::size_t i = 0; i < script.manifest.segments.size(); ++i) {
    const Segment& segment = script.manifest.segments[i];
    boost::json::object& item = json["segments"].as_array()[i].as_object();
    item["speech_start_sec"] = script.manifest.seconds(segment.speech_start_frame);
    item["speech_end_sec"] = script.manifest.seconds(segment.speech_end_frame);
    boost::json::array& words = item["words"].emplace_array();
    for (const Word& word : script.words_of(segment.index)) {
      words.push_back({{"text", word.text},
                       {"start_frame", word.start_frame},
                       {"end_frame", word.end_frame},
                       {"confidence", word.confidence}});
    }
  }
  return json::to_pages(json);
}

// Sound.

/// Writes 16-bit samples somewhere, and silence.
class Track {
 public:
  using Append = std::function<void(std::span<const std::int16_t>)>;

  explicit Track(Append append) : append_(std::move(append)) {}

  Frame frames() const { return frames_; }

  void silence(Frame frames) {
    constexpr std::array<std::int16_t, 16384> zeros{};
    while (frames > 0) {
      const auto some = std::min<Frame>(frames, std::ssize(zeros));
      write(std::span(zeros).first(static_cast<std::size_t>(some)));
      frames -= some;
    }
  }

  /// Exactly `frames` of the file, its first `skip` left out; silence where it has no more. Says what was wrong.
  std::optional<std::string> copy(const journal::SessionFolder& folder, const fs::path& file, int rate, Frame skip,
                                  Frame frames) {
    const Frame end = frames_ + frames;
    std::optional<std::string> problem;
    try {
      audio::SoundFileReader reader = open_recording(folder, file);
      if (reader.format() != AudioFormat{rate, 1}) {
        problem = fmt::format("{} has another format than the session.", file.string());
      } else {
        std::array<float, 16384> block{};
        std::array<std::int16_t, 16384> pcm{};
        while (frames_ < end) {
          const std::size_t got = reader.read(block);
          if (got == 0) break;
          audio::to_pcm16(std::span(block).first(got), std::span(pcm).first(got));
          const auto from = static_cast<std::size_t>(std::min<Frame>(skip, static_cast<Frame>(got)));
          skip -= static_cast<Frame>(from);
          const auto wanted = static_cast<std::size_t>(std::min<Frame>(static_cast<Frame>(got - from), end - frames_));
          write(std::span(pcm).subspan(from, wanted));
        }
        if (frames_ < end) problem = fmt::format("{} is too short by {} frames.", file.string(), end - frames_);
      }
    } catch (const RecorderError& error) {
      // Of reading; what writing throws goes on.
      if (error.code() != Errc::input_unreadable && error.code() != Errc::input_not_found) throw;
      problem = error.what();
    }
    silence(end - frames_);
    return problem;
  }

 private:
  void write(std::span<const std::int16_t> samples) {
    append_(samples);
    frames_ += static_cast<Frame>(samples.size());
  }

  Append append_;
  Frame frames_ = 0;
};

std::vector<std::string> write_track(Track& track, const fs::path& session, const Manifest& manifest,
                                     AudioExtent extent) {
  const journal::SessionFolder folder(session);
  std::vector<std::string> problems;
  const auto copy = [&](const char* file, Frame skip, Frame frames) {
    if (auto problem = track.copy(folder, file, manifest.sample_rate, skip, frames))
      problems.push_back(*std::move(problem));
  };
  if (extent == AudioExtent::timeline && manifest.keep_all && folder.has(journal::kTimelineFile)) {
    copy(journal::kTimelineFile, 0, manifest.end_frame);
    return problems;
  }
  for (const Segment& segment : manifest.segments) {
    if (!segment.is_kept()) continue;
    Frame skip = 0;
    if (extent == AudioExtent::timeline) {
      track.silence(std::min(segment.start_frame, manifest.end_frame) - track.frames());
      skip = track.frames() - segment.start_frame;
    }
    const Frame frames = segment.end_frame - segment.start_frame - skip;
    const Frame room = extent == AudioExtent::timeline ? manifest.end_frame - track.frames() : frames;
    if (skip >= 0 && std::min(frames, room) > 0)
      copy(journal::segment_file(segment.index).c_str(), skip, std::min(frames, room));
  }
  if (extent == AudioExtent::timeline) track.silence(manifest.end_frame - track.frames());
  return problems;
}

/// How long the export will be; refuses what no recording can have.
Frame length_of(const Manifest& manifest, AudioExtent extent) {
  const auto most = static_cast<Frame>(kMaxSessionSec * manifest.sample_rate);
  const auto longest = static_cast<Frame>(kMaxSegmentSec * manifest.sample_rate);
  Frame kept = 0;
  for (const Segment& segment : manifest.segments) {
    if (!segment.is_kept()) continue;
    if (segment.end_frame - segment.start_frame > longest) {
      throw RecorderError(Errc::session_unreadable,
                          fmt::format("The manifest of '{}' says that segment {} lasts for more than two hours.",
                                      manifest.session, segment.index));
    }
    kept = std::min(kept + segment.end_frame - segment.start_frame, most + 1);
  }
  const Frame length = extent == AudioExtent::kept ? kept : manifest.end_frame;
  if (length > most) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("The manifest of '{}' says that it lasts for more than a year.", manifest.session));
  }
  return length;
}

template <class Writer>
std::vector<std::string> export_with(const fs::path& session, const Manifest& manifest, const fs::path& file,
                                     AudioExtent extent) {
  Writer writer(file, manifest.sample_rate);  // not where something is already
  try {
    Track track([&](std::span<const std::int16_t> samples) { writer.append(samples); });
    std::vector<std::string> problems = write_track(track, session, manifest, extent);
    writer.close();
    return problems;
  } catch (...) {
    std::error_code ignored;
    fs::remove(file, ignored);
    throw;
  }
}

}  // namespace

std::optional<TextFormat> text_format(std::string_view name) noexcept {
  if (name == "txt") return TextFormat::txt;
  if (name == "srt") return TextFormat::srt;
  if (name == "vtt") return TextFormat::vtt;
  if (name == "json") return TextFormat::json;
  if (name == "md") return TextFormat::markdown;
  return std::nullopt;
}

const std::vector<Word>& Script::words_of(std::uint32_t segment) const {
  static const std::vector<Word> none;
  const auto found = words.find(segment);
  return found == words.end() ? none : found->second;
}

Script read_script(const fs::path& session, std::optional<int> revision) {
  Script script{read_manifest(session), {}};
  Manifest folded = script.manifest.unfolded();
  std::map<std::uint32_t, std::vector<Word>> words;
  try {
    journal::JournalReader reader(session);
    while (const auto event = reader.next()) {
      const auto* complete = std::get_if<TranscriptionComplete>(&event->body);
      if (complete != nullptr && revision && complete->revision > *revision) continue;
      if (folded.apply(*event)) words[complete->segment_index] = complete->words;
    }
    if (!reader.problems().empty()) {
      throw RecorderError(Errc::session_unreadable, fmt::format("The journal of '{}' is damaged in line {}.",
                                                                folded.session, reader.problems().front().line));
    }
  } catch (const RecorderError&) {
    if (revision) throw;
    return script;
  }
  script.manifest.segments = std::move(folded.segments);
  script.words = std::move(words);
  return script;
}

std::size_t Script::without_text() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      manifest.segments, [](const Segment& segment) { return segment.is_kept() && !segment.has_text(); }));
}

std::vector<Cue> cues_of(const Script& script) {
  const int rate = script.manifest.sample_rate;
  std::vector<Cue> cues;
  for (const Segment& segment : script.manifest.segments) {
    if (!segment.is_kept() || segment.end_frame <= segment.start_frame) continue;
    Cue cue;
    TwoLines lines;
    const auto flush = [&] {
      lines = {};
      if (cue.text.empty()) return;
      cue.text = on_two_lines(std::move(cue.text));
      cues.push_back(std::exchange(cue, {}));
    };
    Frame piece_end = segment.start_frame;  // of the piece before
    for (const TimedPiece& piece : timed_pieces(segment, script.words_of(segment.index))) {
      const Frame start = std::clamp(piece.start_frame, piece_end, segment.end_frame);
      const Frame end = std::clamp(piece.end_frame, start, segment.end_frame);
      const auto seconds = [&](Frame from, Frame to) { return static_cast<double>(to - from) / rate; };
      if (seconds(cue.start_frame, end) > kMaxCueSec || seconds(piece_end, start) > kPauseSec) flush();
      if (!lines.take(piece)) {
        flush();
        lines.take(piece);
      }
      if (cue.text.empty()) cue.start_frame = start;
      cue.text += (cue.text.empty() || !piece.begins_word ? "" : " ") + piece.text;
      cue.end_frame = piece_end = end;
    }
    flush();
  }
  return cues;
}

std::string export_text(const Script& script, TextFormat format) {
  switch (format) {
    case TextFormat::txt:
      return plain(script);
    case TextFormat::srt:
      return srt(script);
    case TextFormat::vtt:
      return vtt(script);
    case TextFormat::json:
      return json_text(script);
    case TextFormat::markdown:
      return markdown(script);
  }
  return {};
}

std::vector<std::string> export_audio(const fs::path& session, const fs::path& file, AudioExtent extent) {
  const Manifest manifest = read_manifest(session);
  const Frame frames = length_of(manifest, extent);
  if (file.extension() == ".flac") return export_with<audio::FLACWriter>(session, manifest, file, extent);
  if (file.extension() != ".wav") {
    throw RecorderError(Errc::invalid_argument, fmt::format("'{}' ends neither in .wav nor in .flac.", file.string()));
  }
  constexpr Frame most = (Frame{1} << 31) - 64;  // frames of two bytes in a file with sizes of 32 bits
  if (frames > most) {
    throw RecorderError(
        Errc::invalid_argument,
        fmt::format("'{}' would grow over the 4 GiB that a WAV file holds: export FLAC.", file.string()));
  }
  return export_with<audio::WAVWriter>(session, manifest, file, extent);
}

}  // namespace dictum::session
