#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "dictum/sessions.hpp"
#include "output.hpp"
#include "sessions_verbs.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

ExitCode reindex(const fs::path& root) {
  const fs::path index = rebuild_search_index(root);
  print("Indexed {} sessions in {}\n", list_sessions(root).size(), index.string());
  return ExitCode::success;
}

}  // namespace

void add_reindex_verb(CLI::App& sessions, ExitCode& code) {
  struct None {};
  add_verb<None>(sessions, code, "reindex", "Make the search index again from the files", std::make_shared<None>(),
                 [](const fs::path& root, None&) { return reindex(root); });
}

}  // namespace dictum::program
