#include "transcription/fallback_runner.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dictum/error.hpp"

namespace dictum::transcription {
namespace {

enum class Which { cluster, local };

/// What one of the runners has of a job.
enum class Claim {
  none,     ///< nothing: it was not given the job, has forgotten it, or has ended it
  waiting,  ///< it waits in the runner's queue
  begun,    ///< a worker has it
};

/// A segment that was submitted. It is kept until neither runner has it.
struct FallbackJob {
  Priority priority{};
  Claim cluster = Claim::none;
  Claim local = Claim::none;
  enum class Text { awaited, delivered } text = Text::awaited;  ///< delivered: or no longer wanted

  Claim& claim(Which which) { return which == Which::cluster ? cluster : local; }
  bool is_over() const { return cluster == Claim::none && local == Claim::none; }
};

enum class Availability {
  up,       ///< as far as is known
  failing,  ///< no worker of the cluster's pool is connected
  away,     ///< for so long that the local pool works
};

}  // namespace

class FallbackRunner::State {
 public:
  State(Parts parts, const Timers& timers)
      : parts_(std::move(parts)),
        cluster_(parts_.make_cluster([this](const WorkerStatus& status) { worker_changed(status); })),
        outage_timer_(timers.make_timer(parts_.strand)) {}

  void submit(const std::shared_ptr<JobSource>& source, std::uint32_t segment, Priority priority);
  void begin_early(const std::shared_ptr<JobSource>& source, std::uint32_t segment);
  void abandon();

  /// The runner that interim texts and loaded models are asked of.
  JobRunner& present() { return availability_ == Availability::away ? local() : *cluster_; }
  JobRunner& cluster() { return *cluster_; }
  JobRunner* local_if_made() { return local_.get(); }

 private:
  class Session;
  using SessionPointer = std::shared_ptr<Session>;

  JobRunner& local() {
    if (!local_) local_ = parts_.make_local();
    return *local_;
  }
  JobRunner& runner(Which which) { return which == Which::cluster ? *cluster_ : local(); }
  SessionPointer session_of(const std::shared_ptr<JobSource>& source);
  void give(Which which, const SessionPointer& session, std::uint32_t segment);
  std::optional<TranscriptionJob> job(Which which, Session& session, std::uint32_t segment);
  void transcribed(Which which, Session& session, std::uint32_t segment, TranscriptionOutcome outcome);
  void local_failed(Session& session, std::uint32_t segment, const EventError& why);
  void has_no_worker(Which which, Session& session, const EventError& why);
  void worker_changed(const WorkerStatus& status);
  void switch_to_local();

  const Parts parts_;
  const std::unique_ptr<JobRunner> cluster_;
  const std::unique_ptr<Timer> outage_timer_;
  std::unique_ptr<JobRunner> local_;
  std::map<JobSource*, std::weak_ptr<Session>> sessions_;  // the runners share them while they have a segment
  Availability availability_ = Availability::up;
  std::set<std::string> connected_;  // workers of the cluster's pool
  EventError last_failure_;
};

/// A session, as each of the runners knows it.
class FallbackRunner::State::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(State& owner, std::shared_ptr<JobSource> source)
      : source_(std::move(source)), cluster_(owner, *this, Which::cluster), local_(owner, *this, Which::local) {}

  /// The same pointer for each call with the same runner.
  std::shared_ptr<JobSource> side(Which which) {
    return {shared_from_this(), which == Which::cluster ? &cluster_ : &local_};
  }
  JobSource& source() { return *source_; }
  std::map<std::uint32_t, FallbackJob>& jobs() { return jobs_; }

  void warn_once(const EventError& what) {
    if (!std::exchange(is_warned_, true)) source_->warn(what);
  }
  void forget_warning() { is_warned_ = false; }

 private:
  class Side final : public JobSource {
   public:
    Side(State& owner, Session& session, Which which) : owner_(owner), session_(session), which_(which) {}
    std::optional<TranscriptionJob> job(std::uint32_t segment) override {
      return owner_.job(which_, session_, segment);
    }
    void transcribed(std::uint32_t segment, TranscriptionOutcome outcome) override {
      owner_.transcribed(which_, session_, segment, std::move(outcome));
    }
    void has_no_worker(const EventError& why) override { owner_.has_no_worker(which_, session_, why); }

   private:
    State& owner_;
    Session& session_;
    const Which which_;
  };

  const std::shared_ptr<JobSource> source_;
  Side cluster_;
  Side local_;
  std::map<std::uint32_t, FallbackJob> jobs_;
  bool is_warned_ = false;  // of this outage
};

FallbackRunner::State::SessionPointer FallbackRunner::State::session_of(const std::shared_ptr<JobSource>& source) {
  std::erase_if(sessions_, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<Session>& known = sessions_[source.get()];
  if (auto session = known.lock()) return session;
  auto session = std::make_shared<Session>(*this, source);
  known = session;
  return session;
}

void FallbackRunner::State::submit(const std::shared_ptr<JobSource>& source, std::uint32_t segment, Priority priority) {
  const SessionPointer session = session_of(source);
  session->jobs()[segment] = {.priority = priority};
  give(Which::cluster, session, segment);
  if (availability_ == Availability::away) give(Which::local, session, segment);
}

void FallbackRunner::State::give(Which which, const SessionPointer& session, std::uint32_t segment) {
  FallbackJob& job = session->jobs()[segment];
  if (job.claim(which) != Claim::none || job.text == FallbackJob::Text::delivered) return;
  job.claim(which) = Claim::waiting;
  runner(which).submit(session->side(which), segment, job.priority);
}

void FallbackRunner::State::begin_early(const std::shared_ptr<JobSource>& source, std::uint32_t segment) {
  if (availability_ == Availability::up) cluster_->begin_early(session_of(source)->side(Which::cluster), segment);
}

/// A runner has a worker for the segment.
std::optional<TranscriptionJob> FallbackRunner::State::job(Which which, Session& session, std::uint32_t segment) {
  const auto found = session.jobs().find(segment);
  if (found == session.jobs().end()) return session.source().job(segment);  // begun early, and not submitted yet
  FallbackJob& job = found->second;
  const bool is_for_other = which == Which::cluster ? job.local == Claim::begun : availability_ != Availability::away;
  std::optional<TranscriptionJob> made;
  if (job.text == FallbackJob::Text::awaited && !is_for_other) {
    made = session.source().job(segment);
    if (!made) job.text = FallbackJob::Text::delivered;
  }
  job.claim(which) = made ? Claim::begun : Claim::none;
  if (job.is_over()) session.jobs().erase(found);
  return made;
}

void FallbackRunner::State::transcribed(Which which, Session& session, std::uint32_t segment,
                                        TranscriptionOutcome outcome) {
  const auto found = session.jobs().find(segment);
  if (found == session.jobs().end()) return;
  FallbackJob& job = found->second;
  job.claim(which) = Claim::none;
  const bool is_wanted = job.text == FallbackJob::Text::awaited;
  if (is_wanted && which == Which::local && outcome.error) return local_failed(session, segment, *outcome.error);
  job.text = FallbackJob::Text::delivered;
  if (job.is_over()) session.jobs().erase(found);
  if (is_wanted) session.source().transcribed(segment, std::move(outcome));
}

/// The cluster may do better: the segment waits for it.
void FallbackRunner::State::local_failed(Session& session, std::uint32_t segment, const EventError& why) {
  give(Which::cluster, session.shared_from_this(), segment);
  if (availability_ == Availability::away) session.source().has_no_worker(why);
}

void FallbackRunner::State::has_no_worker(Which which, Session& session, const EventError& why) {
  if (which == Which::local) {
    if (availability_ == Availability::away) session.source().has_no_worker(why);
    return;
  }
  if (availability_ != Availability::failing) return;
  session.warn_once({why.code, fmt::format("{} Segments wait; after {} s without the cluster the transcriber \"{}\" of "
                                           "this machine makes their texts.",
                                           why.message, parts_.after.count() / 1000, parts_.local_name)});
}

void FallbackRunner::State::worker_changed(const WorkerStatus& status) {
  if (status.state == WorkerState::ready || status.state == WorkerState::busy) {
    connected_.insert(status.worker);
    availability_ = Availability::up;
    outage_timer_->cancel();
    for (const auto& [source, known] : sessions_) {
      if (const auto session = known.lock()) session->forget_warning();
    }
    return;
  }
  connected_.erase(status.worker);
  if (status.state != WorkerState::failed) return;
  last_failure_ = {status.code, status.reason};
  if (!connected_.empty() || availability_ != Availability::up) return;
  availability_ = Availability::failing;
  outage_timer_->start(parts_.after, [this] { switch_to_local(); });
}

void FallbackRunner::State::switch_to_local() {
  availability_ = Availability::away;
  std::vector<SessionPointer> sessions;
  for (const auto& [source, known] : sessions_) {
    if (auto session = known.lock()) sessions.push_back(std::move(session));
  }
  for (const SessionPointer& session : sessions) {
    session->source().warn(
        {last_failure_.code, fmt::format("The cluster has not answered for {} s: the transcriber "
                                         "\"{}\" of this machine makes the texts until it does. "
                                         "Last error: {}",
                                         parts_.after.count() / 1000, parts_.local_name, last_failure_.message)});
    std::vector<std::uint32_t> segments;
    for (const auto& [segment, job] : session->jobs()) segments.push_back(segment);
    for (const std::uint32_t segment : segments) give(Which::local, session, segment);
  }
}

void FallbackRunner::State::abandon() {
  outage_timer_->cancel();
  cluster_->abandon();
  if (local_) local_->abandon();
}

FallbackRunner::FallbackRunner(Parts parts, const Timers& timers)
    : state_(std::make_unique<State>(std::move(parts), timers)) {}

FallbackRunner::~FallbackRunner() {
  state_->abandon();
}

void FallbackRunner::submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) {
  state_->submit(source, segment, priority);
}
void FallbackRunner::begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) {
  state_->begin_early(source, segment);
}
void FallbackRunner::cancel_early(std::uint32_t segment) {
  state_->cluster().cancel_early(segment);
}
void FallbackRunner::prepare(std::function<void(std::optional<EventError>)> done) {
  state_->cluster().prepare(std::move(done));
}
void FallbackRunner::warm_up() {
  state_->cluster().warm_up();
  if (&state_->present() != &state_->cluster()) state_->present().warm_up();
}
void FallbackRunner::preview(TranscriptionJob growing) {
  state_->present().preview(std::move(growing));
}
void FallbackRunner::end_preview(std::uint32_t segment_index) {
  state_->cluster().end_preview(segment_index);
  if (auto* const local = state_->local_if_made()) local->end_preview(segment_index);
}
void FallbackRunner::abandon() {
  state_->abandon();
}

std::unique_ptr<JobRunner> make_pool(const boost::asio::any_io_executor& strand, const WorkerPoolSettings& settings,
                                     const std::shared_ptr<const Clock>& clock, const WorkerPoolEvents& events) {
  if (!settings.fallback) return std::make_unique<WorkerPool>(strand, settings, clock, events);
  const auto make_cluster = [=](FallbackRunner::OnStatus on_status) {
    WorkerPoolEvents both = events;
    both.on_status = [on_status = std::move(on_status), forward = events.on_status](const WorkerStatus& status) {
      on_status(status);
      if (forward) forward(status);
    };
    return std::make_unique<WorkerPool>(strand, settings, clock, both);
  };
  const auto make_local = [=] { return std::make_unique<WorkerPool>(strand, *settings.fallback, clock, events); };
  return std::make_unique<FallbackRunner>(FallbackRunner::Parts{.strand = strand,
                                                                .make_cluster = make_cluster,
                                                                .make_local = make_local,
                                                                .after = settings.fallback_after,
                                                                .local_name = settings.fallback->name},
                                          SystemTimers());
}

}  // namespace dictum::transcription
