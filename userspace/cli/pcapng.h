// SPDX-License-Identifier: GPL-2.0-only
// PcapngWriter: frames with a comment each, in the format that Wireshark and tcpdump read.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace xdplb {

// pcapng 1.0 (draft-ietf-opsawg-pcapng), little-endian; an interface is described when its first frame comes.
class PcapngWriter {
 public:
  // Replaces the file. Errors: os_error naming it.
  static Result<PcapngWriter> open(const std::string& path);

  // interface  name it came in by
  // time_ns    since 1970 UTC
  // length     bytes on the wire, at least frame.size()
  // Errors: os_error naming the file, whose end may be half written then.
  Result<void> write(std::string_view interface, std::uint64_t time_ns, std::uint32_t length,
                     std::span<const std::uint8_t> frame, std::string_view comment);

 private:
  PcapngWriter(std::ofstream file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  std::uint32_t interface_number(std::string_view name);
  void write_block(std::uint32_t type, std::string_view body);
  Result<void> check();

  std::ofstream file_;
  std::string path_;
  std::map<std::string, std::uint32_t, std::less<>> interfaces_;
};

}  // namespace xdplb
