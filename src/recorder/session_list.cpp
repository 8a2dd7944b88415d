#include "recorder/session_list.hpp"

#include <ranges>
#include <utility>

namespace dictum::recorder {

void SessionList::remove(const Session& session) {
  const auto is_it = [&session](const auto& each) { return each.get() == &session; };
  std::erase_if(recorded_, is_it);
  std::erase_if(resumed_, is_it);
}

std::vector<Session::Pointer> SessionList::all() const {
  std::vector<Session::Pointer> sessions = recorded_;
  sessions.insert(sessions.end(), resumed_.begin(), resumed_.end());
  return sessions;
}

Session* SessionList::newest() const {
  for (const auto& session : recorded_ | std::views::reverse) {
    if (!session->lifecycle().has_ended()) return session.get();
  }
  return nullptr;
}

Session* SessionList::begun() const {
  for (const auto& session : recorded_ | std::views::reverse) {
    const SessionState state = session->lifecycle().state();
    if (state != SessionState::waiting && state != SessionState::ended) return session.get();
  }
  return nullptr;
}

Session* SessionList::of_folder(const std::filesystem::path& path) const {
  for (const auto* sessions : {&recorded_, &resumed_}) {
    for (const auto& session : *sessions) {
      if (session->path() == path && !session->lifecycle().has_ended()) return session.get();
    }
  }
  return nullptr;
}

Session* SessionList::busy() const {
  const Session* const current = begun();
  for (const auto* sessions : {&recorded_, &resumed_}) {
    for (const auto& session : *sessions) {
      const SessionLifecycle& lifecycle = session->lifecycle();
      if (lifecycle.has_ended()) continue;
      if (session->has_pending_texts() && !session->has_no_worker()) return session.get();
      if (session.get() != current && lifecycle.state() != SessionState::waiting && !lifecycle.is_closed())
        return session.get();
    }
  }
  return nullptr;
}

}  // namespace dictum::recorder
