#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "output.hpp"
#include "sessions_verbs.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

ExitCode remove(const fs::path& root, const std::vector<std::string>& names, bool yes) {
  std::vector<fs::path> sessions;
  for (const auto& name : names) sessions.push_back(find_session(root, name));
  if (!yes) {
    for (const auto& path : sessions) print("{}  {}\n", path.string(), size_text(session_size(path)));
    throw UsageError("nothing was deleted: add --yes to delete for good, with sound, texts and notes");
  }
  for (const auto& path : sessions) {
    delete_session(path);
    print("Deleted {}\n", path.string());
  }
  return ExitCode::success;
}

}  // namespace

void add_delete_verb(CLI::App& sessions, ExitCode& code) {
  struct Options {
    std::vector<std::string> sessions;
    bool yes = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_verb<Options>(sessions, code, "delete", "Delete sessions for good", options,
                        [](const fs::path& root, Options& given) { return remove(root, given.sessions, given.yes); });
  command->add_option("SESSION", options->sessions, kSessionHelp)->required();
  command->add_flag("--yes", options->yes, "delete without asking");
}

}  // namespace dictum::program
