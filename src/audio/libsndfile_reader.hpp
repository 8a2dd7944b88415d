#pragma once

#include <memory>
#include <string>

#include "audio/sample_reader.hpp"
#include "base/unique_fd.hpp"

struct sf_private_tag;  // libsndfile's handle

namespace dictum::audio {

/// Reads a regular file with libsndfile, in this process: for builds and machines without the decoder program.
///
/// The constructor throws RecorderError(input_unreadable) where libsndfile does not know the file.
class LibsndfileReader final : public SampleReader {
 public:
  LibsndfileReader(UniqueFD file, std::string name);

  Step read(std::span<float> interleaved) override;
  void wait(std::chrono::milliseconds) override {}
  bool seek(std::int64_t frame) override;

 private:
  struct Closer {
    void operator()(sf_private_tag* file) const;
  };

  void finish();

  UniqueFD fd_;
  std::unique_ptr<sf_private_tag, Closer> file_;
  const std::string name_;
  std::int64_t position_ = 0;
};

}  // namespace dictum::audio
