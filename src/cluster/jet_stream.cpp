#include "cluster/jet_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <charconv>
#include <exception>
#include <utility>
#include <vector>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/utf8.hpp"

namespace dictum::cluster {
namespace {

namespace js = boost::json;
using json::Fields;

// Error codes of JetStream.
constexpr int kNotEnabledForAccount = 10039;
constexpr int kNoMessage = 10037;
constexpr int kStreamNotFound = 10059;
constexpr int kConsumerNotFound = 10014;
constexpr int kStoreFailed = 10077;  // a stream that refuses has reached its bounds
constexpr int kInsufficientResources = 10023;
constexpr int kStorageExceeded = 10047;
constexpr int kSequenceNotFound = 10043;
constexpr int kDeleteFailed = 10057;
constexpr int kReplicasNeedCluster = 10074;

constexpr int kReplicas = 3;

[[noreturn]] void refuse(const std::string& sentence) {
  throw ClusterError(Trouble::other, "JetStream: " + sentence);
}

/// The object in the field `key`.
Fields inner(const Fields& fields, std::string_view key, std::string owner) {
  const js::value* const value = fields.find(key);
  if (value == nullptr) fields.wrong(key, "an object");
  return fields.fields_in(*value, std::move(owner));
}

/// For a request with its answer: as long as a slow network takes for so many bytes.
std::chrono::milliseconds time_for(std::size_t bytes) {
  constexpr std::size_t kBytesPerMillisecond = 100;
  return std::chrono::milliseconds(2000 + static_cast<std::int64_t>(bytes / kBytesPerMillisecond));
}

/// What JetStream answered in place of doing what was asked.
class APIError : public ClusterError {
 public:
  APIError(Trouble trouble, const std::string& sentence, int code) : ClusterError(trouble, sentence), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

APIError api_error(const std::string& servers, const std::string& what, const Fields& error) {
  const int code = error.optional_integer<int>("err_code").value_or(0);
  const std::string reason = utf8::on_one_line(error.text_or("description", "no reason"));
  switch (code) {
    case kNotEnabledForAccount:
      return {
          Trouble::no_jetstream,
          fmt::format("JetStream is disabled for this user at the NATS server {}. Give its account a jetstream block.",
                      servers),
          code};
    case kStreamNotFound:
    case kConsumerNotFound:
      return {Trouble::no_stream,
              fmt::format("The cluster at {} lacks what {} needs ({}). Start `dictum worker` once; it makes it.",
                          servers, what, reason),
              code};
    case kStoreFailed:
    case kInsufficientResources:
    case kStorageExceeded:
      return {Trouble::full,
              fmt::format("The cluster at {} takes no more for {} ({}). Start more workers, or raise the stream's "
                          "max_bytes or the server's max_file_store.",
                          servers, what, reason),
              code};
    default:
      return {reason.find("maximum") != std::string::npos ? Trouble::full : Trouble::other,
              fmt::format("The cluster at {} refuses {}: {}.", servers, what, reason), code};
  }
}

js::object answered(const std::string& servers, const std::string& what, const std::string& data) {
  boost::system::error_code error;
  const js::value value = json::parse(data, error);
  if (error || !value.is_object()) refuse(fmt::format("an answer to {} that is no JSON object", what));
  const Fields fields(value, "an answer", refuse);
  if (const js::value* const problem = fields.find("error")) {
    throw api_error(servers, what, fields.fields_in(*problem, "an error"));
  }
  return value.as_object();
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Delivery> delivery_of(std::string_view reply) {
  // $JS.ACK.STREAM.CONSUMER.DELIVERIES.SEQUENCE.CONSUMER_SEQUENCE.TIME.PENDING; with a domain and an account before the
  // stream, and something random at the end, where the server knows of domains.
  std::vector<std::string_view> parts;
  for (std::string_view rest = reply;;) {
    const auto dot = rest.find('.');
    parts.push_back(rest.substr(0, dot));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (parts.size() < 9 || parts[0] != "$JS" || parts[1] != "ACK") return std::nullopt;
  const std::size_t stream = parts.size() >= 11 ? 4 : 2;
  const auto deliveries = number(parts[stream + 2]);
  const auto sequence = number(parts[stream + 3]);
  if (!deliveries || !sequence) return std::nullopt;
  return Delivery{.ack_subject = std::string(reply), .deliveries = *deliveries, .sequence = *sequence};
}

js::object JetStream::call(const std::string& subject, const js::object& request, std::size_t bytes) {
  const NATSMessage answer =
      connection_.request("$JS.API." + subject, request.empty() ? "" : json::to_line(request), {}, time_for(bytes));
  return answered(connection_.servers(), subject, answer.data);
}

js::object JetStream::make_stream(const std::string& name) {
  const auto config = [&](int replicas) {
    for (js::object& each : stream_configs(replicas)) {
      if (each.at("name").as_string() == name) return std::move(each);
    }
    return js::object();
  };
  try {
    return call("STREAM.CREATE." + name, config(kReplicas));
  } catch (const APIError& error) {
    if (error.code() != kReplicasNeedCluster) throw;
    return call("STREAM.CREATE." + name, config(1));
  }
}

void JetStream::prepare_streams() {
  for (const std::string_view stream : {kJobs, kPieces, kResults, kDead}) {
    const std::string name(stream);
    try {
      call("STREAM.INFO." + name);
    } catch (const ClusterError& error) {
      if (error.trouble() != Trouble::no_stream) throw;
      const std::exception_ptr missing = std::current_exception();
      try {
        make_stream(name);
      } catch (const ClusterError& refusal) {
        if (refusal.trouble() != Trouble::refused) throw;
        std::rethrow_exception(missing);  // its message names who makes it
      }
    }
  }
}

void JetStream::check_space() {
  for (const std::string_view name : {kJobs, kPieces}) {
    const js::value whole = call(fmt::format("STREAM.INFO.{}", name));
    const Fields fields(whole, "a stream", refuse);
    const Fields limits = inner(fields, "config", "its configuration");
    const Fields state = inner(fields, "state", "its state");
    const auto most = limits.integer<std::int64_t>("max_bytes");
    const auto held = state.integer<std::int64_t>("bytes");
    // Where a worker could start and its first job was refused, that would go on for ever without a word to the user.
    const auto margin =
        std::max(most / 100, std::min<std::int64_t>(most / 2, static_cast<std::int64_t>(connection_.max_payload())));
    if (limits.text_or("discard", "old") == "new" && most > 0 && held >= most - margin) {
      throw ClusterError(
          Trouble::full,
          fmt::format("The stream {} at {} is full: it holds {} of {} bytes. Start more workers, or raise "
                      "its max_bytes.",
                      name, connection_.servers(), held, most));
    }
  }
}

std::chrono::milliseconds JetStream::prepare_consumer(Urgency urgency, std::string_view queue,
                                                      std::chrono::milliseconds ack_wait) {
  const std::string name = consumer_name(urgency, queue);
  js::object info;
  try {
    info = call(fmt::format("CONSUMER.INFO.{}.{}", kJobs, name));
  } catch (const ClusterError& error) {
    if (error.trouble() != Trouble::no_stream) throw;
    info = call(fmt::format("CONSUMER.DURABLE.CREATE.{}.{}", kJobs, name),
                {{"stream_name", kJobs}, {"config", consumer_config(urgency, queue, ack_wait)}});
  }
  const js::value whole = info;
  const Fields fields(whole, "a consumer", refuse);
  const Fields config = inner(fields, "config", "its configuration");
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::nanoseconds(config.integer<std::int64_t>("ack_wait")));
}

Stored JetStream::publish(const std::string& subject, std::string_view data, const std::string& id) {
  NATSHeaders headers;
  if (!id.empty()) headers["Nats-Msg-Id"] = id;
  const NATSMessage answer = connection_.request(subject, data, headers, time_for(data.size()));
  const js::value whole = answered(connection_.servers(), subject, answer.data);
  const Fields fields(whole, "an acknowledgement", refuse);
  return {.sequence = fields.integer<std::uint64_t>("seq"), .was_there = fields.flag_or("duplicate", false)};
}

Stored JetStream::publish_packed(const std::string& subject, const Packed& packed, std::string_view id,
                                 std::string_view kind, const std::string& message_id) {
  for (std::size_t i = 0; i < packed.pieces.size(); ++i) {
    publish(piece_subject(id, kind, i), packed.pieces[i]);
  }
  return publish(subject, packed.message, message_id);
}

std::string JetStream::body_of(Envelope envelope, std::string_view id, std::string_view kind,
                               const std::stop_token& stop) {
  if (envelope.pieces == 0) return std::move(envelope.body);
  std::string body;
  for (std::size_t i = 0; i < envelope.pieces; ++i) {
    if (stop.stop_requested()) throw ClusterError(Trouble::other, "The program is being stopped.");
    const auto piece = newest(kPieces, piece_subject(id, kind, i));
    if (!piece) throw ClusterError(Trouble::incomplete, fmt::format("Piece {} of {} is missing.", i, id));
    body += piece->data;
    if (body.size() > envelope.bytes) break;
  }
  if (body.size() != envelope.bytes) {
    throw ClusterError(Trouble::incomplete, fmt::format("The pieces of {} do not fit together.", id));
  }
  return body;
}

std::optional<StoredMessage> JetStream::get(std::string_view stream, const js::object& which) {
  try {
    const std::size_t bytes = connection_.max_payload() / 3 * 4;  // of a message at most, in base64
    const js::value whole = call(fmt::format("STREAM.MSG.GET.{}", stream), which, bytes);
    const Fields fields(whole, "an answer", refuse);
    const Fields message = inner(fields, "message", "a message");
    auto data = from_base64(message.text_or("data", ""));
    if (!data) message.wrong("data", "a text in base64");
    return StoredMessage{.sequence = message.integer<std::uint64_t>("seq"),
                         .subject = message.text("subject"),
                         .data = *std::move(data)};
  } catch (const APIError& error) {
    if (error.code() == kNoMessage || error.code() == kSequenceNotFound) return std::nullopt;
    throw;
  }
}

std::optional<StoredMessage> JetStream::newest(std::string_view stream, const std::string& subject) {
  return get(stream, {{"last_by_subj", subject}});
}

std::optional<StoredMessage> JetStream::at(std::string_view stream, std::uint64_t sequence) {
  return get(stream, {{"seq", sequence}});
}

std::optional<StoredMessage> JetStream::next(std::string_view stream, std::uint64_t sequence,
                                             const std::string& subjects) {
  return get(stream, {{"seq", sequence}, {"next_by_subj", subjects}});
}

void JetStream::erase(std::string_view stream, std::uint64_t sequence) {
  try {
    call(fmt::format("STREAM.MSG.DELETE.{}", stream), {{"seq", sequence}, {"no_erase", true}});
  } catch (const APIError& error) {
    const bool gone = error.code() == kNoMessage || error.code() == kSequenceNotFound || error.code() == kDeleteFailed;
    if (!gone) throw;
  }
}

void JetStream::purge(std::string_view stream, const std::string& subject) {
  call(fmt::format("STREAM.PURGE.{}", stream), {{"filter", subject}});
}

}  // namespace dictum::cluster
