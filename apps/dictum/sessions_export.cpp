#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "dictum/sessions.hpp"
#include "output.hpp"
#include "session/exporter.hpp"
#include "session/library.hpp"
#include "session/new_file.hpp"
#include "sessions_verbs.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string session;
  std::string file;
  std::string format;
  std::optional<int> revision;
  bool timeline = false;
};

/// An export with texts missing is no success, though what there is has been written.
ExitCode report_missing_texts(const session::Script& script, const fs::path& path) {
  const std::size_t missing = script.without_text();
  if (missing == 0) return ExitCode::success;
  const auto& segments = script.manifest.segments;
  const auto kept = std::ranges::count_if(segments, &session::Segment::is_kept);
  const char* const command = !script.manifest.transcribes ? "retranscribe" : "resume --failed";
  print_error("{} of {} segments {} no text, which the export says in its place: dictum {} {}", missing, kept,
              missing == 1 ? "has" : "have", command, path.string());
  return ExitCode::failure;
}

ExitCode export_session(const fs::path& root, const Options& options) {
  const fs::path path = find_session(root, options.session);
  std::string format = options.format;
  if (format.empty()) format = fs::path(options.file).extension().string();
  if (format.starts_with('.')) format.erase(0, 1);
  if (const auto text = session::text_format(format)) {
    const session::Script script = session::read_script(path, options.revision);
    const std::string content = session::export_text(script, *text);
    if (options.file == "-") {
      print_document(content);
    } else {
      session::write_new_file(options.file, content);
    }
    return report_missing_texts(script, path);
  }
  if (format != "wav" && format != "flac") {
    throw UsageError(
        fmt::format("'{}' is no format: FILE ends in .txt, .srt, .vtt, .json, .md, .flac or .wav, or "
                    "--format says which",
                    format));
  }
  if (options.file == "-") throw UsageError("sound is exported to a file, not to standard output");
  const auto problems = session::export_audio(
      path, options.file, options.timeline ? session::AudioExtent::timeline : session::AudioExtent::kept);
  for (const auto& problem : problems) print_error("{}", utf8::on_one_line(problem));
  return problems.empty() ? ExitCode::success : ExitCode::failure;
}

}  // namespace

void add_export_verb(CLI::App& sessions, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_verb<Options>(sessions, code, "export", "Export a session as text, subtitles or audio", options,
                        [](const fs::path& root, Options& given) { return export_session(root, given); });
  command->add_option("SESSION", options->session, kSessionHelp)->required();
  command
      ->add_option("FILE", options->file, "ends in .txt, .srt, .vtt, .json, .md, .flac or .wav; - is standard output")
      ->required();
  command->add_option("--format", options->format, "in place of FILE's ending");
  command->add_option("--revision", options->revision, "the texts as they were then; 0 is the first")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--timeline", options->timeline,
                    "sound: the whole timeline, silence in the place of what was not kept");
}

}  // namespace dictum::program
