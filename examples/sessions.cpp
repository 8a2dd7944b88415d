// What was recorded: a session is made from a sound file, and then listed, read, searched, corrected, exported and
// deleted, as an application with a library of recordings does it.
#include <dictum/error.hpp>
#include <dictum/recorder_backend.hpp>
#include <dictum/sessions.hpp>
#include <exception>
#include <filesystem>
#include <future>
#include <iostream>

namespace {

void record(const std::filesystem::path& file, const std::filesystem::path& root) {
  dictum::RecorderConfig config;
  config.capture.input = file;
  config.capture.pace = "fast";
  config.session.root = root;
  config.transcription.drain_sec = -1;
  std::promise<void> ended;
  dictum::RecorderBackend recorder(config, [&](const dictum::Event& event) {  // on a thread of its own
    if (auto* now = std::get_if<dictum::RecordingStateChanged>(&event.body); now && !now->is_recording)
      ended.set_value();
  });
  recorder.start_recording();
  ended.get_future().wait();  // the file's end stops the recording
  recorder.stop_recording();  // waits for the texts that are still to come
}

int run(const std::filesystem::path& file, const std::filesystem::path& root) {
  record(file, root);

  for (const dictum::SessionEntry& entry : dictum::list_sessions(root)) {
    std::cout << entry.name << ": " << entry.segments << " segments, " << entry.duration_sec << " s\n";
  }

  const std::filesystem::path last = dictum::find_session(root, "last");
  const dictum::SessionTranscript transcript = dictum::open_session(last);
  for (const dictum::TranscriptSegment& segment : transcript.segments) {
    std::cout << transcript.seconds(segment.speech_start_frame) << " s: " << segment.text << '\n';
    for (const dictum::Word& word : segment.words) {
      std::cout << "    " << transcript.seconds(word.start_frame) << " s " << word.text << '\n';
    }
  }
  for (const dictum::SessionNote& note : transcript.notes) std::cout << "note: " << note.title << '\n';
  if (transcript.segments.empty()) return 1;

  dictum::edit_session(last, transcript.segments.front().index, "corrected by hand");
  dictum::SessionSearch search;
  search.text = "\"by hand\"";
  if (dictum::search_sessions(root, search).size() != 1) return 1;

  for (const auto& missing : dictum::export_session(last, root / "transcript.srt")) std::cout << missing << '\n';

  dictum::delete_session(last);
  return dictum::list_sessions(root).empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: sessions FILE FOLDER\n";
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
