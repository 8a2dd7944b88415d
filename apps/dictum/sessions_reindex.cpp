#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "output.hpp"
#include "session/index.hpp"
#include "session/library.hpp"
#include "sessions_verbs.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

ExitCode reindex(const fs::path& root) {
  session::SessionIndex(root).rebuild();
  const auto sessions = session::list_sessions(root);
  print("Indexed {} sessions in {}\n", sessions.size(), session::SessionIndex::file_in(root).string());
  return ExitCode::success;
}

}  // namespace

void add_reindex_verb(CLI::App& sessions, ExitCode& code) {
  struct None {};
  add_verb<None>(sessions, code, "reindex", "Make the search index again from the files", std::make_shared<None>(),
                 [](const fs::path& root, None&) { return reindex(root); });
}

}  // namespace dictum::program
