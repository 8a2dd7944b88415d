#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/timer.hpp"
#include "dictum/config.hpp"
#include "dictum/detail/engine.hpp"
#include "pipeline/segmentation_pipeline.hpp"

namespace dictum::pipeline {

/// Counts what is on its way from `listen` over `disk` to `loop`, so that a fast source or a slow disk never fills the
/// memory: the capture loop stops reading, and the source's own buffer (the ring) takes what comes. A source that can
/// wait (a file that is read fast) waits after a few batches; one that cannot has memory for minutes of speech while
/// the disk is full or does not answer.
///
/// Thread safety: every method may be called from any strand; `sent` and `is_full` from `listen` only.
class Backlog {
 public:
  static constexpr int kMaxBatches = 16;                             // of a source that can wait
  static constexpr std::int64_t kMaxBytes = std::int64_t{32} << 20;  // of a source that cannot

  explicit Backlog(bool can_wait) : can_wait_(can_wait) {}

  void sent(std::int64_t bytes) {
    in_flight_.fetch_add(1);
    bytes_.fetch_add(bytes);
  }
  /// True where the capture loop waits and has to be woken.
  bool arrived(std::int64_t bytes) {
    bytes_.fetch_sub(bytes);
    in_flight_.fetch_sub(1);
    return !is_at_limit() && waiting_.exchange(false);
  }
  bool is_empty() const { return in_flight_.load() == 0; }
  /// True where there is no room: the capture loop then stops until it is woken.
  bool is_full() {
    if (!is_at_limit()) return false;
    waiting_.store(true);
    return is_at_limit() || !waiting_.exchange(false);
  }
  bool is_at_limit() const { return can_wait_ ? in_flight_.load() >= kMaxBatches : bytes_.load() >= kMaxBytes; }
  /// Bytes that may still wait, of a source that cannot.
  std::int64_t room() const { return std::max<std::int64_t>(0, kMaxBytes - bytes_.load()); }
  bool can_wait() const { return can_wait_; }

 private:
  const bool can_wait_;
  std::atomic<int> in_flight_{0};
  std::atomic<std::int64_t> bytes_{0};
  std::atomic<bool> waiting_{false};
};

/// The memory that a batch takes.
std::int64_t bytes_of(const std::vector<StreamItem>& items);

/// Reads the source and passes the audio to the pipeline, paced by a timer (the audio callback wakes nobody) or, from a
/// file that is to be read fast, by the room behind it.
///
/// Threads: lives on the `listen` strand; every method is called there. Owner: the session, and the handlers under way.
/// A source or detector that throws ends the stream: what was read is flushed, and `Closed` carries the reason.
class CaptureLoop : public std::enable_shared_from_this<CaptureLoop> {
 public:
  using Sink = detail::UniqueFunction<void(std::vector<StreamItem>)>;

  CaptureLoop(boost::asio::any_io_executor listen, const RecorderConfig& config, std::shared_ptr<const Clock> clock,
              const Timers& timers, std::unique_ptr<AudioSource> source,
              std::unique_ptr<VoiceActivityDetector> detector);
  ~CaptureLoop();

  /// Opens the source and makes the pipeline. Blocks as long as the source does. Throws RecorderError.
  AudioFormat open();

  /// Begins to read; the items go to `sink` in order.
  void run(Sink sink);

  /// Processes what is left in the source's buffer, flushes, closes the source. `Closed` is the last item.
  void stop();

  /// Closes an open source without a word: for a start that is rolled back.
  void roll_back() noexcept;

  detail::Outcome pause();
  detail::Outcome resume();
  void set_min_silence_ms(int ms) { pipeline_->set_min_silence_ms(ms); }

  /// From what is captured now on: what has arrived is processed first.
  void set_muted(bool muted);

  /// For what concerns nothing but the source.
  AudioSource& source() { return *source_; }

  /// Whether the source keeps what is not read: a file that is read as fast as it can be.
  bool can_wait() const { return source_->pace().count() == 0; }

  /// There is room behind us again.
  void continue_reading();

  /// What is on its way behind us, once we are open. From any strand.
  Backlog& backlog() { return *backlog_; }

  std::string description() const { return source_->description(); }

 private:
  enum class Read { something, nothing, end };

  void step();
  std::chrono::milliseconds pace() const;
  void schedule(std::chrono::milliseconds delay);
  Read read_once(std::vector<StreamItem>& out);
  bool process(std::span<const float> interleaved, std::vector<StreamItem>& out);
  bool has_reached_its_end() const;
  void read_rest(std::vector<StreamItem>& out);
  void finish(std::vector<StreamItem> items, std::optional<EventError> failure);
  void send(std::vector<StreamItem> items);

  const boost::asio::any_io_executor listen_;
  const RecorderConfig config_;
  const std::shared_ptr<const Clock> clock_;
  const std::unique_ptr<AudioSource> source_;
  std::unique_ptr<VoiceActivityDetector> detector_;
  std::optional<SegmentationPipeline> pipeline_;
  AudioFormat format_;
  Frame duration_ = 0;         // of the recording; 0: no limit
  Frame longest_silence_ = 0;  // that does not end it; 0: no limit
  std::vector<float> buffer_;
  const std::unique_ptr<Timer> timer_;

  Sink sink_;
  std::optional<Backlog> backlog_;
  enum class State { made, opened, running, paused, closed } state_ = State::made;
  // Progress alone is reported a few times a second only: each report wakes two threads.
  std::vector<StreamItem> held_back_;
  Frame sent_until_ = 0;
  bool step_is_posted_ = false;
  bool was_full_ = false;  // since the last reading: what overflowed meanwhile is the disk's fault
  std::chrono::steady_clock::time_point paused_at_;
};

}  // namespace dictum::pipeline
