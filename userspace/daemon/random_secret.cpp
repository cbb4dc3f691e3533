// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/random_secret.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace xdplb {

Result<std::string> random_secret() {
  std::array<std::uint64_t, 2> words{};
  if (::getrandom(words.data(), sizeof(words), 0) != static_cast<ssize_t>(sizeof(words)))
    return os_error("random numbers", errno);
  return fmt::format("{:016x}{:016x}", words[0], words[1]);
}

}  // namespace xdplb
