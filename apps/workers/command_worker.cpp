// dictum-worker-command: any program that takes a WAV and prints text, started anew for each segment.
//
//   DICTUM_COMMAND   what to run: a JSON array of strings with {wav} and {model}, or the preset whisper-cli (the
//   default)
//   --model MODEL    what {model} stands for: a file, or the name of an installed model

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/own_programs.hpp"
#include "child_process.hpp"
#include "command_template.hpp"
#include "dictum/error.hpp"
#include "models/model_store.hpp"
#include "plain_text.hpp"
#include "temporary_wav.hpp"
#include "transcription/worker_main.hpp"
#include "worker_audio.hpp"
#include "worker_options.hpp"

namespace dictum::workers {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;

std::string command_text() {
  const char* text = std::getenv("DICTUM_COMMAND");
  return text == nullptr || *text == '\0' ? "whisper-cli" : text;
}

/// Found now rather than at the first segment: a recorder that starts can still say so.
void require_program(const std::string& program) {
  if (!find_command(program).empty()) return;
  throw RecorderError(
      Errc::transcriber_missing,
      fmt::format("there is no program {} to run in the absolute folders of PATH: install it, or name another in "
                  "DICTUM_COMMAND",
                  program));
}

/// Lives on the worker's main thread. A cancelled job is answered as soon as its program is killed.
class CommandWorker final : public transcription::WorkerEngine {
 public:
  explicit CommandWorker(const WorkerOptions& options) : command_(CommandTemplate::parse(command_text())) {
    require_program(command_.program());
    if (!command_.needs_model()) return;
    if (options.model.empty()) {
      throw RecorderError(
          Errc::model_missing,
          fmt::format("{} needs a model: name one, `dictum models list` shows them", command_.program()));
    }
    model_ = models::ModelStore::of_user().resolve(options.model);
  }

  transcription::Hello describe() const override {
    transcription::Hello hello;
    hello.engine = "command " + command_.program();
    hello.model = model_.filename();
    return hello;
  }

  transcription::Result transcribe(const transcription::Job& job, std::stop_token cancelled,
                                   transcription::JobSink& /*sink*/) override {
    const WorkerAudio audio = read_worker_audio(job.wav, job.range);
    if (audio.samples.empty()) return {};
    // Programs want a whole file, and many of them 16 kHz.
    std::optional<TemporaryWAV> copy;
    std::string wav = job.wav;
    if (job.range || audio.sample_rate != kEngineRate) wav = copy.emplace(audio.samples).path();

    const auto begin = std::chrono::steady_clock::now();
    const ChildOutput output =
        run_child(command_.filled(wav, model_.string()), kMaxTextBytes, cancelled, copy ? copy->descriptor() : -1);
    if (output.exit_code != 0) {
      const std::string end = output.exit_code > 0 ? fmt::format("ended with exit code {}", output.exit_code)
                                                   : fmt::format("was ended by signal {}", -output.exit_code);
      throw RecorderError(
          Errc::transcription_failed,
          fmt::format("{} {}{}{}", command_.program(), end, output.last_words.empty() ? "" : ": ", output.last_words));
    }
    transcription::Result result;
    result.text = plain_text(output.text);
    result.timings["program"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result;
  }

 private:
  const CommandTemplate command_;
  std::filesystem::path model_;
};

}  // namespace
}  // namespace dictum::workers

int main(int argc, char** argv) {
  const auto options = dictum::workers::parse_options(argc, argv);
  if (!options) return 2;
  return dictum::transcription::run_worker([&] { return std::make_unique<dictum::workers::CommandWorker>(*options); });
}
