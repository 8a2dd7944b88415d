#include "capture/portaudio_stream.hpp"

#include "dictum/error.hpp"

#if DICTUM_HAS_PORTAUDIO

#include <dlfcn.h>
#include <fmt/format.h>
#include <portaudio.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace dictum::capture {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kConnectDeadline{2500};  // before the microphone gives up, to say why
constexpr std::chrono::milliseconds kFirstSamplesPace{
    5};  // how often a starting stream is looked at: no callback wakes
constexpr double kBlockSeconds = 0.010;
constexpr double kLatencySeconds = 0.040;  // room for a callback that is scheduled late
// A device that offers more channels than hardware has is software that converts to whatever is asked for; what it
// names as its rate is then nobody's native one.
constexpr int kManyChannels = 16;
constexpr int kUsualRate = 48000;

/// PortAudio is one for the whole process, and opening, closing and listing are not safe from two threads at once.
std::timed_mutex& process_wide_mutex() {
  static std::timed_mutex mutex;
  return mutex;
}

/// Keeps ALSA's and JACK's libraries from writing their search for devices to standard error. They are PortAudio's
/// dependencies, not ours, so they are looked up where they happen to be loaded.
class QuietDrivers {
 public:
  QuietDrivers() { set(&no_message, &no_jack_message); }
  ~QuietDrivers() { set(nullptr, nullptr); }
  QuietDrivers(const QuietDrivers&) = delete;
  QuietDrivers& operator=(const QuietDrivers&) = delete;

 private:
  using AlsaHandler = void (*)(const char*, int, const char*, int, const char*, ...);
  using JackHandler = void (*)(const char*);

  static void no_message(const char*, int, const char*, int, const char*, ...) {}
  static void no_jack_message(const char*) {}

  static void set(AlsaHandler alsa, JackHandler jack) {
    if (auto* call = reinterpret_cast<int (*)(AlsaHandler)>(::dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler"))) {
      call(alsa);
    }
    for (const char* name : {"jack_set_error_function", "jack_set_info_function"}) {
      if (auto* call = reinterpret_cast<void (*)(JackHandler)>(::dlsym(RTLD_DEFAULT, name))) call(jack);
    }
  }
};

/// PortAudio, initialised. Every new one that is alone sees the devices of the moment.
class Library {
 public:
  explicit Library(TimePoint deadline) {
    lock(deadline);
    const PaError error = ::Pa_Initialize();
    process_wide_mutex().unlock();
    if (error != paNoError) {
      throw RecorderError(Errc::device_lost, fmt::format("PortAudio does not start: {}.", ::Pa_GetErrorText(error)));
    }
  }

  ~Library() {
    const std::lock_guard guard(process_wide_mutex());
    ::Pa_Terminate();
  }

  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  static void lock(TimePoint deadline) {
    if (process_wide_mutex().try_lock_until(deadline)) return;
    throw RecorderError(Errc::timed_out,
                        "PortAudio is held up by a device that does not answer: disconnect it, or restart its server.");
  }

 private:
  QuietDrivers quiet_;
};

std::vector<DeviceInfo> list(const Library&) {
  std::vector<DeviceInfo> devices;
  const PaDeviceIndex count = ::Pa_GetDeviceCount();
  for (PaDeviceIndex i = 0; i < count; ++i) {
    const PaDeviceInfo* info = ::Pa_GetDeviceInfo(i);
    if (info == nullptr || info->maxInputChannels < 1) continue;
    const std::string name = info->name;
    const bool converts = info->maxInputChannels > kManyChannels;
    devices.push_back({.id = fmt::format("portaudio:{}:{}", ::Pa_GetHostApiInfo(info->hostApi)->name, name),
                       .name = name,
                       .description = name,
                       .channels = converts ? 1 : info->maxInputChannels,
                       .sample_rate = converts ? kUsualRate : static_cast<int>(info->defaultSampleRate),
                       .is_default = i == ::Pa_GetDefaultInputDevice(),
                       .is_monitor = name.find("onitor") != std::string::npos,
                       .backend = "portaudio"});
  }
  return devices;
}

PaDeviceIndex index_of(const DeviceInfo& device) {
  const PaDeviceIndex count = ::Pa_GetDeviceCount();
  for (PaDeviceIndex i = 0; i < count; ++i) {
    const PaDeviceInfo* info = ::Pa_GetDeviceInfo(i);
    if (info->maxInputChannels < 1 || device.name != info->name) continue;
    if (device.id == fmt::format("portaudio:{}:{}", ::Pa_GetHostApiInfo(info->hostApi)->name, device.name)) return i;
  }
  return paNoDevice;
}

/// What the callbacks of a stream reach.
struct Callee {
  CaptureRing& ring;
  DeviceStream& stream;
  std::string device;
};

int on_audio(const void* input, void*, unsigned long frames, const PaStreamCallbackTimeInfo*,
             PaStreamCallbackFlags flags, void* callee) {
  take_portaudio_block(static_cast<Callee*>(callee)->ring, input, frames, (flags & paInputOverflow) != 0);
  return paContinue;
}

/// Some drivers let a stream end where its device does; most do not.
void on_finished(void* user) {
  const auto& callee = *static_cast<Callee*>(user);
  callee.stream.lose({Errc::device_lost, fmt::format("The input device \"{}\" is gone.", callee.device)});
}

/// An open stream of PortAudio's. Lives on the device's thread, as a local variable of its body.
class OpenStream {
 public:
  OpenStream(DeviceStream& stream, const DeviceInfo& device, const StreamRequest& request, TimePoint deadline)
      : callee_{stream.prepare({device.sample_rate, device.channels}, device.name, device.description, request.clock),
                stream, device.description} {
    const PaDeviceIndex index = index_of(device);
    const PaStreamParameters parameters{
        .device = index,
        .channelCount = device.channels,
        .sampleFormat = paFloat32,
        .suggestedLatency = std::max(kLatencySeconds, ::Pa_GetDeviceInfo(index)->defaultLowInputLatency),
        .hostApiSpecificStreamInfo = nullptr};
    Library::lock(deadline);
    PaError error =
        ::Pa_OpenStream(&handle_, &parameters, nullptr, device.sample_rate,
                        static_cast<unsigned long>(device.sample_rate * kBlockSeconds), paNoFlag, &on_audio, &callee_);
    process_wide_mutex().unlock();
    if (error == paNoError) {
      ::Pa_SetStreamFinishedCallback(handle_, &on_finished);
      error = ::Pa_StartStream(handle_);
      if (error != paNoError) close();
    }
    if (error != paNoError) {
      const Errc code = error == paDeviceUnavailable ? Errc::device_busy : Errc::device_lost;
      throw RecorderError(code, fmt::format("The input device \"{}\" cannot be opened: {}.", device.description,
                                            ::Pa_GetErrorText(error)));
    }
  }

  ~OpenStream() {
    ::Pa_AbortStream(handle_);
    close();
  }

  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;

 private:
  void close() {
    const std::lock_guard guard(process_wide_mutex());
    ::Pa_CloseStream(handle_);
  }

  Callee callee_;
  PaStream* handle_ = nullptr;
};

void record(DeviceStream& stream, const StreamRequest& request) {
  const TimePoint deadline = std::chrono::steady_clock::now() + kConnectDeadline;
  const Library library(deadline);
  if (stream.stop_requested()) return;
  const auto devices = list(library);
  const DeviceInfo& device = choose_device(devices, request.wanted, request.previous);
  const OpenStream open(stream, device, request, deadline);
  while (!stream.wait_for_end(kFirstSamplesPace)) {
    if (stream.ring().heard()) {
      stream.start();
      stream.wait_for_end();
      return;
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  stream.lose({Errc::timed_out,
               fmt::format("The input device \"{}\" gives no audio: nothing came in time.", device.description)});
}

}  // namespace

bool has_portaudio() noexcept {
  return true;
}

void take_portaudio_block(CaptureRing& ring, const void* input, unsigned long frames, bool overflowed) noexcept {
  if (overflowed) ring.mark(Incident::overflow);
  ring.push(static_cast<const float*>(input), frames);
}

std::shared_ptr<DeviceStream> connect_portaudio(const StreamRequest& request) {
  return DeviceStream::launch([request](DeviceStream& stream) { record(stream, request); });
}

std::vector<DeviceInfo> list_portaudio_devices(std::chrono::milliseconds limit) {
  const TimePoint deadline = std::chrono::steady_clock::now() + limit;
  std::packaged_task<std::vector<DeviceInfo>()> task([deadline] { return list(Library(deadline)); });
  auto devices = task.get_future();
  std::thread(std::move(task)).detach();  // a driver that hangs keeps its thread, not the caller
  if (devices.wait_until(deadline) != std::future_status::ready) {
    throw RecorderError(Errc::timed_out,
                        "PortAudio is held up by a device that does not answer: disconnect it, or restart its server.");
  }
  return devices.get();
}

}  // namespace dictum::capture

#else

namespace dictum::capture {
namespace {

constexpr const char* kAbsent =
    "Dictum was built without PortAudio: install it and build again, or take --backend pulse.";

}  // namespace

bool has_portaudio() noexcept {
  return false;
}

std::shared_ptr<DeviceStream> connect_portaudio(const StreamRequest&) {
  return DeviceStream::launch([](DeviceStream& stream) { stream.lose({Errc::input_not_found, kAbsent}); });
}

std::vector<DeviceInfo> list_portaudio_devices(std::chrono::milliseconds) {
  throw RecorderError(Errc::input_not_found, kAbsent);
}

void take_portaudio_block(CaptureRing&, const void*, unsigned long, bool) noexcept {}

}  // namespace dictum::capture

#endif
