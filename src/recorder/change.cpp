#include "recorder/change.hpp"

#include <fmt/format.h>

#include <variant>

#include "config/vocabulary.hpp"
#include "dictum/error.hpp"

namespace dictum::recorder {
namespace {

using Actions = RecorderCore::Actions;
using Applies = Change::Applies;

std::optional<Change> change(const SetVADMode& command) {
  return Change{
      .in_core = [mode = command.mode](RecorderCore& core, Actions& actions) { core.set_mode(mode, actions); }};
}

std::optional<Change> change(const SetMuted& command) {
  return Change{
      .in_core = [muted = command.muted](RecorderCore& core, Actions& actions) { core.set_muted(muted, actions); },
      .in_capture = [muted = command.muted](pipeline::CaptureLoop& capture) { capture.set_muted(muted); }};
}

std::optional<Change> change(const SetDevice& command) {
  return Change{
      .applies = Applies::whenever,
      .for_next_start = [device = command.device](RecorderConfig& config) { config.capture.device = device; },
      .in_capture = [device = command.device](pipeline::CaptureLoop& capture) { capture.source().set_device(device); }};
}

std::optional<Change> change(const SetVocabulary& command) {
  const auto complaint = config::complaint_about_vocabulary(command.vocabulary);
  if (!complaint.empty()) throw RecorderError(Errc::config_invalid, fmt::format("The vocabulary {}.", complaint));
  return Change{.applies = Applies::to_texts,
                .for_next_start =
                    [vocabulary = command.vocabulary](RecorderConfig& config) {
                      config.transcription.vocabulary = vocabulary;
                      config.transcription.vocabulary_file.clear();
                    },
                .in_core = [vocabulary = command.vocabulary](
                               RecorderCore& core, Actions& actions) { core.set_vocabulary(vocabulary, actions); }};
}

std::optional<Change> change(const CompleteNote& /*command*/) {
  return Change{.in_core = [](RecorderCore& core, Actions& actions) { core.complete_note(actions); }};
}

template <class Other>
  requires(!ChangesOnly<Other>)
std::optional<Change> change(const Other& /*command*/) {
  return std::nullopt;
}

}  // namespace

std::optional<Change> change_of(const Command& command) {
  return std::visit([](const auto& which) { return change(which); }, command);
}

}  // namespace dictum::recorder
