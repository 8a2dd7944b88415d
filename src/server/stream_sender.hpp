#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dictum/config.hpp"
#include "dictum/event.hpp"
#include "dictum/frame.hpp"

namespace dictum::server {

struct StreamSenderSettings {
  std::string url;                         ///< of the server: "ws://192.0.2.7:8080"
  std::string token;                       ///< what it lets in by; may be empty
  std::filesystem::path authorities = {};  ///< of a server with TLS (see `make_tls_client`)
  std::filesystem::path spool_folder;      ///< audio waits there that the server does not have yet
};

/// How sending has ended.
struct StreamSent {
  std::vector<std::string> sessions;  ///< of the server; several where it was started anew meanwhile
  Frame captured{};                   ///< frames, the missing ones included
  Frame unsent{};                     ///< of them, so many were not acknowledged: they are in `file`
  std::filesystem::path file;
  int sample_rate{};
  std::string error;  ///< why it ended too early; empty where it did not
};

/// Records this machine's audio for a server: what `[capture]` names is read as for a recording, written to disk, and
/// sent from there as fast as the server takes it. While the server is away the audio waits on disk.
///
/// Threads: two of its own, of which one reads the source and one sends; the callbacks are called on either, one at a
/// time. Methods may be called from any thread. Owner: the program.
class StreamSender {
 public:
  struct Callbacks {
    std::function<void(const Event&)> on_event;         ///< of the server's session
    std::function<void(const std::string&)> on_notice;  ///< a sentence: the server is away, a device was lost
    std::function<void()> on_end;                       ///< `result` is there
  };

  /// Opens the source and begins. Throws RecorderError: invalid_argument for the address; what the source, or making
  /// the file, throws.
  StreamSender(const RecorderConfig& config, StreamSenderSettings settings, Callbacks callbacks);

  /// As `cancel`, and waits for the end.
  ~StreamSender();
  StreamSender(const StreamSender&) = delete;
  StreamSender& operator=(const StreamSender&) = delete;

  /// Ends the capture. What was captured is sent, and the end of the session waited for.
  void stop();

  /// Ends at once; what was not sent stays on disk.
  void cancel();

  /// Waits for the end.
  StreamSent result();

 private:
  class Implementation;
  const std::unique_ptr<Implementation> implementation_;
};

}  // namespace dictum::server
