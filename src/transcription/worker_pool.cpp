#include "transcription/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>
#include <variant>
#include <vector>

#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "transcription/agreement.hpp"
#include "transcription/alarm.hpp"
#include "transcription/worker_process.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr auto kLongestBackoff = 5s;
constexpr int kPreviewCancelMs = 100;       // who promises this may be asked for interim text though it is the only one
constexpr auto kCancelGrace = 400ms;        // on top of what a worker promised ...
constexpr int kUnpromisedCancelMs = 1'600;  // ... or did not
constexpr int kMaxMessagesOfAJob = 10'000;  // partials and progress; more is a flood

/// What many jobs have in common: with a backlog of thousands it has to be there once.
struct Common {
  std::string session;
  std::filesystem::path folder;
  int sample_rate{};
  std::string language;
  std::vector<std::string> phrases;
  bool operator==(const Common&) const = default;
};

/// A job that has no outcome yet, and its history.
struct Pending {
  std::uint64_t arrival{};  // jobs leave in this order
  std::shared_ptr<const Common> common;
  std::uint32_t segment{};
  std::string file;
  Frame start{};
  Frame end{};
  Transcriber::Done done;
  SteadyTime queued_at;
  int attempts = 0;
  int deaths = 0;  // attempts in which the worker died by itself
};

double seconds(const Pending& job) {
  return static_cast<double>(std::max<Frame>(job.end - job.start, 0)) / std::max(job.common->sample_rate, 1);
}

Job message_of(const Pending& job, std::uint64_t id) {
  return {.id = id,
          .wav = (job.common->folder / job.file).string(),
          .language = job.common->language,
          .phrases = job.common->phrases,
          .session = job.common->session,
          .segment_index = job.segment,
          .attempt = job.attempts};
}

/// A place in a file as a place on the session's clock, within the job.
Frame on_clock(const Pending& job, Frame frame) {
  return job.start + std::min(frame, std::max<Frame>(job.end - job.start, 0));
}

TranscriptionOutcome outcome_of(const Pending& job, Result result) {
  TranscriptionOutcome outcome;
  outcome.text = std::move(result.text);
  outcome.words = std::move(result.words);
  outcome.phrases = std::move(result.phrases);
  outcome.no_speech_probability = result.no_speech_probability;
  outcome.suspect = result.suspect;
  outcome.suspect_reason = std::move(result.suspect_reason);
  outcome.annotations = std::move(result.annotations);
  outcome.engine = std::move(result.engine);
  outcome.model = std::move(result.model);
  outcome.language = std::move(result.language);
  const auto place = [&](auto& item) {
    item.start_frame = on_clock(job, item.start_frame);
    item.end_frame = on_clock(job, item.end_frame);
  };
  std::ranges::for_each(outcome.words, place);
  std::ranges::for_each(outcome.phrases, place);
  return outcome;
}

/// Room for one worker. What it is doing is said by three fields: no process (none, or resting after a failure), a
/// process that is not ready (loading its model), a ready one with or without a task.
struct Slot {
  Slot(std::string slot_name, const boost::asio::any_io_executor& executor)
      : name(std::move(slot_name)), alarm(executor), heartbeat(executor) {}

  const std::string name;
  std::unique_ptr<WorkerProcess> process;
  bool ready = false;
  bool resting = false;  // the alarm will start a fresh worker
  Hello hello;
  std::optional<Pending> job;  // the job that it runs, or that waits for its fresh worker
  bool previews = false;       // or the interim text that it works on
  bool cancelling = false;
  int failures = 0;  // in a row
  Alarm alarm;       // for the one thing that it waits for
  Alarm heartbeat;

  std::uint64_t id = 0;   // of the task; counts up
  bool answered = false;  // this process has answered a job before
  SteadyTime started;
  int messages = 0;
  Agreement agreement;

  std::uint64_t pings = 0;
  std::uint64_t pongs = 0;
  int missed = 0;

  bool idle() const { return ready && !job && !previews; }
  bool vacant() const { return !process && !resting && !job; }
};

struct Preview {
  Pending job;
  Frame asked_to = 0;
  std::optional<SteadyTime> asked_at;
  Agreement agreement;
  Slot* slot = nullptr;  // that works on it
  bool given_up = false;
};

/// What a worker says of an error, in a length that a person reads.
std::string shortened(const std::string& sentence) {
  constexpr std::size_t kLength = 500;
  return sentence.size() <= kLength ? sentence : utf8::repaired(sentence.substr(0, kLength)) + "...";
}

/// An error code of a worker, where it looks like one.
std::string code_of(const Error& error) {
  const bool plain = !error.code.empty() && error.code.size() <= 40 &&
                     error.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
  return plain ? error.code : to_string(Errc::transcription_failed);
}

}  // namespace

class WorkerPool::State : public std::enable_shared_from_this<State> {
 public:
  State(boost::asio::any_io_executor strand, WorkerPoolSettings settings, std::shared_ptr<const Clock> clock,
        WorkerPoolEvents events)
      : strand_(std::move(strand)),
        settings_(std::move(settings)),
        clock_(std::move(clock)),
        events_(std::move(events)) {
    for (int i = 0; i < std::max(settings_.workers, 1); ++i) {
      slots_.push_back(std::make_unique<Slot>(fmt::format("{}-{}", settings_.name, i), strand_));
    }
  }

  void transcribe(TranscriptionJob job, Done done);
  void preview(TranscriptionJob growing);
  void end_preview(std::uint32_t segment);
  void abandon();
  void warm_up();
  std::size_t queued() const;
  std::chrono::duration<double> oldest_age() const;

 private:
  /// Calls `callback` later, so that nobody is called back from inside a call of theirs, and not once abandoned.
  template <class Callback>
  void tell(Callback callback) {
    boost::asio::post(strand_, [self = shared_from_this(), callback = std::move(callback)]() mutable {
      if (!self->abandoned_) callback();
    });
  }

  void tell_status(const Slot& slot, WorkerState state, std::string reason) {
    if (!events_.on_status) return;
    tell([on_status = events_.on_status, name = slot.name, state, reason = std::move(reason)]() mutable {
      on_status(std::move(name), state, std::move(reason));
    });
  }

  void tell_partial(std::uint32_t segment, std::string text, std::size_t stable) {
    if (!events_.on_partial) return;
    tell([on_partial = events_.on_partial, segment, text = std::move(text), stable]() mutable {
      on_partial(segment, std::move(text), stable);
    });
  }

  void tell_outcome(Pending job, TranscriptionOutcome outcome) {
    tell([done = std::move(job.done), outcome = std::move(outcome)]() mutable { done(std::move(outcome)); });
  }

  void tell_failure(Pending job, std::string code, std::string sentence) {
    TranscriptionOutcome outcome;
    outcome.error = EventError{std::move(code), std::move(sentence)};
    tell_outcome(std::move(job), std::move(outcome));
  }

  Pending pending(TranscriptionJob job);
  void dispatch_soon();
  void dispatch();
  void start(Slot& slot);
  void run(Slot& slot);
  void run_preview(Slot& slot);
  void cancel_preview(Slot& slot);
  Slot* slot_for_preview();
  void idle(Slot& slot);
  void beat(Slot& slot);

  void on_message(Slot& slot, Message message);
  void on_first_message(Slot& slot, Message message);
  void on_result(Slot& slot, Result result);
  void on_error(Slot& slot, const Error& error);
  void on_partial(Slot& slot, const Partial& partial);
  bool counts(Slot& slot, std::uint64_t id, std::string_view what);

  void stop(Slot& slot);
  void lose(Slot& slot, std::string code, const std::string& sentence, bool died = false);
  void attempt_failed(Slot& slot, std::string code, const std::string& sentence, bool died);
  void start_failed(Slot& slot, const std::string& code, const std::string& sentence);
  void give_up(const std::string& code, const std::string& sentence);
  void rest(Slot& slot);

  void breach(Slot& slot, std::string sentence) {
    const std::string whole = "the transcriber broke the worker protocol: " + std::move(sentence);
    if (slot.ready) return lose(slot, to_string(Errc::worker_protocol), whole);
    start_failed(slot, to_string(Errc::transcriber_missing), whole);
  }

  const boost::asio::any_io_executor strand_;
  const WorkerPoolSettings settings_;
  const std::shared_ptr<const Clock> clock_;
  const WorkerPoolEvents events_;

  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<std::uint64_t, Pending> waiting_;  // by arrival
  std::uint64_t arrivals_ = 0;
  std::shared_ptr<const Common> common_ = std::make_shared<Common>();  // of the latest job
  std::optional<Preview> preview_;
  int failed_starts_ = 0;  // in a row, of all slots
  bool dispatching_ = false;
  bool abandoned_ = false;
};

Pending WorkerPool::State::pending(TranscriptionJob job) {
  Common common{std::move(job.session), job.wav_path.parent_path(), job.sample_rate,
                job.language.empty() ? settings_.language : job.language, std::move(job.phrases)};
  if (common != *common_) common_ = std::make_shared<const Common>(std::move(common));
  Pending pending;
  pending.common = common_;
  pending.segment = job.segment_index;
  pending.file = job.wav_path.filename().string();
  pending.start = job.start_frame;
  pending.end = job.end_frame;
  pending.queued_at = clock_->steady_now();
  return pending;
}

void WorkerPool::State::transcribe(TranscriptionJob job, Done done) {
  if (abandoned_) return;
  const bool nameable = utf8::is_valid(job.wav_path.native());
  Pending entry = pending(std::move(job));
  entry.arrival = arrivals_++;
  entry.done = std::move(done);
  if (!nameable) {
    return tell_failure(std::move(entry), to_string(Errc::invalid_argument),
                        "the session's folder has a name that is not UTF-8, which transcribers cannot be told; keep "
                        "sessions elsewhere");
  }
  waiting_.emplace_hint(waiting_.end(), entry.arrival, std::move(entry));
  dispatch_soon();
}

void WorkerPool::State::dispatch_soon() {
  if (std::exchange(dispatching_, true)) return;
  boost::asio::post(strand_, [self = shared_from_this()] {
    self->dispatching_ = false;
    self->dispatch();
  });
}

/// Gives waiting jobs to idle workers, and starts as many workers as there is work for.
void WorkerPool::State::dispatch() {
  if (abandoned_) return;
  for (const auto& slot : slots_) {
    if (waiting_.empty()) break;
    if (!slot->idle()) continue;
    slot->job = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    run(*slot);
  }
  auto missing = static_cast<std::ptrdiff_t>(waiting_.size());
  if (missing > 0) {
    for (const auto& slot : slots_) {
      if (slot->previews) cancel_preview(*slot);
    }
  }
  missing -= std::ranges::count_if(
      slots_, [](const auto& slot) { return (slot->process && !slot->ready && !slot->job) || slot->previews; });
  for (const auto& slot : slots_) {
    if (missing <= 0 || waiting_.empty()) break;
    if (!slot->vacant()) continue;
    start(*slot);
    --missing;
  }
  for (const auto& slot : slots_) {
    if (slot->idle()) idle(*slot);
  }
}

void WorkerPool::State::idle(Slot& slot) {
  if (!settings_.unload_after || slot.alarm.is_set()) return;
  slot.alarm.set(*settings_.unload_after, [self = shared_from_this(), &slot] {
    self->stop(slot);
    self->tell_status(slot, WorkerState::stopped, "unloaded while idle");
  });
}

void WorkerPool::State::start(Slot& slot) {
  slot.resting = false;
  tell_status(slot, WorkerState::starting, settings_.executable.filename().string());
  WorkerCommand command{.executable = settings_.executable,
                        .arguments = {},
                        .environment = settings_.environment,
                        .guard = settings_.guard,
                        .memory_cap = settings_.memory_cap};
  if (!settings_.model.empty()) command.arguments = {"--model", settings_.model};
  const auto self = weak_from_this();
  WorkerEvents events;
  events.on_message = [self, &slot](Message message) {
    if (const auto state = self.lock()) state->on_message(slot, std::move(message));
  };
  events.on_end = [self, &slot](WorkerEnd end) {
    const auto state = self.lock();
    if (!state) return;
    const bool died = end.code == Errc::worker_died;
    if (slot.ready) return state->lose(slot, to_string(end.code), end.message, died);
    state->start_failed(slot, to_string(Errc::transcriber_missing), end.message);
  };
  slot.pings = slot.pongs = 0;
  slot.answered = false;
  try {
    slot.process = std::make_unique<WorkerProcess>(strand_, command, std::move(events));
  } catch (const RecorderError& problem) {
    return start_failed(slot, to_string(Errc::transcriber_missing), problem.what());
  }
  slot.alarm.set(settings_.hello_timeout, [state = shared_from_this(), &slot] {
    state->start_failed(
        slot, to_string(Errc::transcriber_missing),
        fmt::format("the transcriber {} did not say hello within {:.3g} s", state->settings_.executable.string(),
                    std::chrono::duration<double>(state->settings_.hello_timeout).count()));
  });
}

void WorkerPool::State::run(Slot& slot) {
  Pending& job = *slot.job;
  ++job.attempts;
  ++slot.id;
  slot.started = clock_->steady_now();
  slot.messages = slot.missed = 0;
  slot.agreement = {};
  slot.process->send(message_of(job, slot.id));
  const auto deadline = settings_.deadline_base + settings_.deadline_per_sec * seconds(job);
  slot.alarm.set(std::chrono::ceil<std::chrono::milliseconds>(deadline), [self = shared_from_this(), &slot, deadline] {
    self->lose(slot, to_string(Errc::deadline_exceeded),
               fmt::format("the transcriber did not answer within {:.3g} s", deadline.count()));
  });
  beat(slot);
}

/// Asks once an interval, as long as there is a task, whether the process is alive at all.
void WorkerPool::State::beat(Slot& slot) {
  slot.heartbeat.set(settings_.ping_interval, [self = shared_from_this(), &slot] {
    slot.missed = slot.pongs == slot.pings ? 0 : slot.missed + 1;
    if (slot.missed >= self->settings_.lost_pings) {
      return self->lose(slot, to_string(Errc::deadline_exceeded),
                        fmt::format("the transcriber's process does not react any more ({} pings)", slot.missed));
    }
    if (slot.missed == 0) slot.process->send(Ping{++slot.pings});
    self->beat(slot);
  });
}

void WorkerPool::State::on_message(Slot& slot, Message message) {
  if (!slot.ready) return on_first_message(slot, std::move(message));
  if (auto* const result = std::get_if<Result>(&message)) return on_result(slot, std::move(*result));
  if (const auto* const error = std::get_if<Error>(&message)) return on_error(slot, *error);
  if (const auto* const partial = std::get_if<Partial>(&message)) return on_partial(slot, *partial);
  if (const auto* const progress = std::get_if<Progress>(&message)) {
    counts(slot, progress->id, "progress of");
    return;
  }
  if (const auto* const pong = std::get_if<Pong>(&message)) {
    if (slot.pongs == slot.pings || pong->nonce != slot.pings) return breach(slot, "a pong that nobody asked for");
    slot.pongs = slot.pings;
    return;
  }
  breach(slot, fmt::format("a message of type \"{}\" out of order", type_name(message)));
}

void WorkerPool::State::on_first_message(Slot& slot, Message message) {
  if (const auto* const error = std::get_if<Error>(&message)) {
    const std::string code =
        error->code == to_string(Errc::model_missing) ? error->code : to_string(Errc::transcriber_missing);
    return start_failed(slot, code, shortened(error->message));
  }
  auto* const hello = std::get_if<Hello>(&message);
  if (hello == nullptr)
    return breach(slot, fmt::format("a message of type \"{}\" before the hello", type_name(message)));
  if (hello->protocol != kProtocolVersion) {
    return start_failed(
        slot, to_string(Errc::transcriber_missing),
        fmt::format("the transcriber {} speaks version {} of the worker protocol, and this is version {}",
                    settings_.executable.string(), hello->protocol, kProtocolVersion));
  }
  slot.hello = std::move(*hello);
  slot.ready = true;
  slot.alarm.clear();
  failed_starts_ = 0;
  tell_status(
      slot, WorkerState::ready,
      slot.hello.model.empty() ? slot.hello.engine : fmt::format("{}, model {}", slot.hello.engine, slot.hello.model));
  if (slot.job) return run(slot);
  dispatch();
}

/// Whether a message about job `id` is one that the worker may send now. Where it is not, the worker is over.
bool WorkerPool::State::counts(Slot& slot, std::uint64_t id, std::string_view what) {
  if (slot.idle() || id != slot.id) {
    // A second answer to an earlier job is no fault of this one.
    if (slot.job && slot.answered && id < slot.id) --slot.job->attempts;
    breach(slot, fmt::format("{} a job that it does not have", what));
    return false;
  }
  if (++slot.messages > kMaxMessagesOfAJob) {
    breach(slot, "a flood of messages about one job");
    return false;
  }
  return true;
}

void WorkerPool::State::on_partial(Slot& slot, const Partial& partial) {
  if (!counts(slot, partial.id, "partial text of") || !slot.job) return;
  tell_partial(slot.job->segment, partial.text, slot.agreement.with_next(partial.text));
}

void WorkerPool::State::on_result(Slot& slot, Result result) {
  if (!counts(slot, result.id, "an answer to")) return;
  slot.alarm.clear();
  slot.heartbeat.clear();
  slot.failures = 0;
  slot.cancelling = false;
  slot.answered = true;
  if (std::exchange(slot.previews, false)) {
    if (preview_ && preview_->slot == &slot) {
      preview_->slot = nullptr;
      const std::size_t stable = preview_->agreement.with_next(result.text);
      tell_partial(preview_->job.segment, std::move(result.text), stable);
    }
    return dispatch();
  }
  Pending job = std::move(*slot.job);
  slot.job.reset();
  TranscriptionOutcome outcome = outcome_of(job, std::move(result));
  outcome.processing_time = clock_->steady_now() - slot.started;
  tell_outcome(std::move(job), std::move(outcome));
  dispatch();
}

void WorkerPool::State::on_error(Slot& slot, const Error& error) {
  if (!error.id || error.fatal) return lose(slot, code_of(error), shortened(error.message));
  if (!counts(slot, *error.id, "an error about")) return;
  slot.alarm.clear();
  slot.heartbeat.clear();
  if (!slot.previews) return attempt_failed(slot, code_of(error), shortened(error.message), false);
  slot.previews = slot.cancelling = false;
  if (preview_ && preview_->slot == &slot) {
    preview_->slot = nullptr;
    preview_->given_up = true;
  }
  dispatch();
}

/// The slot's process goes, with whatever it was doing.
void WorkerPool::State::stop(Slot& slot) {
  slot.process.reset();
  slot.ready = slot.previews = slot.cancelling = false;
  slot.alarm.clear();
  slot.heartbeat.clear();
  if (preview_ && preview_->slot == &slot) {
    preview_->slot = nullptr;
    preview_->given_up = true;  // it may have killed the worker
  }
}

/// A worker that had been ready is over.
void WorkerPool::State::lose(Slot& slot, std::string code, const std::string& sentence, bool died) {
  stop(slot);
  tell_status(slot, WorkerState::failed, sentence);
  if (slot.job) return attempt_failed(slot, std::move(code), sentence, died);
  dispatch();
}

void WorkerPool::State::attempt_failed(Slot& slot, std::string code, const std::string& sentence, bool died) {
  Pending& job = *slot.job;
  job.deaths += died ? 1 : 0;
  if (job.attempts < settings_.attempts) {
    if (slot.process) {
      stop(slot);
      tell_status(slot, WorkerState::stopped, sentence);
    }
    return rest(slot);
  }
  const std::string last = fmt::format("{} attempts failed, the last one so: {}", job.attempts, sentence);
  Pending finished = std::move(job);
  slot.job.reset();
  if (finished.deaths == finished.attempts) {
    tell_failure(std::move(finished), to_string(Errc::quarantined),
                 fmt::format("this segment ended every worker that tried it, and was put aside: {}", last));
  } else {
    tell_failure(std::move(finished), std::move(code), last);
  }
  if (slot.process) return dispatch();
  rest(slot);
}

/// A pause before a fresh worker is started, if there is work for it then.
void WorkerPool::State::rest(Slot& slot) {
  const int doublings = std::min(slot.failures++, 10);
  slot.resting = true;
  slot.alarm.set(std::min<std::chrono::milliseconds>(settings_.backoff * (1 << doublings), kLongestBackoff),
                 [self = shared_from_this(), &slot] {
                   slot.resting = false;
                   if (slot.job) return self->start(slot);
                   self->dispatch();
                 });
  dispatch_soon();
}

void WorkerPool::State::start_failed(Slot& slot, const std::string& code, const std::string& sentence) {
  stop(slot);
  tell_status(slot, WorkerState::failed, sentence);
  const bool others_live = std::ranges::any_of(slots_, [](const auto& other) { return other->ready; });
  if (++failed_starts_ >= settings_.attempts && !others_live) {
    give_up(code, sentence);
  } else if (slot.job && others_live) {
    const std::uint64_t arrival = slot.job->arrival;
    waiting_.emplace(arrival, std::move(*slot.job));
    slot.job.reset();
  }
  rest(slot);
}

/// No worker can be started: waiting longer would help nobody.
void WorkerPool::State::give_up(const std::string& code, const std::string& sentence) {
  for (const auto& slot : slots_) {
    if (!slot->job) continue;
    tell_failure(std::move(*slot->job), code, sentence);
    slot->job.reset();
  }
  for (auto& [arrival, job] : std::exchange(waiting_, {})) tell_failure(std::move(job), code, sentence);
}

void WorkerPool::State::preview(TranscriptionJob growing) {
  if (abandoned_ || !utf8::is_valid(growing.wav_path.native())) return;
  if (preview_ &&
      (preview_->job.segment != growing.segment_index || preview_->job.common->session != growing.session)) {
    end_preview(preview_->job.segment);
  }
  if (!preview_) preview_.emplace();
  preview_->job = pending(std::move(growing));
  const Frame frames = preview_->job.end - preview_->job.start;
  const SteadyTime now = clock_->steady_now();
  if (preview_->given_up || preview_->slot || !waiting_.empty() || frames <= preview_->asked_to) return;
  if (preview_->asked_at && now - *preview_->asked_at < settings_.preview_interval) return;
  Slot* const slot = slot_for_preview();
  if (slot == nullptr) return;
  preview_->asked_at = now;
  preview_->asked_to = frames;
  run_preview(*slot);
}

/// An idle worker that a final text will not have to wait for. Where there is none, one is started for the next time.
Slot* WorkerPool::State::slot_for_preview() {
  const auto idle = std::ranges::count_if(slots_, [](const auto& slot) { return slot->idle(); });
  for (auto slot = slots_.rbegin(); slot != slots_.rend(); ++slot) {
    if (!(*slot)->idle()) continue;
    if (idle > 1 || (*slot)->hello.cancel_ms.value_or(kPreviewCancelMs + 1) <= kPreviewCancelMs) return slot->get();
  }
  if (std::ranges::none_of(slots_, [](const auto& slot) { return slot->process && !slot->ready; })) {
    const auto vacant = std::ranges::find_if(slots_, [](const auto& slot) { return slot->vacant(); });
    if (vacant != slots_.end()) start(**vacant);
  }
  return nullptr;
}

void WorkerPool::State::run_preview(Slot& slot) {
  preview_->slot = &slot;
  slot.previews = true;
  ++slot.id;
  slot.messages = slot.missed = 0;
  Job message = message_of(preview_->job, slot.id);
  message.range = FrameRange{0, preview_->asked_to};
  message.attempt = 1;
  message.interim = true;
  slot.process->send(message);
  const auto deadline = settings_.deadline_base + settings_.deadline_per_sec * seconds(preview_->job);
  slot.alarm.set(std::chrono::ceil<std::chrono::milliseconds>(deadline), [self = shared_from_this(), &slot] {
    self->lose(slot, to_string(Errc::deadline_exceeded), "the transcriber did not answer in time with interim text");
  });
  beat(slot);
}

void WorkerPool::State::cancel_preview(Slot& slot) {
  if (std::exchange(slot.cancelling, true)) return;
  if (preview_ && preview_->slot == &slot) preview_->slot = nullptr;
  slot.process->send(Cancel{slot.id});
  const std::chrono::milliseconds promised(slot.hello.cancel_ms.value_or(kUnpromisedCancelMs));
  slot.alarm.set(std::min<std::chrono::milliseconds>(promised, 10s) + kCancelGrace, [self = shared_from_this(), &slot] {
    self->lose(slot, to_string(Errc::deadline_exceeded), "the transcriber did not heed a cancel");
  });
}

void WorkerPool::State::end_preview(std::uint32_t segment) {
  if (!preview_ || preview_->job.segment != segment) return;
  if (preview_->slot) cancel_preview(*preview_->slot);
  preview_.reset();
}

void WorkerPool::State::warm_up() {
  for (const auto& slot : slots_) {
    if (slot->vacant() && !abandoned_) start(*slot);
  }
}

void WorkerPool::State::abandon() {
  abandoned_ = true;
  waiting_.clear();
  preview_.reset();
  for (const auto& slot : slots_) {
    slot->job.reset();
    slot->resting = false;
    stop(*slot);
  }
}

std::size_t WorkerPool::State::queued() const {
  const auto running = std::ranges::count_if(slots_, [](const auto& slot) { return slot->job.has_value(); });
  return waiting_.size() + static_cast<std::size_t>(running);
}

std::chrono::duration<double> WorkerPool::State::oldest_age() const {
  const SteadyTime now = clock_->steady_now();
  SteadyTime oldest = waiting_.empty() ? now : waiting_.begin()->second.queued_at;
  for (const auto& slot : slots_) {
    if (slot->job) oldest = std::min(oldest, slot->job->queued_at);
  }
  return now - oldest;
}

WorkerPool::WorkerPool(boost::asio::any_io_executor strand, WorkerPoolSettings settings,
                       std::shared_ptr<const Clock> clock, WorkerPoolEvents events)
    : state_(std::make_shared<State>(std::move(strand), std::move(settings), std::move(clock), std::move(events))) {}

WorkerPool::~WorkerPool() {
  state_->abandon();
}

void WorkerPool::transcribe(TranscriptionJob job, Done done) {
  state_->transcribe(std::move(job), std::move(done));
}
void WorkerPool::preview(TranscriptionJob growing) {
  state_->preview(std::move(growing));
}
void WorkerPool::end_preview(std::uint32_t segment_index) {
  state_->end_preview(segment_index);
}
void WorkerPool::abandon() {
  state_->abandon();
}
void WorkerPool::warm_up() {
  state_->warm_up();
}
std::size_t WorkerPool::queued() const {
  return state_->queued();
}
std::chrono::duration<double> WorkerPool::oldest_age() const {
  return state_->oldest_age();
}

}  // namespace dictum::transcription
