#include "capture/portaudio_stream.hpp"

#include "base/shared_library.hpp"
#include "capture/backend.hpp"
#include "dictum/error.hpp"

namespace dictum::capture {
namespace {

constexpr const char* kName = "portaudio";

}  // namespace
}  // namespace dictum::capture

#if DICTUM_HAS_PORTAUDIO

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

constexpr std::chrono::milliseconds kConnectDeadline{
    2500};  // less than the microphone's own, so that the reason is known
constexpr std::chrono::milliseconds kFirstSamplesPoll{5};  // of a starting stream, since the callback wakes no thread
constexpr double kBlockSeconds = 0.010;
constexpr double kLatencySeconds = 0.040;  // room for a callback that is scheduled late
// A device that offers more channels than hardware has is software that converts to any format; its default rate is
// then not a native one.
constexpr int kManyChannels = 16;
constexpr int kUsualRate = 48000;
constexpr const char* kBlocked =
    "PortAudio is blocked by a device that does not answer. Disconnect the device, or restart its sound server.";

/// The functions of PortAudio that are used, under their own names.
struct LibPortAudio {
  SharedLibrary library{"libportaudio.so.2", "PortAudio (Debian: libportaudio2)", Errc::input_not_found};

  decltype(::Pa_AbortStream)* Pa_AbortStream = library.function("Pa_AbortStream");
  decltype(::Pa_CloseStream)* Pa_CloseStream = library.function("Pa_CloseStream");
  decltype(::Pa_GetDefaultInputDevice)* Pa_GetDefaultInputDevice = library.function("Pa_GetDefaultInputDevice");
  decltype(::Pa_GetDeviceCount)* Pa_GetDeviceCount = library.function("Pa_GetDeviceCount");
  decltype(::Pa_GetDeviceInfo)* Pa_GetDeviceInfo = library.function("Pa_GetDeviceInfo");
  decltype(::Pa_GetErrorText)* Pa_GetErrorText = library.function("Pa_GetErrorText");
  decltype(::Pa_GetHostApiInfo)* Pa_GetHostApiInfo = library.function("Pa_GetHostApiInfo");
  decltype(::Pa_Initialize)* Pa_Initialize = library.function("Pa_Initialize");
  decltype(::Pa_OpenStream)* Pa_OpenStream = library.function("Pa_OpenStream");
  decltype(::Pa_SetStreamFinishedCallback)* Pa_SetStreamFinishedCallback =
      library.function("Pa_SetStreamFinishedCallback");
  decltype(::Pa_StartStream)* Pa_StartStream = library.function("Pa_StartStream");
  decltype(::Pa_Terminate)* Pa_Terminate = library.function("Pa_Terminate");
};

/// Loads the library at the first call. Throws RecorderError(input_not_found) where it cannot; the next call tries
/// again. Thread safety: any thread.
const LibPortAudio& libportaudio() {
  static const LibPortAudio functions;
  return functions;
}

/// PortAudio is one for the whole process, and opening, closing and listing are not safe from two threads at once.
std::timed_mutex& process_wide_mutex() {
  static std::timed_mutex mutex;
  return mutex;
}

/// Keeps the libraries of ALSA and JACK from writing their search for devices to standard error. They are dependencies
/// of PortAudio, which loads them.
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
    const SharedLibrary& library = libportaudio().library;
    if (auto* call = reinterpret_cast<int (*)(AlsaHandler)>(library.find_if_present("snd_lib_error_set_handler"))) {
      call(alsa);
    }
    for (const char* name : {"jack_set_error_function", "jack_set_info_function"}) {
      if (auto* call = reinterpret_cast<void (*)(JackHandler)>(library.find_if_present(name))) call(jack);
    }
  }
};

/// PortAudio, initialised. An object that is the only one sees the devices of the moment.
class Library {
 public:
  explicit Library(TimePoint deadline) {
    lock(deadline);
    const PaError error = libportaudio().Pa_Initialize();
    process_wide_mutex().unlock();
    if (error != paNoError) {
      throw RecorderError(Errc::device_lost,
                          fmt::format("PortAudio cannot be initialised: {}.", libportaudio().Pa_GetErrorText(error)));
    }
  }

  ~Library() {
    const std::lock_guard guard(process_wide_mutex());
    libportaudio().Pa_Terminate();
  }

  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  static void lock(TimePoint deadline) {
    if (process_wide_mutex().try_lock_until(deadline)) return;
    throw RecorderError(Errc::timed_out, kBlocked);
  }

 private:
  QuietDrivers quiet_;
};

std::string id_of(const PaDeviceInfo& info) {
  return fmt::format("{}:{}:{}", kName, libportaudio().Pa_GetHostApiInfo(info.hostApi)->name, info.name);
}

std::vector<DeviceInfo> list(const Library&) {
  std::vector<DeviceInfo> devices;
  const PaDeviceIndex count = libportaudio().Pa_GetDeviceCount();
  for (PaDeviceIndex i = 0; i < count; ++i) {
    const PaDeviceInfo* info = libportaudio().Pa_GetDeviceInfo(i);
    if (info == nullptr || info->maxInputChannels < 1) continue;
    const std::string name = info->name;
    const bool converts = info->maxInputChannels > kManyChannels;
    devices.push_back({.id = id_of(*info),
                       .name = name,
                       .description = name,
                       .channels = converts ? 1 : info->maxInputChannels,
                       .sample_rate = converts ? kUsualRate : static_cast<int>(info->defaultSampleRate),
                       .is_default = i == libportaudio().Pa_GetDefaultInputDevice(),
                       .is_monitor = name.find("onitor") != std::string::npos,
                       .is_muted = false,  // it does not say
                       .backend = kName});
  }
  return devices;
}

PaDeviceIndex index_of(const DeviceInfo& device) {
  const PaDeviceIndex count = libportaudio().Pa_GetDeviceCount();
  for (PaDeviceIndex i = 0; i < count; ++i) {
    const PaDeviceInfo* info = libportaudio().Pa_GetDeviceInfo(i);
    if (info->maxInputChannels > 0 && device.id == id_of(*info)) return i;
  }
  return paNoDevice;
}

/// What the callbacks of a stream use.
struct CallbackContext {
  CaptureRing& ring;
  DeviceStream& stream;
  std::string device;
};

int on_audio(const void* input, void*, unsigned long frames, const PaStreamCallbackTimeInfo*,
             PaStreamCallbackFlags flags, void* context) {
  take_portaudio_block(static_cast<CallbackContext*>(context)->ring, input, frames, (flags & paInputOverflow) != 0);
  return paContinue;
}

/// Some drivers end a stream when its device is gone; most do not.
void on_finished(void* user) {
  const auto& context = *static_cast<CallbackContext*>(user);
  context.stream.lose({Errc::device_lost, fmt::format("The input device \"{}\" is gone.", context.device)});
}

/// An open stream of PortAudio's. Lives on the device's thread, as a local variable of its body.
class OpenStream {
 public:
  OpenStream(DeviceStream& stream, const DeviceInfo& device, const StreamRequest& request, TimePoint deadline)
      : context_{stream.prepare({device.sample_rate, device.channels}, device.name, device.description, request.clock),
                 stream, device.description} {
    const PaDeviceIndex index = index_of(device);
    const PaStreamParameters parameters{
        .device = index,
        .channelCount = device.channels,
        .sampleFormat = paFloat32,
        .suggestedLatency = std::max(kLatencySeconds, libportaudio().Pa_GetDeviceInfo(index)->defaultLowInputLatency),
        .hostApiSpecificStreamInfo = nullptr};
    Library::lock(deadline);
    PaError error = libportaudio().Pa_OpenStream(&handle_, &parameters, nullptr, device.sample_rate,
                                                 static_cast<unsigned long>(device.sample_rate * kBlockSeconds),
                                                 paNoFlag, &on_audio, &context_);
    process_wide_mutex().unlock();
    if (error == paNoError) {
      libportaudio().Pa_SetStreamFinishedCallback(handle_, &on_finished);
      error = libportaudio().Pa_StartStream(handle_);
      if (error != paNoError) close();
    }
    if (error != paNoError) {
      const Errc code = error == paDeviceUnavailable ? Errc::device_busy : Errc::device_lost;
      throw RecorderError(code, fmt::format("The input device \"{}\" cannot be opened: {}.", device.description,
                                            libportaudio().Pa_GetErrorText(error)));
    }
  }

  ~OpenStream() {
    libportaudio().Pa_AbortStream(handle_);
    close();
  }

  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;

 private:
  void close() {
    const std::lock_guard guard(process_wide_mutex());
    libportaudio().Pa_CloseStream(handle_);
  }

  CallbackContext context_;
  PaStream* handle_ = nullptr;
};

std::vector<DeviceInfo> list_in_time(std::chrono::milliseconds limit) {
  const TimePoint deadline = std::chrono::steady_clock::now() + limit;
  std::packaged_task<std::vector<DeviceInfo>()> task([deadline] { return list(Library(deadline)); });
  auto devices = task.get_future();
  std::thread(std::move(task)).detach();  // where a driver hangs, it keeps that thread, not the caller's
  if (devices.wait_until(deadline) != std::future_status::ready) {
    throw RecorderError(Errc::timed_out, kBlocked);
  }
  return devices.get();
}

void record(DeviceStream& stream, const StreamRequest& request) {
  const TimePoint deadline = std::chrono::steady_clock::now() + kConnectDeadline;
  const Library library(deadline);
  if (stream.stop_requested()) return;
  const auto devices = list(library);
  if (devices.empty() && request.previous.empty()) {
    stream.lose(
        {Errc::input_not_found, "PortAudio found no microphone. Connect one, or record a file with --input.", true});
    return;
  }
  const DeviceInfo& device = choose_device(devices, request.wanted, request.previous);
  const OpenStream open(stream, device, request, deadline);
  while (!stream.wait_for_end(kFirstSamplesPoll)) {
    if (stream.ring().has_audio()) {
      stream.start();
      stream.wait_for_end();
      return;
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  stream.lose({Errc::timed_out,
               fmt::format("The input device \"{}\" delivers no audio: nothing arrived in time.", device.description)});
}

}  // namespace

bool has_portaudio() noexcept {
  return true;
}

void take_portaudio_block(CaptureRing& ring, const void* input, unsigned long frames, bool overflowed) noexcept {
  if (overflowed) ring.mark(GapReason::overflow);
  ring.push(static_cast<const float*>(input), frames);
}

Backend portaudio_backend() {
  return {.name = kName, .list = &list_in_time, .open = [](const StreamRequest& request) {
            return DeviceStream::launch([request](DeviceStream& stream) { record(stream, request); });
          }};
}

}  // namespace dictum::capture

#else

namespace dictum::capture {
namespace {

constexpr const char* kAbsent =
    "Dictum was built without PortAudio. Install it and build again, or choose another back end with --backend.";

}  // namespace

bool has_portaudio() noexcept {
  return false;
}

Backend portaudio_backend() {
  return {.name = kName,
          .list = [](std::chrono::milliseconds) -> std::vector<DeviceInfo> {
            throw RecorderError(Errc::input_not_found, kAbsent);
          },
          .open =
              [](const StreamRequest&) {
                return DeviceStream::launch(
                    [](DeviceStream& stream) { stream.lose({Errc::input_not_found, kAbsent, true}); });
              }};
}

void take_portaudio_block(CaptureRing&, const void*, unsigned long, bool) noexcept {}

}  // namespace dictum::capture

#endif
