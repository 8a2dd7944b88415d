#include "faulty_program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace dictum::test {
namespace {

constexpr std::chrono::minutes kStall{10};  // as good as for ever

bool is_on_files(std::string_view call) {
  return call != "descriptor" && call != "process" && call != "thread";
}

}  // namespace

std::string name_of(const Fault& fault) {
  const std::string what =
      fault.error == 0 ? "stalls" : fmt::format("fails ({})", std::generic_category().message(fault.error));
  return fmt::format("{} {} {}{}{}", fault.call, fault.first, what, fault.count == 0 ? " from then on" : "",
                     fault.half ? ", half written" : "");
}

FaultyRun::FaultyRun(Fault fault, std::filesystem::path folder, const std::filesystem::path& root)
    : fault_(std::move(fault)), folder_(std::move(folder)), root_(root) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directory(folder_);
  if (::mkfifo((folder_ / "log").c_str(), 0600) != 0) throw std::system_error(errno, std::generic_category(), "mkfifo");
  log_ = UniqueFD(::open((folder_ / "log").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!log_) throw std::system_error(errno, std::generic_category(), "the log of the faults");
}

FaultyRun::~FaultyRun() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

ProgramSettings FaultyRun::with_fault(ProgramSettings settings) const {
  auto& environment = settings.environment;
  environment["LD_PRELOAD"] = DICTUM_FAULTY_CALLS;
  environment["DICTUM_FAULT_CALL"] = fault_.call;
  environment["DICTUM_FAULT_BELOW"] = is_on_files(fault_.call) ? root_.string() : "";
  environment["DICTUM_FAULT_FIRST"] = std::to_string(fault_.first);
  environment["DICTUM_FAULT_COUNT"] = std::to_string(fault_.count);
  environment["DICTUM_FAULT_ERROR"] = std::to_string(fault_.error);
  environment["DICTUM_FAULT_STALL_MS"] = std::to_string(std::chrono::milliseconds(kStall).count());
  environment["DICTUM_FAULT_PART"] = fault_.half ? "1" : "";
  environment["DICTUM_FAULT_WHEN"] = fault_.armed ? (folder_ / "armed").string() : "";
  environment["DICTUM_FAULT_LOG"] = folder_ / "log";
  return settings;
}

void FaultyRun::arm() const {
  std::ofstream(folder_ / "armed").put('\n');
}

void FaultyRun::read_log() {
  std::array<char, 4096> letters{};
  for (;;) {
    const ssize_t got = ::read(log_.get(), letters.data(), letters.size());
    if (got <= 0) return;
    calls_ += static_cast<int>(got);
    hits_ += static_cast<int>(std::count(letters.begin(), letters.begin() + got, 'h'));
  }
}

int FaultyRun::calls() {
  read_log();
  return calls_;
}

bool FaultyRun::has_hit() {
  read_log();
  return hits_ > 0;
}

bool FaultyRun::wait_for_hit(std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!has_hit()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd log{log_.get(), POLLIN, 0};
    if (left <= 0 || ::poll(&log, 1, static_cast<int>(left)) == 0) return false;
  }
  return true;
}

}  // namespace dictum::test
