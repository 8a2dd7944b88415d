#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dictum/error.hpp"
#include "dictum/event.hpp"

/// Events as JSON. No other module knows their spelling. No state: every function is safe from any thread.
namespace dictum::wire {

/// The envelope ("event", "session", "sequence", "timestamp", "frame"; no "sequence" in an ephemeral event), then the
/// event's own fields, in that order. A number that is not finite becomes null.
boost::json::object to_json(const Event& event);

/// Reads one line, which may be anything. Fields that it does not know are ignored: newer versions may add some.
/// Throws UnknownEvent, or RecorderError(session_unreadable) that names what is wrong.
Event parse_event(std::string_view line);

/// A well-formed envelope around an event of a newer version: not damage. Whoever reads a journal passes over it and
/// goes on, with its sequence counted.
class UnknownEvent : public RecorderError {
 public:
  UnknownEvent(std::string name, std::optional<std::uint64_t> sequence);

  const std::string& name() const noexcept { return name_; }
  std::optional<std::uint64_t> sequence() const noexcept { return sequence_; }

 private:
  std::string name_;
  std::optional<std::uint64_t> sequence_;
};

/// The values of the enumerations by their names in JSON; empty where there is none of that name.
std::optional<RecordingState> recording_state(std::string_view name) noexcept;
std::optional<VADMode> vad_mode(std::string_view name) noexcept;
std::optional<NoteCommand> note_command(std::string_view name) noexcept;
std::optional<GapReason> gap_reason(std::string_view name) noexcept;
std::optional<WorkerState> worker_state(std::string_view name) noexcept;
std::optional<DiscardReason> discard_reason(std::string_view name) noexcept;

}  // namespace dictum::wire
