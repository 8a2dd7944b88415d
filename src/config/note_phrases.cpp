#include "config/note_phrases.hpp"

#include <fmt/format.h>

#include <boost/json/value_to.hpp>

#include "base/utf8.hpp"
#include "config/config_fields.hpp"
#include "dictum/error.hpp"

namespace dictum::config {

notes::NotePhrases note_phrases(const RecorderConfig& config) {
  notes::NotePhrases phrases = notes::NotePhrases::english();
  bool is_configured = false;
  const auto take = [&is_configured](std::vector<std::string>& phrases_of, const std::vector<std::string>& configured) {
    if (configured.empty()) return;
    phrases_of = configured;
    is_configured = true;
  };
  take(phrases.start, config.notes.start);
  take(phrases.title, config.notes.title);
  take(phrases.end, config.notes.end);
  take(phrases.cancel, config.notes.cancel);
  take(phrases.scratch, config.notes.scratch);
  take(phrases.stop, config.notes.stop);
  take(phrases.prefixes, config.notes.prefix);
  if (!is_configured) return phrases;  // ours contradict each other nowhere, and a matcher takes a start's time to make

  const notes::PhraseMatcher matcher(phrases);
  for (const auto& [command, list] : {std::pair(NoteCommand::start, &phrases.start),
                                      {NoteCommand::end, &phrases.end},
                                      {NoteCommand::cancel, &phrases.cancel},
                                      {NoteCommand::scratch, &phrases.scratch},
                                      {NoteCommand::stop, &phrases.stop}}) {
    for (const std::string& phrase : *list) {
      const auto meant = matcher.command_of(phrase);
      if (!meant || *meant == command) continue;
      throw RecorderError(Errc::config_invalid,
                          fmt::format("configuration: notes.{} has the phrase \"{}\", which already means notes.{}.",
                                      to_string(command), utf8::on_one_line(phrase), to_string(*meant)));
    }
  }
  return phrases;
}

notes::NotePhrases recorded_note_phrases(const boost::json::object& config) {
  RecorderConfig recorded;
  const auto* notes = config.if_contains("notes");
  if (notes == nullptr || !notes->is_object()) return note_phrases({});
  try {
    for (const ConfigField& field : config_fields()) {
      const auto* list = field.section == "notes" ? notes->get_object().if_contains(field.key) : nullptr;
      if (list != nullptr)
        set_config(recorded, field, boost::json::value_to<std::vector<std::string>>(*list), "manifest");
    }
    return note_phrases(recorded);
  } catch (const std::exception&) {  // not the text of one of ours
    return note_phrases({});
  }
}

}  // namespace dictum::config
