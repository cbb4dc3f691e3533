// SPDX-License-Identifier: GPL-2.0-only
#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

namespace xdplb {
namespace {

constexpr std::size_t kLongestQuote = 64;

// Text of a user within a message of one line: unprintable bytes as \xNN, cut when it is long.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kLongestQuote)) {
    if (c >= 0x20 && c < 0x7f) {
      out += c;
      continue;
    }
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out + (text.size() > kLongestQuote ? "...\"" : "\"");
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

std::string format_v4(const std::uint8_t* bytes) {
  return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

struct ZeroRun {
  std::size_t begin = 0;
  std::size_t length = 0;  // groups
};

// The run that "::" stands for: the longest, the first of equals, never a single group (RFC 5952 4.2).
ZeroRun longest_zero_run(std::span<const std::uint16_t, 8> groups) {
  ZeroRun best;
  for (std::size_t begin = 0; begin < groups.size(); ++begin) {
    std::size_t end = begin;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - begin > best.length) best = {.begin = begin, .length = end - begin};
    begin = end;
  }
  return best.length > 1 ? best : ZeroRun{};
}

// inet_ntop of glibc writes ::/96 with a dotted quad ("::0.1.0.2"), which RFC 5952 keeps for known prefixes like
// ::ffff:0:0/96.
std::string format_v6(std::span<const std::uint8_t> bytes) {
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  const ZeroRun run = longest_zero_run(groups);
  if (run.begin == 0 && run.length == 5 && groups[5] == 0xffff) return "::ffff:" + format_v4(&bytes[12]);
  std::string out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (run.length != 0 && i == run.begin) {
      out += "::";
      i += run.length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

std::optional<MacAddress> read_mac(std::string_view text) {
  MacAddress mac;
  if (text.size() != 3 * mac.bytes.size() - 1) return std::nullopt;
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) {
    const auto high = hex_digit(text[3 * i]);
    const auto low = hex_digit(text[3 * i + 1]);
    if (!high || !low || (i > 0 && text[3 * i - 1] != ':')) return std::nullopt;
    mac.bytes[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return mac;
}

Error bad_endpoint(std::string_view text, std::string_view reason) {
  return fail(ErrorCode::kUsage,
              fmt::format("endpoint {}: {}, write ADDRESS:PORT like 192.0.2.10:443 or [2001:db8::10]:443", quoted(text),
                          reason));
}

}  // namespace

std::string_view family_name(Family family) { return family == Family::kV4 ? "v4" : "v6"; }

Result<MacAddress> MacAddress::parse(std::string_view text) {
  if (const auto mac = read_mac(text)) return *mac;
  return fail(ErrorCode::kUsage, fmt::format("MAC address {}: write it like 02:00:00:00:00:01", quoted(text)));
}

std::string MacAddress::to_string() const { return fmt::format("{:02x}", fmt::join(bytes, ":")); }

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
  IpAddress address;
  address.family_ = Family::kV6;
  address.bytes_ = bytes;
  return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  const bool is_v6 = text.find(':') != std::string_view::npos;
  std::array<std::uint8_t, 16> bytes{};
  // A byte of zero would end the text for inet_pton before its real end.
  const bool is_whole = text.find('\0') == std::string_view::npos;
  if (!is_whole || inet_pton(is_v6 ? AF_INET6 : AF_INET, terminated.c_str(), bytes.data()) != 1) {
    return fail(ErrorCode::kUsage,
                fmt::format("address {}: write an IPv4 or IPv6 address like 192.0.2.10 or 2001:db8::10", quoted(text)));
  }
  return is_v6 ? v6(bytes) : v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

std::string IpAddress::to_string() const { return is_v4() ? format_v4(bytes_.data()) : format_v6(bytes_); }

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const { return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff; }

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_broadcast() const { return *this == v4({255, 255, 255, 255}); }

IpAddress solicited_node_group(const IpAddress& address) {
  const auto bytes = address.bytes();
  return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, bytes[13], bytes[14], bytes[15]});
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) {
    return fail(
        ErrorCode::kUsage,
        fmt::format("network {}: write ADDRESS or ADDRESS/BITS like 192.0.2.0/24 or 2001:db8::/32", quoted(text)));
  }
  const auto bits = static_cast<std::uint8_t>(8 * address->bytes().size());
  if (slash == std::string_view::npos) return IpPrefix{.address = *address, .length = bits};
  const auto length = parse_number(text.substr(slash + 1), bits, "length");
  if (!length) return fail(ErrorCode::kUsage, fmt::format("network {}: {}", quoted(text), length.error().message));
  return IpPrefix{.address = *address, .length = static_cast<std::uint8_t>(*length)};
}

IpPrefix IpPrefix::network() const {
  std::array<std::uint8_t, 16> bytes{};
  const auto ours = address.bytes();
  const std::size_t whole = length / 8;
  std::copy_n(ours.begin(), std::min(whole, ours.size()), bytes.begin());
  if (whole < ours.size()) bytes[whole] = static_cast<std::uint8_t>(ours[whole] & ~(0xffU >> length % 8U));
  const bool is_v4 = address.is_v4();
  return {.address = is_v4 ? IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}) : IpAddress::v6(bytes),
          .length = length};
}

bool IpPrefix::contains(const IpAddress& other) const {
  const auto ours = address.bytes();
  const auto theirs = other.bytes();
  if (address.family() != other.family() || length > 8 * ours.size()) return false;
  const std::size_t whole = length / 8;
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin())) return false;
  const unsigned rest = length % 8U;
  return rest == 0 || (ours[whole] ^ theirs[whole]) >> (8 - rest) == 0;
}

std::string IpPrefix::to_string() const { return fmt::format("{}/{}", address.to_string(), length); }

std::string_view protocol_name(Protocol protocol) { return protocol == Protocol::kTcp ? "tcp" : "udp"; }

Result<Protocol> parse_protocol(std::string_view text) {
  if (text == "tcp") return Protocol::kTcp;
  if (text == "udp") return Protocol::kUdp;
  return fail(ErrorCode::kUsage, fmt::format("protocol {}: write tcp or udp", quoted(text)));
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool is_bracketed = text.starts_with('[') && bracket != std::string_view::npos;
  if (colon == std::string_view::npos || (is_bracketed && colon < bracket)) {
    return bad_endpoint(text, "the port is missing");
  }
  std::string_view host = text.substr(0, colon);
  if (is_bracketed && bracket + 1 != colon) return bad_endpoint(text, "nothing belongs between ] and :PORT");
  if (is_bracketed) host = host.substr(1, bracket - 1);
  if (!is_bracketed && host.find(':') != std::string_view::npos) {
    return bad_endpoint(text, "an IPv6 address needs [ ] when a port follows");
  }
  const auto address = IpAddress::parse(host);
  if (!address || address->is_v6() != is_bracketed) {
    return bad_endpoint(text, fmt::format("{} is no {} address", quoted(host), is_bracketed ? "IPv6" : "IPv4"));
  }
  const std::string_view port_text = text.substr(colon + 1);
  if (port_text.empty()) return bad_endpoint(text, "the port is missing");
  const auto port = parse_number(port_text, 65535, "port");
  if (!port) return bad_endpoint(text, port.error().message);
  return Endpoint{.address = *address, .port = static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  return address.is_v6() ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<std::uint32_t> parse_number(std::string_view text, std::uint32_t max, std::string_view what) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  // from_chars takes no sign for an unsigned type and no leading spaces.
  const bool is_number = stop == end && (code == std::errc{} || code == std::errc::result_out_of_range);
  if (is_number && code == std::errc{} && value <= max) return value;
  const std::string_view reason = is_number ? "is not" : "is not a whole number";
  return fail(ErrorCode::kUsage, fmt::format("{} {} {} in 0..{}", what, quoted(text), reason, max));
}

}  // namespace xdplb
