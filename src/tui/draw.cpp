#include "tui/draw.hpp"

#include <algorithm>
#include <ftxui/screen/color.hpp>
#include <ftxui/screen/screen.hpp>
#include <ftxui/screen/terminal.hpp>
#include <utility>
#include <vector>

#include "tui/drawing.hpp"

namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace)

namespace {

/// On a tall screen the sound may be tall too.
int recorder_rows(Size screen) {
  return screen.height >= 40 ? kRecorderRows + 2 : kRecorderRows;
}

/// 120 columns and more: status, notes and notices have a column of their own.
Element wide(const Brush& brush, Size size) {
  const int side = std::clamp(size.width / 3, 40, 64);
  const int top = recorder_rows(size) + 2;
  const Size transcript{size.width - side, size.height - top - 1};
  const int notices = std::clamp(transcript.height / 4, 5, 14);
  const int notes = transcript.height - (kStatusLines + 2) - notices;
  const auto inside = [side](int height) { return Size{side - 4, height - 2}; };
  return vbox({
      framed(brush, {size.width, top}, "Dictum", draw_recorder(brush, {size.width - 4, top - 2})),
      hbox({framed(brush, transcript, "Transcript", transcript_corner(brush),
                   draw_transcript(brush, {transcript.width - 4, transcript.height - 2})),
            vbox({framed(brush, {side, kStatusLines + 2}, "Status", draw_status_lines(brush, side - 4)),
                  framed(brush, {side, notes}, "Notes", draw_notes(brush, inside(notes))),
                  framed(brush, {side, notices}, "Notifications", draw_notices(brush, inside(notices)))})}),
      hbox({text(" "), draw_footer(brush, size.width - 2)}),
  });
}

/// One column: frames where there is room for them, else lines.
Element narrow(const Brush& brush, Size size) {
  const bool has_frames = size.width >= 76 && size.height >= 22;
  Elements below;
  int bottom = 2;  // status and keys
  for (Element line : {draw_note_line(brush, size.width - 2), draw_notice_line(brush, size.width - 2)}) {
    line->ComputeRequirement();
    if (line->requirement().min_y == 0) continue;
    bottom += line->requirement().min_y;
    below.push_back(hbox({text(" "), std::move(line)}));
  }
  below.push_back(hbox({text(" "), draw_status_line(brush, size.width - 2)}));
  below.push_back(hbox({text(" "), draw_footer(brush, size.width - 2)}));
  Elements rows;
  if (has_frames) {
    const int top = recorder_rows(size) + 2;
    rows.push_back(framed(brush, {size.width, top}, "Dictum", draw_recorder(brush, {size.width - 4, top - 2})));
    const Size transcript{size.width, size.height - top - bottom};
    rows.push_back(framed(brush, transcript, "Transcript", transcript_corner(brush),
                          draw_transcript(brush, {transcript.width - 4, transcript.height - 2})));
  } else {
    rows.push_back(hbox({text(" "), draw_recorder(brush, {size.width - 2, kRecorderRows})}));
    rows.push_back(ruled(brush, size.width, "Transcript", transcript_corner(brush)));
    rows.push_back(
        hbox({text(" "), draw_transcript(brush, {size.width - 2, size.height - kRecorderRows - 1 - bottom})}));
  }
  for (auto& line : below) rows.push_back(std::move(line));
  return vbox(std::move(rows));
}

}  // namespace

Decorator Targets::add(Target target) {
  auto& area = areas_.emplace_back(Box{0, -1, 0, -1}, std::move(target));
  return reflect(area.first);
}

std::optional<Target> Targets::at(int x, int y) const {
  for (std::size_t i = areas_.size(); i-- > first_;) {
    if (areas_[i].first.Contain(x, y)) return areas_[i].second;
  }
  return std::nullopt;
}

Element draw(const Model& model, const View& view, const KeyMap& keys, Size size, const Palette& palette,
             Targets& targets) {
  const Palette below = view.page == Page::main ? palette : palette.faded();
  const Brush brush{model, view, keys, below, targets};
  Element main = size.width >= 120 && size.height >= 26 ? wide(brush, size) : narrow(brush, size);
  if (view.page == Page::main) return main;
  targets.cover();
  return dbox({std::move(main), cover(draw_page({model, view, keys, palette, targets}, size)) | center});
}

std::string render(const Model& model, const View& view, const KeyMap& keys, Size size, const Palette& palette) {
  Targets targets;
  Screen screen = Screen::Create(Dimension::Fixed(size.width), Dimension::Fixed(size.height));
  Render(screen, draw(model, view, keys, size, palette, targets));
  return screen.ToString();
}

}  // namespace dictum::tui
