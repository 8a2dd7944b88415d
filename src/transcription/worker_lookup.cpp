#include "transcription/worker_lookup.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>
#include <system_error>
#include <variant>

#include "base/model_folders.hpp"
#include "base/xdg.hpp"
#include "dictum/error.hpp"
#include "transcription/alarm.hpp"
#include "transcription/worker_process.hpp"

namespace dictum::transcription {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "dictum-worker-";

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

/// The folder of the library, or of the program, that this code is part of.
fs::path own_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code ignored;
  return fs::canonical(info.dli_fname, ignored).parent_path();
}

fs::path program_folder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

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
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    // A relative folder would make what runs depend on where one stands.
    if (folder.is_absolute() && std::ranges::find(folders, folder) == folders.end()) folders.push_back(folder);
  };
  if (const std::string folder = environment("DICTUM_WORKER_DIR"); !folder.empty()) add(fs::absolute(folder));
  if (const fs::path own = own_folder(); !own.empty()) {
    add((own / "../libexec/dictum").lexically_normal());     // PREFIX/bin and PREFIX/lib
    add((own / "../../libexec/dictum").lexically_normal());  // PREFIX/lib/x86_64-linux-gnu
    add(own);
  }
  add(program_folder());
  const std::string path = environment("PATH");
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    add(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

fs::path find_worker(std::string_view name) {
  if (!is_name(name)) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("\"{}\" cannot be a transcriber: names are made of a-z, 0-9 and -", name));
  }
  if (const auto path = find_program(fmt::format("{}{}", kPrefix, name))) return *path;
  std::string others;
  for (const InstalledWorker& worker : list_workers()) others += (others.empty() ? "" : ", ") + worker.name;
  throw RecorderError(
      Errc::transcriber_missing,
      fmt::format(
          "there is no transcriber {0}: put a program {1}{0} on PATH or into DICTUM_WORKER_DIR, or choose one of "
          "those that are installed ({2})",
          name, kPrefix, others.empty() ? "none" : others));
}

fs::path find_guard() {
  if (const auto path = find_program("dictum-guard")) return *path;
  throw RecorderError(
      Errc::transcriber_missing,
      "dictum-guard, which transcribers are started with, is missing: it belongs beside dictum or in its "
      "libexec folder, so install Dictum again");
}

std::vector<InstalledWorker> list_workers() {
  std::map<std::string, fs::path> found;
  for (const fs::path& folder : worker_folders()) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (!file.starts_with(kPrefix)) continue;
      const std::string name = file.substr(kPrefix.size());
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
  if (!find_program(fmt::format("{}whisper", kPrefix))) {
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

Hello probe(const fs::path& executable, const std::string& model, std::chrono::milliseconds timeout) {
  std::optional<Hello> hello;
  std::string problem = fmt::format("{} did not say hello within {} ms", executable.string(), timeout.count());
  boost::asio::io_context context;
  Alarm alarm(context.get_executor());
  alarm.set(timeout, [&] { context.stop(); });
  WorkerCommand command{.executable = executable, .arguments = {}, .environment = {}, .guard = find_guard()};
  if (!model.empty()) command.arguments = {"--model", model};
  WorkerProcess process(context.get_executor(), command,
                        {.on_message =
                             [&](Message message) {
                               if (auto* const said = std::get_if<Hello>(&message)) hello = std::move(*said);
                               if (const auto* const error = std::get_if<Error>(&message)) problem = error->message;
                               context.stop();
                             },
                         .on_end =
                             [&](WorkerEnd end) {
                               problem = std::move(end.message);
                               context.stop();
                             }});
  context.run();
  if (!hello) throw RecorderError(Errc::transcriber_missing, problem);
  return *std::move(hello);
}

}  // namespace dictum::transcription
