#include "recorder/housekeeping.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "base/outcome.hpp"
#include "dictum/text.hpp"
#include "journal/session_directory.hpp"
#include "session/library.hpp"
#include "session/recovery.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::recorder {

void Housekeeping::session_started(const Strands& strands, const Callbacks& callbacks) {
  if (!std::exchange(removed_remains_, true)) {
    boost::asio::post(strands.work, [root = journal::session_root(config_)] { session::remove_remains(root); });
  }
  find_unfinished(strands, callbacks);
  delete_old(strands, callbacks);
}

/// Once, and not with a transcriber of the user's, which is made for the session that it was configured for.
void Housekeeping::find_unfinished(const Strands& strands, const Callbacks& callbacks) {
  if (config_.custom_transcriber || !transcription::transcribes(config_) || std::exchange(looked_for_unfinished_, true))
    return;
  boost::asio::post(strands.work, [root = journal::session_root(config_), loop = strands.loop,
                                   finish_sessions = callbacks.finish_sessions] {
    std::vector<std::filesystem::path> paths;
    for (const auto& unfinished : session::find_unfinished(root)) {
      if (unfinished.is_private) paths.push_back(unfinished.path);
    }
    boost::asio::post(loop, [finish_sessions, paths = std::move(paths)] { finish_sessions(paths); });
  });
}

void Housekeeping::delete_old(const Strands& strands, const Callbacks& callbacks) const {
  if (config_.retention.older_than.empty()) return;
  const auto age = parse_age(config_.retention.older_than);  // checked at the start
  // It may take long: only what does not keep the recorder is taken along.
  boost::asio::post(strands.work,
                    [goes_on = callbacks.goes_on, report = callbacks.report, root = journal::session_root(config_),
                     keep_notes = config_.retention.keep_notes, before = clock_->now() - *age] {
                      try {
                        session::prune(root, {.before = before, .keep_notes = keep_notes, .goes_on = goes_on});
                      } catch (...) {
                        report(error_of_current_exception());
                      }
                    });
}

}  // namespace dictum::recorder
