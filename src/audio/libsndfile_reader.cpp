#include "audio/libsndfile_reader.hpp"

#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

void LibsndfileReader::Closer::operator()(sf_private_tag* file) const {
  sf_close(file);
}

LibsndfileReader::LibsndfileReader(UniqueFD file, std::string name) : fd_(std::move(file)), name_(std::move(name)) {
  SF_INFO info{};
  file_.reset(sf_open_fd(fd_.get(), SFM_READ, &info, SF_FALSE));
  if (!file_) {
    throw RecorderError(Errc::input_unreadable,
                        fmt::format("{} is not a sound file that can be read ({}): convert it to WAV or FLAC.", name_,
                                    std::string_view(sf_strerror(nullptr))));
  }
  if (info.frames == 0) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{} holds no audio: its header announces none.", name_));
  }
  format_ = {.sample_rate = info.samplerate, .channels = info.channels};
  require_usable(format_, name_);
  if (info.frames > 0 && info.frames < SF_COUNT_MAX) frames_ = info.frames;
}

SampleReader::Step LibsndfileReader::read(std::span<float> interleaved) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t wanted = interleaved.size() / channels;
  Step step;
  while (step.frames < wanted) {  // some decoders return less than they have
    const sf_count_t got = sf_readf_float(file_.get(), interleaved.data() + step.frames * channels,
                                          static_cast<sf_count_t>(wanted - step.frames));
    if (got <= 0) {
      position_ += static_cast<std::int64_t>(step.frames);
      finish();
      step.state = State::over;
      return step;
    }
    step.frames += static_cast<std::size_t>(got);
  }
  position_ += static_cast<std::int64_t>(step.frames);
  return step;
}

void LibsndfileReader::finish() {
  if (sf_error(file_.get()) != SF_ERR_NO_ERROR) {
    notices_.push_back(fmt::format("{} is damaged and could be read in part only: {}", name_,
                                   std::string_view(sf_strerror(file_.get()))));
  } else if (position_ < frames_) {
    notices_.push_back(fmt::format("{} was cut off: {} of {} frames are missing; what is there was read.", name_,
                                   frames_ - position_, frames_));
  }
  // What libsndfile takes for the end need not be the end of the file: MP3 with a wrong length, files that were joined.
  constexpr off_t kTags = 64 * 1024;
  struct stat status{};
  const off_t reached = ::lseek(fd_.get(), 0, SEEK_CUR);
  if (reached >= 0 && ::fstat(fd_.get(), &status) == 0 && status.st_size - reached > kTags) {
    notices_.push_back(fmt::format(
        "{} holds {} more bytes, which could not be read without the program dictum-decoder: install it with Dictum.",
        name_, status.st_size - reached));
  }
}

bool LibsndfileReader::seek(std::int64_t frame) {
  position_ = frame;
  return sf_seek(file_.get(), frame, SEEK_SET) == frame;
}

}  // namespace dictum::audio
