#include "dictum/error.hpp"

#include <utility>

namespace dictum {
namespace {

struct Entry {
  const char* name;
  const char* sentence;
};

Entry entry(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
      return {"invalid_argument", "a value is out of its range"};
    case Errc::invalid_state:
      return {"invalid_state", "the recorder is in a state that does not allow this"};
    case Errc::cancelled:
      return {"cancelled", "the operation was cancelled"};
    case Errc::timed_out:
      return {"timed_out", "the operation did not end in time"};
    case Errc::resource_deadlock_would_occur:
      return {"resource_deadlock_would_occur", "a blocking call from inside its own callback would wait for itself"};
    case Errc::input_not_found:
      return {"input_not_found", "there is no such file or device"};
    case Errc::input_unreadable:
      return {"input_unreadable", "the input is not audio that can be read"};
    case Errc::device_busy:
      return {"device_busy", "another program is using the audio device"};
    case Errc::device_lost:
      return {"device_lost", "the audio device is gone"};
    case Errc::device_ambiguous:
      return {"device_ambiguous", "several audio devices match that name"};
    case Errc::output_unwritable:
      return {"output_unwritable", "the session's folder cannot be written"};
    case Errc::disk_full:
      return {"disk_full", "the disk is full"};
    case Errc::model_missing:
      return {"model_missing", "a model file is missing or damaged"};
    case Errc::transcriber_missing:
      return {"transcriber_missing", "there is no such transcriber"};
    case Errc::transcription_failed:
      return {"transcription_failed", "the recogniser failed"};
    case Errc::deadline_exceeded:
      return {"deadline_exceeded", "the recogniser did not answer in time"};
    case Errc::worker_died:
      return {"worker_died", "the recogniser's process ended unexpectedly"};
    case Errc::worker_protocol:
      return {"worker_protocol", "the recogniser's process broke the worker protocol"};
    case Errc::quarantined:
      return {"quarantined", "the segment ended every recogniser process that tried it"};
    case Errc::session_unreadable:
      return {"session_unreadable", "the session on disk cannot be read"};
    case Errc::session_locked:
      return {"session_locked", "another process is working on that session"};
    case Errc::config_invalid:
      return {"config_invalid", "the configuration is not valid"};
    case Errc::internal:
      return {"internal", "a defect in Dictum; please report it"};
  }
  return {"unknown", "unknown error"};
}

class RecorderCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "dictum"; }
  std::string message(int value) const override { return entry(static_cast<Errc>(value)).sentence; }

  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_argument:
        return std::errc::invalid_argument;
      case Errc::cancelled:
        return std::errc::operation_canceled;
      case Errc::timed_out:
        return std::errc::timed_out;
      case Errc::resource_deadlock_would_occur:
        return std::errc::resource_deadlock_would_occur;
      case Errc::input_not_found:
        return std::errc::no_such_file_or_directory;
      case Errc::device_busy:
        return std::errc::device_or_resource_busy;
      case Errc::device_lost:
        return std::errc::no_such_device;
      case Errc::disk_full:
        return std::errc::no_space_on_device;
      default:
        return {value, *this};
    }
  }
};

}  // namespace

const std::error_category& recorder_category() noexcept {
  static const RecorderCategory category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), recorder_category()};
}

std::string to_string(Errc code) {
  return entry(code).name;
}

RecorderError::RecorderError(std::error_code code, std::string sentence)
    : std::system_error(code), sentence_(std::move(sentence)) {}

}  // namespace dictum
