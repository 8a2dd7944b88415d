#include "record_jobs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json/object.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <system_error>
#include <thread>
#include <utility>

#include "dictum/recorder_backend.hpp"
#include "dictum/sessions.hpp"
#include "dictum/sound_file.hpp"
#include "dictum/text.hpp"
#include "output.hpp"
#include "recording_outcome.hpp"
#include "signals.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

using namespace std::chrono_literals;

constexpr auto kRedraw = 250ms;
constexpr std::chrono::milliseconds kHooks = 30s;  // for programs that wait, at the end of a file
constexpr std::chrono::milliseconds kHooksWhenInterrupted = 2s;

/// One file on its way. Owner: the list of jobs, which outlives all threads. Threads: the one that records it, delivery
/// and main's.
class FileJob {
 public:
  enum class State { waiting, recording, done, left_out };

  FileJob(std::string file, server::HookSettings hooks)
      : file_(std::move(file)), hooks_(std::move(hooks), [this](const std::string&, const std::string& sentence) {
          print_error("{}: {}", file_, sentence);
        }) {}

  /// Records the file and waits for its texts. Where it was stopped before, it is left out.
  void run(RecorderConfig config) {
    if (is_stopped_) {
      state_ = State::left_out;
      return;
    }
    state_ = State::recording;
    config.capture.input = file_;
    try {
      frames_ = sound_file_info(file_).frames.value_or(0);
    } catch (const RecorderError&) {  // raw samples say nothing; of the rest the start says what is wrong
    }
    try {
      record(config);
    } catch (const std::exception& error) {
      error_ = error.what();
    }
    hooks_.finish(is_stopped_ ? kHooksWhenInterrupted : kHooks);
    state_ = State::done;
  }

  /// From now on it does not begin.
  void cancel_if_waiting() { is_stopped_ = true; }

  /// Stops it, and the waits for its texts and its hooks, within seconds; nothing where it does not run. After
  /// `cancel_if_waiting`.
  void stop() {
    stop_recording();
    hooks_.finish(kHooksWhenInterrupted);
  }

  State state() const { return state_; }
  const std::string& file() const { return file_; }

  /// How far it is, in a word.
  std::string progress() const {
    const Frame all = frames_;
    if (all > 0 && frame_ < all) return fmt::format("{} %", 100 * frame_ / all);
    const int texts = outcome_.waiting_for_text();
    return texts > 0 ? fmt::format("{} to transcribe", texts) : "...";
  }

  // What follows is for main's thread once it is done.

  ExitCode code() const { return error().empty() ? outcome_.code() : ExitCode::failure; }

  void print(bool json) const {
    if (json) {
      print_json(boost::json::object{{"file", file_},
                                     {"session", session_.empty() ? boost::json::value() : session_.c_str()},
                                     {"duration_sec", duration_sec_},
                                     {"segments", outcome_.segments()},
                                     {"without_text", outcome_.without_text()},
                                     {"waiting_for_text", outcome_.waiting_for_text()},
                                     {"error", error().empty() ? boost::json::value() : error().c_str()}});
    } else if (!session_.empty()) {
      program::print("{}: {}, {} {}, {}\n", file_, position_text(duration_sec_), outcome_.segments(),
                     outcome_.segments() == 1 ? "segment" : "segments", session_);
    }
    if (!error().empty()) print_error("{}: {}", file_, error());
    if (!session_.empty()) outcome_.print_missing(session_);
  }

 private:
  const std::string& error() const { return error_.empty() ? outcome_.why() : error_; }

  void record(const RecorderConfig& config) {
    {
      const std::lock_guard lock(mutex_);
      if (is_stopped_) throw RecorderError(Errc::cancelled, "stopped before it began");
      backend_ = std::make_unique<RecorderBackend>(config, [this](const Event& event) { receive(event); });
    }
    struct Ending {
      FileJob& job;
      ~Ending() {
        const std::lock_guard lock(job.mutex_);
        job.backend_.reset();
      }
    } const ending{*this};
    backend_->start_recording();
    session_ = backend_->get_session_path().string();
    std::error_code ignored;                                 // the outcome knows
    if (is_stopped_) backend_->stop_recording(0s, ignored);  // a stop before the start had nothing to stop
    stopped_.acquire();
    backend_->stop_recording(ignored);
    duration_sec_ = session_entry(session_).duration_sec;
  }

  void stop_recording() {
    const std::lock_guard lock(mutex_);
    if (!backend_) return;
    std::error_code ignored;  // it has ended by itself, then
    backend_->stop_recording(0s, ignored);
  }

  void receive(const Event& event) {
    hooks_.take(event);
    outcome_.take(event);
    frame_ = std::max(frame_.load(), event.frame);
    if (outcome_.has_stopped()) stopped_.release();
  }

  const std::string file_;
  std::atomic<State> state_{State::waiting};
  std::atomic<Frame> frame_{0};
  std::atomic<Frame> frames_{0};
  std::atomic<bool> is_stopped_{false};
  std::counting_semaphore<> stopped_{0};  // released once the recording has ended
  RecordingOutcome outcome_;
  std::string session_;
  double duration_sec_ = 0;
  std::string error_;
  server::HookRunner hooks_;
  std::mutex mutex_;                          // of `backend_`, which main's thread stops
  std::unique_ptr<RecorderBackend> backend_;  // while it records
};

/// How far those are that are being recorded, on one line of a terminal.
class StatusLine {
 public:
  void clear() {
    if (std::exchange(is_drawn_, false)) write_output("\r\x1b[K");
  }

  void draw(const std::vector<FileJob*>& left, std::size_t all) {
    std::string line = fmt::format("{} of {} done", all - left.size(), all);
    for (const FileJob* job : left) {
      if (job->state() != FileJob::State::recording) continue;
      line +=
          fmt::format("  {} {}", on_one_line(std::filesystem::path(job->file()).filename().string()), job->progress());
    }
    clear();
    print("{}", first_characters(line, terminal_width() - 1));
    flush_output();
    is_drawn_ = true;
  }

 private:
  bool is_drawn_ = false;
};

}  // namespace

ExitCode record_jobs(const std::vector<std::string>& files, const RecorderConfig& config,
                     const server::HookSettings& hooks, int jobs, bool json) {
  Signals signals;
  std::vector<std::unique_ptr<FileJob>> all;
  for (const std::string& file : files) all.push_back(std::make_unique<FileJob>(file, hooks));

  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(jobs), all.size()); ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < all.size(); at = next++) {
        all[at]->run(config);
        signals.wake();
      }
    });
  }

  const bool shows_status = !json && isatty(STDOUT_FILENO) != 0;
  StatusLine status;
  std::vector<FileJob*> left;
  for (const auto& job : all) left.push_back(job.get());
  std::size_t left_out = 0;
  ExitCode code = ExitCode::success;
  while (!left.empty()) {
    std::erase_if(left, [&](const FileJob* job) {
      if (job->state() == FileJob::State::left_out) return ++left_out > 0;
      if (job->state() != FileJob::State::done) return false;
      status.clear();
      job->print(json);
      if (job->code() != ExitCode::success) code = job->code();
      return true;
    });
    flush_output();
    if (left.empty()) break;
    if (shows_status) status.draw(left, all.size());
    const auto until = shows_status ? std::optional(std::chrono::steady_clock::now() + kRedraw) : std::nullopt;
    if (signals.wait(until) == Signals::Event::signal) {
      for (const auto& job : all) job->cancel_if_waiting();
      std::vector<std::jthread> stops;  // one that a device or a disk holds up delays no other
      for (FileJob* job : left) {
        if (job->state() == FileJob::State::recording) stops.emplace_back([job] { job->stop(); });
      }
    }
  }
  status.clear();
  if (left_out > 0) {
    print_error("{} of {} files were not recorded", left_out, all.size());
    code = ExitCode::failure;
  }
  return code;
}

}  // namespace dictum::program
