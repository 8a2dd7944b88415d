#include "tui/reduce.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>

namespace dictum::tui {
namespace {

/// One case for each event. Lives for one event.
class Reducer {
 public:
  Reducer(Model& model, const Event& event) : model_(model), event_(event) {}

  void operator()(const RecordingStateChanged& e) {
    if (e.state == RecordingState::starting ||
        (e.state == RecordingState::recording && event_.session != model_.session)) {
      begin_session();
    }
    if (event_.session != model_.session && !model_.session.empty() && !event_.session.empty()) return;
    const bool runs = e.state == RecordingState::recording;
    if (runs && model_.running_since == 0) model_.running_since = event_.timestamp;
    if (!runs) {
      model_.recorded = model_.elapsed();
      model_.running_since = 0;
      model_.silence_ms = 0;
    }
    if (!e.is_recording) {
      model_.levels.clear();
      model_.open_note.reset();
    }
    model_.state = e.state;
    model_.muted = e.is_muted;
  }

  void operator()(const VADModeChanged& e) {
    model_.mode = e.mode;
    model_.min_silence_ms = e.min_silence_ms;
  }

  void operator()(const SpeechDetected& e) {
    Line line;
    line.session = event_.session;
    line.index = e.segment_index;
    line.state = Line::State::listening;
    line.began = event_.timestamp;
    model_.lines.push_back(std::make_shared<const Line>(std::move(line)));
  }

  void operator()(const SpeechEnded& e) {
    change(e.segment_index, [&](Line& line) {
      line.ended = event_.timestamp;
      line.state = e.kept ? Line::State::recorded : Line::State::discarded;
      if (!e.kept) line.text.clear();
    });
  }

  void operator()(const TranscriptionQueued& e) {
    change(e.segment_index, [](Line& line) { line.state = Line::State::waiting; });
  }

  void operator()(const TranscriptionPartial& e) {
    change(e.segment_index, [&](Line& line) {
      if (line.state == Line::State::done || line.state == Line::State::discarded) return;
      line.text = e.text;
      line.stable_bytes = std::min(e.stable_chars, e.text.size());
    });
  }

  void operator()(const TranscriptionComplete& e) {
    if (!e.engine.empty()) {
      model_.engine = e.engine;
      model_.model = e.model;
    }
    if (model_.language.empty()) model_.language = e.language;
    if (!e.success) {
      ++model_.faults;
      add(Weight::failure, fmt::format("a segment has no text: {}", e.error ? e.error->message : "no reason is known"));
    }
    change(e.segment_index, [&](Line& line) {
      line.state = e.success ? Line::State::done : Line::State::failed;
      line.text = e.success ? e.text : e.error ? e.error->message : "there is no text";
      line.stable_bytes = 0;
      line.latency = e.revision == 0 && line.ended > 0 ? event_.timestamp - line.ended : e.processing_time_sec;
      line.suspect = e.suspect;
      line.revision = e.revision;
    });
  }

  void operator()(const NoteCommandDetected& e) {
    change(e.segment_index, [&](Line& line) { line.command = e.command; });
    if (e.command == NoteCommand::start) model_.open_note = OpenNote{e.segment_index, std::nullopt};
  }

  void operator()(const NoteTitleCaptured& e) { model_.open_note = OpenNote{e.segment_index, e.title}; }

  void operator()(const NoteCompleted& e) {
    if (e.revision > 0) return;  // it was completed before, and has other words now
    close_note({e.title, e.text, false});
    add(Weight::information, fmt::format("note \"{}\" is complete", e.title));
  }

  void operator()(const NoteCancelled& e) {
    close_note({e.title, e.text, true});
    add(Weight::information, fmt::format("note \"{}\" was cancelled", e.title));
  }

  void operator()(const AudioGap& e) {
    if (e.reason == GapReason::paused) return;  // asked for
    ++model_.gaps;
    add(Weight::warning, fmt::format("sound is missing here: {}", to_string(e.reason)));
  }

  void operator()(const DeviceChanged& e) {
    model_.device = e.device;
    add(Weight::information, fmt::format("now listening to {} ({})", e.device, e.reason));
  }

  void operator()(const WorkerStatus& e) {
    model_.workers[e.worker] = {e.state, e.reason};
    if (e.state == WorkerState::failed) add(Weight::warning, fmt::format("worker {}: {}", e.worker, e.reason));
  }

  void operator()(const RecorderFault& e) {
    ++model_.faults;
    add(e.recoverable ? Weight::warning : Weight::failure, e.message);
  }

  void operator()(const TranscriptionLanguageChosen& e) {
    model_.language = e.language;
    add(Weight::information, fmt::format("the language of this session is {}", e.language));
  }

  void operator()(const AudioLevel& e) {
    if (model_.state != RecordingState::recording) return;
    model_.levels.push_back({e.rms_dbfs, e.peak_dbfs, e.speech_probability});
    if (model_.levels.size() > Model::kMaxLevels) model_.levels.pop_front();
    model_.silence_ms = e.silence_ms;
  }

  void operator()(const QueueStatus& e) {
    model_.queued = e.queued_jobs;
    model_.oldest_queued = e.oldest_sec;
  }

 private:
  void begin_session() {
    model_.session = event_.session;
    model_.recorded = 0;
    model_.running_since = 0;
    model_.gaps = 0;
    model_.faults = 0;
    model_.language.clear();
    model_.levels.clear();
    model_.open_note.reset();
  }

  /// Lines are shared with screens that are being drawn, so a change makes a new one.
  template <class Change>
  void change(std::uint32_t index, Change change) {
    const auto found = std::ranges::find_if(model_.lines.rbegin(), model_.lines.rend(), [&](const auto& line) {
      return line->index == index && line->session == event_.session;
    });
    if (found == model_.lines.rend()) return;
    Line line = **found;
    change(line);
    *found = std::make_shared<const Line>(std::move(line));
  }

  void close_note(Note note) {
    model_.open_note.reset();
    model_.notes.push_back(std::move(note));
  }

  void add(Weight weight, std::string text) { model_ = notify(std::move(model_), weight, std::move(text)); }

  Model& model_;
  const Event& event_;
};

}  // namespace

Model reduce(Model model, const Event& event) {
  model.now = std::max(model.now, event.timestamp);
  std::visit(Reducer(model, event), event.body);
  return model;
}

Model notify(Model model, Weight weight, std::string text) {
  if (!model.notices.empty() && model.notices.back().text == text) {
    ++model.notices.back().times;
    model.notices.back().at = model.now;
    return model;
  }
  model.notices.push_back({weight, model.now, std::move(text)});
  if (model.notices.size() > Model::kMaxNotices) model.notices.erase(model.notices.begin());
  return model;
}

Model forget(Model model, const std::filesystem::path& session) {
  const auto erase_from = [&session](auto& list, auto path_of) {
    if (list) std::erase_if(*list, [&](const auto& each) { return std::invoke(path_of, each) == session; });
  };
  erase_from(model.sessions, &SessionEntry::path);
  erase_from(model.stored_notes, &StoredNote::session);
  erase_from(model.hits, &Hit::session);
  if (model.open_session && model.open_session->path == session) model.open_session.reset();
  return model;
}

Model tick(Model model, Seconds now) {
  model.now = std::max(model.now, now);
  return model;
}

std::size_t Model::waiting() const {
  return static_cast<std::size_t>(std::ranges::count_if(lines, [](const auto& line) {
    return line->state == Line::State::waiting || line->state == Line::State::listening;
  }));
}

std::size_t Model::failed() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [&](const auto& line) { return line->state == Line::State::failed && line->session == session; }));
}

const SessionEntry* Model::find_session(const std::filesystem::path& path) const {
  if (!sessions) return nullptr;
  const auto found = std::ranges::find(*sessions, path, &SessionEntry::path);
  return found == sessions->end() ? nullptr : &*found;
}

std::string Model::open_note_text() const {
  std::string text;
  if (!open_note || !open_note->title) return text;
  for (const auto& line : lines) {
    if (line->session != session || line->index <= open_note->from_segment) continue;
    if (line->state != Line::State::done || line->command || line->text.empty()) continue;
    text += (text.empty() ? "" : " ") + line->text;
  }
  return text;
}

}  // namespace dictum::tui
