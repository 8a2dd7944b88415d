#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "dictum/frame.hpp"
#include "dictum/source.hpp"
#include "server/opus_decoder.hpp"

namespace dictum::server {

/// Audio that a client sends, on its way to a recorder: each frame by its number, so that what is sent twice is dropped
/// and what is missing becomes a gap of exactly that length. Packets of Opus are decoded where the recorder reads them,
/// since that takes time; one that cannot be decoded becomes a gap of its length.
///
/// Threads: `write`, `write_packet`, `finish`, `received` and `is_full` are the loop's; the source is read on the
/// recorder's strand.
/// Owner: both sides. The one that writes has to wait while it is full: about a second of audio is kept.
class RemoteAudio : public std::enable_shared_from_this<RemoteAudio> {
 public:
  /// More than this and what was received, in all of a stream, is not missing but a mistake, or an attack on the
  /// timeline.
  static constexpr int kMaxGapHours = 24;

  /// `on_room` is called on the recorder's strand once there is room again.
  RemoteAudio(AudioFormat format, std::string description, std::function<void()> on_room);

  AudioFormat format() const { return format_; }

  /// Takes interleaved samples, whole frames, the first of which is the stream's `first`th. Throws
  /// RecorderError(invalid_argument) where more frames are missing by then than a stream may miss, and takes nothing.
  void write(Frame first, std::vector<float> interleaved);

  /// The same for a packet of Opus that has so many frames. What is dropped of it is decoded all the same.
  void write_packet(Frame first, Frame frames, std::string packet);

  /// The stream ends behind what was written. What is written after it is dropped.
  void finish();

  /// The frames received or missed so far: the number of the next one.
  Frame received() const { return received_; }

  /// Whether the writer has to wait. Never again once the recorder has closed it.
  bool is_full() const;

  /// `on_room` is not called any more once this returns.
  void detach();

  /// The end that a recorder reads, once.
  std::unique_ptr<AudioSource> make_source();

 private:
  class Source;
  struct Packet {
    std::string bytes;
    Frame frames{};        ///< that it is decoded to
    Frame dropped{};       ///< the first of them, which were received before
    bool is_next = false;  ///< nothing is missing or dropped before it
  };
  struct Piece {
    Frame gap{};  ///< before the samples
    std::vector<float> samples;
    std::optional<Packet> packet;  ///< of which they are decoded
  };
  struct Queue {
    std::deque<Piece> pieces;
    std::size_t read = 0;     // samples of the first piece
    std::size_t samples = 0;  // in all of them that are not read
    bool was_full = false;
    bool is_finished = false;
    bool is_closed = false;
    std::function<void()> on_room;
  };

  void append(Frame first, Frame frames, Piece piece);
  std::size_t samples_in(Frame frames) const { return static_cast<std::size_t>(frames * format_.channels); }

  Reading read(std::span<float> interleaved);
  std::optional<Packet> fill(Reading* reading, std::span<float> interleaved);
  void put_decoded(const Packet& packet);
  void close();

  const AudioFormat format_;
  const std::string description_;
  const std::size_t capacity_;          // samples
  Frame received_ = 0;                  // of the loop
  Frame missed_ = 0;                    // of them; the same
  std::optional<OpusDecoder> decoder_;  // of the recorder's strand; empty before the first packet
  bool has_decoded_ = false;            // the same: the newest packet
  std::size_t taken_ = 0;               // the same: samples since there were none to take
  bool is_fast_ = false;                // the same: that was all that is kept, so the next are about to arrive
  mutable Guarded<Queue> queue_;
};

}  // namespace dictum::server
