#include "record_to.hpp"

#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>

#include "commands.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "output.hpp"
#include "server/stream_sender.hpp"
#include "signals.hpp"

namespace dictum::program {
namespace {

std::string read_token(const std::filesystem::path& file) {
  std::string token;
  if (file.empty()) return token;
  std::ifstream in(file);
  std::getline(in, token);
  token.erase(token.find_last_not_of(" \t\r") + 1);
  if (token.empty()) {
    throw UsageError(fmt::format("no token can be read from '{}'", file.string()));
  }
  return token;
}

}  // namespace

ExitCode record_to(const RecordTo& to, const RecorderConfig& config) {
  limit_output(std::nullopt);
  Signals signals;
  EventPrinter printer(to.printing);
  std::atomic<bool> has_ended{false};
  const server::StreamSender::Callbacks callbacks{.on_event =
                                                      [&](const Event& event) {
                                                        printer.print(event);
                                                        flush_output();
                                                      },
                                                  .on_notice =
                                                      [&](const std::string& sentence) {
                                                        printer.clear();
                                                        print_error("{}", sentence);
                                                      },
                                                  .on_end =
                                                      [&] {
                                                        has_ended = true;
                                                        signals.wake();
                                                      }};
  std::unique_ptr<server::StreamSender> sender;
  try {
    sender = std::make_unique<server::StreamSender>(config,
                                                    server::StreamSenderSettings{.url = to.url,
                                                                                 .token = read_token(to.token_file),
                                                                                 .authorities = to.authorities,
                                                                                 .spool_folder = session_root(config)},
                                                    callbacks);
  } catch (const RecorderError& error) {
    if (error.code() == Errc::invalid_argument || error.code() == Errc::config_invalid) throw UsageError(error.what());
    throw;
  }
  for (int signals_seen = 0; !has_ended;) {
    if (signals.wait() != Signals::Event::signal) continue;
    ++signals_seen;
    if (signals_seen == 1) sender->stop();
    if (signals_seen == 2) sender->cancel();
  }
  const server::StreamSent sent = sender->result();
  sender.reset();
  printer.clear();
  if (!to.printing.json) {
    for (const std::string& session : sent.sessions) print("Session of the server: {}\n", session);
  }
  if (!sent.error.empty()) print_error("{}", sent.error);
  if (sent.unsent > 0) {
    print_error("{:.1f} s of the audio were not sent; they are the end of {}: record it with `dictum record {}`",
                static_cast<double>(sent.unsent) / sent.sample_rate, sent.file.string(), sent.file.string());
  }
  const bool has_failed = !sent.error.empty() || sent.unsent > 0 || printer.has_failed() || flush_output() != 0;
  return has_failed ? ExitCode::failure : ExitCode::success;
}

}  // namespace dictum::program
