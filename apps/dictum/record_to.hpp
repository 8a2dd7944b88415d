#pragma once

#include <filesystem>
#include <string>

#include "dictum/config.hpp"
#include "event_printer.hpp"
#include "exit_code.hpp"

namespace dictum::program {

struct RecordTo {
  std::string url;
  std::filesystem::path token_file;   ///< has the token that the server lets in by; empty: none
  std::filesystem::path authorities;  ///< has certificates to trust; empty: those of the system
  EventPrinter::Settings printing;
};

/// Records for a server: sends what `config.capture` names, and prints the events of the session that it makes of it.
/// A signal ends the recording, a second one the sending; what was not sent stays on disk.
ExitCode record_to(const RecordTo& to, const RecorderConfig& config);

}  // namespace dictum::program
