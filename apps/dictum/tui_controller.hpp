#pragma once

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "dictum/async_recorder_backend.hpp"
#include "dictum/sessions.hpp"
#include "tui/model.hpp"
#include "tui/reduce.hpp"
#include "tui/view.hpp"

namespace dictum::program {

/// The terminal UI's side that does things: it has the recorder and the library of sessions, carries commands out, and
/// folds everything that comes of it into the model, which it publishes, bounded in rate and never the same twice.
///
/// Threads: lives on the thread of `executor`, where every method and every handler runs; what blocks runs on a pool
/// of its own and comes back by post. Owner: the program. What fails becomes a notice.
class TUIController {
 public:
  using Publish = std::function<void(std::shared_ptr<const tui::Model>)>;

  struct Callbacks {
    Publish publish;
    std::function<void(std::string)> copy;  ///< a text for the clipboard of the terminal
    std::function<void()> done;             ///< called once, when nothing keeps the program any more
  };

  TUIController(boost::asio::any_io_executor executor, const RecorderConfig& config, Callbacks callbacks);
  ~TUIController();

  void carry_out(const tui::Command& command);

  /// An event of the recorder.
  void receive(const Event& event);

  /// Begins to record, as the key does.
  void record() { perform(tui::Action::record); }

  /// The terminal is gone, or somebody wants the program to end: the recording is stopped, as by its key, and its texts
  /// are waited for as long as the configuration says. The second time it ends at once.
  void end();

  /// Lines of this descriptor become notices.
  void read_messages(int descriptor);

  /// Ends the recorder, within two seconds, and everything else.
  void shut_down();

 private:
  void perform(tui::Action action);
  void toggle_recording();
  void leave(bool at_once);
  void finished();
  auto report_failure();
  void failed(const std::string& sentence);
  template <class Change>
  void update(Change change);
  void publish_soon();
  void publish_now();
  void tick_while_waiting();
  template <class Answer>
  void ask(std::function<Answer()> question, std::function<void(tui::Model&, Answer)> take);
  void search(const std::string& query);
  void play(const tui::Play& what);
  void copy(std::string text);
  void transcribe(const tui::TranscribeAgain& what);
  void show_again(const std::filesystem::path& session);
  void read_more_messages();

  const boost::asio::any_io_executor executor_;
  const RecorderConfig config_;
  Callbacks callbacks_;

  tui::Model model_;
  boost::asio::steady_timer publishing_;
  std::chrono::steady_clock::time_point published_;
  bool will_publish_ = false;
  boost::asio::steady_timer ticking_;
  bool ticks_ = false;

  std::optional<AsyncRecorderBackend> backend_;
  bool leaving_ = false;
  int ends_ = 0;

  boost::asio::thread_pool library_{1};
  std::optional<SessionFinder> finder_;  // the library's thread's
  std::atomic<std::uint64_t> newest_search_{0};
  boost::asio::thread_pool player_{1};
  std::stop_source playing_;
  std::uint64_t played_ = 0;
  boost::asio::thread_pool transcriber_{1};
  std::stop_source transcribing_;

  std::optional<boost::asio::posix::stream_descriptor> messages_;
  std::string message_;
  std::array<char, 512> message_buffer_{};
};

}  // namespace dictum::program
