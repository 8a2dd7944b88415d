#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dictum::workers {

/// The command line of a program that takes a WAV and prints text, with `{wav}` and `{model}` for what differs from job
/// to job. A plain value; it is never seen by a shell, so nothing in it needs quoting.
class CommandTemplate {
 public:
  /// `text` is a JSON array of strings (["recognise", "--file={wav}"]), or the name of a preset ("whisper-cli"). Throws
  /// RecorderError(config_invalid).
  static CommandTemplate parse(std::string_view text);

  const std::string& program() const { return arguments_.front(); }
  bool needs_model() const;

  /// What to run. A placeholder may stand anywhere in an argument, any number of times.
  std::vector<std::string> filled(std::string_view wav, std::string_view model) const;

 private:
  explicit CommandTemplate(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}

  std::vector<std::string> arguments_;
};

}  // namespace dictum::workers
