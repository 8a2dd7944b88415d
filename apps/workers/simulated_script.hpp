#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dictum {

/// What the simulated worker does with one attempt at one segment.
struct SimulatedStep {
  enum class Behaviour {
    answer,   ///< with `text`, after `latency`
    error,    ///< answers with an error
    crash,    ///< dies of a signal
    leave,    ///< ends with exit code 0 in the middle of the job
    hang,     ///< never answers, but answers pings
    freeze,   ///< stops its whole process
    flood,    ///< sends partials without end
    twice,    ///< answers twice
    garbage,  ///< writes on the frame channel what is no frame
    giant,    ///< announces a frame that is too long
    grow      ///< takes memory until there is none, at most 1 GiB
  };

  Behaviour behaviour = Behaviour::answer;
  std::string text;
  std::chrono::milliseconds latency{0};
  std::vector<std::string> partials;  ///< sent before the answer, evenly over the latency
  std::string message;                ///< of an error
  bool ignores_cancel = false;
  bool words = false;       ///< reports words too, each 8000 frames long
  bool audio = false;       ///< reports in an annotation which samples it got
  bool grandchild = false;  ///< starts a process in a session of its own, which never ends by itself
};

/// What the simulated worker does, from a JSON file. A plain value; reading it throws RecorderError(config_invalid).
///
///   {"texts": ["start a new note", "shopping list"],      text of segment 0, 1 ...; then "segment 2", "segment 3" ...
///    "latency_ms": 20, "partials": ["start"],             of every answer, as every key of a step may stand out here
///    "segments": {"1": [{"do": "crash"}, {}]},            by attempt; the last one stands for all further ones
///    "seed": 7, "misbehave": 0.1, "kinds": ["crash"],     this share of all attempts, drawn from seed, segment,
///    attempt "interim": {"latency_ms": 5},                        jobs for interim text: some words of the segment's
///    text "hello": {"delay_ms": 0, "do": "answer", "cancel_ms": 100, "protocol": 1}, "log": "/tmp/log"} one line is
///    added for every hello and every job
struct SimulatedScript {
  struct Greeting {
    std::chrono::milliseconds delay{0};
    SimulatedStep::Behaviour behaviour = SimulatedStep::Behaviour::answer;
    int cancel_ms = 100;
    int protocol = 1;
  };

  static SimulatedScript parse(std::string_view json);
  static SimulatedScript load(const std::filesystem::path& file);

  /// The same arguments give the same step, in every process.
  SimulatedStep step(std::uint32_t segment, int attempt) const;
  std::string text(std::uint32_t segment) const;

  std::vector<std::string> texts;
  SimulatedStep usual;
  SimulatedStep interim;
  std::map<std::uint32_t, std::vector<SimulatedStep>> segments;
  std::uint64_t seed = 0;
  double misbehave = 0;
  std::vector<SimulatedStep::Behaviour> kinds{SimulatedStep::Behaviour::crash, SimulatedStep::Behaviour::hang,
                                              SimulatedStep::Behaviour::flood, SimulatedStep::Behaviour::twice,
                                              SimulatedStep::Behaviour::garbage};
  Greeting hello;
  std::filesystem::path log;
};

}  // namespace dictum
