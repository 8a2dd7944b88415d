#include "event_printer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/overloaded.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "output.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

/// The end of `text`: at most so many characters.
std::string_view last(std::string_view text, std::size_t most) {
  std::size_t start = text.size();
  for (; most > 0 && start > 0; --most) {
    do --start;
    while (start > 0 && utf8::continues(text[start]));
  }
  return text.substr(start);
}

/// Characters of UTF-8, which is what `last` counts, too. Not columns: a wide one takes two.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return !utf8::continues(byte); }));
}

}  // namespace

bool leaves_something_undone(const RecorderFault& fault) {
  return !fault.recoverable || fault.code == to_string(Errc::disk_full) ||
         fault.code == to_string(Errc::output_unwritable) || fault.code == to_string(Errc::session_unreadable);
}

void EventPrinter::print(const Event& event) {
  const auto* complete = std::get_if<TranscriptionComplete>(&event.body);
  const auto* fault = std::get_if<RecorderFault>(&event.body);
  if ((complete != nullptr && !complete->success) || (fault != nullptr && leaves_something_undone(*fault))) {
    has_failed_ = true;
  }
  if (fault != nullptr && fault->code == to_string(Errc::timed_out)) has_left_texts_ = true;
  if (!settings_.json) {
    print_text(event);
  } else if (!event.is_ephemeral() || settings_.live_events) {
    print_json(event.to_json());
    flush_output();
  }
}

void EventPrinter::print_text(const Event& event) {
  if (session_start_ == 0) session_start_ = event.timestamp;
  now_ = event.timestamp;
  frame_ = std::max(frame_, event.frame);
  std::visit(
      Overloaded{
          [&](const RecordingStateChanged& changed) {
            state_ = to_string(changed.state);
            if (changed.is_muted && changed.is_recording) state_ += ", muted";
          },
          [&](const SpeechDetected&) { partial_ = "..."; },
          [&](const SpeechEnded&) { partial_.clear(); },
          [&](const TranscriptionPartial& partial) { partial_ = partial.text; },
          [&](const TranscriptionComplete& complete) {
            const std::string text =
                complete.success ? complete.text : fmt::format("[no text: {}]", complete.error->message);
            print_line(fmt::format("{:>4}  {}", complete.segment_index, text.empty() ? "[no words recognised]" : text));
          },
          [&](const NoteCompleted& note) { print_line(fmt::format("note  \"{}\": {}", note.title, note.path)); },
          [&](const NoteCancelled& note) {
            print_line(fmt::format("note  \"{}\" cancelled; kept in {}", note.title, note.path));
          },
          [&](const AudioGap& gap) {
            print_line(fmt::format("gap   {} frames not recorded ({})", gap.frames, to_string(gap.reason)));
          },
          [&](const DeviceChanged& device) { print_line(fmt::format("mic   {} ({})", device.device, device.reason)); },
          [&](const RecorderFault& fault) {
            print_line(fmt::format("{}  {}", fault.recoverable ? "warn" : "fail", fault.message));
          },
          [&](const AudioLevel& level) {
            level_ = level.rms_dbfs;
            probability_ = level.speech_probability;
          },
          [&](const QueueStatus& queue) { queued_ = queue.queued_jobs; },
          [](const auto&) {},
      },
      event.body);
  if (settings_.is_terminal) draw();
}

void EventPrinter::print_line(const std::string& text) {
  clear();
  program::print("{}\n", text);
  flush_output();
}

void EventPrinter::clear() {
  if (drawn_) write_output("\r\x1b[K");
  drawn_ = false;
}

void EventPrinter::draw() {
  clear();
  std::string meter;
  double seconds = now_ - session_start_;
  if (settings_.total_frames > 0) {
    meter = progress_bar(static_cast<double>(frame_) / static_cast<double>(settings_.total_frames));
    seconds = static_cast<double>(frame_) / settings_.sample_rate;
  } else {
    meter = progress_bar((level_ + 60) / 60);
  }
  std::string line =
      fmt::format("{:<9} {} {}{}", state_, position_text(seconds), meter, probability_ >= 0.5 ? " speech" : "");
  if (queued_ > 0) line += fmt::format("  {} to transcribe", queued_);
  // What does not fit would break the line, and a broken line cannot be taken back.
  const std::size_t room = terminal_width() - 1;
  if (!partial_.empty() && characters(line) + 2 < room) {
    line += fmt::format("  {}", last(on_one_line(partial_), room - characters(line) - 2));
  }
  program::print("{}", first_characters(line, room));
  flush_output();
  drawn_ = true;
}

}  // namespace dictum::program
