#include "audio/decoder_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include "audio/format.hpp"
#include "base/own_programs.hpp"
#include "base/pipe.hpp"
#include "base/sanitized.hpp"
#include "base/spawn_options.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMemoryCap = 512U << 20;
constexpr auto kNothing = 0ms;
constexpr std::size_t kMaxNotices = 100;  // not taken yet

std::string hexadecimal(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

}  // namespace

std::optional<DecoderProgram> find_decoder() {
  auto decoder = find_own_program("dictum-decoder");
  auto guard = find_own_program("dictum-guard");
  if (!decoder || !guard) return std::nullopt;
  return DecoderProgram{*std::move(decoder), *std::move(guard)};
}

DecoderProcess::DecoderProcess(const DecoderProgram& program, UniqueFD input, std::span<const std::byte> taken,
                               std::string name, std::chrono::milliseconds deadline)
    : name_(std::move(name)) {
  start(program, std::move(input), taken);
  try {
    read_format(deadline);
  } catch (...) {
    stop();
    throw;
  }
}

DecoderProcess::~DecoderProcess() {
  stop();
}

void DecoderProcess::start(const DecoderProgram& program, UniqueFD input, std::span<const std::byte> taken) {
  const auto require = [&](bool ok, std::string_view step) {
    if (ok) return;
    throw RecorderError(Errc::input_unreadable,
                        fmt::format("{} cannot be decoded, since {} cannot be started ({}: {}).", name_,
                                    program.decoder.string(), step, std::generic_category().message(errno)));
  };
  Pipe output;
  require(static_cast<bool>(output), "pipe");
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  UniqueFD lifeline = above_standard(UniqueFD(ends[0]));
  const UniqueFD their_lifeline = above_standard(UniqueFD(ends[1]));
  require(lifeline && their_lifeline, "socketpair");
  const UniqueFD in = above_standard(std::move(input));
  const UniqueFD errors = above_standard(UniqueFD(::open("/dev/null", O_WRONLY | O_CLOEXEC)));
  require(in && errors, "open");

  SpawnOptions options;
  const std::pair<int, int> places[] = {
      {in.get(), 0}, {output.writing.get(), 1}, {errors.get(), 2}, {their_lifeline.get(), 3}};
  for (const auto& [from, to] : places) options.place(from, to);

  std::vector<std::string> words{program.guard.string(), std::to_string(::getpid()),
                                 std::to_string(kSanitized ? 0 : kMemoryCap), program.decoder.string(),
                                 hexadecimal(taken)};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<std::string> variables;  // no others: they may hold keys
  for (const char* const variable : {"TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* const value = std::getenv(variable)) variables.push_back(fmt::format("{}={}", variable, value));
  }
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  errno = ::posix_spawn(&pid_, program.guard.c_str(), options.actions(), options.attributes(), arguments.data(),
                        environment.data());
  if (errno != 0) pid_ = -1;
  require(pid_ > 0, "posix_spawn");
  lifeline_ = std::move(lifeline);
  output_.emplace(std::move(output.reading));
}

// The guard kills the decoder when its lifeline ends. It takes milliseconds; after half a second it is killed itself.
void DecoderProcess::stop() noexcept {
  is_over_ = true;
  lifeline_.reset();
  const pid_t pid = std::exchange(pid_, -1);
  if (pid <= 0) return;
  if (output_) {  // ends with the last process that holds the other side
    const auto deadline = std::chrono::steady_clock::now() + 500ms;
    while (!output_->has_ended() && std::chrono::steady_clock::now() < deadline) {
      output_->consume(output_->bytes().size());
      output_->receive(50ms, 64 * 1024);
    }
    if (!output_->has_ended()) ::kill(-pid, SIGKILL);
  }
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0) {
    ::kill(-pid, SIGKILL);  // while the guard is a zombie its group's number belongs to nobody else
    ::waitpid(pid, nullptr, 0);
  }
}

// True once a whole message is here (of audio: its head and a frame at least).
bool DecoderProcess::next_message() {
  const auto bytes = output_->bytes();
  if (!has_head_) {
    if (bytes.size() < sizeof head_) return false;
    std::memcpy(&head_, bytes.data(), sizeof head_);
    if (head_.size > decoder::kMaxMessage) {
      break_off("it answered in a way that no decoder does");
      return false;
    }
    output_->consume(sizeof head_);
    has_head_ = true;
    message_left_ = head_.size;
  }
  if (head_.kind == decoder::MessageKind::audio) {
    return message_left_ == 0 ||
           output_->bytes().size() >= sizeof(float) * static_cast<std::size_t>(std::max(format_.channels, 1));
  }
  return output_->bytes().size() >= message_left_;
}

std::string DecoderProcess::text() const {
  constexpr std::size_t kMaxText = 400;
  const auto bytes = output_->bytes().first(std::min(message_left_, kMaxText));
  return utf8::on_one_line({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void DecoderProcess::read_format(std::chrono::milliseconds deadline) {
  const auto fail = [this](Errc code, std::string_view why) {
    throw RecorderError(code, fmt::format("{} {}", name_, why));
  };
  auto received_at = std::chrono::steady_clock::now();
  for (;;) {
    while (next_message()) {
      received_at = std::chrono::steady_clock::now();
      if (head_.kind == decoder::MessageKind::format && message_left_ == sizeof(decoder::Format)) {
        decoder::Format format;
        std::memcpy(&format, output_->bytes().data(), sizeof format);
        format_ = {.sample_rate = format.sample_rate, .channels = format.channels};
        require_usable(format_, name_);
        frames_ = std::max<std::int64_t>(format.frames, -1);
      } else if (head_.kind == decoder::MessageKind::refusal) {
        fail(Errc::input_unreadable, text());
      } else if (head_.kind == decoder::MessageKind::notice && notices_.size() < kMaxNotices) {
        notices_.push_back(fmt::format("{} {}", name_, text()));
      } else if (head_.kind != decoder::MessageKind::progress) {
        fail(Errc::input_unreadable, "could not be decoded: the decoder broke its protocol.");
      }
      output_->consume(message_left_);
      has_head_ = false;
      if (format_.channels > 0) return;
    }
    if (output_->has_ended()) {
      fail(Errc::input_unreadable,
           "could not be decoded: the decoder ended without a word; convert it to WAV or FLAC.");
    }
    const auto waited = std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - received_at);
    if (waited >= deadline) {
      fail(Errc::timed_out, fmt::format("gave no audio within {} ms: check what writes to it.", deadline.count()));
    }
    output_->receive(deadline - waited, 64 * 1024);
  }
}

void DecoderProcess::break_off(std::string_view why) {
  if (is_over_) return;
  notices_.push_back(fmt::format("{} could be decoded in part only: {}.", name_, why));
  stop();
}

// A decoder that a file has taken over may send words for ever, where nobody must wait and no memory may grow.
bool DecoderProcess::is_flood() {
  constexpr int kMaxMessagesWithoutAudio = 1000;
  return ++messages_without_audio_ > kMaxMessagesWithoutAudio;
}

SampleReader::Step DecoderProcess::read(std::span<float> interleaved) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t frame = channels * sizeof(float);
  Step step;
  while (!is_over_ && step.frames < interleaved.size() / channels) {
    if (!next_message()) {
      if (is_over_) break;
      if (output_->has_ended()) {
        break_off("the decoder ended before the sound did");
        break;
      }
      if (output_->receive(kNothing, 256 * 1024) == ByteInput::Arrival::nothing) {
        step.state = State::waiting;
        return step;
      }
      continue;
    }
    switch (head_.kind) {
      case decoder::MessageKind::audio: {
        const std::size_t count =
            std::min({message_left_, output_->bytes().size(), (interleaved.size() / channels - step.frames) * frame}) /
            frame * frame;
        if ((count == 0 && message_left_ > 0) || (message_left_ == 0 && is_flood())) {
          break_off("the decoder broke its protocol");
          break;
        }
        std::memcpy(interleaved.data() + step.frames * channels, output_->bytes().data(), count);
        output_->consume(count);
        message_left_ -= count;
        step.frames += count / frame;
        if (count > 0) messages_without_audio_ = 0;
        has_head_ = message_left_ > 0;
        continue;
      }
      case decoder::MessageKind::progress:
        if (is_flood()) break_off("the decoder broke its protocol");
        break;
      case decoder::MessageKind::notice:
        if (notices_.size() >= kMaxNotices || is_flood()) {
          break_off("the decoder broke its protocol");
          break;
        }
        notices_.push_back(fmt::format("{} {}", name_, text()));
        break;
      case decoder::MessageKind::end:
        stop();
        break;
      default:
        break_off("the decoder broke its protocol");
    }
    output_->consume(std::min(message_left_, output_->bytes().size()));
    has_head_ = false;
  }
  if (is_over_) step.state = State::over;
  return step;
}

void DecoderProcess::wait(std::chrono::milliseconds patience) {
  if (is_over_) return;
  output_->receive(patience, 256 * 1024);
}

}  // namespace dictum::audio
