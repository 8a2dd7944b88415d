#include "server/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <variant>

namespace dictum::server {
namespace {

/// Writes families of samples, one after the other.
class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }

  template <class Number>
  void sample(std::string_view name, Number value) {
    fmt::format_to(std::back_inserter(text_), "{} {}\n", name, value);
  }

  template <class Number>
  void sample(std::string_view name, std::string_view label, std::string_view label_value, Number value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}=\"{}\"}} {}\n", name, label, escaped(label_value), value);
  }

  std::string take() { return std::move(text_); }

 private:
  static std::string escaped(std::string_view value) {
    std::string text;
    for (const char c : value) {
      if (c == '\\' || c == '"') text += '\\';
      text += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return text;
  }

  std::string text_;
};

/// A family with a sample for each item of `list`, which `name` names and `value` counts.
template <class List, class Value>
void write_each(Text& text, std::string_view family, std::string_view type, std::string_view help,
                std::string_view label, const List& list, Value value) {
  text.family(family, type, help);
  for (const auto& each : list) text.sample(family, label, each.name, std::invoke(value, each));
}

void write_cluster(Text& text, const ClusterFigures& cluster, double age_sec) {
  using C = ClusterFigures;
  text.family("dictum_cluster_reachable", "gauge", "Whether the cluster answered when it was asked last.");
  text.sample("dictum_cluster_reachable", cluster.is_reachable ? 1 : 0);
  text.family("dictum_cluster_age_seconds", "gauge", "How long ago that was: the age of the figures of the cluster.");
  text.sample("dictum_cluster_age_seconds", age_sec);
  if (!cluster.is_reachable) return;
  const auto stream = [&](std::string_view family, std::string_view help, auto value) {
    write_each(text, family, "gauge", help, "stream", cluster.streams, value);
  };
  stream("dictum_cluster_stream_messages", "Messages in a stream; those of DICTUM_DEAD are jobs that failed for good.",
         &C::Stream::messages);
  stream("dictum_cluster_stream_bytes", "Bytes in a stream.", &C::Stream::bytes);
  stream("dictum_cluster_stream_max_bytes", "Bytes that a stream takes.", &C::Stream::max_bytes);
  stream("dictum_cluster_stream_oldest_seconds", "Age of the oldest message of a stream.", &C::Stream::oldest_sec);
  const auto queue = [&](std::string_view family, std::string_view help, auto value) {
    write_each(text, family, "gauge", help, "queue", cluster.queues, value);
  };
  queue("dictum_cluster_jobs_waiting", "Jobs that wait for a worker.", &C::Queue::waiting);
  queue("dictum_cluster_jobs_under_way", "Jobs that machines have taken.", &C::Queue::under_way);
  queue("dictum_cluster_jobs_redelivered", "Jobs under way that another machine had before.", &C::Queue::redelivered);
  const auto machine = [&](std::string_view family, std::string_view type, std::string_view help, auto value) {
    write_each(text, family, type, help, "machine", cluster.machines, value);
  };
  machine("dictum_cluster_workers", "gauge", "Workers of a machine.", &C::Machine::workers);
  machine("dictum_cluster_workers_busy", "gauge", "Workers of a machine that have a job.", &C::Machine::busy);
  machine("dictum_cluster_jobs_done_total", "counter", "Jobs that a machine has done.", &C::Machine::done);
  machine("dictum_cluster_jobs_failed_total", "counter", "Jobs that failed for good at a machine.",
          &C::Machine::failed);
}

}  // namespace

void Metrics::begin(Recorder recorder, int sample_rate) {
  sources_[recorder].sample_rate = sample_rate;
}

void Metrics::end(Recorder recorder) {
  sources_.erase(recorder);
}

void Metrics::take(Recorder recorder, const Event& event) {
  const auto found = sources_.find(recorder);
  if (found == sources_.end()) return;
  Source& source = found->second;
  if (event.sequence == 0) {  // nobody waits for what the session before has not said
    std::erase_if(source.waiting, [&](const auto& each) { return each.first.first != event.session; });
  }
  if (const auto* const gap = std::get_if<AudioGap>(&event.body)) {
    ++gaps_[to_string(gap->reason)];
  } else if (const auto* const ended = std::get_if<SpeechEnded>(&event.body)) {
    ++(ended->kept ? kept_ : dropped_);
  } else if (const auto* const queued = std::get_if<TranscriptionQueued>(&event.body)) {
    source.waiting.emplace(std::pair(event.session, queued->segment_index), event.timestamp);
  } else if (const auto* const complete = std::get_if<TranscriptionComplete>(&event.body)) {
    ++(complete->success ? texts_ : failed_texts_);
    const auto waiting = source.waiting.find(std::pair(event.session, complete->segment_index));
    if (waiting != source.waiting.end()) {
      if (complete->success) observe_latency(event.timestamp - waiting->second);
      source.waiting.erase(waiting);
    }
  } else if (const auto* const queue = std::get_if<QueueStatus>(&event.body)) {
    source.queued = queue->queued_jobs;
    source.oldest_since = event.timestamp - queue->oldest_sec;
  } else if (const auto* const worker = std::get_if<WorkerStatus>(&event.body)) {
    if (worker->state == WorkerState::failed) source.failed_workers.insert(worker->worker);
    if (worker->state == WorkerState::starting) restarts_ += source.failed_workers.erase(worker->worker);
  } else if (const auto* const fault = std::get_if<RecorderFault>(&event.body)) {
    ++faults_[fault->code];
  }
  take_audio(source, event);
}

void Metrics::take_audio(const Source& source, const Event& event) {
  if (event.sequence == 0) audio_.try_emplace(event.session).first->second.sample_rate = source.sample_rate;
  const auto found = audio_.find(event.session);
  if (found == audio_.end()) return;
  Audio& audio = found->second;
  audio.end = std::max(audio.end, event.frame);
  if (const auto* const gap = std::get_if<AudioGap>(&event.body)) audio.gaps += gap->frames;
  const auto* const changed = std::get_if<RecordingStateChanged>(&event.body);
  audio.has_ended = audio.has_ended || (changed != nullptr && !changed->is_recording);
  count(audio);
  if (audio.has_ended && audio.sample_rate > 0) audio_.erase(found);
}

/// A gap is subtracted once it is reported, at its end; what was counted stays so, as a counter never falls.
void Metrics::count(Audio& audio) {
  const Frame captured = audio.end - audio.gaps;
  if (audio.sample_rate <= 0 || captured <= audio.counted) return;
  captured_sec_ += static_cast<double>(captured - audio.counted) / audio.sample_rate;
  audio.counted = captured;
}

bool Metrics::lacks_sample_rate(const std::string& session) const {
  const auto found = audio_.find(session);
  return found != audio_.end() && found->second.sample_rate <= 0;
}

void Metrics::set_sample_rate(const std::string& session, int sample_rate) {
  const auto found = audio_.find(session);
  if (found == audio_.end()) return;
  found->second.sample_rate = std::max(sample_rate, found->second.sample_rate);
  count(found->second);
  if (found->second.has_ended) audio_.erase(found);
}

void Metrics::observe_latency(double seconds) {
  seconds = std::max(seconds, 0.0);  // the machine's clock may have been set back
  const auto* const bound = std::ranges::lower_bound(kLatencyBounds, seconds);
  ++latency_.at(static_cast<std::size_t>(bound - kLatencyBounds.begin()));
  latency_sum_ += seconds;
}

std::string Metrics::text(const Now& now) const {
  std::size_t queued = 0;
  double oldest_sec = 0;
  for (const auto& [recorder, source] : sources_) {
    queued += source.queued;
    if (source.queued > 0) oldest_sec = std::max(oldest_sec, now.time - source.oldest_since);
  }
  Text text;
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.family(name, type, help);
    text.sample(name, value);
  };
  one("dictum_recording", "gauge", "Whether the recorder of this server is recording, pauses included.",
      now.is_recording ? 1 : 0);
  one("dictum_audio_captured_seconds_total", "counter", "Audio that was captured, without gaps.", captured_sec_);
  text.family("dictum_audio_gaps_total", "counter", "Gaps in the audio.");
  for (const auto& [reason, count] : gaps_) text.sample("dictum_audio_gaps_total", "reason", reason, count);
  text.family("dictum_segments_total", "counter", "Segments of speech that ended.");
  text.sample("dictum_segments_total", "kept", "true", kept_);
  text.sample("dictum_segments_total", "kept", "false", dropped_);
  text.family("dictum_texts_total", "counter", "Texts that were made, and segments whose transcription failed.");
  text.sample("dictum_texts_total", "success", "true", texts_);
  text.sample("dictum_texts_total", "success", "false", failed_texts_);
  one("dictum_queue_length", "gauge", "Segments that wait for their text.", queued);
  one("dictum_queue_oldest_seconds", "gauge", "How long the oldest of them has waited.", oldest_sec);
  text.family("dictum_text_latency_seconds", "histogram", "Time from a segment's place in the queue to its text.");
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kLatencyBounds.size(); ++i) {
    below += latency_.at(i);
    text.sample("dictum_text_latency_seconds_bucket", "le", fmt::format("{}", kLatencyBounds.at(i)), below);
  }
  below += latency_.back();
  text.sample("dictum_text_latency_seconds_bucket", "le", "+Inf", below);
  text.sample("dictum_text_latency_seconds_sum", latency_sum_);
  text.sample("dictum_text_latency_seconds_count", below);
  one("dictum_worker_restarts_total", "counter", "Transcription workers that were started again after a failure.",
      restarts_);
  text.family("dictum_faults_total", "counter", "Faults by their code.");
  for (const auto& [code, count] : faults_) text.sample("dictum_faults_total", "code", code, count);
  one("dictum_event_subscribers", "gauge", "Clients that follow the events of the recorder.", now.subscribers);
  one("dictum_event_lag", "gauge", "Events that the client which is furthest behind has not been sent.", now.lag);
  one("dictum_streams", "gauge", "Remote microphones.", now.streams);
  one("dictum_connections", "gauge", "Open connections.", now.connections);
  one("dictum_log_lines_dropped_total", "counter", "Lines of the log that nobody took in time.", now.log_lines_dropped);
  text.family("dictum_http_responses_total", "counter", "Responses to requests by their status.");
  for (const auto& [status, count] : responses_) {
    text.sample("dictum_http_responses_total", "status", fmt::format("{}", status), count);
  }
  if (now.cluster) write_cluster(text, *now.cluster, now.cluster_age_sec);
  return text.take();
}

}  // namespace dictum::server
