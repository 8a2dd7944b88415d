#include "capture/pulse_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "audio/format.hpp"
#include "pulse/connection.hpp"

namespace dictum::capture {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kConnectDeadline{2500};  // before the microphone gives up, to say why
constexpr double kFragmentSeconds = 0.020;

struct Sources {
  std::vector<DeviceInfo> devices;
  std::vector<pa_channel_map> maps;  // of each
  std::string default_name;
};

Sources list_sources(pulse::Connection& connection, TimePoint deadline) {
  Sources sources;
  connection.complete(pulse::OperationHandle(::pa_context_get_server_info(
                          connection.context(),
                          [](pa_context*, const pa_server_info* info, void* user) {
                            if (info == nullptr || info->default_source_name == nullptr) return;
                            static_cast<Sources*>(user)->default_name = info->default_source_name;
                          },
                          &sources)),
                      deadline);
  connection.complete(pulse::OperationHandle(::pa_context_get_source_info_list(
                          connection.context(),
                          [](pa_context*, const pa_source_info* info, int end, void* user) {
                            if (end != 0 || info == nullptr) return;
                            auto& found = *static_cast<Sources*>(user);
                            found.maps.push_back(info->channel_map);
                            found.devices.push_back({.id = fmt::format("pulse:{}", info->name),
                                                     .name = info->name,
                                                     .description = info->description,
                                                     .channels = info->sample_spec.channels,
                                                     .sample_rate = static_cast<int>(info->sample_spec.rate),
                                                     .is_default = info->name == found.default_name,
                                                     .is_monitor = info->monitor_of_sink != PA_INVALID_INDEX,
                                                     .backend = "pulse"});
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
    ::pa_stream_set_read_callback(handle_.get(), nullptr, nullptr);
    ::pa_stream_set_state_callback(handle_.get(), nullptr, nullptr);
    ::pa_stream_set_suspended_callback(handle_.get(), nullptr, nullptr);
    ::pa_stream_set_moved_callback(handle_.get(), nullptr, nullptr);
    ::pa_context_set_subscribe_callback(connection_.context(), nullptr, nullptr);
    ::pa_stream_disconnect(handle_.get());
  }

  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void run() {
    const Sources sources = list_sources(connection_, deadline_);
    const DeviceInfo& device = choose_device(sources.devices, request_.wanted, request_.previous);
    open(device, sources.maps[static_cast<std::size_t>(&device - sources.devices.data())]);
    watch_default();
    connection_.run_until([this] { return ring_->heard() || is_over(); }, deadline_);
    if (ring_->heard()) {
      stream_.start();
      connection_.run_until([this] { return is_over(); });
    }
    if (!stream_.stop_requested()) stream_.lose(failure());
  }

 private:
  /// With the device's own channels, so that the server mixes none; should it move the stream, it mixes those of the
  /// other device to them.
  void open(const DeviceInfo& device, const pa_channel_map& map) {
    name_ = device.name;
    const AudioFormat format{device.sample_rate, device.channels};
    audio::require_usable(format, device.description);
    const pa_sample_spec spec{.format = PA_SAMPLE_FLOAT32NE,
                              .rate = static_cast<std::uint32_t>(format.sample_rate),
                              .channels = static_cast<std::uint8_t>(format.channels)};
    frame_bytes_ = ::pa_frame_size(&spec);
    ring_ = &stream_.prepare(format, device.name, device.description, request_.clock);

    handle_.reset(::pa_stream_new(connection_.context(), "capture", &spec, &map));
    if (!handle_) throw RecorderError(Errc::device_lost, sentence("cannot be recorded", connection_.reason()));

    ::pa_stream_set_read_callback(
        handle_.get(), [](pa_stream*, std::size_t, void* self) { static_cast<Recording*>(self)->take(); }, this);
    ::pa_stream_set_suspended_callback(
        handle_.get(), [](pa_stream*, void* self) { static_cast<Recording*>(self)->on_suspended(); }, this);
    ::pa_stream_set_moved_callback(
        handle_.get(), [](pa_stream*, void* self) { static_cast<Recording*>(self)->on_moved(); }, this);

    pa_buffer_attr attributes;
    attributes.maxlength = static_cast<std::uint32_t>(-1);
    attributes.fragsize =
        static_cast<std::uint32_t>(kFragmentSeconds * format.sample_rate) * static_cast<std::uint32_t>(frame_bytes_);
    attributes.tlength = attributes.prebuf = attributes.minreq = static_cast<std::uint32_t>(-1);
    // A stream that follows the default names no device: the server then moves it along when the default changes.
    if (::pa_stream_connect_record(handle_.get(), follows_default() && device.is_default ? nullptr : name_.c_str(),
                                   &attributes, PA_STREAM_ADJUST_LATENCY) < 0) {
      throw RecorderError(Errc::device_lost, sentence("cannot be recorded", connection_.reason()));
    }
  }

  bool follows_default() const { return request_.wanted.empty(); }

  void take() {
    while (::pa_stream_readable_size(handle_.get()) > 0) {
      const void* data = nullptr;
      std::size_t bytes = 0;
      if (::pa_stream_peek(handle_.get(), &data, &bytes) < 0 || bytes == 0) return;
      take_pulse_fragment(*ring_, data, bytes, frame_bytes_);
      ::pa_stream_drop(handle_.get());
    }
  }

  void on_suspended() {
    const bool suspended = ::pa_stream_is_suspended(handle_.get()) > 0;
    if (suspended) ring_->mark(Incident::suspended);
    stream_.tell({suspended ? StreamNotice::Kind::suspended : StreamNotice::Kind::resumed, {}});
  }

  /// The server's rule for the names of what it plays itself.
  static bool is_monitor(std::string_view name) { return name.ends_with(".monitor"); }

  void on_moved() {
    const char* device = ::pa_stream_get_device_name(handle_.get());
    const std::string to = device != nullptr ? device : "";
    if (is_monitor(to) && !is_monitor(name_)) {
      deaf_ = true;
      return;
    }
    name_ = to;
    ring_->mark(Incident::moved);
    stream_.tell({StreamNotice::Kind::moved, name_});
  }

  void watch_default() {
    if (!follows_default()) return;
    ::pa_context_set_subscribe_callback(
        connection_.context(),
        [](pa_context* context, pa_subscription_event_type_t, std::uint32_t, void* self) {
          pulse::OperationHandle ignored(::pa_context_get_server_info(
              context,
              [](pa_context*, const pa_server_info* info, void* recording) {
                if (info != nullptr && info->default_source_name != nullptr) {
                  static_cast<Recording*>(recording)->on_default(info->default_source_name);
                }
              },
              self));
        },
        this);
    pulse::OperationHandle ignored(
        ::pa_context_subscribe(connection_.context(), PA_SUBSCRIPTION_MASK_SERVER, nullptr, nullptr));
  }

  /// A server that moves streams along has told so before this answer; another leaves it to us.
  void on_default(std::string name) {
    if (name == name_) {
      new_default_.clear();
    } else if (!is_monitor(name)) {
      new_default_ = std::move(name);
    }
  }

  bool is_over() const {
    return !connection_.is_alive() || !PA_STREAM_IS_GOOD(::pa_stream_get_state(handle_.get())) || deaf_ ||
           !new_default_.empty();
  }

  StreamFailure failure() const {
    if (!connection_.is_alive()) {
      return {Errc::device_lost, sentence("is gone with its sound server", connection_.reason()), true};
    }
    if (deaf_) return {Errc::device_lost, sentence("is gone", "only what the machine plays itself is left")};
    if (!new_default_.empty()) {
      return {Errc::device_lost, fmt::format("The default input device is now \"{}\".", new_default_)};
    }
    if (!PA_STREAM_IS_GOOD(::pa_stream_get_state(handle_.get()))) {
      return {Errc::device_lost, sentence("is gone", connection_.reason())};
    }
    if (::pa_stream_is_suspended(handle_.get()) > 0) {
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
  std::string name_;
  bool deaf_ = false;  // moved to where no microphone is
  std::string new_default_;
};

}  // namespace

void take_pulse_fragment(CaptureRing& ring, const void* data, std::size_t bytes, std::size_t frame_bytes) noexcept {
  ring.push(static_cast<const float*>(data), bytes / frame_bytes);
}

std::shared_ptr<DeviceStream> connect_pulse(const StreamRequest& request) {
  return DeviceStream::launch([request](DeviceStream& stream) {
    try {
      Recording(stream, request).run();
    } catch (const RecorderError& error) {
      // Only the connection fails like this: a device of a living server has its own words.
      stream.lose({static_cast<Errc>(error.code().value()), error.what(), error.code() == Errc::device_lost});
    }
  });
}

std::vector<DeviceInfo> list_pulse_devices(std::chrono::milliseconds limit) {
  const TimePoint deadline = std::chrono::steady_clock::now() + limit;
  pulse::Connection connection("dictum", deadline);
  return list_sources(connection, deadline).devices;
}

}  // namespace dictum::capture
