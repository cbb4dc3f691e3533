// SPDX-License-Identifier: GPL-2.0-only
#include "processor.h"

#include <fmt/core.h>
#include <sched.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace xdplb::bench {

Result<Processor> Processor::stay() {
  const int number = ::sched_getcpu();
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<std::size_t>(number), &only);
  if (number < 0 || ::sched_setaffinity(0, sizeof(only), &only)) return os_error("bench: stay on a processor", errno);
  const std::string wanted = fmt::format("ksoftirqd/{}", number);
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc", ignored)) {
    std::ifstream file(process.path() / "comm");
    std::string name;
    if (!std::getline(file, name) || name != wanted) continue;
    Processor processor;
    processor.ksoftirqd_ = std::stoi(process.path().filename());
    return processor;
  }
  return fail(ErrorCode::kFailed, fmt::format("bench: there is no {}", wanted));
}

double Processor::softirq_us() const {
  std::uint64_t ns = 0;
  std::ifstream(fmt::format("/proc/{}/schedstat", ksoftirqd_)) >> ns;
  return static_cast<double>(ns) / 1e3;
}

}  // namespace xdplb::bench
