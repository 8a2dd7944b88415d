#include "cluster/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::cluster {
namespace {

namespace js = boost::json;
using namespace std::chrono_literals;

std::int64_t in_nanoseconds(std::chrono::nanoseconds time) {
  return time.count();
}

std::string_view name_of(Urgency urgency) {
  return urgency == Urgency::live ? "live" : "background";
}

struct Bounds {
  std::string_view stream;
  std::string_view subjects;
  std::string_view retention;
  std::string_view discard;
  std::chrono::hours max_age;
  std::int64_t max_bytes;
  std::int64_t max_per_subject;
};

// A full stream of jobs or pieces refuses, so that recorders keep what it has no space for; the others drop their
// oldest.
constexpr Bounds kStreams[] = {
    {kJobs, "dictum.jobs.>", "workqueue", "new", 7 * 24h, std::int64_t{8} << 30, -1},
    {kPieces, "dictum.pieces.>", "limits", "new", 7 * 24h, std::int64_t{8} << 30, 1},
    {kResults, "dictum.results.>", "limits", "old", 24h, std::int64_t{1} << 30, 1},
    {kDead, "dictum.dead.>", "limits", "old", 30 * 24h, std::int64_t{1} << 30, 1},
};

}  // namespace

std::vector<std::string> queues_of(std::string_view setting, std::string_view model) {
  std::vector<std::string> queues;
  while (!setting.empty()) {
    const auto end = std::min(setting.find(','), setting.size());
    const std::string_view name = setting.substr(0, end);
    if (const auto first = name.find_first_not_of(' '); first != std::string_view::npos) {
      queues.emplace_back(name.substr(first, name.find_last_not_of(' ') + 1 - first));
    }
    setting.remove_prefix(std::min(end + 1, setting.size()));
  }
  if (!queues.empty()) return queues;
  if (!model.empty()) queues.emplace_back(model);
  queues.emplace_back(kDefaultQueue);
  return queues;
}

std::string queue_of_recorder(std::string_view setting, std::string_view model) {
  if (setting.find(',') != std::string_view::npos) {
    throw RecorderError(Errc::config_invalid,
                        fmt::format("A recorder's jobs go to one queue, and \"{}\" names several. Name one in "
                                    "--nats-queue or transcription.nats.queue.",
                                    utf8::on_one_line(setting)));
  }
  return queues_of(setting, model).front();
}

std::string token(std::string_view text) {
  std::string out(text.substr(0, 64));
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain) c = '_';
  }
  return out.empty() ? "_" : out;
}

std::string job_subject(Urgency urgency, std::string_view queue) {
  return fmt::format("dictum.jobs.{}.{}", name_of(urgency), token(queue));
}
std::string result_subject(std::string_view id) {
  return fmt::format("dictum.results.{}", id);
}
std::string partial_subject(std::string_view id) {
  return fmt::format("dictum.partials.{}", id);
}
std::string dead_subject(std::string_view id) {
  return fmt::format("dictum.dead.{}", id);
}
std::string piece_subject(std::string_view id, std::string_view kind, std::size_t number) {
  return fmt::format("dictum.pieces.{}.{}.{}", id, kind, number);
}
std::string tries_subject(std::string_view id, std::uint32_t generation) {
  return result_subject(fmt::format("tries-{}-{}", id, generation));
}
std::string all_pieces(std::string_view id, std::string_view kind) {
  return fmt::format("dictum.pieces.{}.{}.>", id, kind);
}

std::string consumer_name(Urgency urgency, std::string_view queue) {
  return fmt::format("{}-{}", name_of(urgency), token(queue));
}

js::object consumer_config(Urgency urgency, std::string_view queue, std::chrono::milliseconds ack_wait) {
  return {{"durable_name", consumer_name(urgency, queue)},
          {"filter_subject", job_subject(urgency, queue)},
          {"ack_policy", "explicit"},
          {"ack_wait", in_nanoseconds(ack_wait)},
          {"deliver_policy", "all"},
          {"max_deliver", -1},           // the worker that is given a job too often gives it up, and reports why
          {"max_ack_pending", 100'000},  // jobs under way at a time, over all machines
          {"replay_policy", "instant"}};
}

std::vector<js::object> stream_configs(int replicas) {
  std::vector<js::object> configs;
  for (const Bounds& stream : kStreams) {
    configs.push_back({{"name", stream.stream},
                       {"subjects", js::array{stream.subjects}},
                       {"retention", stream.retention},
                       {"discard", stream.discard},
                       {"storage", "file"},
                       {"max_age", in_nanoseconds(stream.max_age)},
                       {"max_bytes", stream.max_bytes},
                       {"max_msgs_per_subject", stream.max_per_subject},
                       {"max_msgs", -1},
                       {"max_consumers", -1},
                       {"max_msg_size", -1},
                       {"duplicate_window", in_nanoseconds(2min)},
                       {"num_replicas", replicas}});
  }
  return configs;
}

}  // namespace dictum::cluster
