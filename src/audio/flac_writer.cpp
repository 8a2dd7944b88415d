#include "audio/flac_writer.hpp"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string_view>
#include <system_error>

#include "audio/output_file.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

// libsndfile keeps the reason of a failed write to itself, so it writes through here. Its encoder is C: the first
// exception waits in `failure` until we are back in C++.
struct FLACWriter::Output {
  explicit Output(const std::filesystem::path& path) : file(path) {}

  OutputFile file;
  std::int64_t position = 0;
  std::int64_t size = 0;
  std::exception_ptr failure;

  void rethrow() const {
    if (failure) std::rethrow_exception(failure);
  }

  static Output& of(void* self) { return *static_cast<Output*>(self); }

  static sf_count_t length(void* self) { return of(self).size; }
  static sf_count_t tell(void* self) { return of(self).position; }
  static sf_count_t read(void*, sf_count_t, void*) { return 0; }  // an encoder does not read

  static sf_count_t seek(sf_count_t offset, int whence, void* self) {
    Output& output = of(self);
    const std::int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? output.position : output.size;
    return output.position = from + offset;
  }

  static sf_count_t write(const void* bytes, sf_count_t count, void* self) noexcept {
    Output& output = of(self);
    if (output.failure) return 0;
    try {
      output.file.write_at(output.position, {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(count)});
    } catch (...) {
      output.failure = std::current_exception();
      return 0;
    }
    output.position += count;
    output.size = std::max(output.size, output.position);
    return count;
  }
};

void FLACWriter::Closer::operator()(sf_private_tag* file) const {
  sf_close(file);
}

FLACWriter::FLACWriter(const std::filesystem::path& path, int sample_rate) : output_(std::make_unique<Output>(path)) {
  SF_VIRTUAL_IO io{.get_filelen = Output::length,
                   .seek = Output::seek,
                   .read = Output::read,
                   .write = Output::write,
                   .tell = Output::tell};
  SF_INFO info{};
  info.samplerate = sample_rate;
  info.channels = 1;
  info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
  file_.reset(sf_open_virtual(&io, SFM_WRITE, &info, output_.get()));
  if (output_->failure || !file_) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);  // ours, and of no use
    output_->rethrow();
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("'{}' cannot be FLAC at {} Hz ({}): record without keep_all, or at another rate.",
                                    path.string(), sample_rate, std::string_view(sf_strerror(nullptr))));
  }
}

FLACWriter::~FLACWriter() = default;

OutputFile& FLACWriter::file() {
  return output_->file;
}

void FLACWriter::append(std::span<const std::int16_t> samples) {
  output_->rethrow();
  const auto count = static_cast<sf_count_t>(samples.size());
  const sf_count_t written = sf_writef_short(file_.get(), samples.data(), count);
  output_->rethrow();
  if (written != count) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("'{}' cannot be written ({}).", output_->file.path().string(),
                                    std::string_view(sf_strerror(file_.get()))));
  }
  frames_ += count;
}

void FLACWriter::close() {
  file_.reset();
  output_->rethrow();
  output_->file.close();
}

}  // namespace dictum::audio
