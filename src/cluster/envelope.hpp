#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/frame.hpp"
#include "transcription/worker_protocol.hpp"

/// The messages of the cluster as bytes. What comes from outside is checked here and nowhere else. Plain values and
/// functions; safe from any thread.
namespace dictum::cluster {

/// A message: the length of its header (u32, little-endian), the header (JSON), and the body. A body that is too large
/// for one message travels before it, in pieces of their own, and the header has their number.
struct Envelope {
  boost::json::object header;
  std::string body;
  std::size_t pieces = 0;  ///< in which the body travels; 0: in this message
  std::size_t bytes = 0;   ///< of the body
};

/// The message and the pieces of its body, none of them larger than `max_payload` bytes.
struct Packed {
  std::string message;
  std::vector<std::string> pieces;
};

/// Throws RecorderError(transcription_failed), naming the server's setting, where the header alone is too large.
Packed pack(const boost::json::object& header, std::string_view body, std::size_t max_payload);

/// Throws RecorderError(worker_protocol) for everything that is not exactly a message.
Envelope unpack(std::string_view message);

/// A job as it travels: what the worker protocol sends, without the path of its file.
struct JobHeader {
  std::string id;              ///< of what is asked: the same for the same audio with the same settings
  std::uint32_t generation{};  ///< counts how often that was published since it was lost or failed
  int sample_rate{};
  Frame frames{};
  transcription::Job job;
};

/// "SESSION-SEGMENT-REVISION", the revision a digest of the audio and of everything that decides the text.
std::string job_id(const transcription::Job& job, std::string_view model, std::string_view flac);

boost::json::object to_json(const JobHeader& header);

/// Throws RecorderError(worker_protocol).
JobHeader job_header(const boost::json::object& header);

/// The answer to a job: a result, or an error that is final.
struct ResultHeader {
  std::string id;
  std::uint32_t generation{};  ///< of the job that it answers
  bool is_error{};
  std::string worker;  ///< the machine and process, for people
  bool operator==(const ResultHeader&) const = default;
};

boost::json::object to_json(const ResultHeader& header);
ResultHeader result_header(const boost::json::object& header);

/// The JSON of a message of the worker protocol, as the body of a result, and back. `from_body` throws
/// RecorderError(worker_protocol).
std::string to_body(const transcription::Message& message);
transcription::Message from_body(std::string_view body);

}  // namespace dictum::cluster
