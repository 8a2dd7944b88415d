#include "worker_options.hpp"

#include <cstdio>
#include <string_view>

namespace dictum::workers {

std::optional<WorkerOptions> parse_options(int argc, char** argv) {
  if (argc == 1) return WorkerOptions{};
  if (argc == 3 && std::string_view(argv[1]) == "--model") return WorkerOptions{argv[2]};
  std::fprintf(stderr, "usage: %s [--model MODEL]\nIt is started by dictum and speaks the worker protocol.\n", argv[0]);
  return std::nullopt;
}

}  // namespace dictum::workers
