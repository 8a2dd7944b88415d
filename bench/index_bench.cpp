// How long a search over many sessions takes, beside `grep -r` over their transcripts:
//
//   build/release/bin/index_bench [SESSIONS] [FOLDER]      10000, and a folder of the temporary ones, which is kept
//
// Sessions are made of 20 segments of 12 words each, drawn as words are in speech (few often, many seldom).

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "journal/file_replacement.hpp"
#include "journal/layout.hpp"
#include "journal/session_directory.hpp"
#include "session/index.hpp"
#include "session/manifest.hpp"
#include "session/transcript.hpp"

namespace {

namespace fs = std::filesystem;
using namespace dictum;
using SteadyClock = std::chrono::steady_clock;

constexpr int kWords = 20'000;

/// Processor time of this process, which other load does not stretch.
double cpu_ms() {
  return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double ms_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

void make_sessions(const fs::path& root, int count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto word = [&] { return fmt::format("word{}", static_cast<int>(std::pow(kWords, uniform(random)))); };
  for (int i = 0; i < count; ++i) {
    const auto started = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000 + i * 977));
    journal::NewSessionDirectory folder(root, started);
    session::Manifest manifest;
    manifest.session = folder.path().filename();
    manifest.started_at = started;
    manifest.stopped_at = started;
    manifest.sample_rate = 16000;
    for (std::uint32_t s = 0; s < 20; ++s) {
      session::Segment segment;
      segment.index = s;
      segment.start_frame = segment.speech_start_frame = s * 160'000;
      segment.end_frame = segment.speech_end_frame = segment.start_frame + 80'000;
      segment.status = session::SegmentStatus::done;
      for (int w = 0; w < 12; ++w) segment.text += (w > 0 ? " " : "") + word();
      manifest.segments.push_back(segment);
    }
    session::write_manifest(folder.path(), manifest);
    journal::replace_file(journal::SessionFolder(folder.path()), journal::kRawTranscript,
                          session::raw_transcript(manifest, 20));
    folder.keep();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const fs::path root =
      argc > 2 ? fs::path(argv[2]) : fs::temp_directory_path() / fmt::format("dictum-index-bench-{}", count);
  if (!fs::exists(root)) make_sessions(root, count);

  auto start = SteadyClock::now();
  const double rebuild_at_work = cpu_ms();
  session::SessionIndex(root).rebuild();
  const double rebuild = ms_since(start);
  const double rebuilding = cpu_ms() - rebuild_at_work;
  fmt::print("{} sessions, {} segments: rebuilt in {:.0f} ms, {:.3f} ms at work a session; the index has {:.1f} MB\n",
             count, count * 20, rebuild, rebuilding / count,
             static_cast<double>(fs::file_size(session::SessionIndex::file_in(root))) / 1e6);

  start = SteadyClock::now();
  const double before = cpu_ms();
  session::SessionIndex(root).refresh();
  fmt::print("opened and refreshed, nothing new: {:.1f} ms, of them {:.1f} ms at work\n", ms_since(start),
             cpu_ms() - before);

  fmt::print("{:24} {:>8} {:>14} {:>14} {:>14} {:>8}\n", "query", "hits", "first (ms)", "at work (ms)", "grep -r (ms)",
             "ratio");
  for (const char* text : {"word1", "word2 word3", "\"word1 word2\"", "word199*", "word7777", "absent"}) {
    start = SteadyClock::now();
    const double at_work = cpu_ms();
    session::SessionIndex index(root);
    index.refresh();
    SessionSearch query;
    query.text = text;
    const std::size_t hits = index.search(query).size();
    const double ours = ms_since(start);
    const double ours_at_work = cpu_ms() - at_work;
    std::string pattern(text);
    std::erase(pattern, '"');
    std::erase(pattern, '*');
    start = SteadyClock::now();
    const int status = std::system(
        fmt::format("grep -rw --include={} '{}' '{}' > /dev/null", journal::kRawTranscript, pattern, root.string())
            .c_str());
    const double grep = ms_since(start);
    fmt::print("{:24} {:>8} {:>14.1f} {:>14.1f} {:>14.1f} {:>8.1f}{}\n", text, hits, ours, ours_at_work, grep,
               grep / ours, status < 0 ? " (no grep)" : "");
  }
}
