#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "dictum/sessions.hpp"
#include "output.hpp"
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
ExitCode report_missing_texts(const SessionTranscript& session) {
  const auto missing = std::ranges::count_if(
      session.segments, [](const TranscriptSegment& segment) { return segment.state != SegmentState::done; });
  if (missing == 0) return ExitCode::success;
  const char* const command = !session.transcribes ? "retranscribe" : "resume --failed";
  print_error("{} of {} segments {} no text, which the export says in its place: dictum {} {}", missing,
              session.segments.size(), missing == 1 ? "has" : "have", command, session.path.string());
  return ExitCode::failure;
}

ExitCode export_session(const fs::path& root, const Options& options) {
  const fs::path path = find_session(root, options.session);
  const std::string name = options.format.empty() ? fs::path(options.file).extension().string() : options.format;
  const auto format = export_format(name);
  if (!format) {
    throw UsageError(
        fmt::format("'{}' is no format: FILE ends in .txt, .srt, .vtt, .json, .md, .flac or .wav, or "
                    "--format says which",
                    name.starts_with('.') ? name.substr(1) : name));
  }
  const bool is_audio = format == ExportFormat::wav || format == ExportFormat::flac;
  if (is_audio && options.file == "-") throw UsageError("sound is exported to a file, not to standard output");
  if (options.file == "-") {
    print_document(export_text(path, *format, options.revision));
    return report_missing_texts(open_session(path, options.revision));
  }
  const auto missing = dictum::export_session(
      path, options.file, {.format = format, .revision = options.revision, .whole_timeline = options.timeline});
  if (missing.empty()) return ExitCode::success;
  if (!is_audio) return report_missing_texts(open_session(path, options.revision));
  for (const std::string& problem : missing) print_error("{}", problem);
  return ExitCode::failure;
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
