#pragma once

#include <optional>
#include <string>

namespace dictum::workers {

/// What a worker is started with: `dictum-worker-NAME [--model MODEL]`.
struct WorkerOptions {
  std::string model;  ///< empty: the engine's default
};

/// Nothing where the arguments are others; the usage has then been written to standard error.
std::optional<WorkerOptions> parse_options(int argc, char** argv);

}  // namespace dictum::workers
