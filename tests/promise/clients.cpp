// SPDX-License-Identifier: GPL-2.0-only
#include "clients.h"

#include <linux/bpf.h>
#include <fmt/format.h>

namespace xdplb::test {
namespace {

constexpr std::size_t kFlagsInTcp = 13;

Frame make_packet(const IpAddress& client, std::uint16_t client_port, const IpAddress& vipa, const PortConfig& port) {
  const Ethernet ethernet{.destination = mac("02:00:00:00:00:01"), .source = mac("02:00:00:00:99:01")};
  const bool is_tcp = port.protocol == Protocol::kTcp;
  const Tcp tcp{.source_port = client_port, .destination_port = port.port, .flags = kAck | kPsh};
  const Udp udp{.source_port = client_port, .destination_port = port.port};
  if (client.is_v4()) {
    const Ipv4 header{.source = client, .destination = vipa};
    return is_tcp ? Frame(ethernet / header / tcp / payload(8)) : Frame(ethernet / header / udp / payload(8));
  }
  const Ipv6 header{.source = client, .destination = vipa};
  return is_tcp ? Frame(ethernet / header / tcp / payload(8)) : Frame(ethernet / header / udp / payload(8));
}

std::size_t flags_offset(const Frame& frame) { return (frame[12] == 0x08 ? 14 + 20 : 14 + 40) + kFlagsInTcp; }

Frame with_flags(Frame frame, std::uint8_t flags) {
  frame[flags_offset(frame)] = flags;
  return frame;
}

}  // namespace

Clients::Clients(const std::vector<PortConfig>& ports, std::size_t count, std::uint64_t seed)
    : ports_(ports), random_(seed) {
  const std::vector<IpAddress> vipas{ip("192.0.2.10"), ip("192.0.2.11"), ip("2001:db8::10")};
  for (std::size_t i = 0; i < count; ++i) {
    const auto& port = ports_[random_() % ports_.size()];
    const auto& vipa = vipas[random_() % vipas.size()];
    const auto host = static_cast<std::uint8_t>(random_() % 200), net = static_cast<std::uint8_t>(random_() % 16);
    const IpAddress client = vipa.is_v4()
                                 ? IpAddress::v4({198, 18, net, host})
                                 : IpAddress::v6({0x20, 1, 0xd, 0xb8, 1, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, host});
    connections_.push_back({.frame = make_packet(client, static_cast<std::uint16_t>(1024 + i % 60000), vipa, port),
                            .is_tcp = port.protocol == Protocol::kTcp});
  }
}

bool Clients::talk(const Farm& farm, std::size_t number, std::uint32_t now) {
  auto& connection = connections_[number];
  const bool opens = !connection.is_open;
  const Sent sent = farm.send(opens && connection.is_tcp ? with_flags(connection.frame, kSyn) : connection.frame);
  ++packets_;
  if (opens) {
    connection.is_open = sent.server.has_value();
    connection.owner = sent.server.value_or(-1);
    connection.heard = now;
    if (!connection.is_open) return true;
    ++opened_;
    // The handshake ends at once: nothing but SYN would be forgotten within seconds.
    return !connection.is_tcp || talk(farm, number, now);
  }
  if (sent.server == connection.owner) {
    connection.heard = now;
    return true;
  }
  // On a slow machine seconds may have passed since its last packet.
  if (farm.now() - connection.heard + 1 >= farm.stale_ticks()) {
    connection.is_open = false;
    return true;
  }
  complaint_ = fmt::format("connection {} of server {}, last heard {} ticks ago: verdict {}, server {}", number,
                           connection.owner, now - connection.heard, sent.verdict, sent.server.value_or(-1));
  return false;
}

void Clients::close(const Farm& farm, std::size_t number) {
  auto& connection = connections_[number];
  if (!connection.is_open) return;
  if (connection.is_tcp) farm.send(with_flags(connection.frame, kFin | kAck));
  connection.is_open = false;
}

void Clients::flood(const Farm& farm, unsigned packets) {
  for (unsigned i = 0; i < packets; ++i) {
    const auto& port = ports_[random_() % ports_.size()];
    const IpAddress client =
        IpAddress::v4({203, 0, static_cast<std::uint8_t>(random_()), static_cast<std::uint8_t>(random_())});
    Frame frame = make_packet(client, static_cast<std::uint16_t>(random_()), ip("192.0.2.10"), port);
    farm.send(port.protocol == Protocol::kTcp ? with_flags(std::move(frame), kSyn) : frame);
    ++packets_;
  }
}

void Clients::forget_owner(int server) {
  for (auto& connection : connections_)
    if (connection.owner == server) connection.is_open = false;
}

void Clients::forget_silent(std::uint32_t now, std::uint32_t stale_ticks) {
  for (auto& connection : connections_)
    if (now - connection.heard > stale_ticks) connection.is_open = false;
}

}  // namespace xdplb::test
