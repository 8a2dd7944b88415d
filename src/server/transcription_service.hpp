#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/scratch_folder.hpp"
#include "base/unique_fd.hpp"
#include "dictum/async_recorder_backend.hpp"
#include "server/limits.hpp"
#include "server/places.hpp"
#include "server/remote_stream.hpp"
#include "server/transcription_answer.hpp"
#include "server/transcription_form.hpp"

namespace dictum::server {

/// A recorder that transcribes one uploaded file after the other, and keeps its worker meanwhile.
struct UploadRecorder {
  struct NextFile {
    UniqueFD file;
    std::string name;
  };
  std::string language;
  std::vector<std::string> vocabulary;
  std::shared_ptr<ScratchFolder> folder;  // its sessions are in it
  std::shared_ptr<NextFile> next;
  std::unique_ptr<AsyncRecorderBackend> backend;
};

class TranscriptionService;

/// One uploaded file that is being transcribed, as a session of its own, which is deleted behind it.
///
/// Thread: the loop's. Owner: the connection; destroying it ends the work.
class Transcription {
 public:
  ~Transcription();
  Transcription(const Transcription&) = delete;
  Transcription& operator=(const Transcription&) = delete;

  /// The text of the next segment, in order of speech; empty after the last one.
  boost::asio::awaitable<std::optional<std::string>> next_text();

  /// Waits for all texts; once. The problem where one is missing.
  boost::asio::awaitable<std::variant<Response, TranscriptionResult>> finish();

 private:
  friend TranscriptionService;
  struct Progress;
  Transcription(TranscriptionService& service, TranscriptionRequest request, std::shared_ptr<Places::Place> place,
                std::unique_ptr<UploadRecorder> recorder);
  boost::asio::awaitable<std::optional<Response>> start();

  TranscriptionService& service_;
  const TranscriptionRequest request_;
  std::shared_ptr<Places::Place> place_;      // empty once it was given back
  std::unique_ptr<UploadRecorder> recorder_;  // empty once it was given back
  const std::shared_ptr<Progress> progress_;
  AsyncSubscription subscription_;
};

/// Transcribes files that clients upload: so many at once, the others wait. What is no plain PCM is decoded in a
/// process of its own.
///
/// Thread: the loop's, which is never blocked, but for `folder`. Owner: the server; it outlives the transcriptions.
class TranscriptionService {
 public:
  TranscriptionService(StreamServices services, const Limits& limits);
  ~TranscriptionService();
  TranscriptionService(const TranscriptionService&) = delete;
  TranscriptionService& operator=(const TranscriptionService&) = delete;

  /// A place for an upload, from its first byte to its answer; empty where too many are under way.
  std::optional<Places::Place> admit() { return uploads_.take(); }

  /// Where files of uploads are made, and their sessions. Any thread; blocks. Throws RecorderError(output_unwritable).
  std::filesystem::path folder();

  /// Whether this server has a model of that name. Any thread; blocks.
  bool has_model(std::string_view name) const;

  /// Waits until it is this one's turn, and begins. The problem where that fails.
  boost::asio::awaitable<std::variant<Response, std::unique_ptr<Transcription>>> begin(TranscriptionRequest request,
                                                                                       UniqueFD file);

  /// Ends the recorders that wait for the next file; no file is begun any more.
  void stop();

  /// Once there is no `Transcription` any more.
  boost::asio::awaitable<void> stopped();

  /// Waits for the recorders that are being ended. On another thread than the loop's, which does nothing any more.
  void join();

 private:
  friend Transcription;
  std::unique_ptr<UploadRecorder> take_fitting(const TranscriptionRequest& request);
  std::unique_ptr<UploadRecorder> make_recorder(const TranscriptionRequest& request);
  void give_back(std::unique_ptr<UploadRecorder> recorder);
  void discard(std::unique_ptr<UploadRecorder> recorder, std::shared_ptr<Places::Place> place);
  boost::asio::thread_pool& discards();

  const StreamServices services_;
  const Limits limits_;
  Places uploads_;
  Places running_;
  boost::asio::steady_timer freed_;  // never expires; cancelled where a place of `running_` is free
  std::vector<std::unique_ptr<UploadRecorder>> idle_;
  std::mutex making_folder_;
  std::shared_ptr<ScratchFolder> folder_;  // empty before the first upload
  std::optional<boost::asio::thread_pool>
      discards_;                         // where recorders end, which may take long; empty before the first
  std::size_t count_ = 0;                // of `Transcription`s
  boost::asio::steady_timer none_left_;  // never expires; cancelled where there is none any more
  bool is_stopping_ = false;
};

/// Phrases of notes that nobody says: where a program sends audio, what is said is text and no command.
RecorderConfig::Notes notes_without_commands();

/// The names by which a client may ask for the configured transcriber: its own first. Blocks.
std::vector<std::string> model_names(const RecorderConfig& config);

}  // namespace dictum::server
