#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/analysis.hpp"
#include "dictum/devices.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/settings.hpp"
#include "dictum/text.hpp"
#include "dictum/transcribers.hpp"
#include "models/model_choice.hpp"
#include "output.hpp"

namespace dictum::program {
namespace {

constexpr std::uintmax_t kFewBytes = 1'000'000'000;

/// One finding a line; what is missing comes with how to get it.
class Report {
 public:
  void good(std::string_view what, const std::string& detail) { line("ok", what, detail); }
  void bad(std::string_view what, const std::string& detail) {
    ++missing_;
    line("!!", what, detail);
  }
  void note(std::string_view what, const std::string& detail) { line("--", what, detail); }
  int missing() const { return missing_; }

 private:
  static void line(std::string_view mark, std::string_view what, const std::string& detail) {
    print("{}  {:<14} {}\n", mark, what, detail);
  }
  int missing_ = 0;
};

bool uses_vocabulary(const RecorderConfig& config) {
  return !config.transcription.vocabulary.empty() || !config.transcription.vocabulary_file.empty();
}

void examine_detector(Report& report) {
  if (has_silero_model()) {
    report.good("speech", "Silero VAD 6.2, 16 kHz, inside this program");
  } else {
    report.bad("speech",
               "no Silero model in this build, so speech is found by its energy only: run ./setup and build again");
  }
}

void examine_transcribers(Report& report, const RecorderConfig& config) {
  const std::string chosen = auto_transcriber();
  bool usable = false;
  for (const std::string& sentence : ignored_transcriber_folders()) {
    report.note("transcriber", sentence);
  }
  for (const auto& worker : list_transcribers()) {
    const std::string name = "transcriber";
    try {
      const TranscriberInfo info = probe_transcriber(worker);
      usable = usable || worker.name == chosen;
      report.good(name, fmt::format("{}{}: {}, model {}", worker.name, worker.name == chosen ? " (auto)" : "",
                                    info.engine, info.model));
      if (uses_vocabulary(config) && std::ranges::find(info.abilities, "vocabulary") == info.abilities.end()) {
        report.note("vocabulary",
                    fmt::format("{} cannot take one: the configured vocabulary has no effect with it. Use "
                                "Whisper, or [transcription.replacements]",
                                worker.name));
      }
    } catch (const RecorderError& error) {
      if (worker.name == chosen) {
        report.bad(name, fmt::format("{}: {}", worker.name, error.what()));
      } else {
        report.note(name, fmt::format("{}: {}", worker.name, error.what()));
      }
    }
  }
  if (!usable) {
    report.bad("transcriber",
               fmt::format("{} cannot be used: install pocketsphinx-en-us and build with libpocketsphinx-dev, "
                           "or record with --no-transcribe",
                           chosen));
  }
}

void examine_privacy(Report& report, const RecorderConfig& config) {
  report.note("speech", where_speech_goes(config));
}

/// The Whisper models that are here, and how quick each was found to be.
void examine_models(Report& report) {
  if (const auto lack = why_not_whisper()) {
    report.note("Whisper", lack->message);
    return;
  }
  const auto files = models::by_quality(models::ModelStore::of_user());
  const auto speeds = models::SpeedCache::of_user();
  const auto chosen = models::choose(files, speeds);
  for (const auto& file : files) {
    const auto seconds = speeds.find(file);
    const std::string speed = !seconds                             ? "its speed here was not measured yet"
                              : *seconds < models::kKeepsUpSeconds ? fmt::format("{:.1f} s for a sentence", *seconds)
                                                                   : "too slow for this machine";
    report.good("model", fmt::format("{}{}: {}, {}", models::name_of(file), file == chosen ? " (auto)" : "", speed,
                                     file.parent_path().string()));
  }
}

void examine_tui(Report& report) {
#ifdef DICTUM_TUI
  report.good("terminal UI", "FTXUI, inside this program");
#else
  report.bad("terminal UI", "not in this build, since FTXUI was not there: run ./setup and build again");
#endif
}

void examine_devices(Report& report, const RecorderConfig& config) {
  try {
    const auto devices = list_devices(config.capture.backend);
    for (const auto& device : devices) {
      if (device.is_monitor) continue;
      const std::string name = fmt::format("{}{}", device.description, device.is_default ? " (default)" : "");
      if (device.is_muted && device.is_default) {
        report.bad("microphone", name + " is muted, or its volume is 0: change that in the sound settings");
      } else {
        report.good("microphone", name + (device.is_muted ? ", muted" : ""));
      }
    }
    if (std::ranges::all_of(devices, [](const auto& device) { return device.is_monitor; })) {
      report.bad("microphone", "none was found: connect one, or record a file with --input FILE");
    }
  } catch (const RecorderError& error) {
    report.bad("microphone", error.what());
  }
}

void examine_places(Report& report, const RecorderConfig& config, const std::filesystem::path& file) {
  report.good("configuration", file.empty() ? "no file; the defaults hold" : file.string());
  std::filesystem::path folder = session_root(config);
  const std::string shown = folder.string();
  while (!folder.empty() && !std::filesystem::exists(folder) && folder != folder.parent_path())
    folder = folder.parent_path();
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (::access(folder.c_str(), W_OK) != 0) {
    report.bad("sessions", fmt::format("{} cannot be written: choose another folder with --output-dir", shown));
  } else if (!error && space.available < kFewBytes) {
    report.bad("sessions", fmt::format("{} has only {} of free space", shown, size_text(space.available)));
  } else {
    report.good("sessions", fmt::format("{}, {} free", shown, size_text(space.available)));
  }
}

ExitCode doctor(const RecorderConfig& config, const std::filesystem::path& file) {
  print("dictum {}\n", DICTUM_VERSION);
  Report report;
  examine_detector(report);
  examine_transcribers(report, config);
  examine_privacy(report, config);
  examine_models(report);
  examine_devices(report, config);
  examine_tui(report);
  examine_places(report, config, file);
  return report.missing() == 0 ? ExitCode::success : ExitCode::failure;
}

}  // namespace

void add_doctor_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("doctor", "Say what is installed, what is missing, and how to get it");
  auto flags = std::make_shared<ConfigFlags>(*command);
  flags->add_root({"transcription"});
  command->callback([flags, &code] { code = doctor(flags->resolve({}), flags->file()); });
}

}  // namespace dictum::program
