#include "samples.hpp"

#include <fmt/format.h>

#include <bit>
#include <string_view>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::python {
namespace {

constexpr float kFullScale = 32768;  // of 16-bit samples

/// The type of one sample as the struct module spells it, without a mark of the machine's own byte order.
std::string_view kind_of(const Py_buffer& view) {
  std::string_view kind = view.format == nullptr ? "B" : view.format;
  constexpr char kOwnOrder = std::endian::native == std::endian::little ? '<' : '>';
  if (kind.size() == 2 && (kind.front() == '@' || kind.front() == '=' || kind.front() == kOwnOrder))
    kind.remove_prefix(1);
  return kind;
}

template <class Sample>
std::span<const Sample> in_place(const Py_buffer& view) {
  return {static_cast<const Sample*>(view.buf), static_cast<std::size_t>(view.len) / sizeof(Sample)};
}

}  // namespace

Samples::Samples(nanobind::handle object) {
  if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_FULL_RO) != 0) {
    PyErr_Clear();
    throw RecorderError(Errc::invalid_argument,
                        "Samples are bytes (16-bit), a memoryview, a NumPy array or whatever else has a buffer.");
  }
  try {
    if (view_.ndim > 2)
      throw RecorderError(Errc::invalid_argument, "Samples have one or two dimensions (frames, channels).");
    if (view_.ndim == 2) {
      if (view_.shape[1] < 1 || view_.shape[1] > audio::kMaxChannels) {
        throw RecorderError(Errc::invalid_argument,
                            fmt::format("The second dimension of samples is their channels, 1 to {}; here it is {}. "
                                        "Transpose what has the channels first.",
                                        audio::kMaxChannels, view_.shape[1]));
      }
      channels_ = static_cast<int>(view_.shape[1]);
    }
    convert();
  } catch (...) {
    PyBuffer_Release(&view_);
    throw;
  }
}

void Samples::convert() {
  const std::string_view kind = kind_of(view_);
  const bool contiguous = PyBuffer_IsContiguous(&view_, 'C') != 0;
  const auto size = static_cast<std::size_t>(view_.len);
  if (contiguous && kind == "f" && view_.len % 4 == 0) {
    samples_ = in_place<float>(view_);
    return;
  }
  if (contiguous && (kind == "h" || ((kind == "B" || kind == "b" || kind == "c") && view_.len % 2 == 0)) &&
      reinterpret_cast<std::uintptr_t>(view_.buf) % alignof(std::int16_t) == 0) {
    samples_ = in_place<std::int16_t>(view_);
    return;
  }
  const auto copied_from = [&]<class Sample>(Sample, float scale) {
    std::vector<Sample> flat(size / sizeof(Sample));
    if (PyBuffer_ToContiguous(flat.data(), &view_, view_.len, 'C') != 0) throw nanobind::python_error();
    converted_.reserve(flat.size());
    for (const Sample sample : flat) converted_.push_back(static_cast<float>(sample) * scale);
    samples_ = std::span<const float>(converted_);
  };
  if (kind == "f") return copied_from(float(), 1);
  if (kind == "d") return copied_from(double(), 1);
  if (kind == "h") return copied_from(std::int16_t(), 1 / kFullScale);
  throw RecorderError(
      Errc::invalid_argument,
      fmt::format("Samples are int16, float32 or float64 (whole ones, in bytes); these are \"{}\".", kind));
}

std::span<const float> Samples::as_floats(std::vector<float>& converted) const {
  if (const auto* floats = std::get_if<std::span<const float>>(&samples_)) return *floats;
  const auto whole = std::get<std::span<const std::int16_t>>(samples_);
  converted.clear();
  converted.reserve(whole.size());
  for (const std::int16_t sample : whole) converted.push_back(static_cast<float>(sample) / kFullScale);
  return converted;
}

int checked_rate(int sample_rate) {
  if (sample_rate >= audio::kLowestRate && sample_rate <= audio::kHighestRate) return sample_rate;
  throw RecorderError(Errc::invalid_argument, fmt::format("A sample rate lies between {} and {} Hz; this is {}.",
                                                          audio::kLowestRate, audio::kHighestRate, sample_rate));
}

}  // namespace dictum::python
