#include "session/scribe.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace dictum::test {

using session::SessionWriter;

session::SessionInfo info(bool transcribes) {
  return {kRate, "file:/tmp/memo.wav", {{"vad", {{"threshold", 0.5}}}}, false, transcribes};
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

Scribe::Scribe(SessionWriter& writer) : writer_(writer), sequence_(writer.next_sequence()) {}

void Scribe::emit(Frame frame, EventBody body) {
  const double time =
      std::chrono::duration<double>(kStarted.time_since_epoch()).count() + static_cast<double>(now_) / kRate;
  Event event{writer_.name(), std::nullopt, time, frame, std::move(body)};
  if (!event.is_ephemeral()) event.sequence = sequence_++;
  writer_.record(event);
}

void Scribe::start() {
  emit(0, RecordingStateChanged{RecordingState::recording, true, false, false});
}

void Scribe::gap(Frame frames, GapReason reason) {
  const Frame begun = now_;
  now_ += frames;
  emit(now_, AudioGap{begun, frames, reason});
}

std::uint32_t Scribe::speak(Frame frames, bool kept, Frame pre_roll) {
  const std::uint32_t index = segments_++;
  silence(pre_roll);
  const Frame begun = now_;
  const Frame start = begun - pre_roll;
  writer_.open_segment(index, start);
  const std::vector<std::int16_t> block(512, static_cast<std::int16_t>(index + 1));
  writer_.append_segment(index, std::span(block).first(static_cast<std::size_t>(std::min<Frame>(pre_roll, 512))));
  if (pre_roll > 512)
    writer_.append_segment(index, std::vector<std::int16_t>(static_cast<std::size_t>(pre_roll - 512)));
  emit(begun, SpeechDetected{index, start});
  // Half as much again is written before it is known that it was silence.
  for (Frame done = 0; done < frames + 2 * pre_roll; done += 512) writer_.append_segment(index, block);
  silence(frames + 2 * pre_roll);
  const Frame end = begun + frames + pre_roll;
  if (kept) {
    writer_.close_segment(index, end - start);
  } else {
    writer_.discard_segment(index);
  }
  emit(begun + frames, SpeechEnded{index, static_cast<double>(end - start) / kRate, kept, start, end});
  if (kept && writer_.manifest().transcribes) queue(index);
  return index;
}

void Scribe::queue(std::uint32_t index) {
  emit(writer_.manifest().find(index)->end_frame,
       TranscriptionQueued{index, (writer_.path() / SessionWriter::segment_file(index)).string()});
}

void Scribe::transcribe(std::uint32_t index, const std::string& text, int revision) {
  TranscriptionComplete complete;
  complete.segment_index = index;
  complete.text = text;
  complete.success = true;
  complete.revision = revision;
  emit(writer_.manifest().find(index)->end_frame, complete);
}

void Scribe::fail_transcription(std::uint32_t index, const std::string& why, int revision) {
  TranscriptionComplete complete;
  complete.segment_index = index;
  complete.error = EventError{"deadline_exceeded", why};
  complete.revision = revision;
  emit(writer_.manifest().find(index)->end_frame, complete);
}

void Scribe::note(const std::string& title, const std::string& text, const std::vector<std::uint32_t>& segments) {
  const auto path = writer_.path() / "notes" / fmt::format("{:04}-note.md", ++notes_);
  emit(now_, NoteCompleted{title, text, segments, path.string()});
}

void Scribe::stop() {
  writer_.progress(captured_, now_, 0);
  emit(now_, RecordingStateChanged{RecordingState::idle, false, false, false});
}

void Scribe::finish() {
  writer_.finish(std::nullopt);
}

std::filesystem::path make_session(const std::filesystem::path& root, bool transcribes) {
  SessionWriter writer = SessionWriter::create(root, kStarted, info(transcribes));
  Scribe scribe(writer);
  scribe.start();
  scribe.silence(5000);
  const std::uint32_t first = scribe.speak(20000);
  scribe.speak(1000, false);
  scribe.gap(3000, GapReason::overflow);
  scribe.emit(scribe.now(), VADModeChanged{VADMode::long_note, 5000});
  const std::uint32_t second = scribe.speak(30000);
  if (transcribes) scribe.transcribe(second, "milk and honey");
  const std::uint32_t third = scribe.speak(9000);
  scribe.stop();
  if (transcribes) {
    scribe.transcribe(first, "start a new note");
    scribe.note("Shopping list", "milk and honey", {second});
    scribe.fail_transcription(third, "the recogniser did not answer in time");
  }
  scribe.finish();
  return writer.path();
}

}  // namespace dictum::test
