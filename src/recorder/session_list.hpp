#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "recorder/session.hpp"

namespace dictum::recorder {

/// The sessions of one recorder that have not ended, and the rules of which of them a call is about.
///
/// Threads: lives on the `loop` strand. A session that is returned is not owned: valid until something is awaited.
class SessionList {
 public:
  /// One that is recorded, behind those that were.
  void add_recorded(Session::Pointer session) { recorded_.push_back(std::move(session)); }

  /// One that is on disk already.
  void add_resumed(Session::Pointer session) { resumed_.push_back(std::move(session)); }

  void remove(const Session& session);
  bool empty() const { return recorded_.empty() && resumed_.empty(); }
  std::vector<Session::Pointer> all() const;

  /// The session that was asked for last; null where it has ended.
  Session* newest() const;

  /// The newest that has begun: not one that waits for another to close. Null where there is none.
  Session* begun() const;

  /// Null where none has that folder.
  Session* of_folder(const std::filesystem::path& path) const;

  /// One with texts that are to come; or one that is not closed, where another records already. Null where there is
  /// none.
  Session* busy() const;

 private:
  std::vector<Session::Pointer> recorded_;  // or being so; the newest is the last
  std::vector<Session::Pointer> resumed_;
};

}  // namespace dictum::recorder
