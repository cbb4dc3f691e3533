// SPDX-License-Identifier: GPL-2.0-only
#include "base/result.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace xdplb {

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::logic_error("value() of a failed Result: " + error.message);
}

Error os_error(const std::string& what, int number) {
  const bool denied = number == EPERM || number == EACCES;
  return Error{denied ? ErrorCode::kPermission : ErrorCode::kFailed, what + ": " + std::strerror(number)};
}

}  // namespace xdplb
