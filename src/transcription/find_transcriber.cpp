#include "transcription/find_transcriber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/sanitized.hpp"
#include "base/utf8.hpp"
#include "base/xdg.hpp"
#include "dictum/error.hpp"
#include "transcription/worker_lookup.hpp"

namespace dictum::transcription {
namespace {

/// The transcribers of ours that do all their work in a process on this machine.
constexpr std::array<std::string_view, 5> kLocalTranscribers = {"none", "auto", "whisper", "pocketsphinx", "simulated"};

/// The server in `address`, without a user and a password that may stand before it.
std::string server_of(std::string address) {
  if (const auto scheme = address.find("://"); scheme != std::string::npos) address.erase(0, scheme + 3);
  address.resize(std::min(address.find_first_of("/?#"), address.size()));
  if (const auto user = address.rfind('@'); user != std::string::npos) address.erase(0, user + 1);
  return utf8::on_one_line(address);
}

/// The servers in `addresses`, which commas separate.
std::string servers_of(std::string_view addresses) {
  std::string servers;
  while (!addresses.empty()) {
    const auto end = std::min(addresses.find(','), addresses.size());
    if (end > 0) servers += (servers.empty() ? "" : ", ") + server_of(std::string(addresses.substr(0, end)));
    addresses.remove_prefix(std::min(end + 1, addresses.size()));
  }
  return servers;
}

std::string cluster_url(const RecorderConfig::Transcription& config) {
  return config.nats_url.empty() ? environment("DICTUM_NATS_URL") : config.nats_url;
}

/// The local pool has one worker, since `workers` is the number of jobs that are under way in the cluster.
void add_fallback(WorkerPoolSettings& settings, RecorderConfig::Transcription config) {
  const std::string& name = config.nats_fallback;
  if (name == "nats" || name == "none") {
    throw RecorderError(
        Errc::config_invalid,
        fmt::format("transcription.nats.fallback is \"{}\", which makes no texts on this machine. Name a "
                    "local transcriber, for example \"whisper\", or set fallback_after_sec to 0.",
                    name));
  }
  settings.fallback_after =
      std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(config.nats_fallback_after_sec));
  config.transcriber = name;
  config.model.clear();  // that of the cluster, which this machine need not have
  config.workers = 1;
  settings.fallback = std::make_shared<const WorkerPoolSettings>(*find_transcriber(config));
}

}  // namespace

void require_cluster(std::string_view url) {
  if (!url.empty()) return;
  throw RecorderError(Errc::config_invalid,
                      "No NATS server is named. Give --nats-url nats://HOST:4222, or set transcription.nats.url or "
                      "DICTUM_NATS_URL.");
}

std::map<std::string, std::string> cluster_environment(const RecorderConfig::Transcription& config) {
  std::map<std::string, std::string> variables;
  const auto pass = [&](const char* variable, const std::string& value) {
    if (!value.empty()) variables[variable] = value;
  };
  const auto pass_file = [&](const char* variable, const std::filesystem::path& file) {
    if (!file.empty()) pass(variable, std::filesystem::absolute(file).string());
  };
  pass("DICTUM_NATS_URL", config.nats_url);
  pass_file("DICTUM_NATS_CREDENTIALS", config.nats_credentials);
  pass_file("DICTUM_NATS_TLS_CA", config.nats_tls_ca);
  pass_file("DICTUM_NATS_TLS_CERT", config.nats_tls_cert);
  pass_file("DICTUM_NATS_TLS_KEY", config.nats_tls_key);
  pass("DICTUM_NATS_QUEUE", config.nats_queue);
  return variables;
}

bool transcribes(const RecorderConfig& config) {
  return config.custom_transcriber || config.transcription.transcriber != "none";
}

std::optional<WorkerPoolSettings> find_transcriber(const RecorderConfig::Transcription& config) {
  if (config.transcriber == "none") return std::nullopt;
  const std::string name = resolve_transcriber(config.transcriber);
  WorkerPoolSettings settings;
  settings.name = name;
  settings.executable = find_worker(name);
  settings.guard = find_guard();
  settings.model = config.model;
  if (config.language != "auto") settings.language = config.language;
  settings.workers = config.workers;
  if (!kSanitized) settings.memory_cap = static_cast<std::uint64_t>(config.memory_mb) << 20;  // else none could start
  settings.deadline_base = std::chrono::duration<double>(config.deadline_base_sec);
  settings.deadline_per_sec = std::chrono::duration<double>(config.deadline_per_sec);
  if (config.unload_after_sec > 0) {
    settings.unload_after =
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(config.unload_after_sec));
  }
  if (!config.simulated_script.empty()) {
    settings.environment["DICTUM_SIMULATED_SCRIPT"] = std::filesystem::absolute(config.simulated_script).string();
  }
  if (name == "nats") {
    require_cluster(cluster_url(config));
    settings.environment.merge(cluster_environment(config));
    if (config.nats_fallback_after_sec > 0) add_fallback(settings, config);
  }
  return settings;
}

std::string where_speech_goes(const RecorderConfig& config) {
  const std::string& name = config.transcription.transcriber;
  if (config.custom_transcriber) return "What you say is given to this program's own transcriber.";
  if (std::ranges::find(kLocalTranscribers, name) != kLocalTranscribers.end())
    return "What you say stays on this machine.";
  constexpr const char* kSent = "What you say is sent to {} to be transcribed.";
  if (name == "openai") {
    const std::string address = environment("DICTUM_OPENAI_URL");
    return fmt::format(kSent, address.empty() ? "api.openai.com" : server_of(address));
  }
  if (name == "nats") {
    const std::string address = cluster_url(config.transcription);
    std::string sent = fmt::format(
        kSent, address.empty() ? "a cluster that is not named yet" : "the cluster at " + servers_of(address));
    const std::string& fallback = config.transcription.nats_fallback;
    const bool falls_back = config.transcription.nats_fallback_after_sec > 0;
    if (!falls_back || std::ranges::find(kLocalTranscribers, fallback) != kLocalTranscribers.end()) return sent;
    RecorderConfig other = config;
    other.transcription.transcriber = fallback;
    other.transcription.nats_fallback_after_sec = 0;
    return fmt::format("{} While it is away: {}", sent, where_speech_goes(other));
  }
  return fmt::format("What you say is given to the transcriber \"{}\", which may send it elsewhere.",
                     utf8::on_one_line(name));
}

}  // namespace dictum::transcription
