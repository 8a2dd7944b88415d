#include "cluster/administration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/utf8.hpp"
#include "cluster/inbox.hpp"
#include "dictum/text.hpp"

namespace dictum::cluster {
namespace {

namespace js = boost::json;
using namespace std::chrono_literals;
using json::Fields;

constexpr auto kPingWait = 500ms;

[[noreturn]] void refuse(const std::string& sentence) {
  throw ClusterError(Trouble::other, "The cluster's answer cannot be read: " + sentence);
}

/// In seconds, by the clocks of the server and of this machine; 0 without messages.
double age_of_oldest(const js::object& state) {
  const js::value* const first = state.if_contains("first_ts");
  const js::value* const messages = state.if_contains("messages");
  if (first == nullptr || !first->is_string() || messages == nullptr || *messages == 0) return 0;
  const std::string_view text = first->get_string();  // with up to nine digits behind the point
  const auto time = parse_iso_time(std::string(text.substr(0, std::min(text.find_first_of(".Z"), text.size()))) + "Z");
  if (!time) return 0;
  return std::max(0.0, std::chrono::duration<double>(std::chrono::system_clock::now() - *time).count());
}

js::object stream_status(JetStream& stream, std::string_view name) {
  const js::value info = stream.call(fmt::format("STREAM.INFO.{}", name));
  const js::object& state = Fields(info, "a stream", refuse).object("state");
  const js::object& config = Fields(info, "a stream", refuse).object("config");
  js::object status{{"name", name}, {"replicas", config.at("num_replicas")}};
  for (const auto* key : {"messages", "bytes", "first_seq", "last_seq"}) status[key] = state.at(key);
  if (const auto* first = state.if_contains("first_ts"); first != nullptr) status["oldest"] = *first;
  status["oldest_sec"] = age_of_oldest(state);
  status["max_bytes"] = config.at("max_bytes");
  return status;
}

js::array queue_status(JetStream& stream) {
  const js::value list = stream.call(fmt::format("CONSUMER.LIST.{}", kJobs), {{"offset", 0}});
  js::array queues;
  const Fields answer(list, "a list of consumers", refuse);
  for (const js::value& each : answer.array_or_empty("consumers")) {
    const Fields fields = answer.fields_in(each, "a consumer");
    queues.push_back({{"name", fields.text("name")},
                      {"waiting", fields.integer<std::int64_t>("num_pending")},
                      {"under_way", fields.integer<std::int64_t>("num_ack_pending")},
                      {"redelivered", fields.integer<std::int64_t>("num_redelivered")}});
  }
  return queues;
}

js::array machines(NATSConnection& connection) {
  Inbox inbox;
  const std::string reply = connection.new_inbox();
  const auto answers = connection.subscribe(reply, [&](NATSMessage message) { inbox.put(std::move(message)); });
  connection.publish(std::string(kPingWorkers), "", reply);
  js::array found;
  const auto end = std::chrono::steady_clock::now() + kPingWait;
  for (auto now = end - kPingWait; now < end; now = std::chrono::steady_clock::now()) {
    const auto message = inbox.wait({}, std::chrono::ceil<std::chrono::milliseconds>(end - now));
    if (!message) break;
    if (!message->status.empty()) break;  // no machine serves the queues
    boost::system::error_code error;
    const js::value value = json::parse(message->data, error);
    if (!error && value.is_object()) found.push_back(value);
  }
  return found;
}

std::optional<js::object> dead_header(const StoredMessage& message) {
  try {
    return unpack(message.data).header;
  } catch (const RecorderError&) {
    return std::nullopt;
  }
}

StoredMessage required(JetStream& stream, std::uint64_t sequence) {
  if (auto message = stream.at(kDead, sequence)) return *std::move(message);
  throw ClusterError(Trouble::other,
                     fmt::format("There is no failed job {}: `dictum cluster dead` lists them.", sequence));
}

std::string text_of(const js::object& object, std::string_view key) {
  const js::value* const value = object.if_contains(key);
  if (value == nullptr) return "";
  return utf8::on_one_line(value->is_string() ? std::string_view(value->get_string())
                                              : std::string_view(json::to_line(*value)));
}

}  // namespace

js::object cluster_status(JetStream& stream) {
  js::array streams;
  for (const std::string_view name : {kJobs, kPieces, kResults, kDead}) streams.push_back(stream_status(stream, name));
  return {{"servers", stream.connection().servers()},
          {"max_payload", stream.connection().max_payload()},
          {"streams", std::move(streams)},
          {"queues", queue_status(stream)},
          {"machines", machines(stream.connection())}};
}

std::string status_text(const js::object& status) {
  std::string text =
      fmt::format("Servers: {}, max_payload {}\n", text_of(status, "servers"), text_of(status, "max_payload"));
  const auto each = [&](std::string_view key, auto line) {
    const js::value* const list = status.if_contains(key);
    if (list == nullptr || !list->is_array()) return;
    for (const js::value& item : list->get_array()) {
      if (item.is_object()) text += line(item.get_object());
    }
  };
  each("streams", [](const js::object& stream) {
    return fmt::format("{:<16} {} messages, {} of {} bytes, {} replica{}, oldest {}\n", text_of(stream, "name"),
                       text_of(stream, "messages"), text_of(stream, "bytes"), text_of(stream, "max_bytes"),
                       text_of(stream, "replicas"), text_of(stream, "replicas") == "1" ? "" : "s",
                       text_of(stream, "messages") == "0" ? "-" : text_of(stream, "oldest"));
  });
  each("queues", [](const js::object& queue) {
    return fmt::format("queue {:<20} {} waiting, {} under way, {} redelivered\n", text_of(queue, "name"),
                       text_of(queue, "waiting"), text_of(queue, "under_way"), text_of(queue, "redelivered"));
  });
  each("machines", [](const js::object& machine) {
    const std::string model = text_of(machine, "model");
    return fmt::format("machine {}: {}{}, {} of {} workers busy, {} done, {} failed\n", text_of(machine, "name"),
                       text_of(machine, "transcriber"), model.empty() ? "" : ", model " + model,
                       text_of(machine, "busy"), text_of(machine, "workers"), text_of(machine, "done"),
                       text_of(machine, "failed"));
  });
  if (const auto* machines = status.if_contains("machines"); machines != nullptr && machines->as_array().empty()) {
    text += "No machine serves the queues: start `dictum worker`.\n";
  }
  return text;
}

std::vector<DeadJob> dead_jobs(JetStream& stream) {
  constexpr std::size_t kMaxListed = 1000;
  std::vector<DeadJob> jobs;
  auto message = stream.next(kDead, 1, dead_subject("*"));
  for (; message && jobs.size() < kMaxListed; message = stream.next(kDead, message->sequence + 1, dead_subject("*"))) {
    const auto header = dead_header(*message);
    if (!header) continue;
    jobs.push_back({.sequence = message->sequence,
                    .id = text_of(*header, "id"),
                    .code = text_of(*header, "code"),
                    .reason = text_of(*header, "reason"),
                    .worker = text_of(*header, "worker")});
  }
  return jobs;
}

void retry_dead_job(JetStream& stream, std::uint64_t sequence) {
  const StoredMessage message = required(stream, sequence);
  Envelope envelope = unpack(message.data);
  const std::string queue = text_of(envelope.header, "queue");
  JobHeader job = job_header(envelope.header);
  ++job.generation;  // its stored error is no answer to it
  const std::string flac = stream.body_of(std::move(envelope), job.id, "dead");
  if (flac.empty()) {
    throw ClusterError(Trouble::other,
                       fmt::format("The failed job {} was kept without its audio. Its recorder has it: `dictum resume "
                                   "SESSION --failed` publishes it anew there; `--drop {}` forgets it here.",
                                   sequence, sequence));
  }
  const auto urgency = job.job.background ? Urgency::background : Urgency::live;
  const Packed packed = pack(to_json(job), flac, stream.connection().max_payload());
  stream.publish_packed(job_subject(urgency, queue.empty() ? kDefaultQueue : queue), packed, job.id, "job");
  drop_dead_job(stream, sequence);
}

void drop_dead_job(JetStream& stream, std::uint64_t sequence) {
  const StoredMessage message = required(stream, sequence);
  stream.erase(kDead, sequence);
  if (const auto header = dead_header(message); header && header->contains("id")) {
    stream.purge(kPieces, all_pieces(text_of(*header, "id"), "dead"));
  }
}

}  // namespace dictum::cluster
