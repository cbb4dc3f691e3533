// SPDX-License-Identifier: GPL-2.0-only
#include "cli/read_text.h"

#include "base/file_descriptor.h"
#include "control/request_json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <istream>

namespace xdplb {
namespace {

Error too_large(const std::string& source) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("{}: it is larger than {} bytes", source, kMaxBodyBytes));
}

Result<std::string> read_file(const std::string& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) {
    if (errno == ENOENT) return fail(ErrorCode::kNotFound, file + ": there is no such file");
    return os_error(file, errno);
  }
  std::string text;
  std::array<char, 65536> block{};
  while (true) {
    const ssize_t size = ::read(fd.get(), block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return os_error(file, errno);
    if (size == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(size));
    if (text.size() > kMaxBodyBytes) return too_large(file);
  }
}

Result<std::string> read_stream(std::istream& in) {
  std::string text;
  std::array<char, 65536> block{};
  while (in.read(block.data(), block.size()) || in.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxBodyBytes) return too_large("standard input");
  }
  return text;
}

}  // namespace

std::string source_name(const std::string& file) { return file == "-" ? "standard input" : file; }

Result<std::string> read_text(const std::string& file, const Context& context) {
  return file == "-" ? read_stream(context.around().in) : read_file(file);
}

}  // namespace xdplb
