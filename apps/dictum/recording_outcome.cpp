#include "recording_outcome.hpp"

#include "dictum/error.hpp"
#include "event_printer.hpp"
#include "output.hpp"

namespace dictum::program {
void RecordingOutcome::take(const Event& event) {
  if (const auto* changed = std::get_if<RecordingStateChanged>(&event.body)) {
    if (changed->state == RecordingState::failed) has_failed_ = true;
    if (!changed->is_recording) has_stopped_ = true;
  } else if (const auto* fault = std::get_if<RecorderFault>(&event.body)) {
    if (leaves_something_undone(*fault)) {
      has_failed_ = true;
      if (why_.empty()) why_ = fault->message;
    }
    // At the start it says that another transcriber serves; later, that there is none for the segments that wait.
    if (fault->code == to_string(Errc::transcriber_missing) && waiting_for_text_ > 0) lacks_transcriber_ = true;
  } else if (const auto* speech = std::get_if<SpeechEnded>(&event.body)) {
    if (speech->kept) ++segments_;
  } else if (std::holds_alternative<TranscriptionQueued>(event.body)) {
    ++waiting_for_text_;
  } else if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
    --waiting_for_text_;
    if (!complete->success && without_text_++ == 0) why_without_text_ = complete->error->message;
  }
}

void RecordingOutcome::print_missing(const std::string& session) const {
  if (const int count = without_text(); count > 0) {
    print_error("{} {} no text ({}); {} audio is safe: dictum resume --failed {}", count,
                count == 1 ? "segment has" : "segments have", why_without_text_, count == 1 ? "its" : "their", session);
  }
  if (const int count = waiting_for_text(); count > 0) {
    print_error("{} {}: dictum resume {}", count,
                count == 1 ? "segment still waits for its text" : "segments still wait for their text", session);
  }
}

}  // namespace dictum::program
