#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tui/drawing.hpp"
#include "tui/visible.hpp"

/// The top of the screen: whether it records, the level, and how long a silence has lasted.
namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace)

namespace {

constexpr double kFloorDBFS = -60;
constexpr double kSilent = -95;     // less than what 16 bits can hold
constexpr double kThreshold = 0.5;  // of the speech detector, for the colours
constexpr double kSilenceThreshold = 0.35;

struct Badge {
  std::string_view text;
  Role role;
};

Badge badge(const Model& model) {
  switch (model.state) {
    case RecordingState::recording:
      return model.muted ? Badge{" ● MUTED ", Role::badge_wait} : Badge{" ● REC ", Role::badge_on};
    case RecordingState::starting:
      return {" ○ STARTING ", Role::badge_wait};
    case RecordingState::paused:
      return {" ‖ PAUSED ", Role::badge_wait};
    case RecordingState::stopping:
      return {" ○ STOPPING ", Role::badge_wait};
    case RecordingState::failed:
      return {" ✗ FAILED ", Role::badge_on};
    case RecordingState::idle:
      break;
  }
  return {" ■ IDLE ", Role::badge_off};
}

/// What its key would do. Always as wide, so that nothing jumps when it is clicked.
std::string button_text(const Brush& brush) {
  const std::string_view what = brush.model.is_recording() ? "■ Stop" : "● Record";
  return fmt::format(" {:<8}  {} ", what, key_label(brush.keys.key(Action::record)));
}

std::string device_text(const Model& model) {
  if (model.device.empty()) return "default microphone";
  for (const Device& device : model.devices.value_or(std::vector<Device>())) {
    if (device.id == model.device || device.name == model.device) return device.description;
  }
  return model.device;
}

Element state_row(const Brush& brush, int width) {
  const Model& model = brush.model;
  const Badge shown = badge(model);
  const std::string time = duration(model.elapsed());
  const bool is_long = model.mode == VADMode::long_note;
  const std::string mode = is_long ? " long note " : "normal";
  const std::string button = button_text(brush);
  const int used = cells(button) + 2 + cells(shown.text) + 2 + cells(time) + 3 + 5 + cells(mode) + 2;
  const int room = width - used;
  Elements row{words(brush, button, Role::button) | brush.targets.add(Action::record),
               text("  "),
               words(brush, shown.text, shown.role),
               text("  "),
               text(time) | bold,
               text("   "),
               hbox({words(brush, "mode ", Role::dim), words(brush, mode, is_long ? Role::badge_wait : Role::text)}) |
                   brush.targets.add(Action::long_note),
               filler()};
  if (room >= 8) {
    row.push_back(foreign(brush, device_text(model), room, Role::dim) | brush.targets.add(Action::devices));
  }
  return hbox(std::move(row));
}

double height_of(double dbfs) {
  return std::isfinite(dbfs) ? std::clamp((dbfs - kFloorDBFS) / -kFloorDBFS, 0.0, 1.0) : 0;
}

Role voice(double probability) {
  return probability >= kThreshold ? Role::speech : probability >= kSilenceThreshold ? Role::dim : Role::quiet;
}

/// A column a level, the newest at the right; what the detector takes for speech stands out.
Element waveform(const Brush& brush, int width, int rows) {
  static constexpr std::array<std::string_view, 9> kEighths = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto& levels = brush.model.levels;
  const auto columns = static_cast<std::size_t>(std::max(width, 0));
  Elements lines;
  for (int row = rows - 1; row >= 0; --row) {
    Elements line;
    std::string run;
    Role role = Role::quiet;
    const auto flush = [&] {
      if (!run.empty()) line.push_back(words(brush, run, role));
      run.clear();
    };
    for (std::size_t column = 0; column < columns; ++column) {
      const bool known = column + levels.size() >= columns;
      Role here = Role::quiet;
      int eighths = row == 0 ? 1 : 0;
      if (known) {
        const Level& level = levels[column + levels.size() - columns];
        here = voice(level.speech_probability);
        const int height = static_cast<int>(std::lround(height_of(level.rms_dbfs) * rows * 8));
        eighths = std::clamp(height - row * 8, eighths, 8);
      }
      if (here != role) flush();
      role = here;
      run += kEighths[static_cast<std::size_t>(eighths)];
    }
    flush();
    lines.push_back(hbox(std::move(line)));
  }
  return vbox(std::move(lines));
}

/// Green, then amber, then red where it clips; with a mark where the peak is.
Element level_bar(const Brush& brush, int width, const Level* level) {
  if (level == nullptr) return bar(brush, width, 0, Role::good);
  const int filled = static_cast<int>(std::lround(height_of(level->rms_dbfs) * width));
  const int peak = std::clamp(static_cast<int>(std::lround(height_of(level->peak_dbfs) * width)) - 1, -1, width - 1);
  Elements parts;
  for (int cell = 0; cell < width; ++cell) {
    const double here = kFloorDBFS * (1 - (cell + 0.5) / width);
    const Role role = here > -3 ? Role::failure : here > -12 ? Role::warning : Role::good;
    const bool is_on = cell < filled || cell == peak;
    parts.push_back(words(brush, is_on ? "━" : "─", is_on ? role : Role::quiet));
  }
  return hbox(std::move(parts));
}

Element meter(const Brush& brush, std::string_view name, Element shown, std::string_view value) {
  return hbox({words(brush, fmt::format("{:<8}", name), Role::dim), std::move(shown),
               words(brush, fmt::format(" {:>11}", value), Role::text)});
}

Element silence_meter(const Brush& brush, int width) {
  const Model& model = brush.model;
  const double limit = std::max(model.min_silence_ms, 1);
  const double silence = std::clamp(model.silence_ms, 0.0, limit);
  const std::string value = silence > 0 ? fmt::format("{:.1f} / {:.1f} s", silence / 1000, limit / 1000)
                                        : fmt::format("— / {:.1f} s", limit / 1000);
  return meter(brush, "silence", bar(brush, width, silence / limit, Role::accent), value);
}

}  // namespace

Corner state_corner(const Brush& brush) {
  if (!brush.model.is_recording()) return {emptyElement(), 0};
  const Badge shown = badge(brush.model);
  const std::string time = " " + duration(brush.model.elapsed());
  return {hbox({words(brush, shown.text, shown.role), words(brush, time)}), cells(shown.text) + cells(time)};
}

Element draw_recorder(const Brush& brush, Size size) {
  const auto& levels = brush.model.levels;
  const Level* newest = levels.empty() ? nullptr : &levels.back();
  const int meters = size.width >= 100 ? 44 : size.width >= 70 ? 34 : 28;
  const int bars = meters - 20;
  const std::string level = newest == nullptr            ? ""
                            : newest->rms_dbfs > kSilent ? fmt::format("{:.0f} dB", newest->rms_dbfs)
                                                         : "silent";
  const std::string speech = newest != nullptr ? fmt::format("{:.2f}", newest->speech_probability) : "";
  const double probability = newest != nullptr ? newest->speech_probability : 0;
  const int rows = size.height - 1;
  const Element apart = rows > 3 ? text("") : emptyElement();
  return vbox({
      state_row(brush, size.width),
      hbox({waveform(brush, size.width - meters - 2, rows), text("  "),
            vbox({meter(brush, "level", level_bar(brush, bars, newest), level), apart,
                  meter(brush, "speech", bar(brush, bars, probability, voice(probability)), speech), apart,
                  silence_meter(brush, bars)})}),
  });
}

}  // namespace dictum::tui
