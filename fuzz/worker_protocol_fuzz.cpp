// The worker protocol's reader, in both directions: bytes from a hostile peer end in messages or in RecorderError, the
// same however they are cut, and every message that was read can be written and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "dictum/error.hpp"
#include "transcription/worker_protocol.hpp"

namespace {

using namespace dictum;
using namespace dictum::transcription;

struct Received {
  std::vector<Message> messages;
  bool broken = false;
  bool operator==(const Received&) const = default;
};

Received listen(std::span<const std::byte> bytes, std::size_t piece) {
  Received received;
  FrameReader reader;
  try {
    while (!bytes.empty()) {
      const auto now = bytes.first(std::min(piece, bytes.size()));
      bytes = bytes.subspan(now.size());
      reader.feed(now);
      while (auto message = reader.next()) received.messages.push_back(std::move(*message));
    }
  } catch (const RecorderError& error) {
    if (error.code() != Errc::worker_protocol) std::abort();
    received.broken = true;
  }
  return received;
}

void check(std::span<const std::byte> bytes, std::size_t piece) {
  const Received received = listen(bytes, bytes.size() + 1);
  if (listen(bytes, piece) != received) std::abort();
  std::string again;
  for (const Message& message : received.messages) again += encode(message);
  if (listen(std::as_bytes(std::span(again)), piece) != Received{received.messages, false}) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] + std::size_t{1};
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  check(bytes, piece);

  // Once more as the JSON of one frame, so that the fuzzer need not find a length that fits.
  std::string frame;
  for (std::size_t i = 0; i < 4; ++i) frame += static_cast<char>(bytes.size() >> (8 * i) & 0xFF);
  frame.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  check(std::as_bytes(std::span(frame)), piece);
  return 0;
}
