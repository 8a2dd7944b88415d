#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dictum::test {

struct GrammarOptions {
  bool transcription_may_be_pending = false;  ///< queued segments may still wait for their text
};

/// Everything that is wrong with a session on disk that is not being recorded: the grammar of its events, and whether
/// journal, manifest, sound files, transcripts and notes say the same. One sentence each; none where all is well.
std::vector<std::string> grammar_violations(const std::filesystem::path& session, GrammarOptions options = {});

}  // namespace dictum::test
