#include <CLI/CLI.hpp>
#include <memory>

#include "search.hpp"
#include "sessions_verbs.hpp"

namespace dictum::program {

void add_search_verb(CLI::App& sessions, ExitCode& code) {
  auto options = std::make_shared<SearchOptions>();
  options->add_to(*add_verb<SearchOptions>(sessions, code, "search", "Find what was said, the newest first", options,
                                           [](const std::filesystem::path& root, SearchOptions& given) {
                                             return search(root, given, SessionSearch::Scope::everything);
                                           }));
}

}  // namespace dictum::program
