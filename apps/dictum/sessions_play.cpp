#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "audio/sound_file_reader.hpp"
#include "base/utf8.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "playback/player.hpp"
#include "recorder/make_parts.hpp"
#include "session/exporter.hpp"
#include "session/layout.hpp"
#include "session/library.hpp"
#include "sessions_verbs.hpp"
#include "signals.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::string session;
  std::string at;
  std::optional<std::uint32_t> segment;
  bool only = false;
};

/// False where somebody asked to stop.
bool play_file(playback::Player& player, const fs::path& file, Frame from) {
  audio::SoundFileReader reader(file);
  if (reader.format().channels != 1) {
    throw RecorderError(Errc::session_unreadable, fmt::format("'{}' is no mono recording.", file.string()));
  }
  if (from > 0) reader.seek(from);
  std::array<float, 4096> block{};
  while (const std::size_t got = reader.read(block)) {
    if (!player.play(std::span(block).first(got))) return false;
  }
  return true;
}

bool play_silence(playback::Player& player, Frame frames) {
  constexpr std::array<float, 4096> silence{};
  for (; frames > 0; frames -= std::ssize(silence)) {
    if (!player.play(std::span(silence).first(static_cast<std::size_t>(std::min(frames, std::ssize(silence))))))
      return false;
  }
  return true;
}

ExitCode play(const fs::path& path, const Options& options, const std::stop_token& stop) {
  const session::Manifest manifest = session::read_script(path).manifest;
  Frame from = 0;
  if (!options.at.empty()) from = static_cast<Frame>(parse_position(options.at) * manifest.sample_rate);
  if (options.segment) {
    const session::Segment* segment = manifest.find(*options.segment);
    if (segment == nullptr || !segment->is_kept()) {
      throw RecorderError(Errc::input_not_found, fmt::format("The session '{}' has no sound of a segment {}.",
                                                             manifest.session, *options.segment));
    }
    from = segment->start_frame;
  }
  std::vector<session::Segment> wanted;
  std::ranges::copy_if(manifest.segments, std::back_inserter(wanted), [&](const session::Segment& segment) {
    return segment.is_kept() && segment.end_frame > from && (!options.only || segment.index == *options.segment);
  });
  if (wanted.empty()) {
    fmt::print(stderr, "dictum: there is no sound from {} on\n", position_text(manifest.seconds(from)));
    return ExitCode::failure;
  }

  playback::Player player(manifest.sample_rate, stop);
  int missing = 0;
  std::optional<Frame> end;  // of what was played last
  for (const session::Segment& segment : wanted) {
    // A pause is heard as one, and nobody waits through a long one.
    const Frame pause = end ? std::clamp<Frame>(segment.start_frame - *end, 0, manifest.sample_rate) : 0;
    if (!play_silence(player, pause)) return ExitCode::success;
    end = segment.end_frame;
    const Frame start = std::max(from, segment.start_frame);
    fmt::print("{:>9}  [{}] {}\n", position_text(manifest.seconds(start)), segment.index,
               utf8::on_one_line(segment.text));
    std::fflush(stdout);
    try {
      if (!play_file(player, path / session::segment_file(segment.index), start - segment.start_frame))
        return ExitCode::success;
    } catch (const RecorderError& error) {
      if (error.code() != Errc::input_not_found && error.code() != Errc::input_unreadable) throw;
      fmt::print(stderr, "dictum: {}\n", error.what());
      ++missing;
    }
  }
  player.drain();
  return missing == 0 ? ExitCode::success : ExitCode::failure;
}

ExitCode play(const Options& options) {
  if (options.only && !options.segment) throw UsageError("--only goes with --segment");
  if (!options.at.empty() && options.segment) throw UsageError("--at and --segment exclude each other");
  const fs::path path = session::find_session(recorder::session_root(options.config.resolve({})), options.session);
  Signals signals;  // before any thread
  std::stop_source stop;
  std::jthread interrupter([&] {
    if (signals.wait() == Signals::Event::signal) stop.request_stop();
  });
  struct Wake {
    Signals& signals;
    ~Wake() { signals.wake(); }
  } wake{signals};
  return play(path, options, stop.get_token());
}

}  // namespace

void add_play_verb(CLI::App& sessions, ExitCode& code) {
  CLI::App* command = sessions.add_subcommand("play", "Play what was kept of a session");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->session, "a name, the beginning of one, a folder, or \"last\"")->required();
  command->add_option("--at", options->at, "from this place on: 83.4, 1:23.4");
  command->add_option("--segment", options->segment, "from this segment on");
  command->add_flag("--only", options->only, "just that segment");
  options->config.add_root();
  command->callback([options, &code] { code = play(*options); });
}

}  // namespace dictum::program
