#include "session/verification.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "journal/event_paths.hpp"
#include "journal/journal_reader.hpp"
#include "journal/layout.hpp"
#include "journal/session_folder.hpp"
#include "session/index.hpp"
#include "session/library.hpp"
#include "session/rebuilt_manifest.hpp"
#include "session/recovery.hpp"
#include "session/transcript.hpp"
#include "session/wav_repair.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxTranscript = std::size_t{256} << 20;

/// One verification: reads, and changes nothing but a search index that cannot be read.
class Verification {
 public:
  explicit Verification(const fs::path& session) : listed_(look_at_session(session)), folder_(listed_.path) {
    check_.path = listed_.path;
    check_.name = listed_.name;
    check_.is_open = listed_.is_open;
  }

  SessionCheck run() {
    if (!read_stored_manifest()) return check_;  // a newer version knows better
    read_events();
    check_.is_finished = session::is_finished(fold_) && !folder_.has(journal::kUnfinishedFile);
    check_manifest();
    check_sound_files();
    check_notes();
    if (!check_.is_open) check_rest();
    if (check_.is_finished) {
      check_transcripts();
      check_index();
    }
    return std::move(check_);
  }

 private:
  void complain(std::string file, std::string what, bool can_be_repaired) {
    check_.problems.push_back({std::move(file), std::move(what), can_be_repaired});
  }

  bool read_stored_manifest() {
    try {
      manifest_ = read_manifest(listed_.path);
    } catch (const NewerManifest& newer) {
      complain(journal::kManifestFile, newer.what(), false);
      return false;
    } catch (const RecorderError& error) {
      complain(journal::kManifestFile, error.what(), true);
    }
    return true;
  }

  void read_events() {
    std::vector<Event> events;
    std::vector<journal::JournalProblem> damage;
    bool is_torn = false;
    try {
      journal::JournalReader reader(listed_.path);
      while (auto event = reader.next())
        events.push_back(journal::with_relative_paths(*std::move(event), listed_.path));
      damage = reader.problems();
      is_torn = reader.torn_bytes() > 0 && !check_.is_open;
    } catch (const RecorderError& error) {
      complain(journal::kJournalFile, error.what(), true);
    }
    if (events.empty() && damage.empty() && !is_torn && !check_.is_open && check_.problems.empty()) {
      complain(journal::kJournalFile, "The journal is empty.", true);
    }
    fold_ = manifest_ ? manifest_->unfolded() : rebuilt_manifest(folder_, events);
    for (const Event& event : events) {
      fold_.apply(event);
      if (auto line = incremental_line(fold_, event)) incremental_ += *line;
      const auto* fault = std::get_if<RecorderFault>(&event.body);
      if (fault != nullptr && fault->code == to_string(Errc::session_unreadable)) {
        check_.known_losses.push_back(fault->message);
      }
    }
    if (std::ranges::find(check_.known_losses, damage_report(damage)) == check_.known_losses.end()) {
      for (const auto& problem : damage) {
        complain(journal::kJournalFile, fmt::format("Line {} of the journal is wrong: {}.", problem.line, problem.what),
                 true);
      }
    }
    if (is_torn) complain(journal::kJournalFile, "The last line of the journal is torn.", true);
  }

  /// Of a finished session: while one is recorded or waits for texts, the manifest may be some seconds behind.
  void check_manifest() {
    if (!manifest_ || check_.is_open || !check_.is_finished) return;
    Manifest stored = *manifest_;
    stored.stopped_at = fold_.stopped_at;  // to the millisecond only
    if (!(static_cast<const journal::SessionState&>(stored) == fold_)) {
      complain(journal::kManifestFile, "The manifest does not say what the journal says.", true);
    }
  }

  void check_sound_files() {
    for (const Segment& segment : fold_.segments) {
      if (!segment.is_kept() || segment.status == SegmentStatus::recording) continue;
      const std::string file = journal::segment_file(segment.index);
      try {
        const Frame wanted = segment.end_frame - segment.start_frame;
        const Frame found = frames_on_disk(folder_, file);
        if (found == 0 && wanted > 0) {
          complain(file, fmt::format("{} is missing or empty.", file), false);
        } else if (found != wanted) {
          complain(file, fmt::format("{} has {} frames, and {} were recorded.", file, found, wanted), true);
        } else if (!rate_on_disk(folder_, file)) {
          complain(file, fmt::format("The header of {} is lost.", file), true);
        }
      } catch (const RecorderError& error) {
        complain(file, error.what(), false);
      }
    }
  }

  void check_notes() {
    for (const Note& note : fold_.notes) {
      const bool is_inside = journal::is_inside(note.path);
      if (is_inside && folder_.try_open(note.path, O_RDONLY)) continue;
      complain(note.path, fmt::format("The note '{}' is missing.", note.path), is_inside);
    }
  }

  void check_rest() {
    for (const std::uint32_t index : segments_on_disk(folder_)) {
      if (fold_.find(index) != nullptr) continue;
      const std::string file = journal::segment_file(index);
      complain(file, fmt::format("The journal does not know {}.", file), true);
    }
  }

  void check_transcripts() {
    check_text(journal::kRawTranscript, raw_transcript(fold_, fold_.segments.size()));
    check_text(journal::kIncrementalTranscript, incremental_);
  }

  void check_text(const char* file, const std::string& expected) {
    try {
      if (folder_.read(file, kMaxTranscript) == expected) return;
      complain(file, fmt::format("{} does not say what the journal says.", file), true);
    } catch (const RecorderError& error) {
      complain(file, error.what(), true);
    }
  }

  void check_index() {
    const fs::path root = listed_.path.parent_path();
    std::error_code ignored;
    const bool has_text = std::ranges::any_of(fold_.segments, [](const Segment& each) { return !each.text.empty(); });
    if (!has_text || !fs::exists(SessionIndex::file_in(root), ignored)) return;
    const fs::path name = fs::path("..") / SessionIndex::file_in(root).filename();
    try {
      SessionIndex index(root);
      if (!index.search({.text = {}, .from = {}, .before = {}, .session = listed_.name, .limit = 1}).empty()) return;
      complain(name.string(), "The search index does not have this session.", true);
    } catch (const RecorderError& error) {
      complain(name.string(), error.what(), true);
    }
  }

  const ListedSession listed_;
  const journal::SessionFolder folder_;
  SessionCheck check_;
  std::optional<Manifest> manifest_;  // as stored
  Manifest fold_;                     // what it has to say
  std::string incremental_;
};

/// What is not among the problems any more, or was recorded as lost meanwhile.
std::vector<std::string> repairs_between(const SessionCheck& before, const SessionCheck& after) {
  std::vector<std::string> repairs;
  for (const SessionProblem& problem : before.problems) {
    if (std::ranges::find(after.problems, problem.what, &SessionProblem::what) == after.problems.end()) {
      repairs.push_back(fmt::format("Repaired: {}", problem.what));
    }
  }
  const std::set<std::string> known(before.known_losses.begin(), before.known_losses.end());
  for (const std::string& loss : after.known_losses) {
    if (!known.contains(loss)) repairs.push_back(fmt::format("Recorded in the journal: {}", loss));
  }
  return repairs;
}

}  // namespace

SessionCheck verify(const fs::path& session) {
  return Verification(session).run();
}

SessionCheck repair(const fs::path& session, std::chrono::system_clock::time_point now) {
  SessionCheck before = verify(session);
  if (before.problems.empty() && before.is_finished) return before;
  {
    SessionWriter writer = SessionWriter::reopen(before.path);
    recover(writer, now);
    writer.finish(std::nullopt);
  }
  update_index(before.path);
  SessionCheck after = verify(before.path);
  after.repairs = repairs_between(before, after);
  if (after.repairs.empty() && !before.is_finished)
    after.repairs.emplace_back("Closed what an interruption left open.");
  return after;
}

}  // namespace dictum::session

std::vector<std::string> dictum::SessionCheck::sentences() const {
  std::vector<std::string> all;
  for (const SessionProblem& problem : problems) all.push_back(problem.what);
  all.insert(all.end(), known_losses.begin(), known_losses.end());
  return all;
}
