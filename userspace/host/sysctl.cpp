// SPDX-License-Identifier: GPL-2.0-only
#include "host/sysctl.h"

#include "base/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace xdplb {
namespace {

Result<FileDescriptor> open_setting(std::string_view name, int flags) {
  std::string object = "sysctl " + std::string(name);
  if (name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos) {
    return fail(ErrorCode::kUsage, object + ": not a name like net/ipv4/ip_forward");
  }
  FileDescriptor fd(::open(("/proc/sys/" + std::string(name)).c_str(), flags | O_CLOEXEC));
  if (fd.is_open()) return fd;
  if (errno == ENOENT) return fail(ErrorCode::kNotFound, object + ": this kernel has no such setting");
  return os_error(object + ": open", errno);
}

}  // namespace

Result<int> read_sysctl(std::string_view name) {
  auto fd = open_setting(name, O_RDONLY);
  if (!fd) return fd.error();
  std::array<char, 64> text{};
  ssize_t length = ::read(fd->get(), text.data(), text.size());
  if (length < 0) return os_error("sysctl " + std::string(name) + ": read", errno);
  const char* end = text.data() + length;
  int value = 0;
  auto parsed = std::from_chars(text.data(), end, value);
  bool is_number = parsed.ec == std::errc() && (parsed.ptr == end || *parsed.ptr == '\n');
  if (!is_number) return fail(ErrorCode::kFailed, "sysctl " + std::string(name) + ": not one whole number");
  return value;
}

Result<void> write_sysctl(std::string_view name, int value) {
  auto fd = open_setting(name, O_WRONLY);
  if (!fd) return fd.error();
  std::string text = std::to_string(value);
  if (::write(fd->get(), text.data(), text.size()) < 0) {
    return os_error("sysctl " + std::string(name) + ": write " + text, errno);
  }
  return {};
}

Result<int> read_effective_ipv4_conf(std::string_view interface, std::string_view key) {
  auto of = [&](std::string_view scope) {
    return read_sysctl("net/ipv4/conf/" + std::string(scope) + "/" + std::string(key));
  };
  auto all = of("all");
  if (!all) return all.error();
  auto own = of(interface);
  if (!own) return own.error();
  return std::max(*all, *own);
}

}  // namespace xdplb
