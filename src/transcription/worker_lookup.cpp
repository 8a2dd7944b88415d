#include "transcription/worker_lookup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>
#include <system_error>
#include <variant>

#include "base/model_folders.hpp"
#include "base/own_programs.hpp"
#include "base/timer.hpp"
#include "base/utf8.hpp"
#include "base/xdg.hpp"
#include "dictum/error.hpp"
#include "transcription/worker_process.hpp"
#include "transcription/worker_text.hpp"

namespace dictum::transcription {
namespace {

namespace fs = std::filesystem;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

std::optional<fs::path> find_program(std::string_view file) {
  for (const fs::path& folder : worker_folders()) {
    if (fs::path path = folder / file; is_program(path)) return path;
  }
  return std::nullopt;
}

}  // namespace

std::vector<fs::path> worker_folders() {
  std::vector<fs::path> folders = program_folders();
  for (const fs::path folder : path_entries()) {
    if (folder.is_absolute() && std::ranges::find(folders, folder) == folders.end()) folders.push_back(folder);
  }
  return folders;
}

std::vector<std::string> ignored_worker_folders() {
  std::vector<std::string> sentences;
  const auto check = [&](const char* variable, const std::string& folder) {
    if (fs::path(folder).is_absolute()) return;
    sentences.push_back(fmt::format("Transcribers are not looked for in \"{}\" of {}: write an absolute path.",
                                    utf8::on_one_line(folder), variable));
  };
  if (const std::string folder = environment("DICTUM_WORKER_DIR"); !folder.empty()) check("DICTUM_WORKER_DIR", folder);
  for (const std::string& folder : path_entries()) check("PATH", folder);
  return sentences;
}

fs::path find_worker(std::string_view name) {
  if (!is_name(name)) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("\"{}\" cannot be the name of a transcriber: names consist of a-z, 0-9 and -.",
                                    utf8::on_one_line(name)));
  }
  if (const auto path = find_program(fmt::format("{}{}", kWorkerPrefix, name))) return *path;
  std::string others;
  for (const InstalledWorker& worker : list_workers()) others += (others.empty() ? "" : ", ") + worker.name;
  std::string ignored;
  for (const std::string& sentence : ignored_worker_folders()) ignored += " " + sentence;
  throw RecorderError(
      Errc::transcriber_missing,
      fmt::format(
          "No transcriber named \"{0}\": no program {1}{0} was found. Choose one that is installed ({2}), or put "
          "{1}{0} into a folder of PATH or into DICTUM_WORKER_DIR.{3}",
          name, kWorkerPrefix, others.empty() ? "none is" : others, ignored));
}

fs::path find_guard() {
  if (const auto path = find_program("dictum-guard")) return *path;
  throw RecorderError(
      Errc::transcriber_missing,
      "The program dictum-guard, which starts transcribers, was not found beside dictum or in its libexec folder. "
      "Install Dictum again.");
}

std::vector<InstalledWorker> list_workers() {
  std::map<std::string, fs::path> found;
  for (const fs::path& folder : worker_folders()) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (!file.starts_with(kWorkerPrefix)) continue;
      const std::string name = file.substr(kWorkerPrefix.size());
      if (is_name(name) && is_program(entry->path())) found.try_emplace(name, entry->path());
    }
  }
  std::vector<InstalledWorker> workers;
  for (auto& [name, path] : found) workers.push_back({name, path});
  return workers;
}

std::string resolve_transcriber(std::string_view name) {
  if (name != "auto") return std::string(name);
  return why_not_whisper() ? "pocketsphinx" : "whisper";
}

std::optional<EventError> why_not_whisper() {
  if (!find_program(fmt::format("{}whisper", kWorkerPrefix))) {
    return EventError{std::string(to_string(Errc::transcriber_missing)),
                      "Whisper is not in this build, so PocketSphinx transcribes, with many more errors. Run `./setup "
                      "--retry` and build again."};
  }
  if (installed_model_files().empty()) {
    return EventError{std::string(to_string(Errc::model_missing)),
                      "No Whisper model is installed, so PocketSphinx transcribes, with many more errors. Run `dictum "
                      "models pull base-q8_0`."};
  }
  return std::nullopt;
}

void require_whisper_model() {
  if (!installed_model_files().empty()) return;
  throw RecorderError(Errc::model_missing, "No Whisper model is installed. Run `dictum models pull base-q8_0`.");
}

Hello probe(const fs::path& executable, const std::string& model, std::chrono::milliseconds timeout) {
  std::optional<Hello> hello;
  std::string problem = fmt::format("The transcriber {} did not say hello within {} ms.",
                                    utf8::on_one_line(executable.string()), timeout.count());
  boost::asio::io_context context;
  const auto timer = SystemTimers().make_timer(context.get_executor());
  timer->start(timeout, [&] { context.stop(); });
  WorkerCommand command{.executable = executable, .arguments = {}, .environment = {}, .guard = find_guard()};
  if (!model.empty()) command.arguments = {"--model", model};
  WorkerEvents events;
  events.on_message = [&](Message message) {
    if (auto* const said = std::get_if<Hello>(&message)) hello = std::move(*said);
    if (const auto* const error = std::get_if<Error>(&message)) problem = for_people(error->message);
    context.stop();
  };
  events.on_end = [&](WorkerFailure failure) {
    problem = std::move(failure.message);
    context.stop();
  };
  const auto worker = start_worker_process(context.get_executor(), command, std::move(events));
  context.run();
  if (!hello) throw RecorderError(Errc::transcriber_missing, problem);
  return *std::move(hello);
}

}  // namespace dictum::transcription
