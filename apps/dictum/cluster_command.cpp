#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/own_programs.hpp"
#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/transcribers.hpp"
#include "output.hpp"

/// The commands of the cluster. What they do is in a program of its own, dictum-cluster, so that this one never loads
/// the client of NATS: they replace this process by it.
namespace dictum::program {
namespace {

using Words = std::vector<std::string>;

void set_connection(const RecorderConfig::Transcription& config) {
  for (const auto& [variable, value] : cluster_environment(config)) ::setenv(variable.c_str(), value.c_str(), 1);
}

[[noreturn]] void become_cluster(Words words) {
  const auto program = find_own_program("dictum-cluster");
  if (!program) {
    throw std::runtime_error(
        "This build has no cluster, since cnats was not there: install libnats-dev, and build again.");
  }
  words.insert(words.begin(), program->string());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  flush_output();
  ::execv(program->c_str(), arguments.data());
  throw std::runtime_error(fmt::format("{} cannot be started: {}", program->string(), std::strerror(errno)));
}

void add_if(Words& words, const std::string& option, const std::string& value) {
  if (!value.empty()) words.insert(words.end(), {option, value});
}

[[noreturn]] void work(const ConfigFlags& flags, int ack_wait_sec) {
  const RecorderConfig::Transcription config = flags.resolve({}).transcription;
  set_connection(config);
  Words words{"worker",
              "--transcriber",
              config.transcriber,
              "--language",
              config.language,
              "--workers",
              std::to_string(config.workers),
              "--memory-mb",
              std::to_string(config.memory_mb),
              "--deadline-base-sec",
              fmt::format("{}", config.deadline_base_sec),
              "--deadline-per-sec",
              fmt::format("{}", config.deadline_per_sec),
              "--unload-after-sec",
              fmt::format("{}", config.unload_after_sec),
              "--ack-wait-ms",
              std::to_string(ack_wait_sec * 1000)};
  add_if(words, "--model", config.model);
  add_if(words, "--simulated-script", config.simulated_script.string());
  become_cluster(std::move(words));
}

/// The flags of a verb of `dictum cluster`.
std::shared_ptr<ConfigFlags> connection_flags(CLI::App& verb) {
  auto flags = std::make_shared<ConfigFlags>(verb);
  flags->add_sections({"transcription.nats"});
  return flags;
}

void add_status(CLI::App& cluster) {
  CLI::App* verb = cluster.add_subcommand("status", "List streams, queues, and the machines that serve them");
  auto as_json = std::make_shared<bool>();
  verb->add_flag("--json", *as_json, "as one JSON object");
  auto flags = connection_flags(*verb);
  verb->callback([flags, as_json] {
    set_connection(flags->resolve({}).transcription);
    become_cluster(*as_json ? Words{"status", "--json"} : Words{"status"});
  });
}

void add_dead(CLI::App& cluster) {
  struct Options {
    std::vector<std::uint64_t> retry;
    std::vector<std::uint64_t> drop;
  };
  CLI::App* verb = cluster.add_subcommand("dead", "List jobs that failed for good, with the reason");
  auto options = std::make_shared<Options>();
  verb->add_option("--retry", options->retry, "give the job of this number to the workers again");
  verb->add_option("--drop", options->drop, "forget the job of this number, with its audio");
  auto flags = connection_flags(*verb);
  verb->callback([flags, options] {
    set_connection(flags->resolve({}).transcription);
    Words words{"dead"};
    for (const auto number : options->retry) add_if(words, "--retry", std::to_string(number));
    for (const auto number : options->drop) add_if(words, "--drop", std::to_string(number));
    become_cluster(std::move(words));
  });
}

void add_init(CLI::App& cluster) {
  struct Options {
    std::filesystem::path folder;
    int servers = 1;
    std::vector<std::string> hosts;
    int port = 4222;
    std::filesystem::path store;
    std::filesystem::path tls_cert;
    std::filesystem::path tls_key;
    std::filesystem::path tls_ca;
  };
  CLI::App* verb = cluster.add_subcommand("init", "Write the configuration of nats-server, and a password a role");
  auto options = std::make_shared<Options>();
  verb->add_option("FOLDER", options->folder, "where to write them")->required();
  verb->add_option("--servers", options->servers, "one, or three, of which one may be lost")->capture_default_str();
  verb->add_option("--host", options->hosts, "name or address of a server, by which the others reach it")
      ->type_name("HOST");
  verb->add_option("--port", options->port, "port of the servers")->capture_default_str();
  verb->add_option("--store", options->store, "where a server keeps its streams; otherwise in that folder")
      ->type_name("FOLDER");
  verb->add_option("--tls-cert", options->tls_cert, "certificate of the servers")->type_name("FILE");
  verb->add_option("--tls-key", options->tls_key, "its key")->type_name("FILE");
  verb->add_option("--tls-ca", options->tls_ca, "authority of the certificates that three servers show each other")
      ->type_name("FILE");
  verb->callback([options] {
    Words words{"init",   options->folder.string(),     "--servers", std::to_string(options->servers),
                "--port", std::to_string(options->port)};
    for (const std::string& host : options->hosts) add_if(words, "--host", host);
    add_if(words, "--store", options->store.string());
    add_if(words, "--tls-cert", options->tls_cert.string());
    add_if(words, "--tls-key", options->tls_key.string());
    add_if(words, "--tls-ca", options->tls_ca.string());
    become_cluster(std::move(words));
  });
}

}  // namespace

void add_worker_command(CLI::App& app, ExitCode& /*code*/) {
  CLI::App* command = app.add_subcommand("worker", "Transcribe for the recorders of other machines, over NATS");
  auto flags = std::make_shared<ConfigFlags>(*command);
  auto ack_wait_sec = std::make_shared<int>(30);
  command
      ->add_option("--ack-wait-sec", *ack_wait_sec,
                   "a job whose machine is silent for so long goes to another; of queues that are new")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  flags->add_sections(
      {"transcription.nats"},
      {"transcription.transcriber", "transcription.model", "transcription.language", "transcription.workers",
       "transcription.memory_mb", "transcription.deadline_base_sec", "transcription.deadline_per_sec",
       "transcription.unload_after_sec", "transcription.simulated.script"});
  command->callback([flags, ack_wait_sec] { work(*flags, *ack_wait_sec); });
}

void add_cluster_command(CLI::App& app, ExitCode& /*code*/) {
  CLI::App* command = app.add_subcommand("cluster", "Set up and watch the cluster that transcribes");
  command->require_subcommand(1);
  add_status(*command);
  add_dead(*command);
  add_init(*command);
}

}  // namespace dictum::program
