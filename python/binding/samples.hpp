#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace dictum::python {

/// Audio that Python hands over: anything with the buffer interface. Read in place where it is contiguous float32 or
/// int16 (which is what `bytes` are taken for), otherwise copied and converted once.
///
/// Made and destroyed with the GIL; the samples may be read without it. Throws RecorderError(invalid_argument).
class Samples {
 public:
  explicit Samples(nanobind::handle object);
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  ~Samples() { PyBuffer_Release(&view_); }

  /// 1, or the second dimension of an array of (frames, channels).
  int channels() const noexcept { return channels_.value_or(1); }

  /// Whether they can be frames of so many channels. One dimension can: it is interleaved.
  bool may_have(int channels) const noexcept { return channels_.value_or(channels) == channels; }

  bool were_copied() const noexcept { return !converted_.empty(); }

  /// Calls `use` with a span of the type that the samples have.
  template <class Use>
  auto visit(Use use) const {
    return std::visit(use, samples_);
  }

  /// As floats within -1 to 1; `converted` is for those that have to be converted.
  std::span<const float> as_floats(std::vector<float>& converted) const;

 private:
  void convert();

  Py_buffer view_{};
  std::optional<int> channels_;
  std::vector<float> converted_;
  std::variant<std::span<const float>, std::span<const std::int16_t>> samples_;
};

/// The rate, or RecorderError(invalid_argument) where no sound has such a one.
int checked_rate(int sample_rate);

}  // namespace dictum::python
