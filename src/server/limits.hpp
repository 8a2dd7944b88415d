#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "server/disk_reserve.hpp"

namespace dictum::server {

/// What a client may take of the server.
struct Limits {
  std::size_t connections = 1024;
  std::size_t header_bytes = std::size_t{16} << 10;
  std::size_t body_bytes = std::size_t{64} << 10;
  std::uint64_t upload_bytes = std::uint64_t{512} << 20;     ///< of a form with a sound file
  std::uint64_t upload_rate = std::uint64_t{16} << 10;       ///< bytes a second that it has to bring, after `request`
  std::chrono::hours upload_audio = std::chrono::hours(12);  ///< in it
  std::uint64_t disk_reserve = kDiskReserve;         ///< bytes: what uploads leave free on the disk of the sessions
  std::size_t uploads = 16;                          ///< from the first byte to the answer, at once
  std::size_t transcriptions = 2;                    ///< of uploads at once; further ones wait
  std::size_t message_bytes = std::size_t{1} << 20;  ///< of a WebSocket
  std::size_t long_message_bytes =
      (std::size_t{20} << 20) +
      (std::size_t{64} << 10);    ///< the same in a Realtime session: 15 MiB in base64, and more
  std::size_t long_messages = 2;  ///< of more than `message_bytes` at once; further ones wait
  std::size_t jobs = 2;           ///< sessions that are transcribed again at once
  std::size_t streams = 512;      ///< of audio at once
  std::chrono::milliseconds resume = std::chrono::seconds(30);   ///< until a stream without a connection ends
  std::chrono::milliseconds request = std::chrono::seconds(15);  ///< until a request is complete, idle time included
  std::chrono::milliseconds long_message = std::chrono::minutes(3);  ///< until one is complete, from its place on
  std::chrono::milliseconds send = std::chrono::seconds(60);         ///< until a client has taken a piece of a response
  std::chrono::milliseconds heartbeat = std::chrono::seconds(15);    ///< between signs of life in a stream of events
};

}  // namespace dictum::server
