#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "dictum/event.hpp"
#include "server/cluster_figures.hpp"

namespace dictum::server {

/// What Prometheus reads: a fold of the events of all recorders of a server, and of its responses. No clock, no
/// files.
///
/// Thread: the loop's. Owner: the server.
class Metrics {
 public:
  static constexpr const char* kMediaType = "text/plain; version=0.0.4; charset=utf-8";

  /// Names a recorder: the server's own, or that of a stream.
  using Recorder = const void*;

  /// A recorder is there. `sample_rate`: of all its sessions; 0 where each has its own, which `set_sample_rate` says.
  void begin(Recorder recorder, int sample_rate);

  /// Takes an event of a recorder that has begun, in order.
  void take(Recorder recorder, const Event& event);

  /// The recorder is gone, and what waits for it too.
  void end(Recorder recorder);

  /// Whether audio of a session is not counted yet, since its rate is not known.
  bool lacks_sample_rate(const std::string& session) const;
  /// 0: it cannot be read. Where the session has ended, its audio is not counted then.
  void set_sample_rate(const std::string& session, int sample_rate);

  void count_response(int status) { ++responses_[status]; }

  /// What is so at the moment, beside what events say.
  struct Now {
    double time{};  ///< seconds since the Unix epoch
    bool is_recording{};
    std::size_t connections{};
    std::size_t streams{};
    std::size_t subscribers{};
    std::uint64_t lag{};  ///< events that the subscriber which is furthest behind has not been sent
    std::optional<ClusterFigures> cluster{};
    double cluster_age_sec{};  ///< of those figures
    std::uint64_t log_lines_dropped{};
  };

  /// All of it, in Prometheus's text format 0.0.4.
  std::string text(const Now& now) const;

 private:
  /// Upper bounds in seconds, of all buckets but the last one, which has none.
  static constexpr std::array kLatencyBounds = {0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0};

  struct Source {
    int sample_rate{};
    std::size_t queued{};
    double oldest_since{};  ///< when the oldest queued job was queued
    std::set<std::string> failed_workers;
    std::map<std::pair<std::string, std::uint32_t>, double> waiting;  ///< since when each segment waits for its text
  };
  struct Audio {
    int sample_rate{};
    Frame end{};      ///< of what is known
    Frame gaps{};     ///< of it, not captured
    Frame counted{};  ///< of it, in `captured_sec_`
    bool has_ended = false;
  };

  void take_audio(const Source& source, const Event& event);
  void count(Audio& audio);
  void observe_latency(double seconds);

  std::map<Recorder, Source> sources_;
  std::map<std::string, Audio, std::less<>> audio_;  // sessions whose audio is not counted to its end
  double captured_sec_ = 0;
  std::map<std::string_view, std::uint64_t> gaps_;  // by reason
  std::uint64_t kept_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t texts_ = 0;
  std::uint64_t failed_texts_ = 0;
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency_{};
  double latency_sum_ = 0;
  std::uint64_t restarts_ = 0;
  std::map<std::string, std::uint64_t> faults_;  // by code
  std::map<int, std::uint64_t> responses_;       // by status
};

}  // namespace dictum::server
