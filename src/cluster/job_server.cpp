#include "cluster/job_server.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

#include "base/json.hpp"
#include "base/scratch_folder.hpp"
#include "cluster/envelope.hpp"
#include "cluster/inbox.hpp"
#include "cluster/jet_stream.hpp"
#include "cluster/sound.hpp"
#include "dictum/clock.hpp"
#include "transcription/job_source.hpp"
#include "transcription/worker_text.hpp"

namespace dictum::cluster {
namespace {

namespace asio = boost::asio;
namespace js = boost::json;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;
using transcription::Priority;

constexpr auto kIdlePull = 1s;          // how long an idle machine waits for a live job before it looks for others
constexpr auto kAnswerWait = 2s;        // for an answer to a pull that does not wait
constexpr auto kPauseAfterFault = 10s;  // of a machine whose engine does not start
constexpr auto kRetryPause = 500ms;
constexpr auto kGivenBackFor = 5s;  // before another machine, or this one, gets the job

/// In /dev/shm where the system has it, so that no audio is written to this machine's disk.
fs::path sound_folder() {
  std::error_code error;
  const fs::path memory = "/dev/shm";
  const bool usable = fs::is_directory(memory, error) && ::access(memory.c_str(), W_OK) == 0;
  return (usable ? memory : fs::temp_directory_path()) / fmt::format("dictum-{}", ::getuid());
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// A job that this machine has taken.
struct Held {
  JobHeader header;  ///< without an id where it cannot be read
  Delivery delivery;
  Priority priority{};
  fs::path wav;
  std::string queue;  ///< that it came from
  bool is_in_pieces{};
  int tries{};     ///< that began, this one included; 0: not counted
  bool is_done{};  ///< its outcome waits to be stored
};

/// What the finishing thread does with a job: stores its outcome, or gives it back.
struct Finished {
  Held held;
  std::optional<TranscriptionOutcome> outcome;  ///< empty: gives it back
  std::uint32_t number{};
};

/// A job as it was delivered, its message unread.
Held held_of(const NATSMessage& message, const Delivery& delivery) {
  Held held;
  held.delivery = delivery;
  held.queue = message.subject.substr(message.subject.rfind('.') + 1);
  held.tries = delivery.deliveries == 1 ? 1 : 0;
  return held;
}

/// Text that came from outside, fit to be printed.
std::string for_people(const std::string& text) {
  return transcription::for_people(text);
}

/// Whether an error means that this machine cannot transcribe at all.
bool is_fault_of_machine(const std::string& code) {
  const std::array of_machine{Errc::transcriber_missing, Errc::model_missing, Errc::config_invalid};
  return std::ranges::any_of(of_machine, [&](Errc known) { return code == to_string(known); });
}

transcription::Result result_of(TranscriptionOutcome outcome) {
  transcription::Result result{.id = 0, .text = std::move(outcome.text)};
  result.words = std::move(outcome.words);
  result.phrases = std::move(outcome.phrases);
  result.no_speech_probability = outcome.no_speech_probability;
  result.suspect = outcome.suspect;
  result.suspect_reason = std::move(outcome.suspect_reason);
  result.annotations = std::move(outcome.annotations);
  result.engine = std::move(outcome.engine);
  result.model = std::move(outcome.model);
  result.language = std::move(outcome.language);
  result.timings["processing"] = outcome.processing_time.count();
  return result;
}

}  // namespace

class JobServer::State : public transcription::JobSource, public std::enable_shared_from_this<JobServer::State> {
 public:
  State(Settings settings, Print print)
      : settings_(std::move(settings)),
        print_(std::move(print)),
        name_(fmt::format("{}-{}", host_name(), ::getpid())),
        connection_(settings_.nats),
        stream_(connection_),
        folder_(sound_folder()),
        progress_timer_(context_),
        signals_(context_, SIGINT, SIGTERM) {
    prepare_queues();
  }

  bool run();

  // JobSource, on the thread of `run`.
  std::optional<TranscriptionJob> job(std::uint32_t number) override;
  void transcribed(std::uint32_t number, TranscriptionOutcome outcome) override;
  void has_no_worker(const EventError& why) override;

 private:
  void serve();
  void stop();
  void prepare_queues();
  void keep_jobs();
  void publish_partial(const std::string& session, std::uint32_t segment, const std::string& text);
  void answer_ping(const NATSMessage& ping);

  // On the thread that fetches.
  void fetch_until(const std::stop_token& stop);
  bool is_ready() {
    const std::lock_guard lock(mutex_);
    return can_begin();
  }
  void fetch();
  std::size_t fetch_waiting(Urgency urgency, const std::string& queue);
  std::string new_reply();
  void ask(Urgency urgency, const std::string& queue, std::chrono::nanoseconds expires, const std::string& reply);
  std::size_t take_answers(const std::string& reply, std::size_t open, const std::string& queues,
                           std::chrono::milliseconds expires);
  void return_pulled();
  void decline(const NATSMessage& message, const Delivery& delivery);
  void take(const NATSMessage& message);
  void set_beginning(std::optional<Delivery> delivery);
  void accept(Held& held, const NATSMessage& message);
  void begin(Held& held, Envelope envelope);
  bool count_try(Held& held);
  void store_tries(const Held& held, int tries);
  bool has_answer(const JobHeader& header);

  // On the thread that finishes.
  void finish_until(const std::stop_token& stop);
  void finish(const Finished& finished);
  void store(const Held& held, TranscriptionOutcome outcome);
  void fail(const Held& held, const EventError& why, std::string_view flac);
  void store_dead_letter(const Held& held, const EventError& why, std::string_view flac);
  void store_unreadable(const NATSMessage& message, const Delivery& delivery, const std::string& why);
  void return_job(const Held& held, std::chrono::nanoseconds delay);
  void end_job(const Held& held, std::string_view how);

  void acknowledge(const Delivery& delivery, std::string_view how);
  void give_back(std::uint32_t number);

  // Precondition: `mutex_` is held.
  bool can_begin() const { return free_workers() > 0 && SteadyClock::now() >= paused_until_; }
  std::size_t free_workers() const {
    const std::size_t workers = static_cast<std::size_t>(std::max(1, settings_.pool.workers));
    return workers - std::min(workers, held_.size());
  }

  const Settings settings_;
  const Print print_;
  const std::string name_;
  NATSConnection connection_;
  JetStream stream_;
  const ScratchFolder folder_;
  std::atomic<std::int64_t> ack_wait_ms_{};

  asio::io_context context_{1};
  asio::steady_timer progress_timer_;
  asio::signal_set signals_;
  std::unique_ptr<transcription::WorkerPool> pool_;
  std::vector<std::unique_ptr<NATSConnection::Subscription>> subscriptions_;
  std::vector<std::jthread> threads_;
  bool worked_ = true;

  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::optional<Delivery> beginning_;  // whose audio is being fetched
  std::map<std::uint32_t, Held> held_;
  std::deque<Finished> finished_;
  SteadyClock::time_point paused_until_{};
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;

  Inbox pulled_;
  std::stop_token stop_;  // of the thread that fetches, as what follows
  std::string inbox_;     // the subject under which they come
  std::uint64_t round_ = 0;
  std::uint32_t last_number_ = 0;
  bool lacks_queues_ = false;  // they may be missing
  std::string last_error_;     // that was printed
};

bool JobServer::State::run() {
  const auto self = shared_from_this();
  pool_ = std::make_unique<transcription::WorkerPool>(
      context_.get_executor(), settings_.pool, std::make_shared<SystemClock>(),
      transcription::WorkerPoolEvents{
          .on_status =
              [this](const WorkerStatus& status) {
                if (status.state == WorkerState::failed) print_(fmt::format("{}: {}", status.worker, status.reason));
              },
          .on_partial = [this](const std::string& session, std::uint32_t segment, const std::string& text,
                               std::size_t) { publish_partial(session, segment, text); }});
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    signals_.clear();  // a second one ends the process
    context_.stop();
  });
  pool_->prepare([this](std::optional<EventError> problem) {
    if (!problem) return serve();
    print_(problem->message);
    worked_ = false;
    context_.stop();
  });
  context_.run();
  pool_->abandon();
  stop();
  return worked_;
}

void JobServer::State::serve() {
  print_(fmt::format("Serving the queues {} at {} with {} worker{}", fmt::join(settings_.queues, ", "),
                     connection_.servers(), settings_.pool.workers, settings_.pool.workers == 1 ? "" : "s"));
  keep_jobs();
  inbox_ = connection_.new_inbox();
  subscriptions_.push_back(
      connection_.subscribe(inbox_ + ".*", [this](NATSMessage message) { pulled_.put(std::move(message)); }));
  subscriptions_.push_back(
      connection_.subscribe(std::string(kPingWorkers), [this](const NATSMessage& ping) { answer_ping(ping); }));
  threads_.emplace_back([this](const std::stop_token& stop) { fetch_until(stop); });
  threads_.emplace_back([this](const std::stop_token& stop) { finish_until(stop); });
}

void JobServer::State::prepare_queues() {
  stream_.prepare_streams();
  std::chrono::milliseconds shortest = 1h;
  for (const std::string& queue : settings_.queues) {
    for (const Urgency urgency : {Urgency::live, Urgency::background}) {
      shortest = std::min(shortest, stream_.prepare_consumer(urgency, queue, settings_.ack_wait));
    }
  }
  ack_wait_ms_ = shortest.count();
}

/// Reports to the queues that the jobs are being worked on, or wait for the one before them to be fetched.
void JobServer::State::keep_jobs() {
  progress_timer_.expires_after(std::chrono::milliseconds(std::max<std::int64_t>(ack_wait_ms_ / 3, 100)));
  progress_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    std::vector<Delivery> deliveries;
    for (const std::string& reply : pulled_.replies()) {
      if (const auto delivery = delivery_of(reply)) deliveries.push_back(*delivery);
    }
    {
      const std::lock_guard lock(mutex_);
      if (beginning_) deliveries.push_back(*beginning_);
      for (const auto& [number, held] : held_) deliveries.push_back(held.delivery);
    }
    for (const Delivery& delivery : deliveries) acknowledge(delivery, "+WPI");
    keep_jobs();
  });
}

/// Gives back what is not done, so that others have it at once.
void JobServer::State::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
  subscriptions_.clear();
  return_pulled();
  {
    const std::lock_guard lock(mutex_);
    while (!held_.empty()) give_back(held_.begin()->first);
  }
  for (const Finished& finished : finished_) return_job(finished.held, 0ms);
  connection_.flush();
}

std::optional<TranscriptionJob> JobServer::State::job(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(number);
  if (found == held_.end()) return std::nullopt;
  const JobHeader& header = found->second.header;
  TranscriptionJob job;
  job.session = header.job.session;
  job.segment_index = header.job.segment_index;
  job.wav_path = found->second.wav;
  job.end_frame = header.frames;
  job.sample_rate = header.sample_rate;
  job.language = header.job.language;
  job.phrases = header.job.phrases;
  job.vocabulary = header.job.vocabulary;
  return job;
}

void JobServer::State::transcribed(std::uint32_t number, TranscriptionOutcome outcome) {
  const std::lock_guard lock(mutex_);
  if (outcome.error && is_fault_of_machine(outcome.error->code)) {
    paused_until_ = SteadyClock::now() + kPauseAfterFault;
    print_(outcome.error->message);
    return give_back(number);
  }
  const auto held = held_.find(number);
  if (held == held_.end()) return;
  held->second.is_done = true;
  finished_.push_back({held->second, std::move(outcome), number});
  changed_.notify_all();
}

void JobServer::State::has_no_worker(const EventError& why) {
  const std::lock_guard lock(mutex_);
  print_(why.message);
  paused_until_ = SteadyClock::now() + kPauseAfterFault;
  std::vector<std::uint32_t> waiting;
  for (const auto& [number, held] : held_) {
    if (!held.is_done) waiting.push_back(number);
  }
  for (const std::uint32_t number : waiting) give_back(number);
}

void JobServer::State::publish_partial(const std::string& session, std::uint32_t segment, const std::string& text) {
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, held] : held_) {
      const transcription::Job& job = held.header.job;
      if (job.session == session && job.segment_index == segment) ids.push_back(held.header.id);
    }
  }
  for (const std::string& id : ids) {
    try {
      connection_.publish(partial_subject(id), to_body(transcription::Partial{0, text}));
    } catch (const RecorderError&) {
      return;  // interim text is no loss
    }
  }
}

void JobServer::State::answer_ping(const NATSMessage& ping) {
  if (ping.reply.empty()) return;
  js::object state;
  {
    const std::lock_guard lock(mutex_);
    state = {{"name", name_},
             {"transcriber", settings_.pool.name},
             {"model", settings_.pool.model},
             {"queues", js::array(settings_.queues.begin(), settings_.queues.end())},
             {"workers", settings_.pool.workers},
             {"busy", held_.size()},
             {"done", done_},
             {"failed", failed_}};
  }
  try {
    connection_.publish(ping.reply, json::to_line(state));
  } catch (const ClusterError&) {
    return;  // the status lists the machines that answer in time
  }
}

// Fetching.

void JobServer::State::fetch_until(const std::stop_token& stop) {
  stop_ = stop;
  while (!stop.stop_requested()) {
    try {
      if (!is_ready()) {
        return_pulled();
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, 1s, [this] { return can_begin(); });
        continue;
      }
      if (std::exchange(lacks_queues_, false)) prepare_queues();
      fetch();
      last_error_.clear();
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return;
      if (last_error_ != error.what()) print_(last_error_ = error.what());
      lacks_queues_ = true;
      if (connection_.is_closed()) {
        print_(
            fmt::format("The servers at {} refused the credentials: check --nats-credentials.", connection_.servers()));
        return asio::post(context_, [this] {
          worked_ = false;
          context_.stop();
        });
      }
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, 1s, [] { return false; });
    }
  }
}

/// Live jobs go before others; where there are none at all, waits a second for a live one.
void JobServer::State::fetch() {
  std::size_t taken = 0;
  for (const Urgency urgency : {Urgency::live, Urgency::background}) {
    for (const std::string& queue : settings_.queues) taken += fetch_waiting(urgency, queue);
  }
  if (taken > 0) return;
  const std::string reply = new_reply();
  for (const std::string& queue : settings_.queues) ask(Urgency::live, queue, kIdlePull, reply);
  take_answers(reply, settings_.queues.size(), fmt::format("{}", fmt::join(settings_.queues, ", ")), kIdlePull);
}

/// Takes jobs that wait in the queue, one for each free worker. One is asked for first: most often there is none.
std::size_t JobServer::State::fetch_waiting(Urgency urgency, const std::string& queue) {
  std::size_t taken = 0;
  for (std::size_t wanted = 1; wanted > 0 && is_ready();) {
    const std::string reply = new_reply();
    for (std::size_t i = 0; i < wanted; ++i) ask(urgency, queue, 0ms, reply);
    const std::size_t got = take_answers(reply, wanted, queue, 0ms);
    taken += got;
    if (got < wanted) break;
    const std::lock_guard lock(mutex_);
    wanted = free_workers();
  }
  return taken;
}

std::string JobServer::State::new_reply() {
  return fmt::format("{}.{}", inbox_, ++round_);
}

/// Asks for one job. The queue answers within `expires`, or, where that is zero, at once.
void JobServer::State::ask(Urgency urgency, const std::string& queue, std::chrono::nanoseconds expires,
                           const std::string& reply) {
  js::object request{{"batch", 1}};
  if (expires > 0ns) {
    request["expires"] = expires.count();
  } else {
    request["no_wait"] = true;
  }
  connection_.publish(fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", kJobs, consumer_name(urgency, queue)),
                      json::to_line(request), reply);
}

/// Takes the jobs that come in answer to `open` requests to `queues`. Where these wait for jobs, no more than the
/// first: what comes later is for the next call.
std::size_t JobServer::State::take_answers(const std::string& reply, std::size_t open, const std::string& queues,
                                           std::chrono::milliseconds expires) {
  const bool waits = expires > 0ms;
  std::size_t taken = 0;
  while (open > 0 && !(waits && taken > 0)) {
    const auto message = pulled_.wait(stop_, waits ? expires + 500ms : std::chrono::milliseconds(kAnswerWait));
    if (!message) {
      if (waits || stop_.stop_requested()) break;
      throw ClusterError(
          Trouble::unreachable,
          fmt::format("The cluster at {} does not answer; jobs go on when it does.", connection_.servers()));
    }
    if (delivery_of(message->reply)) {
      --open;
      take(*message);
      ++taken;
    } else if (message->subject == reply) {
      --open;
      const bool is_empty = message->status == "404" || message->status == "408";
      if (!is_empty) {
        throw ClusterError(Trouble::no_stream,
                           fmt::format("Jobs of queue {} cannot be fetched (status {}); it is tried again.", queues,
                                       for_people(message->status)));
      }
    }
  }
  return taken;
}

/// Gives back what came while no worker is free.
void JobServer::State::return_pulled() {
  while (const auto message = pulled_.wait({}, 0ms)) {
    if (const auto delivery = delivery_of(message->reply)) decline(*message, *delivery);
  }
}

/// Gives a job back that was not begun.
void JobServer::State::decline(const NATSMessage& message, const Delivery& delivery) {
  Held held = held_of(message, delivery);
  try {
    held.header = job_header(unpack(message.data).header);
  } catch (const RecorderError&) {
    held.header = {};  // who takes it next refuses it
  }
  return_job(held, 0ms);
}

void JobServer::State::take(const NATSMessage& message) {
  const auto delivery = delivery_of(message.reply);
  if (!delivery) return;
  if (!is_ready()) return decline(message, *delivery);
  Held held = held_of(message, *delivery);
  set_beginning(held.delivery);
  try {
    accept(held, message);
    set_beginning(std::nullopt);
  } catch (const std::exception& error) {
    set_beginning(std::nullopt);
    // Nothing is wrong with the job.
    if (dynamic_cast<const ClusterError*>(&error) == nullptr) {  // of this machine: no disk, no memory
      const std::lock_guard lock(mutex_);
      paused_until_ = SteadyClock::now() + kPauseAfterFault;
    }
    std::error_code ignored;
    fs::remove(held.wav, ignored);
    return_job(held, kGivenBackFor);
    throw;
  }
}

void JobServer::State::set_beginning(std::optional<Delivery> delivery) {
  const std::lock_guard lock(mutex_);
  beginning_ = std::move(delivery);
}

/// Begins the job, or ends it where it cannot be done. Throws where another machine, or another time, may do better.
void JobServer::State::accept(Held& held, const NATSMessage& message) {
  try {
    Envelope envelope = unpack(message.data);
    held.header = job_header(envelope.header);
    held.is_in_pieces = envelope.pieces > 0;
    held.priority = held.header.job.background ? Priority::background : Priority::live;
    if (has_answer(held.header)) return end_job(held, "+ACK");
    begin(held, std::move(envelope));
  } catch (const ClusterError& error) {
    if (error.trouble() != Trouble::incomplete) throw;
    end_job(held, "+TERM");  // its recorder looks for it, and publishes it anew
  } catch (const RecorderError& error) {
    if (error.code() == Errc::output_unwritable) throw;
    if (held.header.id.empty()) return store_unreadable(message, held.delivery, for_people(error.what()));
    fail(held, {to_string(static_cast<Errc>(error.code().value())), for_people(error.what())}, {});
    end_job(held, "+TERM");
  }
}

/// Gives the job to the pool, unless it was begun too often.
void JobServer::State::begin(Held& held, Envelope envelope) {
  const JobHeader header = held.header;
  if (held.delivery.deliveries > 1 && !count_try(held)) {
    std::string flac;
    try {
      flac = stream_.body_of(std::move(envelope), header.id, "job", stop_);
    } catch (const ClusterError&) {
      if (stop_.stop_requested()) throw;
      flac.clear();  // the reason is worth more than the audio
    }
    const EventError why{to_string(Errc::quarantined),
                         fmt::format("The job was begun {} times, and each time its machine ended without an answer. "
                                     "`dictum cluster dead` has it.",
                                     kMaxTries)};
    fail(held, why, flac);
    return end_job(held, "+TERM");
  }
  const std::string flac = stream_.body_of(std::move(envelope), header.id, "job", stop_);
  const Sound sound = from_flac(flac, header.frames);
  if (sound.frames() == 0) throw RecorderError(Errc::input_unreadable, "The job has no audio.");
  held.header.frames = sound.frames();
  held.header.sample_rate = sound.sample_rate;
  const std::uint32_t number = ++last_number_;
  held.wav = folder_.path() / fmt::format("{}.wav", number);
  write_wav(held.wav, sound);
  {
    const std::lock_guard lock(mutex_);
    held_.emplace(number, held);
  }
  asio::post(context_,
             [this, number, priority = held.priority] { pool_->submit(shared_from_this(), number, priority); });
}

/// Counts a try of a job that was delivered before. False where it has had all its tries.
bool JobServer::State::count_try(Held& held) {
  int begun = 1;  // nothing is stored after the first
  if (const auto stored = stream_.newest(kResults, tries_subject(held.header.id, held.header.generation))) {
    std::from_chars(stored->data.data(), stored->data.data() + stored->data.size(), begun);
  }
  begun = std::max(begun, 0);
  if (begun >= kMaxTries) return false;
  held.tries = begun + 1;
  store_tries(held, held.tries);
  return true;
}

/// Where it fails the job has a try more or less, which harms it less than to wait.
void JobServer::State::store_tries(const Held& held, int tries) {
  try {
    stream_.publish(tries_subject(held.header.id, held.header.generation), std::to_string(tries));
  } catch (const ClusterError&) {
    return;
  }
}

/// Whether the job was done before: its machine ended between the result and the acknowledgement.
bool JobServer::State::has_answer(const JobHeader& header) {
  const auto stored = stream_.newest(kResults, result_subject(header.id));
  if (!stored) return false;
  try {
    Envelope envelope = unpack(stored->data);
    const ResultHeader result = result_header(envelope.header);
    if (result.is_error && result.generation < header.generation) return false;
    stream_.body_of(std::move(envelope), header.id, "result");  // a result without its pieces is none
    return true;
  } catch (const ClusterError& error) {
    if (error.trouble() != Trouble::incomplete) throw;
    return false;
  } catch (const RecorderError&) {
    return false;
  }
}

// Finishing.

void JobServer::State::finish_until(const std::stop_token& stop) {
  std::string printed;
  for (;;) {
    Finished finished;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return !finished_.empty(); })) return;
      finished = std::move(finished_.front());
      finished_.pop_front();
    }
    try {
      finish(finished);
    } catch (const std::exception& error) {
      const std::string problem =
          fmt::format("Segment {} of {}: the result cannot be stored yet: {}", finished.held.header.job.segment_index,
                      for_people(finished.held.header.job.session), error.what());
      if (printed != problem) print_(printed = problem);
      std::unique_lock lock(mutex_);
      finished_.push_back(std::move(finished));  // behind the others, so that it cannot hold them up
      changed_.wait_for(lock, stop, kRetryPause, [] { return false; });
      if (stop.stop_requested()) return;
      continue;
    }
    std::error_code ignored;
    fs::remove(finished.held.wav, ignored);
    const std::lock_guard lock(mutex_);
    if (finished.outcome) {
      held_.erase(finished.number);
      ++(finished.outcome->error ? failed_ : done_);
    }
    changed_.notify_all();
  }
}

/// Throws where it is to be tried again.
void JobServer::State::finish(const Finished& finished) {
  const Held& held = finished.held;
  if (!finished.outcome) return return_job(held, kGivenBackFor);
  try {
    store(held, *finished.outcome);
  } catch (const ClusterError&) {
    throw;
  } catch (const RecorderError& error) {  // the result, or the audio of a job that failed, cannot be made a message
    fail(held, {to_string(Errc::transcription_failed), for_people(error.what())}, {});
    end_job(held, "+ACK");
  }
}

/// Stores the result, and acknowledges the job once that is certain.
void JobServer::State::store(const Held& held, TranscriptionOutcome outcome) {
  const JobHeader& header = held.header;
  if (outcome.error) {
    fail(held, *outcome.error, to_flac(read_sound(held.wav, std::nullopt)));
  } else {
    const ResultHeader result{.id = header.id, .generation = header.generation, .is_error = false, .worker = name_};
    const Packed packed = pack(to_json(result), to_body(result_of(std::move(outcome))), connection_.max_payload());
    stream_.publish_packed(result_subject(header.id), packed, header.id, "result");
  }
  end_job(held, "+ACK");
}

/// A job that failed for good: kept with the reason, and answered.
void JobServer::State::fail(const Held& held, const EventError& why, std::string_view flac) {
  const JobHeader& header = held.header;
  if (has_answer(header)) return;  // another machine was quicker, and has the text
  store_dead_letter(held, why, flac);
  const ResultHeader result{.id = header.id, .generation = header.generation, .is_error = true, .worker = name_};
  const std::string body = to_body(transcription::Error{.code = why.code, .message = why.message});
  stream_.publish_packed(result_subject(header.id), pack(to_json(result), body, connection_.max_payload()), header.id,
                         "result");
  print_(fmt::format("Segment {} of {} failed: {}", header.job.segment_index, for_people(header.job.session),
                     for_people(why.message)));
}

/// Where the whole job is too large for the streams or for a message, without its audio and vocabulary.
void JobServer::State::store_dead_letter(const Held& held, const EventError& why, std::string_view flac) {
  const auto publish = [&](const JobHeader& header, std::string_view audio) {
    js::object letter = to_json(header);
    letter["code"] = why.code;
    letter["reason"] = why.message;
    letter["worker"] = name_;
    letter["queue"] = held.queue;
    stream_.publish_packed(dead_subject(header.id), pack(letter, audio, connection_.max_payload()), header.id, "dead");
  };
  try {
    return publish(held.header, flac);
  } catch (const ClusterError& error) {
    if (error.trouble() != Trouble::full) throw;
  } catch (const RecorderError&) {
    print_(fmt::format("Segment {} of {}: its dead letter has no audio: the job is too large for a message.",
                       held.header.job.segment_index, for_people(held.header.job.session)));
  }
  JobHeader smaller = held.header;
  smaller.job.phrases.clear();
  smaller.job.prompt.clear();
  smaller.job.vocabulary.clear();
  publish(smaller, {});
}

/// A message that is not a valid job: it has no id under which an answer could be found.
void JobServer::State::store_unreadable(const NATSMessage& message, const Delivery& delivery, const std::string& why) {
  const std::string id = fmt::format("unreadable-{}", delivery.sequence);
  js::object letter{{"id", id}, {"code", "worker_protocol"}, {"reason", why}, {"worker", name_}};
  stream_.publish_packed(dead_subject(id), pack(letter, message.data, connection_.max_payload()), id, "dead");
  acknowledge(delivery, "+TERM");
  print_(
      fmt::format("Message {} of {} is not a valid job and is now a dead letter: {}", delivery.sequence, kJobs, why));
}

/// A job that this machine could not do, though nothing is wrong with it.
void JobServer::State::return_job(const Held& held, std::chrono::nanoseconds delay) {
  if (held.tries > 0 && !held.header.id.empty()) store_tries(held, held.tries - 1);
  acknowledge(held.delivery, delay > 0ns ? fmt::format("-NAK {{\"delay\": {}}}", delay.count()) : "-NAK");
}

/// The job is over: it and its pieces leave their streams.
void JobServer::State::end_job(const Held& held, std::string_view how) {
  acknowledge(held.delivery, how);
  if (!held.is_in_pieces) return;
  try {
    stream_.purge(kPieces, all_pieces(held.header.id, "job"));
  } catch (const ClusterError&) {
    return;  // the stream forgets them with their age
  }
}

void JobServer::State::acknowledge(const Delivery& delivery, std::string_view how) {
  try {
    connection_.publish(delivery.ack_subject, how);
  } catch (const ClusterError&) {
    return;  // the job is delivered again, and found to be done
  }
}

/// Precondition: `mutex_` is held. The finishing thread returns it to its queue.
void JobServer::State::give_back(std::uint32_t number) {
  const auto found = held_.find(number);
  if (found == held_.end()) return;
  if (!found->second.is_done) finished_.push_back({found->second, std::nullopt, number});
  held_.erase(found);
  changed_.notify_all();
}

JobServer::JobServer(Settings settings, Print print)
    : state_(std::make_shared<State>(std::move(settings), std::move(print))) {}

JobServer::~JobServer() = default;

bool JobServer::run() {
  return state_->run();
}

}  // namespace dictum::cluster
