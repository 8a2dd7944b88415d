#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "dictum/sessions.hpp"
#include "exit_code.hpp"

namespace dictum::program {

/// The search of `dictum sessions` and of `dictum notes`: what it takes, and how what it finds is shown.
struct SearchOptions {
  std::vector<std::string> words;
  std::string from;
  std::string to;
  std::string before;
  std::string session;
  std::size_t limit = 50;
  bool json = false;

  void add_to(CLI::App& command);
};

/// Prints what is found below `root`, the newest first; finding nothing is a failure, as grep has it.
ExitCode search(const std::filesystem::path& root, const SearchOptions& options, SessionSearch::Scope scope);

}  // namespace dictum::program
