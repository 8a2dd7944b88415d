#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"

namespace dictum {

/// What a source delivers: interleaved float samples, nominally within -1 to 1.
struct AudioFormat {
  int sample_rate{};  ///< frames a second
  int channels{};
  bool operator==(const AudioFormat&) const = default;
};

/// What happened right after the audio of one reading, in the order of the timeline.
struct SourceEnd {};  ///< the stream is over; nothing follows

struct SourceGap {  ///< this many frames were missed
  Frame frames{};
  GapReason reason{};
};

struct SourceDevice {  ///< another device delivers from here on; always at the format that open() returned
  std::string device;
  std::string reason;
};

struct SourceFault {  ///< reported at once; a gap follows when its length is known
  std::string code;
  std::string message;
  bool recoverable{};
};

struct Reading {
  std::size_t frames{};  ///< frames written to the buffer, 0 where nothing has arrived yet
  std::variant<std::monostate, SourceGap, SourceDevice, SourceFault, SourceEnd> then{};
};

/// Where audio comes from: a microphone, a file, a stream, the application itself, or code of the user's.
///
/// Threads: `open`, `read` and `close` are called one at a time, never on the caller's event loop, not always on the
/// same thread. Owner: the recording that opened it. A source that is closed may be opened again (pause and resume do).
class AudioSource {
 public:
  virtual ~AudioSource() = default;

  /// Opens the source and returns the format of everything that `read` will deliver. May block for up to its own
  /// deadline. Throws RecorderError; a source that threw is closed.
  virtual AudioFormat open() = 0;

  /// Takes what has arrived, without waiting: whole frames, as many as fit `interleaved` (frames * channels values).
  virtual Reading read(std::span<float> interleaved) = 0;

  /// No more audio is wanted: the readings that follow give what has arrived already and what is missing up to now (a
  /// gap that is not over yet), then come back empty. To be called before `close` where the timeline is to end now.
  virtual void finish() noexcept {}

  /// Hands the device back. Never blocks for more than a second, never throws; closing twice is harmless.
  virtual void close() noexcept = 0;

  /// How long to wait before reading again when a reading came back empty. Zero: the source is never empty before
  /// its end (a file read as fast as possible).
  virtual std::chrono::milliseconds pace() const { return std::chrono::milliseconds(20); }

  /// The same while nobody speaks, when nothing has to be quick and each wake-up costs a machine that listens all day.
  /// A source that keeps enough of what arrives may say more here than `pace`; 160 ms is a good value.
  virtual std::chrono::milliseconds quiet_pace() const { return pace(); }

  /// Another device is wanted from here on, by the same name as in `[capture] device`: at once where the source is
  /// open, else when it is opened. What is no device takes no notice.
  virtual void set_device(const std::string& /*device*/) {}

  /// For the manifest and for people, for example "file:/home/ann/memo.wav" or the device's name.
  virtual std::string description() const = 0;

  /// Parts per million by which the device's clock is faster than the machine's, as far as measured; 0 where it is
  /// not a device.
  virtual double drift_ppm() const { return 0; }
};

namespace detail {

/// Passes every call on to another source: the base of those that change or observe one. It stands beside the interface
/// so that no call is forgotten here.
class ForwardingSource : public AudioSource {
 public:
  explicit ForwardingSource(std::unique_ptr<AudioSource> source) : source_(std::move(source)) {}

  AudioFormat open() override { return source_->open(); }
  Reading read(std::span<float> interleaved) override { return source_->read(interleaved); }
  void finish() noexcept override { source_->finish(); }
  void close() noexcept override { source_->close(); }
  std::chrono::milliseconds pace() const override { return source_->pace(); }
  std::chrono::milliseconds quiet_pace() const override { return source_->quiet_pace(); }
  void set_device(const std::string& device) override { source_->set_device(device); }
  std::string description() const override { return source_->description(); }
  double drift_ppm() const override { return source_->drift_ppm(); }

 private:
  const std::unique_ptr<AudioSource> source_;
};

}  // namespace detail
}  // namespace dictum
