#include "capture/pulse_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "audio/format.hpp"
#include "capture/backend.hpp"
#include "capture/timeline_aligner.hpp"
#include "pulse/connection.hpp"

namespace dictum::capture {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kConnectDeadline{2500};  // less than the microphone's, so that the reason is known
constexpr std::chrono::milliseconds kFirstFragment{10};      // so that recording begins at once
constexpr const char* kName = "pulse";

struct Sources {
  std::vector<DeviceInfo> devices;
  std::vector<pa_channel_map> maps;  // of each
  std::string default_name;
};

bool is_silenced(int mute, const pa_cvolume& volume) {
  return mute != 0 || (pulse::libpulse().pa_cvolume_valid(&volume) != 0 &&
                       pulse::libpulse().pa_cvolume_channels_equal_to(&volume, PA_VOLUME_MUTED) != 0);
}

Sources list_sources(pulse::Connection& connection, TimePoint deadline) {
  Sources sources;
  connection.complete(pulse::OperationHandle(pulse::libpulse().pa_context_get_server_info(
                          connection.context(),
                          [](pa_context*, const pa_server_info* info, void* user) {
                            if (info == nullptr || info->default_source_name == nullptr) return;
                            static_cast<Sources*>(user)->default_name = info->default_source_name;
                          },
                          &sources)),
                      deadline);
  connection.complete(pulse::OperationHandle(pulse::libpulse().pa_context_get_source_info_list(
                          connection.context(),
                          [](pa_context*, const pa_source_info* info, int end, void* user) {
                            if (end != 0 || info == nullptr) return;
                            auto& found = *static_cast<Sources*>(user);
                            found.maps.push_back(info->channel_map);
                            found.devices.push_back({.id = fmt::format("{}:{}", kName, info->name),
                                                     .name = info->name,
                                                     .description = info->description,
                                                     .channels = info->sample_spec.channels,
                                                     .sample_rate = static_cast<int>(info->sample_spec.rate),
                                                     .is_default = info->name == found.default_name,
                                                     .is_monitor = info->monitor_of_sink != PA_INVALID_INDEX,
                                                     .is_muted = is_silenced(info->mute, info->volume),
                                                     .backend = kName});
                          },
                          &sources)),
                      deadline);
  return sources;
}

/// One recording stream. Lives on the device's thread, as a local variable of its body.
class Recording {
 public:
  Recording(DeviceStream& stream, const StreamRequest& request)
      : stream_(stream),
        request_(request),
        deadline_(std::chrono::steady_clock::now() + kConnectDeadline),
        connection_("dictum", deadline_, [&stream] { return stream.stop_requested(); }) {
    stream_.on_stop([this] { connection_.interrupt(); });
  }

  ~Recording() {
    stream_.on_stop({});
    if (!handle_) return;
    pulse::libpulse().pa_stream_set_read_callback(handle_.get(), nullptr, nullptr);
    pulse::libpulse().pa_stream_set_state_callback(handle_.get(), nullptr, nullptr);
    pulse::libpulse().pa_stream_set_suspended_callback(handle_.get(), nullptr, nullptr);
    pulse::libpulse().pa_stream_set_moved_callback(handle_.get(), nullptr, nullptr);
    pulse::libpulse().pa_context_set_subscribe_callback(connection_.context(), nullptr, nullptr);
    pulse::libpulse().pa_stream_disconnect(handle_.get());
  }

  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void run() {
    const Sources sources = list_sources(connection_, deadline_);
    const DeviceInfo& device = choose_device(sources.devices, request_.wanted, request_.previous);
    open(device, sources.maps[static_cast<std::size_t>(&device - sources.devices.data())]);
    watch_server();
    connection_.run_until([this] { return ring_->has_audio() || is_over(); }, deadline_);
    if (ring_->has_audio()) {
      enlarge_fragments();
      stream_.start();
      connection_.run_until([this] { return is_over(); });
    }
    if (!stream_.stop_requested()) stream_.lose(failure());
  }

 private:
  /// Asks for the device's own channels, so that the server mixes none. Where it moves the stream later, it mixes the
  /// channels of the other device to these.
  void open(const DeviceInfo& device, const pa_channel_map& map) {
    name_ = device.name;
    const AudioFormat format{device.sample_rate, device.channels};
    audio::require_usable(format, device.description);
    const pa_sample_spec spec{.format = PA_SAMPLE_FLOAT32NE,
                              .rate = static_cast<std::uint32_t>(format.sample_rate),
                              .channels = static_cast<std::uint8_t>(format.channels)};
    frame_bytes_ = pulse::libpulse().pa_frame_size(&spec);
    ring_ = &stream_.prepare(format, device.name, device.description, request_.clock);

    handle_.reset(pulse::libpulse().pa_stream_new(connection_.context(), "capture", &spec, &map));
    if (!handle_) throw RecorderError(Errc::device_lost, sentence("cannot be recorded", connection_.reason()));

    pulse::libpulse().pa_stream_set_read_callback(
        handle_.get(), [](pa_stream*, std::size_t, void* self) { static_cast<Recording*>(self)->take(); }, this);
    pulse::libpulse().pa_stream_set_suspended_callback(
        handle_.get(), [](pa_stream*, void* self) { static_cast<Recording*>(self)->on_suspended(); }, this);
    pulse::libpulse().pa_stream_set_moved_callback(
        handle_.get(), [](pa_stream*, void* self) { static_cast<Recording*>(self)->on_moved(); }, this);

    sample_rate_ = spec.rate;
    const pa_buffer_attr attributes = buffering(kFirstFragment);
    // A stream that follows the default names no device: the server then moves it along when the default changes.
    if (pulse::libpulse().pa_stream_connect_record(handle_.get(),
                                                   follows_default() && device.is_default ? nullptr : name_.c_str(),
                                                   &attributes, PA_STREAM_ADJUST_LATENCY) < 0) {
      throw RecorderError(Errc::device_lost, sentence("cannot be recorded", connection_.reason()));
    }
  }

  bool follows_default() const { return request_.wanted.empty(); }

  pa_buffer_attr buffering(std::chrono::milliseconds fragment) const {
    constexpr auto kAny = static_cast<std::uint32_t>(-1);
    const std::uint32_t frames = sample_rate_ * static_cast<std::uint32_t>(fragment.count()) / 1000;
    return {.maxlength = kAny,
            .tlength = kAny,
            .prebuf = kAny,
            .minreq = kAny,
            .fragsize = frames * static_cast<std::uint32_t>(frame_bytes_)};
  }

  /// The first audio has come; from now on it comes in larger pieces, which wake fewer threads. To be called before the
  /// timeline begins: a virtual source delivers a larger piece as much earlier.
  void enlarge_fragments() {
    const pa_buffer_attr attributes = buffering(kFragment);
    const pulse::OperationHandle asked(
        pulse::libpulse().pa_stream_set_buffer_attr(handle_.get(), &attributes, nullptr, nullptr));
  }

  void take() {
    while (pulse::libpulse().pa_stream_readable_size(handle_.get()) > 0) {
      const void* data = nullptr;
      std::size_t bytes = 0;
      if (pulse::libpulse().pa_stream_peek(handle_.get(), &data, &bytes) < 0 || bytes == 0) return;
      take_pulse_fragment(*ring_, data, bytes, frame_bytes_);
      pulse::libpulse().pa_stream_drop(handle_.get());
    }
  }

  void on_suspended() {
    const bool suspended = pulse::libpulse().pa_stream_is_suspended(handle_.get()) > 0;
    if (suspended) ring_->mark(GapReason::suspended);
    stream_.update([&](StreamStatus& status) { status.is_suspended = suspended; });
  }

  /// The server's naming rule for sources that record what it plays.
  static bool is_monitor(std::string_view name) { return name.ends_with(".monitor"); }

  void on_moved() {
    const char* device = pulse::libpulse().pa_stream_get_device_name(handle_.get());
    const std::string to = device != nullptr ? device : "";
    if (is_monitor(to) && !is_monitor(name_)) {
      moved_to_monitor_ = to;
      return;
    }
    name_ = to;
    ring_->mark(GapReason::device_lost);
    stream_.update([&](StreamStatus& status) { status.device = name_; });
  }

  /// Asks the server for what may have changed, now and whenever it reports a change.
  void watch_server() {
    pulse::libpulse().pa_context_set_subscribe_callback(
        connection_.context(),
        [](pa_context*, pa_subscription_event_type_t, std::uint32_t, void* self) {
          static_cast<Recording*>(self)->query_server();
        },
        this);
    const auto mask = static_cast<pa_subscription_mask_t>(PA_SUBSCRIPTION_MASK_SERVER | PA_SUBSCRIPTION_MASK_SOURCE |
                                                          PA_SUBSCRIPTION_MASK_SOURCE_OUTPUT);
    const pulse::OperationHandle subscribed(
        pulse::libpulse().pa_context_subscribe(connection_.context(), mask, nullptr, nullptr));
    query_server();
  }

  void query_server() {
    pa_context* context = connection_.context();
    if (follows_default()) {
      const pulse::OperationHandle query(pulse::libpulse().pa_context_get_server_info(
          context,
          [](pa_context*, const pa_server_info* info, void* self) {
            if (info != nullptr && info->default_source_name != nullptr) {
              static_cast<Recording*>(self)->on_default(info->default_source_name);
            }
          },
          this));
    }
    const pulse::OperationHandle source(pulse::libpulse().pa_context_get_source_info_by_name(
        context, name_.c_str(),
        [](pa_context*, const pa_source_info* info, int, void* self) {
          if (info != nullptr) static_cast<Recording*>(self)->on_source(*info);
        },
        this));
    if (pulse::libpulse().pa_stream_get_state(handle_.get()) != PA_STREAM_READY) return;
    const pulse::OperationHandle output(pulse::libpulse().pa_context_get_source_output_info(
        context, pulse::libpulse().pa_stream_get_index(handle_.get()),
        [](pa_context*, const pa_source_output_info* info, int, void* self) {
          if (info != nullptr) static_cast<Recording*>(self)->on_output(*info);
        },
        this));
  }

  /// A server that moves streams when the default changes has done so before this answer; otherwise the stream ends,
  /// and a new one is opened to the new default.
  void on_default(std::string name) {
    if (name == name_) {
      new_default_.clear();
    } else if (!is_monitor(name)) {
      new_default_ = std::move(name);
    }
  }

  void on_source(const pa_source_info& info) {
    source_mute_.clear();
    if (info.mute != 0) {
      source_mute_ = fmt::format(
          "The input device \"{0}\" is muted, so only silence is recorded. Unmute it in the sound settings, or run: "
          "pactl set-source-mute {0} 0",
          name_);
    } else if (is_silenced(info.mute, info.volume)) {
      source_mute_ = fmt::format(
          "The volume of the input device \"{0}\" is 0, so only silence is recorded. Raise it in the sound settings, "
          "or "
          "run: pactl set-source-volume {0} 100%",
          name_);
    }
    publish_mute();
  }

  void on_output(const pa_source_output_info& info) {
    output_mute_.clear();
    if (is_silenced(info.mute, info.volume)) {
      output_mute_ = fmt::format(
          "The sound server has muted this recording of \"{0}\", so only silence is recorded. Unmute it in the sound "
          "settings, or run: pactl set-source-output-mute {1} 0; pactl set-source-output-volume {1} 100%",
          name_, info.index);
    }
    publish_mute();
  }

  void publish_mute() {
    stream_.update([&](StreamStatus& status) { status.mute = source_mute_.empty() ? output_mute_ : source_mute_; });
  }

  bool is_over() const {
    return !connection_.is_alive() || !PA_STREAM_IS_GOOD(pulse::libpulse().pa_stream_get_state(handle_.get())) ||
           !moved_to_monitor_.empty() || !new_default_.empty();
  }

  StreamFailure failure() const {
    if (!connection_.is_alive()) {
      return {Errc::device_lost, sentence("is gone with its sound server", connection_.reason()), true};
    }
    if (!moved_to_monitor_.empty()) {
      return {Errc::device_lost,
              fmt::format("The sound server moved the recording from \"{}\" to \"{}\", which records "
                          "what the machine plays and is not a microphone.",
                          name_, moved_to_monitor_)};
    }
    if (!new_default_.empty()) {
      return {Errc::device_lost, fmt::format("The default input device is now \"{}\".", new_default_)};
    }
    if (!PA_STREAM_IS_GOOD(pulse::libpulse().pa_stream_get_state(handle_.get()))) {
      return {Errc::device_lost, sentence("is gone", connection_.reason())};
    }
    if (pulse::libpulse().pa_stream_is_suspended(handle_.get()) > 0) {
      return {Errc::device_busy, sentence("gives no audio", "the sound server has suspended it")};
    }
    return {Errc::timed_out, sentence("gives no audio", "nothing came in time")};
  }

  std::string sentence(std::string_view what, std::string_view reason) const {
    return fmt::format("The input device \"{}\" {}: {}.", name_, what, reason);
  }

  DeviceStream& stream_;
  const StreamRequest& request_;
  const TimePoint deadline_;
  pulse::Connection connection_;
  pulse::StreamHandle handle_;
  CaptureRing* ring_ = nullptr;
  std::size_t frame_bytes_ = 0;
  std::uint32_t sample_rate_ = 0;
  std::string name_;
  std::string moved_to_monitor_;  // the monitor's name
  std::string new_default_;
  std::string source_mute_;  // as StreamStatus::mute
  std::string output_mute_;
};

}  // namespace

void take_pulse_fragment(CaptureRing& ring, const void* data, std::size_t bytes, std::size_t frame_bytes) noexcept {
  ring.push(static_cast<const float*>(data), bytes / frame_bytes);
}

Backend pulse_backend() {
  return {
      .name = kName,
      .list =
          [](std::chrono::milliseconds limit) {
            const TimePoint deadline = std::chrono::steady_clock::now() + limit;
            pulse::Connection connection("dictum", deadline);
            return list_sources(connection, deadline).devices;
          },
      .open =
          [](const StreamRequest& request) {
            return DeviceStream::launch([request](DeviceStream& stream) {
              try {
                Recording(stream, request).run();
              } catch (const RecorderError& error) {
                // Only the connection fails with device_lost; the failures of a device of a living server are reported
                // above.
                stream.lose({static_cast<Errc>(error.code().value()), error.what(), error.code() == Errc::device_lost});
              }
            });
          }};
}

}  // namespace dictum::capture
