// dictum-worker-simulated [--script FILE]: a worker that does what a script says (simulated_script.hpp), good and bad.
// Without the option the script is the file that DICTUM_SIMULATED_SCRIPT names; without either it answers "segment N".

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"
#include "simulated_script.hpp"
#include "transcription/worker_main.hpp"
#include "worker_audio.hpp"

namespace dictum {
namespace {

using namespace transcription;
using Behaviour = SimulatedStep::Behaviour;

constexpr Frame kWordFrames = 8000;

void append_line(const std::filesystem::path& log, const std::string& line) {
  if (log.empty()) return;
  const UniqueFD file(::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (::write(file.get(), line.data(), line.size()) < 0) throw RecorderError(Errc::output_unwritable, log.string());
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

void start_grandchild() {
  if (::fork() != 0) return;
  ::setsid();
  hang();
}

/// Takes memory, and touches it, until there is none.
void grow() {
  constexpr std::size_t kStep = std::size_t{1} << 20;
  std::vector<std::unique_ptr<char[]>> blocks;
  while (blocks.size() < 1024) {
    blocks.push_back(std::make_unique_for_overwrite<char[]>(kStep));
    std::memset(blocks.back().get(), 1, kStep);
  }
}

/// The words of `text`, each as long as `spoken` takes it.
std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> words;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    const auto start = static_cast<Frame>(words.size()) * kWordFrames;
    words.push_back({word, start, start + kWordFrames, 1});
  }
  return words;
}

/// Part of `text` that has been said after so many frames: word by word.
std::string spoken(const std::string& text, Frame frames) {
  std::size_t end = 0;
  for (Frame words = frames / kWordFrames; words > 0 && end < text.size(); --words) {
    end = std::min(text.find(' ', end + 1), text.size());
  }
  return text.substr(0, end);
}

/// How many samples the job gave, and what they were.
std::string fingerprint(const Job& job) {
  const auto audio = workers::read_worker_audio(job.wav, job.range);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const std::int16_t sample : workers::to_pcm16(audio.samples)) {
    hash = (hash ^ static_cast<std::uint16_t>(sample)) * 0x100000001b3;
  }
  return fmt::format("{} samples, {:016x}", audio.samples.size(), hash);
}

class SimulatedEngine final : public WorkerEngine {
 public:
  /// `channel` is a second way to the recorder, past everything that keeps a worker well-behaved.
  SimulatedEngine(SimulatedScript script, int channel) : script_(std::move(script)), channel_(channel) {
    append_line(script_.log, fmt::format("hello {}\n", ::getpid()));
    wait(script_.hello.delay, {});
    misbehave(script_.hello.behaviour, "the script says so");
  }

  Hello describe() const override {
    return {.protocol = script_.hello.protocol,
            .engine = "simulated",
            .model = "script",
            .languages = {},
            .abilities = {"partials"},
            .cancel_ms = script_.hello.cancel_ms};
  }

  Result transcribe(const Job& job, std::stop_token cancelled, JobSink& sink) override {
    append_line(script_.log, fmt::format("{} {} {} {}\n", job.interim ? "interim" : "job", job.segment_index,
                                         job.attempt, ::getpid()));
    SimulatedStep step = script_.step(job.segment_index, job.attempt);
    if (job.interim) {
      const Frame frames = job.range ? job.range->end - job.range->start : 0;
      const std::string text = spoken(step.text, frames);
      step = script_.interim;
      step.text = text;
    }
    if (step.grandchild) start_grandchild();
    if (step.ignores_cancel) cancelled = {};
    for (const std::string& text : step.partials) {
      wait(step.latency / static_cast<int>(step.partials.size() + 1), cancelled);
      sink.partial(text);
    }
    wait(step.latency / static_cast<int>(step.partials.size() + 1), cancelled);

    Result result{.id = job.id, .text = step.text};
    if (step.words) result.words = words_of(step.text);
    if (step.audio) result.annotations.push_back(fingerprint(job));
    if (step.behaviour == Behaviour::twice) {
      std::thread([this, frame = encode(result)] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));  // behind the right answer
        send(frame);
      }).detach();
    }
    if (step.behaviour == Behaviour::flood) {
      for (;;) sink.partial(step.text);
    }
    misbehave(step.behaviour, step.message);
    return result;
  }

 private:
  void wait(std::chrono::milliseconds time, const std::stop_token& cancelled) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any nothing;
    nothing.wait_for(lock, cancelled, time, [] { return false; });
    if (cancelled.stop_requested()) throw RecorderError(Errc::cancelled, "the job was cancelled");
  }

  void misbehave(Behaviour behaviour, const std::string& message) {
    switch (behaviour) {
      case Behaviour::error:
        throw RecorderError(Errc::transcription_failed, message);
      case Behaviour::crash:
        ::raise(SIGSEGV);
        break;
      case Behaviour::leave:
        std::_Exit(0);
      case Behaviour::hang:
        hang();
      case Behaviour::freeze:
        ::raise(SIGSTOP);
        break;
      case Behaviour::garbage:
        send("Loading model... done\n");
        break;
      case Behaviour::giant:
        send("\xff\xff\xff\x7f{");
        break;
      case Behaviour::grow:
        grow();
        break;
      case Behaviour::answer:
      case Behaviour::flood:
      case Behaviour::twice:
        break;
    }
  }

  void send(const std::string& bytes) {
    if (::write(channel_, bytes.data(), bytes.size()) < 0) std::_Exit(1);
  }

  const SimulatedScript script_;
  const int channel_;
};

SimulatedScript script_of(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view(argv[i]) == "--script") return SimulatedScript::load(argv[i + 1]);
  }
  const char* const file = std::getenv("DICTUM_SIMULATED_SCRIPT");
  return file != nullptr && *file != '\0' ? SimulatedScript::load(file) : SimulatedScript();
}

}  // namespace
}  // namespace dictum

int main(int argc, char** argv) {
  const dictum::UniqueFD channel(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  return dictum::transcription::run_worker(
      [&] { return std::make_unique<dictum::SimulatedEngine>(dictum::script_of(argc, argv), channel.get()); });
}
