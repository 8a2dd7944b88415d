#include "cluster/envelope.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <variant>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "cluster/names.hpp"
#include "dictum/error.hpp"
#include "digest/sha256.hpp"

namespace dictum::cluster {
namespace {

namespace js = boost::json;
using json::Fields;

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kReserve = 1024;                         // for what NATS puts before a payload
constexpr std::size_t kMaxBodyBytes = std::size_t{512} << 20;  // two hours of PCM16 at 48 kHz take more than FLAC
constexpr Frame kMaxFrames = Frame{2} * 3600 * 48'000;
constexpr int kVersion = 1;

[[noreturn]] void refuse(const std::string& sentence) {
  throw RecorderError(Errc::worker_protocol, "cluster: " + sentence);
}

/// Parts of a job that decide its text, as one text.
std::string identity(const transcription::Job& job, std::string_view model) {
  transcription::Job what = job;
  what.id = 0;
  what.wav.clear();
  what.attempt = 1;
  what.background = false;
  what.range.reset();
  return fmt::format("{}\n{}", model, to_body(what));
}

}  // namespace

Packed pack(const js::object& header, std::string_view body, std::size_t max_payload) {
  js::object whole = header;
  whole["version"] = kVersion;
  whole["bytes"] = body.size();
  whole["pieces"] = std::size_t{0};
  std::string text = json::to_line(whole);
  Packed packed;
  const std::size_t space = max_payload > kReserve ? max_payload - kReserve : 0;
  if (kLengthBytes + text.size() + body.size() > space) {
    if (space == 0) refuse(fmt::format("the server's max_payload of {} bytes is too small", max_payload));
    for (std::size_t at = 0; at < body.size(); at += space) packed.pieces.emplace_back(body.substr(at, space));
    whole["pieces"] = packed.pieces.size();
    text = json::to_line(whole);
    body = {};
  }
  if (kLengthBytes + text.size() > space) {
    throw RecorderError(Errc::transcription_failed,
                        fmt::format("A message of {} bytes does not fit the NATS server's max_payload of {} bytes. "
                                    "Raise max_payload in the server's configuration, or shorten the vocabulary.",
                                    text.size(), max_payload));
  }
  for (std::size_t i = 0; i < kLengthBytes; ++i) packed.message += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  packed.message += text;
  packed.message += body;
  return packed;
}

Envelope unpack(std::string_view message) {
  std::size_t length = 0;
  if (message.size() < kLengthBytes) refuse("a message without a header");
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::size_t{static_cast<unsigned char>(message[i])} << (8 * i);
  }
  if (length > message.size() - kLengthBytes) refuse("a message that is cut off");
  boost::system::error_code error;
  const js::value value = json::parse(message.substr(kLengthBytes, length), error);
  if (error) refuse("a header that is not JSON: " + error.message());
  const Fields fields(value, "the header", refuse);
  if (const int version = fields.integer<int>("version"); version != kVersion) {
    refuse(
        fmt::format("a message of version {}, and this program knows version {}. Install the same version of Dictum "
                    "on all machines",
                    version, kVersion));
  }
  Envelope envelope{.header = value.as_object(),
                    .body = std::string(message.substr(kLengthBytes + length)),
                    .pieces = fields.integer<std::size_t>("pieces"),
                    .bytes = fields.integer<std::size_t>("bytes")};
  const bool is_whole = envelope.pieces > 0 ? envelope.body.empty() : envelope.body.size() == envelope.bytes;
  if (!is_whole || envelope.bytes > kMaxBodyBytes || envelope.pieces > envelope.bytes) {
    refuse("a message whose body is not what its header promises");
  }
  return envelope;
}

std::string job_id(const transcription::Job& job, std::string_view model, std::string_view flac) {
  constexpr std::size_t kDigits = 24;
  digest::SHA256 sum;
  sum.add(identity(job, model));
  sum.add("\n");
  sum.add(flac);
  return fmt::format("{}-{}-{}", token(job.session), job.segment_index, sum.hex().substr(0, kDigits));
}

js::object to_json(const JobHeader& header) {
  transcription::Job job = header.job;
  job.wav.clear();
  job.range.reset();
  boost::system::error_code error;
  return {{"id", header.id},
          {"generation", header.generation},
          {"sample_rate", header.sample_rate},
          {"frames", header.frames},
          {"job", json::parse(to_body(job), error)}};
}

JobHeader job_header(const js::object& header) {
  const js::value value = header;
  const Fields fields(value, "a job", refuse);
  JobHeader job{.id = fields.text("id"),
                .generation = fields.integer<std::uint32_t>("generation"),
                .sample_rate = fields.integer<int>("sample_rate", 1),
                .frames = fields.integer<Frame>("frames", 0),
                .job = {}};
  if (job.id.empty() || job.id.size() > 200 ||
      job.id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
          std::string::npos) {
    fields.wrong("id", "the id of a job");
  }
  if (job.frames > kMaxFrames) fields.wrong("frames", "at most two hours");
  auto message = from_body(json::to_line(fields.object("job")));
  auto* const inner = std::get_if<transcription::Job>(&message);
  if (inner == nullptr) fields.wrong("job", "a job of the worker protocol");
  job.job = std::move(*inner);
  return job;
}

js::object to_json(const ResultHeader& header) {
  return {
      {"id", header.id}, {"generation", header.generation}, {"is_error", header.is_error}, {"worker", header.worker}};
}

ResultHeader result_header(const js::object& header) {
  const js::value value = header;
  const Fields fields(value, "a result", refuse);
  return {.id = fields.text("id"),
          .generation = fields.integer<std::uint32_t>("generation"),
          .is_error = fields.flag("is_error"),
          .worker = fields.text_or("worker", "")};
}

std::string to_body(const transcription::Message& message) {
  return transcription::encode(message).substr(kLengthBytes);
}

transcription::Message from_body(std::string_view body) {
  return transcription::decode(body);
}

}  // namespace dictum::cluster
