#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dictum/sessions.hpp"
#include "tui/model.hpp"
#include "tui/view.hpp"

/// What was recorded and what there is to record with, as the terminal UI shows it. Blocks; throws RecorderError. One
/// thread at a time.
namespace dictum::program {

std::vector<tui::Device> list_devices_for_tui(const std::string& backend);
std::vector<tui::SessionEntry> list_sessions_for_tui(const std::filesystem::path& root);
tui::SessionEntry session_entry_for_tui(const std::filesystem::path& session);
/// The notes of every session that can be read, the newest first.
std::vector<tui::StoredNote> list_notes_for_tui(const std::filesystem::path& root);

tui::OpenSession read_session_for_tui(const std::filesystem::path& session);
std::vector<tui::Hit> search_for_tui(SessionFinder& finder, const std::string& query);

/// All that was said in it, as `dictum sessions export` writes it as text.
std::string text_of_session_for_tui(const std::filesystem::path& session);

/// Into the working folder; returns the file's name.
std::filesystem::path export_for_tui(const std::filesystem::path& session, const std::string& format);

/// Blocks until it is done, or a stop is requested, which throws.
void transcribe_for_tui(const RecorderConfig& config, const tui::TranscribeAgain& what,
                        const std::function<void(const Event&)>& on_event, std::stop_token stop);

/// Plays from a segment on, or all of it; calls `report` for each segment as it begins. Returns when all was played or
/// a stop asked for.
void play_for_tui(const std::filesystem::path& session, std::optional<std::uint32_t> segment,
                  const std::function<void(tui::Playing)>& report, const std::stop_token& stop);

/// What can be said, as it is configured: of each command the first phrase.
std::vector<tui::SpokenCommand> spoken_commands_for_tui(const RecorderConfig& config);

/// "whisper, base-q8_0": what transcribes, as far as the configuration names it.
std::string transcriber_for_tui(const RecorderConfig& config);

}  // namespace dictum::program
