#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

#include "dictum/push_source.hpp"
#include "samples.hpp"

namespace dictum::python {

/// A PushSource for a language in which any thread may call anything: one at a time is let in. Without the GIL, but for
/// making one. Owner: Python; a recorder shares the stream. Throws RecorderError(invalid_argument).
class PushFeed {
 public:
  PushFeed(int sample_rate, int channels, double capacity_sec);

  std::size_t push(const Samples& samples);
  std::size_t room() const;
  void finish();

  std::function<std::unique_ptr<AudioSource>()> source_factory() const { return source_.source_factory(); }

 private:
  const int channels_;
  mutable std::mutex mutex_;
  PushSource source_;
};

}  // namespace dictum::python
