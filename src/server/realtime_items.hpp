#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"

namespace dictum::server {

/// The items of a conversation in OpenAI's Realtime API, made of the events of a session: each segment is one, or,
/// where the client commits, what it sent between two commits. No I/O.
///
/// A commit ends the segment that is being spoken by silence, which the session has and the client did not send: `skip`
/// takes it out of the times that the client is given.
///
/// Thread: one at a time. Owner: the connection.
class RealtimeItems {
 public:
  using Messages = std::vector<boost::json::object>;  ///< for the client, without their ids

  struct Settings {
    std::string session;
    int sample_rate{};
    bool is_manual = false;  ///< the client commits
    Frame margin{};          ///< behind the newest frame, that the detector may still hold
    bool is_beta = false;    ///< the client knows only the API's beta
  };
  explicit RealtimeItems(Settings settings) : settings_(std::move(settings)) {}

  /// The next event of the session.
  Messages take(const Event& event);

  /// The client commits what it sent before frame `received`, of which there is more than in its last commit. With a
  /// detector the end of the segment is the item; where nobody speaks, `nothing` is said once that is certain.
  Messages commit(Frame received, boost::json::object nothing);

  /// What was sent before frame `received` and not committed becomes no item.
  void clear(Frame received);

  /// Frames from `at` on that the client did not send.
  void skip(Frame at, Frame frames);

  /// Whether nothing was sent since the last commit, or `clear`.
  bool is_empty(Frame received) const { return received <= begin_; }

  /// The session is over: what has no text yet will have none.
  Messages end();

 private:
  struct Segment {
    Frame start{};
    Frame end{};  ///< once it has ended
    bool is_over = false;
    std::optional<std::string> text;
    std::optional<EventError> error;
    std::string item;  ///< with a detector: of its own
  };
  struct Commit {
    Frame begin{};
    Frame end{};
    std::string item;
  };

  /// With a detector: one that may turn out to have nothing in it.
  struct Request {
    Frame end{};
    boost::json::object nothing;
  };

  std::int64_t milliseconds(Frame frame) const;
  void add_item(const std::string& item, Messages& out);
  void complete(const std::string& item, const Segment& whole, Messages& out) const;
  void complete_commits(Messages& out);
  void answer_requests(Messages& out);

  const Settings settings_;
  std::map<std::uint32_t, Segment> segments_;  // that are in no completed item
  std::deque<Commit> commits_;                 // that are not completed
  std::deque<Request> requests_;               // that are not answered
  std::map<Frame, Frame> skipped_;             // frames, by the first of them
  std::string last_item_;
  Frame clock_ = 0;
  Frame begin_ = 0;          // of what the client sent and did not commit
  Frame open_from_ = 0;      // the same, with the silence before it, in which a segment begins that has a pre-roll
  Frame dropped_until_ = 0;  // with a detector: what begins before it and goes on becomes no item
  std::uint64_t count_ = 0;  // of commits
};

}  // namespace dictum::server
