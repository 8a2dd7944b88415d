#pragma once

#include <string>
#include <system_error>

#include "dictum/export.hpp"

namespace dictum {

/// What can go wrong, as a program sees it. The message of each, through `recorder_category()`, is for a person.
enum class Errc {
  invalid_argument = 1,           ///< a value in a configuration or a call is out of range
  invalid_state,                  ///< the call does not fit the state, such as start while paused
  cancelled,                      ///< the caller cancelled the operation
  timed_out,                      ///< a deadline passed; what was left undone is named in an event
  resource_deadlock_would_occur,  ///< a blocking call from inside its own callback
  input_not_found,                ///< no such file or device
  input_unreadable,               ///< the file or stream is there and is not audio that can be read
  device_busy,                    ///< another program holds the device
  device_lost,                    ///< the device or its daemon is gone
  device_ambiguous,               ///< a name that matches several devices
  output_unwritable,              ///< the session's folder cannot be made or written
  disk_full,                      ///< no room for the session's files
  model_missing,                  ///< a model file is missing, or is not what its checksum says
  transcriber_missing,            ///< no worker of that name, or it cannot start
  transcription_failed,           ///< the engine answered with an error
  deadline_exceeded,              ///< the engine did not answer in time
  worker_died,                    ///< the engine's process ended in the middle of a job
  worker_protocol,                ///< the engine's process broke the worker protocol
  quarantined,                    ///< the segment killed every worker that tried it
  session_unreadable,             ///< a session on disk that is damaged, foreign or of a newer schema
  session_locked,                 ///< another process is working on that session
  config_invalid,                 ///< a configuration file with an unknown key or a wrong type
  internal,                       ///< a defect of ours
};

/// The category of every `std::error_code` that Dictum makes; its `name()` is "dictum". Safe from any thread.
DICTUM_API const std::error_category& recorder_category() noexcept;

/// So that `std::error_code code = Errc::timed_out;` works.
DICTUM_API std::error_code make_error_code(Errc code) noexcept;

/// The short name of a code as it stands in JSON, for example "device_lost". Safe from any thread.
DICTUM_API std::string to_string(Errc code);

/// What the throwing calls throw: a code to act on, and one sentence for a person that says what is wrong and what to
/// do about it.
class DICTUM_API RecorderError : public std::system_error {
 public:
  /// `sentence` is shown as it is; it names the file, device or key that is wrong.
  RecorderError(std::error_code code, std::string sentence);

  /// The whole sentence, without the category's message behind it.
  const char* what() const noexcept override { return sentence_.c_str(); }

 private:
  std::string sentence_;
};

}  // namespace dictum

template <>
struct std::is_error_code_enum<dictum::Errc> : std::true_type {};
