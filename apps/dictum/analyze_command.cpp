#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/analysis.hpp"
#include "dictum/vad.hpp"
#include "output.hpp"

namespace dictum::program {
namespace {

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::string file;
  bool json = false;
};

void draw(const Analysis& analysis) {
  constexpr std::string_view kBars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::size_t kWindowsALine = 64;  // about two seconds
  const double windows_a_second = double{kVADSampleRate} / kVADWindow;
  for (std::size_t first = 0; first < analysis.probabilities.size(); first += kWindowsALine) {
    std::string speech;
    std::string kept;
    const std::size_t end = std::min(first + kWindowsALine, analysis.probabilities.size());
    for (std::size_t i = first; i < end; ++i) {
      speech += kBars[static_cast<std::size_t>(std::lround(analysis.probabilities[i] * 8))];
      const double frame = static_cast<double>(i) / windows_a_second * analysis.sample_rate;
      const auto holds = [&](const AnalyzedSegment& segment) {
        return segment.kept && frame >= static_cast<double>(segment.start_frame) &&
               frame < static_cast<double>(segment.end_frame);
      };
      kept += std::ranges::any_of(analysis.segments, holds) ? "━" : " ";
    }
    print("{:7.2f} s  {}\n           {}\n", static_cast<double>(first) / windows_a_second, speech, kept);
  }
  if (!analysis.probabilities.empty()) {
    print(
        "           ▁ to █  how likely there is speech, 0 to 1; one column is {:.0f} ms\n           ━       kept in a "
        "segment\n\n",
        1000 / windows_a_second);
  }
  for (const auto& segment : analysis.segments) {
    const auto seconds = [&](Frame frame) { return static_cast<double>(frame) / analysis.sample_rate; };
    print("segment {:>3}  speech {:8.3f} to {:8.3f} s  {}\n", segment.index, seconds(segment.speech_start_frame),
          seconds(segment.speech_end_frame),
          segment.kept
              ? fmt::format("kept {:.3f} to {:.3f} s", seconds(segment.start_frame), seconds(segment.end_frame))
              : "too short to be kept");
  }
}

ExitCode analyze(const Options& options) {
  RecorderConfig config = options.config.resolve({});
  config.capture.input = options.file;
  const Analysis analysis = analyze_file(config);
  for (const auto& warning : analysis.warnings) print_error("{}", warning);
  if (options.json) {
    print_json(analysis.to_json());
  } else {
    draw(analysis);
  }
  return ExitCode::success;
}

}  // namespace

void add_analyze_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("analyze", "Show where a file holds speech, window by window");
  auto options = std::make_shared<Options>(*command);
  command->add_option("FILE", options->file, "a sound file")->required();
  command->add_flag("--json", options->json, "print one JSON document");
  options->config.add_detection();
  command->callback([options, &code] { code = analyze(*options); });
}

}  // namespace dictum::program
