#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "audio/pcm16.hpp"
#include "base/sanitized.hpp"
#include "journal/journal_reader.hpp"
#include "journal/layout.hpp"
#include "recorder/change.hpp"
#include "recorder/session_in_virtual_time.hpp"
#include "session/file_size_limit.hpp"
#include "session/recovery.hpp"
#include "simulation/unreliable_device.hpp"
#include "simulation/unreliable_transcriber.hpp"
#include "simulation/unreliable_worker.hpp"
#include "support/disk_recorder.hpp"
#include "support/event_grammar.hpp"
#include "transcription/worker_pool.hpp"

/// Whole recordings in virtual time: what is said, the blocks, the commands and the faults (a device that is lost,
/// stalls or is another one when it comes back; a disk that is full, hangs or flushes slowly; a folder that is moved; a
/// transcriber that is late, answers out of order, fails or never answers, or the pool with workers that hang, die,
/// answer twice or cannot be started; a subscriber that reads nothing before the end; a crash, a power cut, a recovery
/// that fails half-way) are drawn from a seed. A seed that fails prints a line that replays it:
/// DICTUM_SIMULATION_SEED=N.
namespace dictum::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFramesPerMs = 16;
constexpr double kLeadSec = 0.1;  // of silence before the first line
constexpr double kLongEnoughSec = 0.25;
constexpr Frame kWindow = 512;
constexpr int kMinSilenceMs = 128;

/// How old the newest thing may be that a power cut takes: what is flushed every second, and the way there.
constexpr auto kFlushedWithin = 1200ms;

class Simulation : public SessionInVirtualTime {
 public:
  explicit Simulation(unsigned seed) : seed_(seed), dice_(seed) {}

  void run() {
    draw_recording();
    if (may_cut_) calls_.emplace(root.path());
    start();
    subscribe_silent_reader();
    began_ = time->steady_now();
    const auto length = std::chrono::milliseconds(whole_script().size() / kFramesPerMs);
    while (!session->lifecycle().is_closed() && steps_-- > 0) {
      time->advance(std::chrono::milliseconds(10 + dice_() % 700));
      was_full_at_end_ = was_full_at_end_ || (full_ && time->steady_now() - began_ >= length);
      act();
      check_delivered();
      delivered_.emplace_back(time->steady_now(), next_sequence_);
      if (!crash_.empty()) break;
    }
    end();
  }

  void TestBody() override {}
  void SetUp() override {}

 private:
  bool chance(unsigned of) { return dice_() % of == 0; }

  void draw_recording() {
    std::vector<Script::Line> lines;
    const std::size_t count = 3 + dice_() % 10;
    for (std::size_t i = 0; i < count; ++i) {
      lines.push_back({.text = "a line",
                       .speech_sec = 0.1 + 0.01 * static_cast<double>(dice_() % 250),
                       .pause_sec = 0.05 + 0.01 * static_cast<double>(dice_() % 150)});
    }
    lines_ = lines;
    script_.emplace(std::move(lines), kLeadSec);
    config.source = script_->source(time);
    if (chance(3)) {
      config.source = [make = config.source, seed = seed_] { return std::make_unique<UnreliableDevice>(make(), seed); };
    }
    config.detector = script_->detector();
    config.custom_transcriber = [this] {
      return std::make_unique<UnreliableTranscriber>(time, io.get_executor(), seed_);
    };
    constexpr std::array kBlocks = {0, 37, 160, 512, 4096, 20000};
    config.capture.block_frames = kBlocks.at(dice_() % kBlocks.size());
    config.vad.min_silence_ms = kMinSilenceMs;
    config.vad.min_speech_ms = 96 + static_cast<int>(dice_() % 100);
    config.session.root = root / "sessions";
    if (chance(4)) config.session.durability = "crash";
    if (chance(2)) make_pool();
    steps_ = 5 + static_cast<int>(dice_() % 60);
    may_pause_ = chance(3);
    may_fail_disk_ = !chance(3);
    may_crash_ = chance(4);
    may_cut_ = may_crash_ && chance(2);
  }

  /// Takes its events only when all is over.
  void subscribe_silent_reader() {
    silent_ = std::make_shared<delivery::EventQueue>(
        EventFilter::all(), detail::EventConsumer{.wake = [] {}, .may_block = false, .is_polled = true},
        [](const std::function<void()>& work) {
          work();
          return true;
        },
        [](const std::string&) {});
    host->subscribers().add(silent_);
  }

  void make_pool() {
    transcription::WorkerPoolSettings settings;
    settings.name = "fake";
    settings.workers = 1 + static_cast<int>(dice_() % 3);
    const auto start = [this](const asio::any_io_executor& loop, const transcription::WorkerCommand&,
                              transcription::WorkerEvents worker) -> std::unique_ptr<transcription::Worker> {
      constexpr std::array kCauses = {transcription::FailureCause::outside, transcription::FailureCause::worker};
      if (chance(8)) throw transcription::WorkerStartError(kCauses.at(dice_() % 2), "It cannot be started.");
      return std::make_unique<UnreliableWorker>(time, loop, worker_dice_, std::move(worker));
    };
    runner = std::make_shared<transcription::WorkerPool>(io.get_executor(), settings, time,
                                                         transcription::WorkerPoolEvents{}, time, start);
  }

  void move_folder() {
    if (full_ || may_cut_ || !session->has_recorded() || !fs::exists(session->path())) return;
    const fs::path to = root / fmt::format("moved-{}", steps_) / session->path().filename();
    fs::create_directories(to.parent_path());
    fs::rename(session->path(), to);
    moved_to_ = to;
  }

  void act() {
    switch (dice_() % 15) {
      case 0:
      case 1:
      case 2:
      case 3:
        if (may_fail_disk_) fail_disk();
        return;
      case 4:
      case 5:
        heal();
        return;
      case 6:
        if (may_pause_ && session->decide(SessionCall::pause) == CallDecision::accept) ask(session->pause_capture());
        return;
      case 7:
        if (may_pause_ && session->decide(SessionCall::resume) == CallDecision::accept) ask(session->resume_capture());
        return;
      case 8:
        if (session->decide(SessionCall::change) == CallDecision::accept) {
          session->change(*change_of(SetVADMode{chance(2) ? VADMode::normal : VADMode::long_note}));
          was_mode_changed_ = true;
        }
        return;
      case 9:
        if (session->decide(SessionCall::change) == CallDecision::accept && may_pause_)
          session->change(*change_of(SetMuted{chance(2)}));
        return;
      case 10:
        if (session->decide(SessionCall::retry) == CallDecision::accept) session->retry_failed();
        return;
      case 11:
        if (may_crash_ && session->has_recorded()) may_cut_ ? cut_power() : crash();
        return;
      case 12:
        if (chance(4)) move_folder();
        return;
      default:
        return;
    }
  }

  void fail_disk() {
    is_disk_good_ = false;
    switch (dice_() % 4) {
      case 0:
        disk->hangs = true;
        return;
      case 1:
        sync->hangs = true;
        return;
      default:
        if (!full_) full_.emplace(dice_() % 60'000);
    }
  }

  void ask(asio::awaitable<void> call) {
    asio::co_spawn(io, std::move(call), [](const std::exception_ptr&) {});
  }

  void heal() {
    full_.reset();
    sync->hangs = false;
    for (auto& work : std::exchange(sync->waiting, {})) work();
    release(*disk);
  }

  /// What the files are at this moment is what `kill -9` leaves.
  void crash() {
    if (!fs::exists(session->path())) return;
    full_.reset();
    check_delivered();
    told_at_crash_ = next_sequence_;
    crash_ = root / "crashed" / session->path().filename();
    fs::create_directories(crash_.parent_path());
    fs::copy(session->path(), crash_, fs::copy_options::recursive);
  }

  /// Of what was not flushed the disk has nothing, everything, or some of it.
  void cut_power() {
    using Unflushed = test::DiskRecorder::Unflushed;
    constexpr std::array kUnflushed = {Unflushed::none, Unflushed::all, Unflushed::some};
    const fs::path left = root / "crashed";
    const fs::path in_root = session->path().lexically_relative(root.path());
    calls_->rebuild(calls_->moments(), kUnflushed.at(dice_() % kUnflushed.size()), dice_, left);
    calls_.reset();
    full_.reset();
    crash_ = left / in_root;
    cut_at_ = time->steady_now();
  }

  void end() {
    const bool heals = crash_.empty() && chance(3);
    if (heals) {
      heal();
      time->advance(300ms);
    }
    // A stop that is held up by a disk that hangs is abandoned: session_test has those.
    release(*disk);
    const bool could_write = !full_ && !was_full_at_end_;  // what waits is given up soon after the end
    stop(10s);
    const auto took = time_until([&] { return session->lifecycle().is_closed(); });
    ASSERT_TRUE(took) << "the stop never ends";
    EXPECT_LE(*took, 2s) << "the stop is not bounded";
    // The pool does not give up: each segment gets its text, or the reason why there is none.
    const bool has_all_texts = runner && could_write && crash_.empty();
    if (has_all_texts) {
      ASSERT_TRUE(time->run_until([&] { return !session->has_pending_texts(); })) << "a text never comes";
    }
    session->shut_down();
    ASSERT_TRUE(time_until([&] { return state() == SessionState::ended; })) << "the session never ends";
    full_.reset();
    check_delivered();
    check_silent_reader();
    const bool was_recorded = session->has_recorded();
    // Where nothing was written since, nobody noticed that it was moved.
    const fs::path path = fs::exists(session->path()) ? session->path() : moved_to_;
    session.reset();
    heal();
    if (!was_recorded) return;
    if (crash_.empty()) check_clock(path);
    check_session(crash_.empty() ? path : crash_, could_write && crash_.empty(), has_all_texts);
  }

  void check_delivered() {
    for (const Event& event : received()) {
      if (!event.sequence) continue;
      if (*event.sequence < next_sequence_) continue;
      ASSERT_EQ(*event.sequence, next_sequence_) << "events are missing";
      ++next_sequence_;
    }
  }

  /// However late it reads, it gets the events that the other one got.
  void check_silent_reader() {
    std::uint64_t next = 0;
    while (const auto event = silent_->next()) {
      silent_->handled();
      if (!event->sequence) continue;
      ASSERT_EQ(*event->sequence, next) << "events are missing for a reader that is late";
      ++next;
    }
    EXPECT_EQ(next, next_sequence_) << "a reader that is late gets other events";
  }

  /// As the recording left it: a recovery makes the sum right.
  void check_clock(const fs::path& path) {
    const auto manifest = session::read_manifest(path);
    const bool has_end = content_of(path / journal::kJournalFile).find(R"("state":"idle")") != std::string::npos;
    was_written_ = manifest.stopped_at && has_end;
    if (!was_written_) return;
    Frame frames = manifest.frames;
    for (const auto& gap : manifest.gaps) frames += gap.frames;
    EXPECT_EQ(frames, manifest.end_frame) << "what was captured and the gaps are not all";
  }

  void check_session(const fs::path& path, bool is_expected_whole, bool has_all_texts) {
    if (cut_at_ && !fs::exists(path / journal::kManifestFile) && !fs::exists(path / journal::kJournalFile)) {
      EXPECT_TRUE(!is_flushed() || *cut_at_ - began_ < kFlushedWithin) << "the session is gone";
      return;  // with nothing in it that anybody could miss
    }
    if (chance(2)) fail_to_recover(path);
    bool is_damaged = false;
    for (int turn = 0; turn < 2; ++turn) {
      session::SessionWriter writer = session::SessionWriter::reopen(path);
      is_damaged = is_damaged || !writer.findings().damage.empty();
      if (!cut_at_) {
        EXPECT_THAT(writer.findings().damage, testing::IsEmpty()) << session::damage_report(writer.findings().damage);
      }
      session::recover(writer, time->now());
      writer.finish(std::nullopt);
    }
    if (cut_at_) check_flushed(path);
    if (told_at_crash_ && is_disk_good_) {
      EXPECT_GE(events_in_journal(path), *told_at_crash_) << "events were delivered before they were in the journal";
    }
    // A cut can leave a hole between lines that were not flushed: it is reported, and what is behind it counts.
    if (is_damaged) {
      EXPECT_THAT(content_of(path / journal::kJournalFile), testing::HasSubstr("RecorderFault"));
    } else {
      EXPECT_THAT(test::grammar_violations(path, {.transcription_may_be_pending = !has_all_texts}), testing::IsEmpty());
    }
    check_texts(path);
    check_audio(path, is_expected_whole);
  }

  /// As at a disk that is full at some moment of the recovery.
  void fail_to_recover(const fs::path& path) {
    const test::FileSizeLimit full(dice_() % 60'000);
    try {
      session::SessionWriter writer = session::SessionWriter::reopen(path);
      session::recover(writer, time->now());
      writer.finish(std::nullopt);
    } catch (const std::exception&) {  // the next one begins with what this one left
    }
  }

  /// What was delivered long enough before the cut is in the journal.
  void check_flushed(const fs::path& path) const {
    if (!is_flushed()) return;
    std::uint64_t promised = 0;
    for (const auto& [when, sequence] : delivered_) {
      if (when + kFlushedWithin <= *cut_at_) promised = sequence;
    }
    EXPECT_GE(events_in_journal(path), promised) << "events that were delivered are gone";
  }

  static std::uint64_t events_in_journal(const fs::path& path) {
    journal::JournalReader reader(path);
    std::uint64_t events = 0;
    while (reader.next()) ++events;
    return events;
  }

  static void check_texts(const fs::path& path) {
    for (const auto& segment : session::read_manifest(path).segments) {
      if (segment.status != session::SegmentStatus::done) continue;
      EXPECT_EQ(segment.text, fmt::format("text of segment {}", segment.index)) << "of another segment";
    }
  }

  /// What was kept is what was said; where nothing is left out but gaps, it is all there.
  void check_audio(const fs::path& path, bool is_expected_whole) {
    if (may_pause_) return;  // the script and the clock part then
    const auto manifest = session::read_manifest(path);
    const std::vector<std::int16_t> said = whole_script();
    Frame lost = 0;
    for (const auto& gap : manifest.gaps) {
      if (gap.reason == GapReason::disk) lost += gap.frames;
    }
    for (const auto& segment : manifest.segments) {
      if (segment.is_kept())
        check_sound_file(content_of(path / journal::segment_file(segment.index)), segment, manifest, said);
      if (crash_.empty()) check_rules(segment, manifest);
    }
    if (is_expected_whole) EXPECT_EQ(lost, 0) << "nothing had to be lost";
    if (was_written_) check_nothing_is_left_out(manifest);
  }

  /// It opens, is as long as its segment, and outside of gaps it is what was said. Of the newest samples before a power
  /// cut the disk may have any.
  void check_sound_file(const std::string& wav, const session::Segment& segment, const session::Manifest& manifest,
                        std::vector<std::int16_t> said) const {
    SCOPED_TRACE(fmt::format("segment {}", segment.index));
    constexpr std::size_t kHeader = 44;
    ASSERT_GE(wav.size(), kHeader);
    const auto size_at = [&](std::size_t offset) {
      std::uint32_t size = 0;
      std::memcpy(&size, wav.data() + offset, sizeof size);
      return size;
    };
    EXPECT_EQ(size_at(4), wav.size() - 8) << "the size in the header";
    EXPECT_EQ(size_at(kHeader - 4), wav.size() - kHeader) << "the size of the samples in the header";
    const auto first = static_cast<std::size_t>(segment.start_frame);
    const std::size_t frames = (wav.size() - kHeader) / 2;
    EXPECT_EQ(static_cast<Frame>(frames), segment.end_frame - segment.start_frame);
    ASSERT_LE(first + frames, said.size());
    for (const auto& gap : manifest.gaps) {
      const auto begin = std::min(said.size(), static_cast<std::size_t>(gap.start_frame));
      const auto end = std::min(said.size(), static_cast<std::size_t>(gap.start_frame + gap.frames));
      std::fill(said.begin() + static_cast<std::ptrdiff_t>(begin), said.begin() + static_cast<std::ptrdiff_t>(end), 0);
    }
    const std::size_t sure = std::min(frames, sure_frames() - std::min(sure_frames(), first));
    EXPECT_EQ(std::memcmp(wav.data() + kHeader, said.data() + first, sure * 2), 0) << "is not what was said";
  }

  /// Whether what was recorded a while ago is safe from a power cut.
  bool is_flushed() const { return is_disk_good_ && config.session.durability == "power"; }

  /// How far the recording is on the disk for certain.
  std::size_t sure_frames() const {
    if (!cut_at_) return std::numeric_limits<std::size_t>::max();
    if (!is_flushed()) return 0;
    const auto sure = std::chrono::duration_cast<std::chrono::milliseconds>(*cut_at_ - began_ - kFlushedWithin);
    return static_cast<std::size_t>(std::max(sure, 0ms).count()) * kFramesPerMs;
  }

  /// What is kept has enough speech, unless the end cut it short, and the silence behind it; what is not kept has too
  /// little, and was followed by a silence.
  void check_rules(const session::Segment& segment, const session::Manifest& manifest) const {
    SCOPED_TRACE(fmt::format("segment {}", segment.index));
    if (!is_disk_good_) return;
    Frame speech = 0;
    double begin = kLeadSec;
    for (const Script::Line& line : lines_) {
      const auto first = static_cast<Frame>(begin * 1000 * kFramesPerMs);
      const auto last = first + static_cast<Frame>(line.speech_sec * 1000 * kFramesPerMs);
      speech +=
          std::max<Frame>(0, std::min(last, segment.speech_end_frame) - std::max(first, segment.speech_start_frame));
      begin += line.speech_sec + line.pause_sec;
    }
    const Frame needed = static_cast<Frame>(config.vad.min_speech_ms) * static_cast<Frame>(kFramesPerMs);
    const Frame min_silence = Frame{kMinSilenceMs} * static_cast<Frame>(kFramesPerMs);
    const Frame silence_end = segment.speech_end_frame + min_silence;
    Frame until = manifest.end_frame;  // or the next gap, but for one that is bridged
    for (const auto& gap : manifest.gaps) {
      const bool is_behind = gap.start_frame + gap.frames > segment.speech_end_frame;
      if (is_behind && gap.frames >= min_silence) until = std::min(until, gap.start_frame);
    }
    if (!segment.is_kept()) {
      EXPECT_LT(speech - 2 * kWindow, needed) << "is long enough to be kept";
      EXPECT_LE(silence_end - kWindow, until) << "was cut short, by the end or a gap, and is not kept";
      return;
    }
    const bool is_closed_by_silence = !was_mode_changed_ && silence_end + kWindow <= until;
    if (is_closed_by_silence) {
      EXPECT_GE(segment.speech_end_frame - segment.speech_start_frame, needed) << "is too short to be kept";
    }
    until = std::min(until, silence_end - kWindow);
    EXPECT_GE(segment.end_frame, until) << "the silence behind the speech is cut";
  }

  /// What was spoken and is long enough is in a segment that is kept, or in a gap.
  void check_nothing_is_left_out(const session::Manifest& manifest) const {
    double begin = kLeadSec;
    for (const Script::Line& line : lines_) {
      const auto middle = static_cast<Frame>((begin + line.speech_sec / 2) * 1000 * kFramesPerMs);
      const auto half = static_cast<Frame>(line.speech_sec / 2 * 1000 * kFramesPerMs);
      begin += line.speech_sec + line.pause_sec;
      if (line.speech_sec < kLongEnoughSec || middle + static_cast<Frame>(kFramesPerMs) * 1000 > manifest.end_frame)
        continue;
      const bool is_kept = std::ranges::any_of(manifest.segments, [&](const auto& segment) {
        return segment.is_kept() && segment.start_frame <= middle && middle < segment.end_frame;
      });
      const bool is_lost = std::ranges::any_of(manifest.gaps, [&](const auto& gap) {
        return gap.start_frame <= middle + half && middle - half < gap.start_frame + gap.frames;
      });
      EXPECT_TRUE(is_kept || is_lost) << "what was said at frame " << middle << " is in no segment and in no gap";
    }
  }

  std::vector<std::int16_t> whole_script() const {
    const auto source = script_->source(nullptr)();
    source->open();
    std::vector<float> block(4096);
    std::vector<std::int16_t> all;
    for (bool ended = false; !ended;) {
      const Reading reading = source->read(block);
      const std::size_t before = all.size();
      all.resize(before + reading.frames);
      audio::to_pcm16(std::span(block).first(reading.frames), std::span(all).subspan(before));
      ended = std::holds_alternative<SourceEnd>(reading.then);
    }
    return all;
  }

  static std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const unsigned seed_;
  std::mt19937 dice_;
  std::mt19937 worker_dice_{seed_ + 1};
  std::vector<Script::Line> lines_;
  std::optional<Script> script_;
  std::optional<test::FileSizeLimit> full_;
  bool was_full_at_end_ = false;  // of the script
  int steps_ = 0;
  bool may_pause_ = false;
  bool may_fail_disk_ = false;
  bool was_mode_changed_ = false;  // so that a segment may need a longer silence
  bool may_crash_ = false;
  bool may_cut_ = false;  // the crash is a power cut
  bool is_disk_good_ = true;
  std::optional<test::DiskRecorder> calls_;     // of a recording whose power may be cut
  fs::path crash_;                              // a copy of the session at that moment
  std::optional<std::uint64_t> told_at_crash_;  // how many events the subscriber had then
  std::optional<std::chrono::steady_clock::time_point> cut_at_;
  std::chrono::steady_clock::time_point began_;
  std::vector<std::pair<std::chrono::steady_clock::time_point, std::uint64_t>> delivered_;  // when, the next sequence
  std::shared_ptr<delivery::EventQueue> silent_;
  fs::path moved_to_;
  bool was_written_ = false;  // to its end, though with gaps
  std::uint64_t next_sequence_ = 0;
};

void simulate(unsigned seed) {
  try {
    Simulation(seed).run();
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

TEST(Simulation, HoldsItsPromisesUnderFaultsDrawnFromASeed) {
  if (const char* const seed = std::getenv("DICTUM_SIMULATION_SEED")) {
    simulate(static_cast<unsigned>(std::stoul(seed)));
    return;
  }
  unsigned seeds = kSanitized ? 150 : 1'000;
  if (std::getenv("DICTUM_SOAK") != nullptr) seeds = 20'000;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    simulate(seed);
    ASSERT_FALSE(HasFailure()) << "replay: DICTUM_SIMULATION_SEED=" << seed << " simulation_test";
  }
}

}  // namespace
}  // namespace dictum::recorder
