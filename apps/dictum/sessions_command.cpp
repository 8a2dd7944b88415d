#include "commands.hpp"
#include "sessions_verbs.hpp"

namespace dictum::program {

void add_sessions_command(CLI::App& app, ExitCode& code) {
  CLI::App* sessions =
      app.add_subcommand("sessions", "List, read, search, play, correct, export, verify and delete what was recorded");
  sessions->require_subcommand(1);
  add_list_verb(*sessions, code);
  add_show_verb(*sessions, code);
  add_search_verb(*sessions, code);
  add_export_verb(*sessions, code);
  add_delete_verb(*sessions, code);
  add_prune_verb(*sessions, code);
  add_reindex_verb(*sessions, code);
  add_verify_verb(*sessions, code);
  add_play_verb(*sessions, code);
  add_edit_verb(*sessions, code);
}

}  // namespace dictum::program
