// The messages of the cluster: bytes from a hostile peer end in values or in RecorderError(worker_protocol), and a job
// that was read can be written and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cluster/envelope.hpp"
#include "cluster/jet_stream.hpp"
#include "dictum/error.hpp"

namespace {

using namespace dictum;
using namespace dictum::cluster;

void check(std::string_view message) {
  try {
    const Envelope envelope = unpack(message);
    const JobHeader job = job_header(envelope.header);
    const JobHeader again = job_header(unpack(pack(to_json(job), envelope.body, 1 << 26).message).header);
    if (again.id != job.id || again.job.segment_index != job.job.segment_index) std::abort();
  } catch (const RecorderError& error) {
    if (error.code() != Errc::worker_protocol) std::abort();
  }
  try {
    result_header(unpack(message).header);
  } catch (const RecorderError& error) {
    if (error.code() != Errc::worker_protocol) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  delivery_of(bytes);
  // Once more as a header, so that the fuzzer need not find a length that fits.
  std::string message;
  for (std::size_t i = 0; i < 4; ++i) message += static_cast<char>(size >> (8 * i) & 0xFF);
  check(message.append(bytes));
  return 0;
}
