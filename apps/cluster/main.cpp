// dictum-cluster: carries out `dictum worker` and `dictum cluster`, which start it. The connection is described by the
// environment, as for dictum-worker-nats.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cluster/job_server.hpp"
#include "cluster/names.hpp"
#include "dictum/config.hpp"
#include "dictum/error.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::cluster {
namespace {

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

struct WorkerOptions {
  RecorderConfig::Transcription transcription;
  std::vector<std::string> queues;
  int ack_wait_ms = static_cast<int>(kAckWait.count());
};

bool serve(WorkerOptions options) {
  if (options.transcription.transcriber == "nats" || options.transcription.transcriber == "none") {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("\"{}\" does no work on this machine. Name the transcriber that is to serve the "
                                    "cluster, for example --transcriber whisper.",
                                    options.transcription.transcriber));
  }
  JobServer::Settings settings;
  settings.nats = NATSSettings::from_environment();
  settings.pool = *transcription::find_transcriber(options.transcription);
  settings.ack_wait = std::chrono::milliseconds(options.ack_wait_ms);
  settings.queues = options.queues;
  if (settings.queues.empty()) {
    if (!options.transcription.model.empty()) settings.queues.push_back(options.transcription.model);
    settings.queues.emplace_back(kDefaultQueue);
  }
  return JobServer(std::move(settings), print_line).run();
}

void add_worker(CLI::App& app, bool& worked) {
  auto options = std::make_shared<WorkerOptions>();
  auto& config = options->transcription;
  CLI::App* command = app.add_subcommand("worker");
  command->add_option("--transcriber", config.transcriber);
  command->add_option("--model", config.model);
  command->add_option("--language", config.language);
  command->add_option("--workers", config.workers);
  command->add_option("--memory-mb", config.memory_mb);
  command->add_option("--deadline-base-sec", config.deadline_base_sec);
  command->add_option("--deadline-per-sec", config.deadline_per_sec);
  command->add_option("--unload-after-sec", config.unload_after_sec);
  command->add_option("--simulated-script", config.simulated_script);
  command->add_option("--queue", options->queues);
  command->add_option("--ack-wait-ms", options->ack_wait_ms);
  command->callback([options, &worked] { worked = serve(*options); });
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Carries out `dictum worker` and `dictum cluster`.", "dictum-cluster");
  app.require_subcommand(1);
  bool worked = true;
  add_worker(app, worked);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const RecorderError& error) {
    fmt::print(stderr, "dictum: {}\n", error.what());
    return error.code() == Errc::invalid_argument ? 2 : 1;
  }
  return worked ? 0 : 1;
}

}  // namespace
}  // namespace dictum::cluster

int main(int argc, char** argv) {
  try {
    return dictum::cluster::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "dictum: {}\n", error.what());
    return 1;
  }
}
