#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "dictum/frame.hpp"

namespace dictum::recorder {

/// What is known of a session whose device or disk was left behind since it did not answer in time.
struct Abandonment {
  std::filesystem::path session;
  int sample_rate{};
  bool disk_answers{};           // else everything that was on its way to the disk may be missing
  bool capture_is_closed{};      // its files alone were awaited
  Frame written_until{};         // the audio before this was given to the disk, which answered
  bool audio_failed{};           // some of it could not be written
  std::size_t events_waiting{};  // that are not in the journal
};

/// One or two sentences for a person: what happened, what is safe and what is not, what to do.
std::string describe(const Abandonment& abandonment);

}  // namespace dictum::recorder
