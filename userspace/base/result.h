// SPDX-License-Identifier: GPL-2.0-only
// Result<T>: a value or an Error that names the object and the way out.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace xdplb {

// What went wrong, in the words a caller can act on. The numbers are the exit codes of `xdplb`.
enum class ErrorCode {
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kUnreachable = 4,
  kPermission = 5,
  kInvalidConfig = 6,
  kConflict = 7,
  kTimedOut = 8,
};

// One failure: `message` is one line that names the object and says what to do.
struct Error {
  ErrorCode code = ErrorCode::kFailed;
  std::string message;
};

// Called by Result::value() when there is none: reading the value of a failure is our own mistake.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

// boost::system::result is not [[nodiscard]]; a dropped error would compile silently.
template <typename T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

// The Error of a failed system call: "WHAT: strerror(number)". EPERM and EACCES become kPermission.
//
// what    the object and the attempt, e.g. "open /run/xdplb/default/api.sock"
// number  a positive errno value
Error os_error(const std::string& what, int number);

// An Error in one expression: `return fail(ErrorCode::kNotFound, "cluster web: ...")`.
inline Error fail(ErrorCode code, std::string message) { return Error{code, std::move(message)}; }

}  // namespace xdplb
