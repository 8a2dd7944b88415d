#include "cluster/remote_transcriber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"
#include "cluster/envelope.hpp"
#include "cluster/inbox.hpp"
#include "cluster/jet_stream.hpp"
#include "cluster/names.hpp"
#include "cluster/remote_job.hpp"
#include "cluster/sound.hpp"

namespace dictum::cluster {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kProgressInterval = 1s;  // each one postpones the recorder's deadline
constexpr auto kRetryPause = 500ms;
constexpr auto kMaxCheckInterval = 5min;  // a look at a job reads it with its audio

}  // namespace

/// One job, from its start to its result: carries out what RemoteJob decides.
class RemoteTranscriber::Attempt {
 public:
  Attempt(const Settings& settings, NATSConnection& connection, const transcription::Job& job,
          transcription::JobSink& sink, Sound sound)
      : settings_(settings),
        stream_(connection),
        sink_(sink),
        sound_(std::move(sound)),
        reconnects_(connection.reconnects()) {
    flac_ = to_flac(sound_);
    header_.sample_rate = sound_.sample_rate;
    header_.frames = sound_.frames();
    header_.job = job;
    header_.id = job_id(job, fmt::format("{}\n{}", settings.model, settings.queue), flac_);
  }

  transcription::Result run(const std::stop_token& cancelled) {
    const auto on_message = [this](NATSMessage message) { inbox_.put(std::move(message)); };
    const auto results = stream_.connection().subscribe(result_subject(header_.id), on_message);
    const auto partials = stream_.connection().subscribe(partial_subject(header_.id), on_message);
    input(&RemoteJob::start);
    auto checked = SteadyClock::now();
    std::chrono::milliseconds until_check = settings_.check_interval;
    for (;;) {
      carry_out_all(cancelled);
      if (job_.state() == RemoteJob::State::over) break;
      if (cancelled.stop_requested()) {
        input(&RemoteJob::cancel);
        continue;
      }
      if (auto message = inbox_.wait(cancelled, kProgressInterval)) process(*message);
      if (const auto now = SteadyClock::now(); now - reported_ >= kProgressInterval) {
        reported_ = now;
        sink_.progress(0);
      }
      if (has_reconnected() || SteadyClock::now() - checked > until_check) {
        checked = SteadyClock::now();
        until_check = std::min<std::chrono::milliseconds>(until_check * 2, kMaxCheckInterval);
        input(&RemoteJob::check_due);
      }
    }
    if (!body_) throw RecorderError(Errc::cancelled, "The job was cancelled.");
    return answer();
  }

 private:
  template <class... Parameters, class... Arguments>
  void input(void (RemoteJob::*which)(Parameters...), Arguments&&... arguments) {
    RemoteJob::Actions actions;
    (job_.*which)(std::forward<Arguments>(arguments)..., actions);
    pending_.insert(pending_.end(), actions.begin(), actions.end());
  }

  /// Carries out what is pending, each action until it succeeds: what the cluster refuses is tried again, as long as
  /// the patience lasts.
  void carry_out_all(const std::stop_token& cancelled) {
    while (!pending_.empty()) {
      const RemoteJob::Action action = pending_.front();
      const auto began = SteadyClock::now();
      const bool is_withdrawal = std::holds_alternative<RemoteJob::Withdraw>(action);
      try {
        std::visit([this](const auto& which) { carry_out(which); }, action);
        pending_.pop_front();
        trouble_since_.reset();
      } catch (const ClusterError& error) {
        if (is_withdrawal) return pending_.pop_front();  // a job that is not wanted does no harm
        if (cancelled.stop_requested()) {
          pending_.clear();
          return input(&RemoteJob::cancel);
        }
        if (!trouble_since_) trouble_since_ = began;  // a request may have waited long for its answer
        if (SteadyClock::now() - *trouble_since_ > settings_.patience || error.trouble() == Trouble::refused ||
            error.trouble() == Trouble::full) {
          throw transcription::EngineLost(error.what());
        }
        sink_.progress(0);
        pause(cancelled);
      }
    }
  }

  void pause(const std::stop_token& cancelled) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, cancelled, kRetryPause, [] { return false; });
  }

  void carry_out(RemoteJob::LookUpResult) {
    const auto stored = stream_.newest(kResults, result_subject(header_.id));
    std::optional<RemoteJob::Result> result;
    try {
      if (stored) result = keep(stored->data);
    } catch (const RecorderError&) {
      result.reset();  // what cannot be read is no result
    }
    input(&RemoteJob::result_looked_up, result);
  }

  void carry_out(const RemoteJob::Publish& publish) {
    header_.generation = publish.generation;
    const Packed packed = pack(to_json(header_), flac_, stream_.connection().max_payload());
    const auto urgency = header_.job.background ? Urgency::background : Urgency::live;
    const Stored stored = stream_.publish_packed(job_subject(urgency, settings_.queue), packed, header_.id, "job",
                                                 fmt::format("{}.{}", header_.id, header_.generation));
    input(&RemoteJob::published, stored.sequence, stored.was_there);
  }

  void carry_out(const RemoteJob::LookUpJob& look) {
    const auto there = stream_.at(kJobs, look.sequence);
    // A stream that was made anew counts from the beginning.
    input(&RemoteJob::job_looked_up, there && there->data.find(header_.id) != std::string::npos);
  }

  void carry_out(const RemoteJob::Withdraw& withdraw) {
    stream_.erase(kJobs, withdraw.sequence);
    stream_.purge(kPieces, all_pieces(header_.id, "job"));
  }

  void carry_out(RemoteJob::Finish) {
    try {
      body_ = stream_.body_of(unpack(result_), header_.id, "result");
    } catch (const ClusterError& error) {
      if (error.trouble() != Trouble::incomplete) throw;
      input(&RemoteJob::result_is_incomplete);
    }
  }

  void process(const NATSMessage& message) {
    if (message.subject == result_subject(header_.id)) {
      try {
        const RemoteJob::Result result = keep(message.data);
        input(&RemoteJob::result_arrived, result);
      } catch (const RecorderError&) {
        input(&RemoteJob::check_due);  // what is stored decides
      }
      return;
    }
    try {
      auto partial = from_body(message.data);
      if (const auto* const text = std::get_if<transcription::Partial>(&partial)) sink_.partial(text->text);
    } catch (const RecorderError&) {
      return;  // interim text is no loss
    }
  }

  /// Keeps a result's message.
  RemoteJob::Result keep(const std::string& data) {
    const Envelope envelope = unpack(data);
    const ResultHeader header = result_header(envelope.header);
    result_ = data;
    return {.generation = header.generation, .is_error = header.is_error};
  }

  transcription::Result answer() const {
    auto message = from_body(*body_);
    return std::visit(Overloaded{[&](transcription::Result& result) {
                                   for (Word& word : result.words) to_frames_of_file(word);
                                   for (DetectedPhrase& phrase : result.phrases) to_frames_of_file(phrase);
                                   return std::move(result);
                                 },
                                 [](transcription::Error& error) -> transcription::Result {
                                   throw transcription::EngineError(error.code, error.message);
                                 },
                                 [](auto&) -> transcription::Result {
                                   throw RecorderError(Errc::worker_protocol, "The cluster's answer is no result.");
                                 }},
                      message);
  }

  /// Frames count from the first frame of the recorder's file.
  template <class Item>
  void to_frames_of_file(Item& item) const {
    const Frame frames = sound_.frames();
    item.start_frame = sound_.first_frame + std::clamp<Frame>(item.start_frame, 0, frames);
    item.end_frame = sound_.first_frame + std::clamp<Frame>(item.end_frame, 0, frames);
  }

  /// Whether the connection was interrupted since the last call. Throws where it has been for too long.
  bool has_reconnected() {
    const auto time = stream_.connection().interrupted_for();
    if (time > settings_.patience) {
      throw transcription::EngineLost(fmt::format("The connection to the cluster at {} has been interrupted for {} s.",
                                                  stream_.connection().servers(),
                                                  std::chrono::duration_cast<std::chrono::seconds>(time).count()));
    }
    const std::uint64_t reconnects = stream_.connection().reconnects();
    return std::exchange(reconnects_, reconnects) != reconnects;
  }

  const Settings& settings_;
  JetStream stream_;
  transcription::JobSink& sink_;
  const Sound sound_;
  std::string flac_;
  JobHeader header_;
  RemoteJob job_;
  std::deque<RemoteJob::Action> pending_;
  Inbox inbox_;
  std::string result_;
  std::optional<std::string> body_;  // of the result, once it is whole
  SteadyClock::time_point reported_{};
  std::uint64_t reconnects_;
  std::optional<SteadyClock::time_point> trouble_since_;
};

RemoteTranscriber::RemoteTranscriber(Settings settings)
    : settings_(std::move(settings)), connection_(std::make_unique<NATSConnection>(settings_.nats)) {
  JetStream stream(*connection_);
  stream.prepare_streams();
  stream.check_space();
}

RemoteTranscriber::~RemoteTranscriber() = default;

const std::string& RemoteTranscriber::servers() const {
  return connection_->servers();
}

transcription::Result RemoteTranscriber::transcribe(const transcription::Job& job, const std::stop_token& cancelled,
                                                    transcription::JobSink& sink) {
  try {
    Sound sound = read_sound(job.wav, job.range);
    if (sound.frames() == 0) return {};  // no audio has an empty text
    return Attempt(settings_, *connection_, job, sink, std::move(sound)).run(cancelled);
  } catch (const ClusterError& error) {  // never the fault of the job
    throw transcription::EngineLost(error.what());
  }
}

}  // namespace dictum::cluster
