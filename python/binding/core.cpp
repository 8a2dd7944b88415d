// dictum._native.core: what Python needs of the library, and no rule. Events and sessions cross as JSON, so that their
// names are written once on each side.

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "dictum/clock.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "journal/session_directory.hpp"
#include "library.hpp"
#include "notifier.hpp"
#include "offline/analyze_source.hpp"
#include "push_feed.hpp"
#include "recorder.hpp"
#include "samples.hpp"
#include "session/library.hpp"
#include "settings.hpp"
#include "streaming_vad.hpp"
#include "without_gil.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace dictum::python {
namespace {

using Unlocked = nb::call_guard<WithoutGIL>;

std::string name_of(const std::error_code& code) {
  return code.category() == recorder_category() ? to_string(static_cast<Errc>(code.value()))
                                                : to_string(Errc::internal);
}

/// Everything thrown becomes a dictum.RecorderError of the right class.
void raise_as_recorder_error(const std::exception_ptr& thrown, void* /*unused*/) {
  std::string code;
  std::string sentence;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::system_error& error) {
    code = name_of(error.code());
    sentence = error.what();
  }
  try {
    const nb::object error = nb::module_::import_("dictum.errors").attr("make_error")(code, sentence);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  } catch (nb::python_error& error) {
    error.restore();
  }
}

/// The state behind a module is one for a process: two interpreters would share its types and its lock.
void refuse_subinterpreters() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return;
  throw std::runtime_error(
      "dictum works in the main interpreter only, not in a sub-interpreter: use a process instead.");
}

std::shared_ptr<Recorder> make_recorder(const nb::dict& settings, const PushFeed* source,
                                        std::optional<double> frozen_at) {
  RecorderConfig config = make_config(settings);
  if (source != nullptr) config.source = source->source_factory();
  if (frozen_at) {
    const auto since_epoch = std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(*frozen_at));
    config.clock = std::make_shared<ManualClock>(std::chrono::system_clock::time_point(since_epoch));
  }
  return std::make_shared<Recorder>(std::move(config));
}

std::string analyze(nb::handle object, int sample_rate, const nb::dict& settings) {
  RecorderConfig config;
  apply_settings(config, settings);
  const Samples samples(object);
  const WithoutGIL unlocked;
  std::vector<float> converted;
  const AudioFormat format{.sample_rate = checked_rate(sample_rate), .channels = samples.channels()};
  const auto analysis = analyze_samples(config, format, samples.as_floats(converted));
  auto json = offline::to_json(analysis);
  json["warnings"] = boost::json::array(analysis.warnings.begin(), analysis.warnings.end());
  return json::to_line(json);
}

std::size_t push(PushFeed& feed, nb::handle object) {
  const Samples samples(object);
  const WithoutGIL unlocked;
  return feed.push(samples);
}

std::vector<float> probabilities(StreamingVAD& vad, nb::handle object) {
  const Samples samples(object);
  if (samples.channels() != 1) {
    throw RecorderError(Errc::invalid_argument, "The detector takes one channel: pick or mix one first.");
  }
  const WithoutGIL unlocked;
  std::vector<float> converted;
  return vad.process(samples.as_floats(converted));
}

void bind_recorder(nb::module_& module) {
  nb::class_<Notifier>(module, "Notifier")
      .def(nb::new_([] { return std::make_shared<Notifier>(); }))
      .def(nb::new_([](nb::callable function) { return std::make_shared<Notifier>(std::move(function)); }),
           "function"_a)
      .def("fileno", &Notifier::fileno)
      .def("notify", &Notifier::notify, Unlocked())
      .def("clear", &Notifier::clear);

  nb::class_<Call>(module, "Call").def_prop_ro("done", &Call::done).def("check", &Call::check);

  nb::class_<Subscription>(module, "Subscription")
      .def("next", &Subscription::next, Unlocked())
      .def("handled", &Subscription::handled, Unlocked())
      .def("callback_threw", &Subscription::callback_threw, "what"_a, Unlocked())
      .def("close", &Subscription::close, Unlocked());

  nb::class_<Recorder>(module, "Recorder", nb::is_weak_referenceable())
      .def(nb::new_(&make_recorder), "settings"_a, "source"_a = nb::none(), "frozen_at"_a = nb::none())
      .def("subscribe", &Recorder::subscribe, "ephemeral"_a, "notifier"_a, "may_block"_a, Unlocked())
      .def("submit", &Recorder::submit, "command"_a, "caller"_a.none(), "notifier"_a, Unlocked())
      .def_prop_ro("is_recording", &Recorder::is_recording)
      .def_prop_ro("state", &Recorder::state)
      .def_prop_ro("session_path", &Recorder::session_path)
      .def("shut_down", &Recorder::shut_down, "subscribers_can_be_awaited"_a, Unlocked());
}

void bind_audio(nb::module_& module) {
  nb::class_<PushFeed>(module, "PushSource",
                       "Audio that the program itself feeds to a recorder: pass it as `source`.\n\n"
                       "Keeps up to `capacity_sec` of audio that the recorder has not taken yet.")
      .def(nb::init<int, int, double>(), "sample_rate"_a, "channels"_a = 1, "capacity_sec"_a = 10.0)
      .def("push", &push, "samples"_a.none(),
           "Takes whole frames of interleaved samples and returns how many frames were kept: none while nobody\n"
           "records. Never waits. Contiguous int16 and float32 are read in place; bytes are 16-bit samples.")
      .def_prop_ro("room", &PushFeed::room, Unlocked(), "Frames that `push` would keep now.")
      .def("finish", &PushFeed::finish, Unlocked(), "Ends the stream for good, after what has been pushed.");

  nb::class_<StreamingVAD>(module, "SileroVAD",
                           "Silero VAD v6 over a stream of any rate: probabilities of speech, one for each window of\n"
                           "32 ms. State is carried from call to call, so a stream may be cut anywhere.")
      .def(nb::init<int>(), "sample_rate"_a = kVADSampleRate)
      .def("__call__", &probabilities, "samples"_a.none(),
           "The probability of every window that these samples (mono) complete.")
      .def("reset", &StreamingVAD::reset, Unlocked(), "Forgets the stream: what comes next is a new one.")
      .def_prop_ro("sample_rate", &StreamingVAD::sample_rate);

  module.def("analyze", &analyze, "samples"_a.none(), "sample_rate"_a, "settings"_a);
}

void bind_library(nb::module_& module) {
  module.def("list_sessions", &list_sessions, "root"_a, Unlocked());
  module.def("find_session", &find_session, "root"_a, "what"_a, Unlocked());
  module.def(
      "problems_of", [](const std::filesystem::path& session) { return verify_session(session).sentences(); },
      "session"_a, Unlocked());
  module.def("size_of", &session::size_of, "session"_a, Unlocked());
  module.def("delete_session", &session::delete_session, "session"_a, Unlocked());
  module.def("search", &search, "root"_a, "text"_a, "scope"_a, "since"_a.none(), "before"_a.none(), "session"_a,
             "limit"_a, Unlocked());
  module.def("export_session", &export_session, "session"_a, "file"_a, "format"_a, "revision"_a.none(),
             "whole_timeline"_a, Unlocked());
  module.def(
      "edit_session",
      [](const std::filesystem::path& session, std::uint32_t segment, const std::string& text) {
        dictum::edit_session(session, segment, text);
      },
      "session"_a, "segment"_a, "text"_a, Unlocked());
  module.def(
      "retranscribe_session",
      [](const std::filesystem::path& session, const nb::dict& settings, bool replace_edits, double drain_sec) {
        const RecorderConfig config = make_config(settings);
        const WithoutGIL unlocked;
        dictum::retranscribe_session(config, session, replace_edits ? EditedTexts::replace : EditedTexts::keep, {},
                                     drain_sec);
      },
      "session"_a, "settings"_a, "replace_edits"_a, "drain_sec"_a);
  module.def("list_devices", &list_devices, "backend"_a, Unlocked());
  module.def("list_transcribers", &list_transcribers, Unlocked());
  module.def("list_models", &list_models, Unlocked());
  module.def("describe_settings", &describe_settings, Unlocked());
  module.def(
      "session_root", [](const nb::dict& settings) { return journal::session_root(make_config(settings)); },
      "settings"_a);
}

}  // namespace
}  // namespace dictum::python

NB_MODULE(core, module) {
  using namespace dictum::python;
  refuse_subinterpreters();
  nb::set_leak_warnings(false);  // a callback that never returns keeps its thread, and what that refers to, to the end
  nb::register_exception_translator(raise_as_recorder_error);
  module.attr("__version__") = DICTUM_VERSION;
  module.def("list_settings", &list_settings);
  module.def(
      "check_settings",
      [](const nb::dict& settings) {
        dictum::RecorderConfig scratch;
        apply_settings(scratch, settings);
      },
      nb::arg("settings"));
  bind_recorder(module);
  bind_audio(module);
  bind_library(module);
}
