// SPDX-License-Identifier: GPL-2.0-only
#include "packet.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace xdplb::test {
namespace {

// What lies behind a header that is being built.
struct Inner {
  Frame bytes;
  int type = -1;  // EtherType or IP protocol of bytes; -1: nobody said
};

// Network layer that a transport header stands on; both null for none.
struct Network {
  const Ipv4* v4 = nullptr;
  const Ipv6* v6 = nullptr;
};

void put8(Frame& frame, std::size_t value) { frame.push_back(static_cast<std::uint8_t>(value)); }

void put16(Frame& frame, std::size_t value) {
  put8(frame, value >> 8 & 0xff);
  put8(frame, value & 0xff);
}

void put32(Frame& frame, std::size_t value) {
  put16(frame, value >> 16 & 0xffff);
  put16(frame, value & 0xffff);
}

void put(Frame& frame, std::span<const std::uint8_t> bytes) { frame.insert(frame.end(), bytes.begin(), bytes.end()); }

void set16(Frame& frame, std::size_t offset, std::uint16_t value) {
  frame.at(offset) = static_cast<std::uint8_t>(value >> 8);
  frame.at(offset + 1) = static_cast<std::uint8_t>(value & 0xff);
}

Frame padded(Frame bytes, std::size_t unit) {
  while (bytes.size() % unit != 0) bytes.push_back(0);
  return bytes;
}

int choose(int stated, const Inner& inner, int otherwise) {
  if (stated >= 0) return stated;
  return inner.type >= 0 ? inner.type : otherwise;
}

Network network_of(std::span<const Layer> outer) {
  for (std::size_t i = outer.size(); i > 0; --i) {
    if (const auto* v4 = std::get_if<Ipv4>(&outer[i - 1])) return {.v4 = v4, .v6 = nullptr};
    if (const auto* v6 = std::get_if<Ipv6>(&outer[i - 1])) return {.v4 = nullptr, .v6 = v6};
  }
  return {};
}

// Checksum of a transport segment with the pseudo header of RFC 9293 3.1 or RFC 8200 8.1.
std::uint16_t segment_checksum(const Network& network, std::uint8_t protocol, const Frame& segment) {
  Frame sum;
  if (network.v4 != nullptr) {
    put(sum, network.v4->source.bytes());
    put(sum, network.v4->destination.bytes());
    put16(sum, protocol);
    put16(sum, segment.size());
  } else if (network.v6 != nullptr) {
    put(sum, network.v6->source.bytes());
    put(sum, network.v6->destination.bytes());
    put32(sum, segment.size());
    put32(sum, protocol);
  }
  put(sum, segment);
  return internet_checksum(sum);
}

// Puts each kind of header before `inner`.
class Builder {
 public:
  explicit Builder(std::span<const Layer> outer) : network_(network_of(outer)) {}

  void operator()(const Ethernet& layer) {
    put(header_, layer.destination.bytes);
    put(header_, layer.source.bytes);
    put16(header_, layer.type != 0 ? layer.type : choose(-1, inner_, 0x88b5));
    finish(-1);
  }

  void operator()(const Vlan& layer) {
    put16(header_, static_cast<std::size_t>(layer.priority) << 13 | (layer.id & 0xfffU));
    put16(header_, layer.type != 0 ? layer.type : choose(-1, inner_, 0x88b5));
    finish(layer.tag);
  }

  void operator()(const Ipv4& layer) {
    const Frame options = padded(layer.options, 4);
    const std::size_t header_size = 20 + options.size();
    put8(header_, 0x40 | header_size / 4);
    put8(header_, layer.type_of_service);
    put16(header_, header_size + inner_.bytes.size());
    put16(header_, layer.identification);
    put16(header_,
          (layer.dont_fragment ? 0x4000U : 0U) | (layer.more_fragments ? 0x2000U : 0U) | layer.fragment_offset);
    put8(header_, layer.ttl);
    put8(header_, choose(layer.protocol, inner_, 253));
    put16(header_, 0);
    put(header_, layer.source.bytes());
    put(header_, layer.destination.bytes());
    put(header_, options);
    set16(header_, 10, internet_checksum(header_));
    finish(kTypeIpv4);
  }

  void operator()(const Ipv6& layer) {
    put32(header_, 0x60000000);
    put16(header_, inner_.bytes.size());
    put8(header_, choose(layer.next_header, inner_, kNoNextHeader));
    put8(header_, layer.hop_limit);
    put(header_, layer.source.bytes());
    put(header_, layer.destination.bytes());
    finish(kTypeIpv6);
  }

  void operator()(const Ipv6Extension& layer) {
    put8(header_, choose(layer.next_header, inner_, kNoNextHeader));
    put8(header_, 0);
    put(header_, layer.body);
    header_ = padded(std::move(header_), 8);
    // An authentication header counts words less two, the others eight bytes less one.
    const std::size_t size = header_.size();
    header_[1] = static_cast<std::uint8_t>(layer.type == kAuthentication ? size / 4 - 2 : size / 8 - 1);
    finish(layer.type);
  }

  void operator()(const Ipv6Fragment& layer) {
    put8(header_, choose(layer.next_header, inner_, kNoNextHeader));
    put8(header_, 0);
    put16(header_, static_cast<std::size_t>(layer.offset) << 3 | (layer.more_fragments ? 1U : 0U));
    put32(header_, layer.identification);
    finish(kFragment);
  }

  void operator()(const Tcp& layer) {
    const Frame options = padded(layer.options, 4);
    put16(header_, layer.source_port);
    put16(header_, layer.destination_port);
    put32(header_, layer.sequence);
    put32(header_, layer.acknowledgment.value_or((layer.flags & kAck) != 0 ? 0x05060708 : 0));
    put8(header_, (20 + options.size()) / 4 << 4);
    put8(header_, layer.flags);
    put16(header_, layer.window);
    put32(header_, 0);
    put(header_, options);
    finish_segment(kTcp, 16);
  }

  void operator()(const Udp& layer) {
    put16(header_, layer.source_port);
    put16(header_, layer.destination_port);
    put16(header_, 8 + inner_.bytes.size());
    put16(header_, 0);
    finish_segment(kUdp, 6);
    // RFC 768: a sum of 0 is sent as all ones, 0 means none.
    if (inner_.bytes[6] == 0 && inner_.bytes[7] == 0) set16(inner_.bytes, 6, 0xffff);
  }

  void operator()(const Icmp& layer) {
    put8(header_, layer.type);
    put8(header_, layer.code);
    put16(header_, 0);
    put32(header_, layer.rest);
    const bool is_v6 = network_.v6 != nullptr;
    if (!is_v6) network_ = {};
    finish_segment(is_v6 ? kIcmpv6 : kIcmp, 2);
  }

  void operator()(const Payload& layer) {
    header_ = layer.bytes;
    finish(-1);
  }

  Inner build(const Layer& layer, Inner inner) {
    inner_ = std::move(inner);
    std::visit(*this, layer);
    return std::move(inner_);
  }

 private:
  void finish(int type) {
    put(header_, inner_.bytes);
    inner_ = {.bytes = std::move(header_), .type = type};
  }

  void finish_segment(std::uint8_t protocol, std::size_t checksum_offset) {
    finish(protocol);
    set16(inner_.bytes, checksum_offset, segment_checksum(network_, protocol, inner_.bytes));
  }

  Network network_;
  Inner inner_;
  Frame header_;
};

std::string hex_line(const Frame& frame, std::size_t start) {
  std::string line;
  for (std::size_t i = start; i < std::min(start + 16, frame.size()); ++i) line += fmt::format(" {:02x}", frame[i]);
  return line;
}

std::string marks(const Frame& expected, const Frame& actual, std::size_t start) {
  std::string line;
  for (std::size_t i = start; i < start + 16; ++i) {
    const bool in_both = i < expected.size() && i < actual.size();
    const bool in_none = i >= expected.size() && i >= actual.size();
    line += in_none || (in_both && expected[i] == actual[i]) ? "   " : " ^^";
  }
  return line;
}

}  // namespace

MacAddress mac(std::string_view text) {
  const auto parsed = MacAddress::parse(text);
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  return *parsed;
}

IpAddress ip(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  return *parsed;
}

Payload payload(std::size_t size) {
  Payload result;
  for (std::size_t i = 0; i < size; ++i) put8(result.bytes, (i * 7 + 1) & 0xff);
  return result;
}

Payload quoted(Frame bytes, std::size_t size) {
  bytes.resize(std::min(bytes.size(), size));
  return {.bytes = std::move(bytes)};
}

Packet::operator Frame() const {
  Inner inner;
  for (std::size_t i = layers.size(); i > 0; --i) {
    inner = Builder(std::span(layers).first(i - 1)).build(layers[i - 1], std::move(inner));
  }
  return std::move(inner.bytes);
}

std::uint16_t internet_checksum(const Frame& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::string hex_dump(const Frame& frame) {
  std::string text = fmt::format("{} bytes\n", frame.size());
  for (std::size_t i = 0; i < frame.size(); i += 16) text += fmt::format("{:5}:{}\n", i, hex_line(frame, i));
  return text;
}

testing::AssertionResult same_frame(const Frame& expected, const Frame& actual) {
  if (expected == actual) return testing::AssertionSuccess();
  std::string text =
      fmt::format("frames differ: {} bytes expected (-), {} bytes seen (+)\n", expected.size(), actual.size());
  for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); i += 16) {
    const std::string mark = marks(expected, actual, i);
    if (mark.find('^') == std::string::npos) {
      text += fmt::format("  {:5}:{}\n", i, hex_line(expected, i));
      continue;
    }
    text += fmt::format("- {:5}:{}\n+ {:5}:{}\n        {}\n", i, hex_line(expected, i), i, hex_line(actual, i), mark);
  }
  return testing::AssertionFailure() << text;
}

}  // namespace xdplb::test
