#include "vad/onnx_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "dictum/error.hpp"

namespace dictum::vad {
namespace {

// Field numbers of onnx.proto.
constexpr std::uint64_t kModelGraph = 7;
constexpr std::uint64_t kGraphInitializer = 5;
constexpr std::uint64_t kTensorDims = 1;
constexpr std::uint64_t kTensorDataType = 2;
constexpr std::uint64_t kTensorName = 8;
constexpr std::uint64_t kTensorRawData = 9;
constexpr std::uint64_t kDataTypeFloat = 1;

constexpr std::size_t kMaxTensors = 1024;
constexpr std::size_t kMaxRank = 8;

[[noreturn]] void fail(std::string_view what) {
  throw RecorderError(Errc::model_missing,
                      fmt::format("the speech detection model is damaged ({}); get the official file again", what));
}

using Bytes = std::span<const std::byte>;

/// One field of a protobuf message: a number, or the bytes of a string or message.
struct Field {
  std::uint64_t number;
  std::uint64_t value;
  Bytes bytes;
};

/// Walks the fields of one message.
class MessageReader {
 public:
  explicit MessageReader(Bytes message) : rest_(message) {}

  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const std::uint64_t key = varint();
    Field field{.number = key >> 3, .value = 0, .bytes = {}};
    switch (key & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        field.bytes = take(varint());
        break;
      case 5:
        take(4);
        break;
      default:
        fail("unknown encoding");
    }
    return field;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(take(1)[0]);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail("a number has no end");
  }

  bool at_end() const { return rest_.empty(); }

 private:
  Bytes take(std::uint64_t count) {
    if (count > rest_.size()) fail("it ends too early");
    const Bytes taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  Bytes rest_;
};

void add_dim(std::vector<std::int64_t>& dims, std::uint64_t dim) {
  if (dims.size() == kMaxRank) fail("a tensor has too many dimensions");
  dims.push_back(static_cast<std::int64_t>(dim));
}

/// Whether `raw` holds exactly the floats that `dims` speaks of; without overflow, whatever `dims` says.
bool size_agrees(const std::vector<std::int64_t>& dims, Bytes raw) {
  std::uint64_t count = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 0 || (dim > 0 && count > raw.size() / static_cast<std::uint64_t>(dim))) return false;
    count *= static_cast<std::uint64_t>(dim);
  }
  return raw.size() % sizeof(float) == 0 && count == raw.size() / sizeof(float);
}

/// Empty for a tensor of another type than float.
std::optional<OnnxWeights::Tensor> read_tensor(Bytes message) {
  OnnxWeights::Tensor tensor;
  std::uint64_t type = 0;
  MessageReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case kTensorDims:
        if (field->bytes.empty()) {
          add_dim(tensor.dims, field->value);
        } else {  // packed
          for (MessageReader packed(field->bytes); !packed.at_end();) add_dim(tensor.dims, packed.varint());
        }
        break;
      case kTensorDataType:
        type = field->value;
        break;
      case kTensorName:
        tensor.name = {reinterpret_cast<const char*>(field->bytes.data()), field->bytes.size()};
        break;
      case kTensorRawData:
        tensor.raw = field->bytes;
        break;
      default:
        break;
    }
  }
  if (type != kDataTypeFloat) return std::nullopt;
  if (!size_agrees(tensor.dims, tensor.raw)) fail("a tensor's size and its data disagree");
  return tensor;
}

float read_float(Bytes bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) bits |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * i);
  return std::bit_cast<float>(bits);
}

}  // namespace

OnnxWeights::OnnxWeights(std::span<const std::byte> model) {
  MessageReader model_reader(model);
  while (const auto part = model_reader.next()) {
    if (part->number != kModelGraph) continue;
    MessageReader graph_reader(part->bytes);
    while (const auto field = graph_reader.next()) {
      if (field->number != kGraphInitializer) continue;
      auto tensor = read_tensor(field->bytes);
      if (!tensor) continue;
      if (tensors_.size() == kMaxTensors) fail("it has too many tensors");
      tensors_.push_back(std::move(*tensor));
    }
  }
}

std::vector<float> OnnxWeights::values(std::string_view name, std::initializer_list<std::int64_t> dims) const {
  const auto tensor = std::ranges::find(tensors_, name, &Tensor::name);
  if (tensor == tensors_.end()) fail(fmt::format("\"{}\" is missing", name));
  if (!std::ranges::equal(tensor->dims, dims)) fail(fmt::format("\"{}\" has an unexpected shape", name));
  std::vector<float> values(tensor->raw.size() / sizeof(float));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = read_float(tensor->raw.subspan(i * sizeof(float)));
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    fail(fmt::format("\"{}\" holds values that are not numbers", name));
  }
  return values;
}

}  // namespace dictum::vad
