#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "commands.hpp"
#include "dictum/text.hpp"
#include "models/model_choice.hpp"
#include "models/model_store.hpp"
#include "output.hpp"

namespace dictum::program {
namespace {

void list() {
  const auto store = models::ModelStore::of_user();
  const auto chosen = models::choose(models::by_quality(store), models::SpeedCache::of_user());
  for (const auto& entry : store.list()) {
    const std::string state = entry.installed && entry.file == chosen ? "installed, auto takes it"
                              : entry.installed                       ? "installed"
                              : entry.part > 0 ? fmt::format("{} of it fetched", size_text(entry.part))
                                               : "";
    print("{:<22} {:>9}  {:<13} {:<10} {}\n", entry.model.name, size_text(entry.model.size), entry.model.languages(),
          entry.model.speed, state);
  }
  for (const auto& file : store.unknown_files()) {
    print("{:<22} {:>9}  {:<13} {:<10} {}\n", models::name_of(file), "", "", "",
          file == chosen ? "your own, auto takes it" : "your own");
  }
}

void pull(const std::string& name) {
  const bool is_terminal = isatty(STDERR_FILENO) != 0;
  const auto show = [is_terminal](std::uint64_t done, std::uint64_t all) {
    if (!is_terminal || all == 0) return;
    const std::string bar = progress_bar(static_cast<double>(done) / static_cast<double>(all));
    write_error(fmt::format("\r{} {} of {}\x1b[K", bar, size_text(done), size_text(all)));
  };
  const auto path = models::ModelStore::of_user().pull(name, show);
  if (is_terminal) write_error("\n");
  print("{}\n", path.string());
}

}  // namespace

void add_models_command(CLI::App& app, ExitCode&) {
  CLI::App* command = app.add_subcommand("models", "Fetch and keep speech models for the whisper transcriber");
  command->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  const auto add = [&](const char* verb, const char* help, auto run) {
    CLI::App* one = command->add_subcommand(verb, help);
    one->add_option("NAME", *name, "for example base-q8_0")->required();
    one->callback([name, run] { run(*name); });
  };
  command->add_subcommand("list", "Every model that can be fetched, and which are here")->callback([] { list(); });
  add("pull", "Fetch a model; goes on where an earlier attempt stopped", [](const std::string& model) { pull(model); });
  add("verify", "Compare an installed model with its publisher's checksum", [](const std::string& model) {
    models::ModelStore::of_user().verify(model);
    print("{} is what its publisher says it is.\n", model);
  });
  add("path", "Where a model's file is, or would be",
      [](const std::string& model) { print("{}\n", models::ModelStore::of_user().path(model).string()); });
  add("remove", "Delete a model's file", [](const std::string& model) {
    const bool was_there = models::ModelStore::of_user().remove(model);
    print("{}\n", was_there ? "Removed." : "It was not there.");
  });
}

}  // namespace dictum::program
