#include "faulty_recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>

#include "dictum/error.hpp"
#include "journal/layout.hpp"
#include "support/event_grammar.hpp"

namespace dictum::test {
namespace {

constexpr std::size_t kHeader = 44;
constexpr std::size_t kFrame = 2;

std::string what(const Event& event) {
  return event.to_json().substr(0, 200);
}

/// The name and the segment, which is what an application goes by.
bool is_same(const Event& one, const Event& other) {
  if (one.body.index() != other.body.index() || one.frame != other.frame) return false;
  const auto* ended = std::get_if<SpeechEnded>(&one.body);
  return ended == nullptr || ended->segment_index == std::get<SpeechEnded>(other.body).segment_index;
}

void check_against_journal(const std::vector<Event>& received, const std::vector<Event>& journal,
                           std::vector<std::string>& problems) {
  std::map<std::uint64_t, const Event*> lines;
  for (const Event& event : journal) lines.emplace(event.sequence.value_or(0), &event);
  for (const Event& event : received) {
    if (!event.sequence) continue;
    const auto line = lines.find(*event.sequence);
    if (line != lines.end() && is_same(*line->second, event)) continue;
    problems.push_back("the journal has something else than " + what(event));
    return;
  }
}

bool has_fault(const std::vector<Event>& events) {
  return std::ranges::any_of(events,
                             [](const Event& event) { return std::holds_alternative<RecorderFault>(event.body); });
}

}  // namespace

FaultyRecording::FaultyRecording() : sound_(beeps(kSeconds)) {}

ProgramSettings FaultyRecording::recording(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"--json", "--vad", "energy", "--min-silence-ms", "200", "--post-roll-ms", "100",
                                       "--transcriber", "simulated", "--drain-sec", "1"});
  return record(std::move(arguments));
}

ProgramSettings FaultyRecording::resuming(const std::string& drain_sec) const {
  return dictum({"resume", "--json", "--transcriber", "simulated", "--drain-sec", drain_sec, "--output-dir", root()});
}

std::string FaultyRecording::samples(double seconds) const {
  return contents(sound_).substr(kHeader, static_cast<std::size_t>(seconds * kRate) * kFrame);
}

Segments FaultyRecording::undisturbed(ProgramSettings settings) const {
  const auto result = run_program(std::move(settings));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  Segments kept;
  for (const auto& segment : session::read_manifest(session()).segments) {
    if (segment.is_kept()) kept.push_back(segment);
  }
  clear();
  return kept;
}

void FaultyRecording::clear() const {
  for (const auto& session : sessions()) std::filesystem::remove_all(session);
}

Frame FaultyRecording::lost_frames(const std::filesystem::path& session, const Segments& wanted,
                                   const std::string& spoken) {
  const auto segments = session::read_manifest(session).segments;
  Frame lost = 0;
  for (const auto& each : wanted) {
    const auto found = std::ranges::find_if(
        segments, [&](const auto& segment) { return segment.is_kept() && segment.start_frame == each.start_frame; });
    const std::string file = found != segments.end() ? contents(session / journal::segment_file(found->index)) : "";
    for (Frame frame = each.start_frame; frame < each.end_frame; ++frame) {
      const std::size_t at = kHeader + static_cast<std::size_t>(frame - each.start_frame) * kFrame;
      const auto in_sound = static_cast<std::size_t>(frame) * kFrame;
      if (at + kFrame > file.size() || file.compare(at, kFrame, spoken, in_sound, kFrame) != 0) ++lost;
    }
  }
  return lost;
}

std::vector<std::string> FaultyRecording::problems(const ProgramResult& result, const Segments& undisturbed,
                                                   bool may_lose) const {
  std::vector<std::string> problems;
  const auto expect = [&](bool holds, const std::string& problem) {
    if (!holds) problems.push_back(problem);
  };
  const auto received = parsed(result.out);
  const bool failed =
      std::ranges::any_of(bodies<TranscriptionComplete>(received), [](const auto& each) { return !each.success; });
  expect(result.exit_code == 0 || result.exit_code == 1, fmt::format("signal {}", result.signal));
  if (result.exit_code == 1) expect(has_fault(received) || !result.err.empty() || failed, "it failed without a word");

  const auto all = sessions();
  if (result.exit_code == 0) expect(all.size() == 1, "nothing was recorded, without a word");
  if (all.empty()) return problems;
  const auto& session = all.front();
  if (result.exit_code == 0 && result.err.empty()) {
    const bool may_be_pending = result.out.find("still to be transcribed") != std::string::npos;
    for (const auto& each : grammar_violations(session, {.transcription_may_be_pending = may_be_pending})) {
      problems.push_back("it succeeded, but " + each);
    }
  }
  const auto resumed = run_program(resuming());
  expect(resumed.exit_code == 0, "it cannot be resumed: " + resumed.err + resumed.out.substr(0, 300));
  if (!std::filesystem::exists(session / journal::kManifestFile)) return problems;  // a start that failed
  for (const auto& each : grammar_violations(session)) problems.push_back("resumed, but " + each);

  const auto lines = events(contents(session / journal::kJournalFile));
  check_against_journal(received, lines, problems);
  const Frame lost = lost_frames(session, undisturbed, samples(kSeconds));
  const Frame stated = std::max(stated_loss(received), stated_loss(lines));
  expect(lost == stated, fmt::format("{} frames are lost, {} were reported", lost, stated));
  if (lost > 0) {
    expect(may_lose, fmt::format("{} frames are lost", lost));
    expect(result.exit_code == 1 && has_fault(received), "it lost audio and did not say that it failed");
  }
  return problems;
}

std::vector<Event> parsed(const std::string& out) {
  std::vector<Event> all;
  for (std::string line : lines(out)) {
    const bool has_sequence = line.find("\"sequence\":") != std::string::npos;
    if (!has_sequence) line.insert(line.find("\"timestamp\":"), "\"sequence\":0,");
    for (Event& event : events(line)) {
      if (!has_sequence) event.sequence.reset();
      all.push_back(std::move(event));
    }
  }
  return all;
}

Frame stated_loss(const std::vector<Event>& events) {
  Frame lost = 0;
  for (const auto& gap : bodies<AudioGap>(events)) {
    if (gap.reason == GapReason::disk) lost += gap.frames;
  }
  return lost;
}

}  // namespace dictum::test
