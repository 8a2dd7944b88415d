// dictum-cluster: carries out `dictum worker` and `dictum cluster`, which start it. The connection is described by the
// environment, as for dictum-worker-nats.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/xdg.hpp"
#include "cluster/administration.hpp"
#include "cluster/job_server.hpp"
#include "cluster/names.hpp"
#include "cluster/server_files.hpp"
#include "dictum/config.hpp"
#include "dictum/error.hpp"
#include "time_limit.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::cluster {
namespace {

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

struct WorkerOptions {
  RecorderConfig::Transcription transcription;
  int ack_wait_ms = static_cast<int>(kAckWait.count());
};

bool serve(const WorkerOptions& options) {
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
  settings.queues = queues_of(environment("DICTUM_NATS_QUEUE"), options.transcription.model);
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
  command->add_option("--ack-wait-ms", options->ack_wait_ms);
  command->callback([options, &worked] { worked = serve(*options); });
}

/// Of `dictum cluster status`, with connecting and all requests.
constexpr std::chrono::milliseconds kStatusBound{4000};

void show_status(bool as_json) {
  const NATSSettings settings = NATSSettings::from_environment();
  const TimeLimit limit(
      kStatusBound, fmt::format("The cluster at {} did not answer within {:.1f} s. Check transcription.nats.url, the "
                                "network, and that nats-server runs there.",
                                settings.servers(), std::chrono::duration<double>(kStatusBound).count()));
  NATSConnection connection(settings);
  JetStream stream(connection);
  const auto status = cluster_status(stream);
  fmt::print("{}", as_json ? json::to_line(status) + "\n" : status_text(status));
}

void add_status(CLI::App& app) {
  auto as_json = std::make_shared<bool>();
  CLI::App* command = app.add_subcommand("status");
  command->add_flag("--json", *as_json);
  command->callback([as_json] { show_status(*as_json); });
}

struct DeadOptions {
  std::vector<std::uint64_t> retry;
  std::vector<std::uint64_t> drop;
};

void show_dead(const DeadOptions& options) {
  NATSConnection connection(NATSSettings::from_environment());
  JetStream stream(connection);
  for (const std::uint64_t sequence : options.retry) retry_dead_job(stream, sequence);
  for (const std::uint64_t sequence : options.drop) drop_dead_job(stream, sequence);
  if (!options.retry.empty() || !options.drop.empty()) return;
  const auto jobs = dead_jobs(stream);
  for (const DeadJob& job : jobs)
    fmt::print("{}  {}  {}: {} ({})\n", job.sequence, job.id, job.code, job.reason, job.worker);
  if (jobs.empty()) fmt::print("No job has failed.\n");
}

void add_dead(CLI::App& app) {
  auto options = std::make_shared<DeadOptions>();
  CLI::App* command = app.add_subcommand("dead");
  command->add_option("--retry", options->retry);
  command->add_option("--drop", options->drop);
  command->callback([options] { show_dead(*options); });
}

struct InitOptions {
  std::filesystem::path folder;
  ServerPlan plan;
};

void init(const InitOptions& options) {
  for (const auto& file : write_server_files(options.folder, options.plan)) fmt::print("{}\n", file.string());
}

void add_init(CLI::App& app) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* command = app.add_subcommand("init");
  command->add_option("folder", options->folder)->required();
  command->add_option("--servers", options->plan.servers);
  command->add_option("--host", options->plan.hosts);
  command->add_option("--port", options->plan.port);
  command->add_option("--store", options->plan.store);
  command->add_option("--tls-cert", options->plan.tls_cert);
  command->add_option("--tls-key", options->plan.tls_key);
  command->add_option("--tls-ca", options->plan.tls_ca);
  command->callback([options] { init(*options); });
}

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Carries out `dictum worker` and `dictum cluster`.", "dictum-cluster");
  app.require_subcommand(1);
  bool worked = true;
  add_worker(app, worked);
  add_status(app);
  add_dead(app);
  add_init(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const RecorderError& error) {
    fmt::print(stderr, "dictum: {}\n", error.what());
    return error.code() == Errc::invalid_argument || error.code() == Errc::config_invalid ? 2 : 1;
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
