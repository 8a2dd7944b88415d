#include "sndfile_decoder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "audio/libsndfile_reader.hpp"
#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

namespace dictum::decoder {

bool decode_with_sndfile(DecoderOutput& output) {
  struct stat status{};
  if (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  if (::lseek(STDIN_FILENO, 0, SEEK_SET) != 0) return false;
  std::optional<audio::LibsndfileReader> reader;
  try {
    reader.emplace(UniqueFD(STDIN_FILENO), std::string());
  } catch (const RecorderError&) {
    return false;
  }
  const AudioFormat format = reader->format();
  output.send_format(format.sample_rate, format.channels, reader->frames());
  std::vector<float> block(static_cast<std::size_t>(format.channels) * 8192);
  for (bool is_over = false; !is_over;) {
    const auto step = reader->read(block);
    output.send_audio(std::span(block).first(step.frames * static_cast<std::size_t>(format.channels)));
    is_over = step.state == audio::SampleReader::State::over;
  }
  for (const std::string& notice : reader->take_notices()) output.send_notice(notice.substr(1));  // behind no name
  return true;
}

}  // namespace dictum::decoder
