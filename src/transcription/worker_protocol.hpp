#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/transcriber.hpp"

/// The worker protocol: what the recorder and a transcription worker say to each other. docs/worker-protocol.md is the
/// same for people who write workers in other languages. Plain values and a parser; safe from any thread.
namespace dictum::transcription {

inline constexpr int kProtocolVersion = 1;

/// The longest JSON text of a frame. What announces more is broken or hostile.
inline constexpr std::size_t kMaxFrameBytes = std::size_t{16} << 20;

// What a worker says.

/// The ability of a worker that has the workers of other machines do its jobs.
inline constexpr std::string_view kRemote = "remote";

/// The first word of a worker, once its model is loaded: it is ready for a job.
struct Hello {
  int protocol = kProtocolVersion;
  std::string engine;                    ///< for people, for example "pocketsphinx 5"
  std::string model{};                   ///< for people; empty where the engine has none
  std::vector<std::string> languages{};  ///< BCP 47; empty: any
  std::vector<std::string>
      abilities{};                 ///< known: "words", "phrases", "partials", "vocabulary", kRemote; others are shown
  std::optional<int> cancel_ms{};  ///< a promise: a cancelled job is answered within this time
  bool operator==(const Hello&) const = default;
};

/// How far the job is, 0 to 1.
struct Progress {
  std::uint64_t id{};
  double fraction{};
  bool operator==(const Progress&) const = default;
};

/// The job's text as far as it is known; the next one replaces it.
struct Partial {
  std::uint64_t id{};
  std::string text;
  bool operator==(const Partial&) const = default;
};

/// The answer to a job. Frames count from the first frame of the job's WAV file.
struct Result {
  std::uint64_t id{};
  std::string text;
  std::vector<Word> words{};
  std::vector<DetectedPhrase> phrases{};
  std::optional<double> no_speech_probability{};
  bool suspect{};                           ///< the text may be invented; it is kept all the same
  std::map<std::string, double> timings{};  ///< of the engine, in seconds, for example "decode"
  std::string suspect_reason{};             ///< one sentence for a person
  std::vector<std::string> annotations{};   ///< what the engine wrote beside words; not part of the text
  std::string engine{};                     ///< of this text, for people; the hello's where it is empty
  std::string model{};                      ///< the same
  std::string language{};                   ///< BCP 47, of the text
  bool operator==(const Result&) const = default;
};

/// What went wrong with a job, or, without `id`, with the worker. After a fatal one the worker ends.
struct Error {
  std::optional<std::uint64_t> id{};
  std::string code = "transcription_failed";  ///< to_string(Errc), or a word of the worker's own
  std::string message{};                      ///< one sentence for a person
  bool fatal{};
  bool operator==(const Error&) const = default;
};

/// Answers a ping, also in the middle of a job.
struct Pong {
  std::uint64_t nonce{};
  bool operator==(const Pong&) const = default;
};

// What the recorder says.

/// Part of a WAV file, in frames from its beginning; `end` is exclusive.
struct FrameRange {
  Frame start{};
  Frame end{};
  bool operator==(const FrameRange&) const = default;
};

/// One piece of audio to turn into text. A worker has at most one at a time.
struct Job {
  std::uint64_t id{};                 ///< never used twice for one worker
  std::string wav;                    ///< absolute path; mono PCM16, any rate
  std::optional<FrameRange> range{};  ///< absent: the whole file. With a range the file may still be growing behind it.
  std::string language{};             ///< BCP 47, or empty for the engine's own choice
  std::string prompt{};               ///< what came before, as a hint; may be empty
  std::vector<std::string> phrases{};     ///< worth listening for
  std::vector<std::string> vocabulary{};  ///< likely to be said; the first count most
  std::string session{};                  ///< for logs
  std::uint32_t segment_index{};          ///< for logs
  int attempt = 1;                        ///< counts the workers that have been given this segment
  bool interim{};                         ///< a text of a segment that is still being spoken: quick beats good
  bool background{};                      ///< jobs that are not go first, where a worker shares others' engines
  bool operator==(const Job&) const = default;
};

/// The job's text is no longer wanted. The worker answers it all the same, with what it has or with an error
/// "cancelled".
struct Cancel {
  std::uint64_t id{};
  bool operator==(const Cancel&) const = default;
};

struct Ping {
  std::uint64_t nonce{};
  bool operator==(const Ping&) const = default;
};

/// The worker ends, as it does when its input ends.
struct Shutdown {
  bool operator==(const Shutdown&) const = default;
};

using Message = std::variant<Hello, Progress, Partial, Result, Error, Pong, Job, Cancel, Ping, Shutdown>;

/// The message's `type` as it stands in JSON.
std::string_view type_name(const Message& message) noexcept;

/// The message as a frame: its length (u32, little-endian) and its JSON. Throws RecorderError(worker_protocol) where it
/// would be too long.
std::string encode(const Message& message);

/// The message of one frame's JSON. Unknown fields are passed over, so that later versions can add some. Throws
/// RecorderError(worker_protocol) for everything else that is not exactly a message.
Message decode(std::string_view json);

/// Cuts a stream of bytes into messages. Lives on one thread at a time; holds at most one frame and what was fed at
/// once. A stream that threw once is broken for good: every later call throws too.
class FrameReader {
 public:
  void feed(std::span<const std::byte> bytes);

  /// Frames that begin from now on may have so many bytes, at most kMaxFrameBytes.
  void limit(std::size_t max_frame_bytes) { max_frame_bytes_ = std::min(max_frame_bytes, kMaxFrameBytes); }

  /// The next whole message, or nothing yet. Throws RecorderError(worker_protocol).
  std::optional<Message> next();

  /// True where the stream may end without cutting a frame in two.
  bool at_boundary() const noexcept { return begin_ == buffer_.size(); }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;  // what lies before is done with
  std::size_t max_frame_bytes_ = kMaxFrameBytes;
  bool broken_ = false;
};

}  // namespace dictum::transcription
