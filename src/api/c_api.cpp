#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/event_fd.hpp"
#include "dictum/detail/engine.hpp"
#include "dictum/dictum.h"
#include "dictum/push_source.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/settings.hpp"
#include "wire/event_json.hpp"

// Nothing may be thrown through C: every function that can fail goes through `guarded`.

struct dictum_config {
  dictum::RecorderConfig config;
  std::optional<dictum::PushSource> push;
  int push_channels = 0;
  std::string last_error;
};

struct dictum_event {
  dictum::Event event;
  std::string name;
  std::string json;
};

namespace {

constexpr const char* kNoText = "A null pointer was given where a text is needed.";

static_assert(DICTUM_E_INVALID_ARGUMENT == int(dictum::Errc::invalid_argument));
static_assert(DICTUM_E_INVALID_STATE == int(dictum::Errc::invalid_state));
static_assert(DICTUM_E_CANCELLED == int(dictum::Errc::cancelled));
static_assert(DICTUM_E_TIMED_OUT == int(dictum::Errc::timed_out));
static_assert(DICTUM_E_RESOURCE_DEADLOCK_WOULD_OCCUR == int(dictum::Errc::resource_deadlock_would_occur));
static_assert(DICTUM_E_INPUT_NOT_FOUND == int(dictum::Errc::input_not_found));
static_assert(DICTUM_E_INPUT_UNREADABLE == int(dictum::Errc::input_unreadable));
static_assert(DICTUM_E_DEVICE_BUSY == int(dictum::Errc::device_busy));
static_assert(DICTUM_E_DEVICE_LOST == int(dictum::Errc::device_lost));
static_assert(DICTUM_E_DEVICE_AMBIGUOUS == int(dictum::Errc::device_ambiguous));
static_assert(DICTUM_E_OUTPUT_UNWRITABLE == int(dictum::Errc::output_unwritable));
static_assert(DICTUM_E_DISK_FULL == int(dictum::Errc::disk_full));
static_assert(DICTUM_E_MODEL_MISSING == int(dictum::Errc::model_missing));
static_assert(DICTUM_E_TRANSCRIBER_MISSING == int(dictum::Errc::transcriber_missing));
static_assert(DICTUM_E_TRANSCRIPTION_FAILED == int(dictum::Errc::transcription_failed));
static_assert(DICTUM_E_DEADLINE_EXCEEDED == int(dictum::Errc::deadline_exceeded));
static_assert(DICTUM_E_WORKER_DIED == int(dictum::Errc::worker_died));
static_assert(DICTUM_E_WORKER_PROTOCOL == int(dictum::Errc::worker_protocol));
static_assert(DICTUM_E_QUARANTINED == int(dictum::Errc::quarantined));
static_assert(DICTUM_E_SESSION_UNREADABLE == int(dictum::Errc::session_unreadable));
static_assert(DICTUM_E_SESSION_LOCKED == int(dictum::Errc::session_locked));
static_assert(DICTUM_E_CONFIG_INVALID == int(dictum::Errc::config_invalid));
static_assert(DICTUM_E_INTERNAL == int(dictum::Errc::internal));

int code_of(const std::error_code& error) {
  if (!error) return DICTUM_OK;
  return error.category() == dictum::recorder_category() ? error.value() : DICTUM_E_OTHER;
}

template <class Work>
int guarded(dictum_config* config, Work work) noexcept {
  if (config == nullptr) return DICTUM_E_INVALID_ARGUMENT;
  std::string& last_error = config->last_error;
  try {
    work();
    last_error.clear();
    return DICTUM_OK;
  } catch (const std::system_error& error) {
    last_error = error.what();
    return code_of(error.code());
  } catch (const std::exception& error) {
    last_error = error.what();
    return DICTUM_E_INTERNAL;
  }
}

std::size_t copy_out(const std::string& text, char* buffer, std::size_t size) {
  if (buffer != nullptr && text.size() < size) std::memcpy(buffer, text.c_str(), text.size() + 1);
  return text.size();
}

}  // namespace

struct dictum_recorder {
  explicit dictum_recorder(const dictum_config& from)
      : push(from.push),
        push_channels(from.push_channels),
        engine(dictum::detail::make_engine(from.config)),
        events(
            engine->subscribe(dictum::EventFilter::all(),
                              {.wake = [wakeup = wakeup] { wakeup->notify(); }, .may_block = true, .is_polled = true})),
        backend(engine) {}
  ~dictum_recorder() { events->close(); }

  std::optional<dictum::PushSource> push;
  const int push_channels;
  // Readable from the first event that waits until the queue has been found empty.
  std::shared_ptr<dictum::EventFD> wakeup = std::make_shared<dictum::EventFD>();
  std::shared_ptr<dictum::detail::Engine> engine;
  std::shared_ptr<dictum::detail::EventQueue> events;
  std::mutex reading;  // one consumer of the queue at a time
  dictum::RecorderBackend backend;
};

namespace {

int submit(dictum_recorder* recorder, dictum::Command command) noexcept {
  if (recorder == nullptr) return DICTUM_E_INVALID_ARGUMENT;
  try {
    std::error_code error;
    recorder->backend.submit(std::move(command), error);
    return code_of(error);
  } catch (const std::exception&) {
    return DICTUM_E_INTERNAL;
  }
}

template <class Sample>
std::size_t push(dictum_recorder* recorder, const Sample* samples, std::size_t frames) {
  if (recorder == nullptr || !recorder->push || samples == nullptr) return 0;
  return recorder->push->push(std::span(samples, frames * static_cast<std::size_t>(recorder->push_channels)));
}

/// By code, from 0 on; the last is for any other number.
std::vector<std::string> meanings() {
  std::vector<std::string> texts{"success"};
  for (int code = 1; code <= DICTUM_E_INTERNAL; ++code) texts.push_back(dictum::recorder_category().message(code));
  texts.emplace_back("an error of the system");
  return texts;
}

}  // namespace

extern "C" {

const char* dictum_version(void) {
  return DICTUM_VERSION;
}

const char* dictum_strerror(int code) {
  try {
    static const std::vector<std::string> texts = meanings();
    const bool is_listed = code >= 0 && code <= DICTUM_E_INTERNAL;
    return is_listed ? texts[static_cast<std::size_t>(code)].c_str() : texts.back().c_str();
  } catch (const std::bad_alloc&) {
    return "there is not enough memory";
  }
}

dictum_config* dictum_config_new(void) {
  return new (std::nothrow) dictum_config;
}

void dictum_config_free(dictum_config* config) {
  delete config;
}

int dictum_config_set(dictum_config* config, const char* name, const char* value) {
  return guarded(config, [&] {
    if (name == nullptr || value == nullptr) throw dictum::RecorderError(dictum::Errc::invalid_argument, kNoText);
    dictum::set_setting(config->config, name, value, name);
  });
}

int dictum_config_load(dictum_config* config, const char* path) {
  return guarded(config, [&] {
    if (path == nullptr) throw dictum::RecorderError(dictum::Errc::invalid_argument, kNoText);
    dictum::read_config_file(config->config, path);
  });
}

int dictum_config_use_push(dictum_config* config, int sample_rate, int channels) {
  return guarded(config, [&] {
    config->push.emplace(dictum::AudioFormat{.sample_rate = sample_rate, .channels = channels});
    config->push_channels = channels;
    config->config.source = config->push->source_factory();
  });
}

const char* dictum_config_last_error(const dictum_config* config) {
  return config == nullptr ? "" : config->last_error.c_str();
}

dictum_recorder* dictum_recorder_new(const dictum_config* config) {
  try {
    return new dictum_recorder(config == nullptr ? dictum_config() : *config);
  } catch (const std::exception&) {
    return nullptr;
  }
}

void dictum_recorder_free(dictum_recorder* recorder) {
  delete recorder;
}

int dictum_start(dictum_recorder* recorder) {
  return submit(recorder, dictum::StartRecording{});
}

int dictum_stop(dictum_recorder* recorder, double drain_sec) {
  return submit(recorder, dictum::StopRecording{drain_sec});
}

int dictum_pause(dictum_recorder* recorder) {
  return submit(recorder, dictum::PauseRecording{});
}

int dictum_resume(dictum_recorder* recorder) {
  return submit(recorder, dictum::ResumeRecording{});
}

int dictum_set_muted(dictum_recorder* recorder, int muted) {
  return submit(recorder, dictum::SetMuted{muted != 0});
}

int dictum_set_device(dictum_recorder* recorder, const char* device) {
  return submit(recorder, dictum::SetDevice{device == nullptr ? "" : device});
}

int dictum_set_vocabulary(dictum_recorder* recorder, const char* const* terms, size_t count) {
  try {
    dictum::SetVocabulary command;
    for (std::size_t i = 0; i < count; ++i) {
      if (terms == nullptr || terms[i] == nullptr) return DICTUM_E_INVALID_ARGUMENT;
      command.vocabulary.emplace_back(terms[i]);
    }
    return submit(recorder, std::move(command));
  } catch (const std::bad_alloc&) {
    return DICTUM_E_INTERNAL;
  }
}

int dictum_set_vad_mode(dictum_recorder* recorder, const char* mode) {
  const auto known = dictum::wire::vad_mode(mode == nullptr ? "" : mode);
  return known ? submit(recorder, dictum::SetVADMode{*known}) : DICTUM_E_INVALID_ARGUMENT;
}

int dictum_complete_note(dictum_recorder* recorder) {
  return submit(recorder, dictum::CompleteNote{});
}

int dictum_retry_failed(dictum_recorder* recorder) {
  return submit(recorder, dictum::RetryFailed{});
}

int dictum_wait_until_idle(dictum_recorder* recorder) {
  return submit(recorder, dictum::WaitUntilIdle{});
}

int dictum_is_recording(const dictum_recorder* recorder) {
  return recorder != nullptr && recorder->backend.is_recording() ? 1 : 0;
}

const char* dictum_state(const dictum_recorder* recorder) {
  const auto state = recorder == nullptr ? dictum::RecordingState::idle : recorder->backend.state();
  return dictum::to_string(state).data();  // a literal
}

size_t dictum_session_path(const dictum_recorder* recorder, char* buffer, size_t size) {
  return recorder == nullptr ? 0 : copy_out(recorder->backend.get_session_path().string(), buffer, size);
}

size_t dictum_last_error(const dictum_recorder* recorder, char* buffer, size_t size) {
  return recorder == nullptr ? 0 : copy_out(recorder->backend.last_error(), buffer, size);
}

size_t dictum_push(dictum_recorder* recorder, const float* samples, size_t frames) {
  return push(recorder, samples, frames);
}

size_t dictum_push_int16(dictum_recorder* recorder, const int16_t* samples, size_t frames) {
  return push(recorder, samples, frames);
}

void dictum_push_finish(dictum_recorder* recorder) {
  if (recorder != nullptr && recorder->push) recorder->push->finish();
}

int dictum_event_fd(const dictum_recorder* recorder) {
  return recorder == nullptr ? -1 : recorder->wakeup->get();
}

dictum_event* dictum_next_event(dictum_recorder* recorder) {
  if (recorder == nullptr) return nullptr;
  const std::lock_guard lock(recorder->reading);
  try {
    auto event = recorder->events->next();
    if (!event) {
      recorder->wakeup->clear();
      event = recorder->events->next();
      if (event) recorder->wakeup->notify();  // it came in between, and more may have come behind it
    }
    if (!event) return nullptr;
    recorder->events->handled();
    auto made = std::make_unique<dictum_event>();
    made->name = event->name();
    made->json = event->to_json();
    made->event = std::move(*event);
    return made.release();
  } catch (const std::exception&) {
    return nullptr;
  }
}

void dictum_event_free(dictum_event* event) {
  delete event;
}

const char* dictum_event_name(const dictum_event* event) {
  return event == nullptr ? "" : event->name.c_str();
}

const char* dictum_event_json(const dictum_event* event) {
  return event == nullptr ? "" : event->json.c_str();
}

int64_t dictum_event_sequence(const dictum_event* event) {
  return event != nullptr && event->event.sequence ? static_cast<int64_t>(*event->event.sequence) : -1;
}

int64_t dictum_event_frame(const dictum_event* event) {
  return event == nullptr ? -1 : event->event.frame;
}

double dictum_event_timestamp(const dictum_event* event) {
  return event == nullptr ? -1 : event->event.timestamp;
}

int64_t dictum_event_segment(const dictum_event* event) {
  if (event == nullptr) return -1;
  return std::visit(
      [](const auto& body) -> int64_t {
        if constexpr (requires { body.segment_index; }) {
          return body.segment_index;
        } else {
          return -1;
        }
      },
      event->event.body);
}

}  // extern "C"
