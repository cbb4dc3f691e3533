// SPDX-License-Identifier: GPL-2.0-only
#include "cli/pcapng.h"

#include <cerrno>

namespace xdplb {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterfaceDescription = 1, kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kLinkEthernet = 1;
constexpr std::uint16_t kOptionEnd = 0, kOptionComment = 1, kOptionName = 2, kOptionTimeResolution = 9;
constexpr char kNanoseconds = 9;  // 10^-9 s
constexpr std::uint32_t kNoSnapLength = 0;

void put(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void put_padded(std::string& out, std::string_view text) {
  out += text;
  out.append((4 - text.size() % 4) % 4, '\0');
}

void put_option(std::string& out, std::uint16_t code, std::string_view value) {
  put(out, code, 2);
  put(out, value.size(), 2);
  put_padded(out, value);
}

}  // namespace

Result<PcapngWriter> PcapngWriter::open(const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) return os_error(path, errno);
  PcapngWriter writer(std::move(file), path);
  std::string body;
  put(body, kByteOrderMagic, 4);
  put(body, 1, 2);
  put(body, 0, 2);
  put(body, ~std::uint64_t{0}, 8);  // length of the section: not known
  writer.write_block(kSectionHeader, body);
  if (auto good = writer.check(); !good) return good.error();
  return writer;
}

void PcapngWriter::write_block(std::uint32_t type, std::string_view body) {
  std::string block;
  const std::uint64_t length = body.size() + 12;
  put(block, type, 4);
  put(block, length, 4);
  block += body;
  put(block, length, 4);
  file_.write(block.data(), static_cast<std::streamsize>(block.size()));
}

std::uint32_t PcapngWriter::interface_number(std::string_view name) {
  const auto known = interfaces_.find(name);
  if (known != interfaces_.end()) return known->second;
  std::string body;
  put(body, kLinkEthernet, 2);
  put(body, 0, 2);
  put(body, kNoSnapLength, 4);
  put_option(body, kOptionName, name);
  put_option(body, kOptionTimeResolution, std::string_view(&kNanoseconds, 1));
  put_option(body, kOptionEnd, {});
  write_block(kInterfaceDescription, body);
  const auto number = static_cast<std::uint32_t>(interfaces_.size());
  interfaces_.emplace(name, number);
  return number;
}

Result<void> PcapngWriter::write(std::string_view interface, std::uint64_t time_ns, std::uint32_t length,
                                 std::span<const std::uint8_t> frame, std::string_view comment) {
  const std::uint32_t number = interface_number(interface);
  std::string body;
  put(body, number, 4);
  put(body, time_ns >> 32, 4);
  put(body, time_ns & 0xffffffff, 4);
  put(body, frame.size(), 4);
  put(body, length, 4);
  put_padded(body, std::string_view(reinterpret_cast<const char*>(frame.data()), frame.size()));
  put_option(body, kOptionComment, comment);
  put_option(body, kOptionEnd, {});
  write_block(kEnhancedPacket, body);
  return check();
}

Result<void> PcapngWriter::check() {
  if (file_.flush()) return {};
  return os_error(path_, errno != 0 ? errno : EIO);
}

}  // namespace xdplb
