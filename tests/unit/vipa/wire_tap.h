// SPDX-License-Identifier: GPL-2.0-only
// WireTap: every frame that hosts send into the switch of a Sandbox, in order, with the port it came in by.
#pragma once

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "net/arp_packet.h"
#include "net/nd_packet.h"
#include "sandbox.h"

namespace xdplb {

struct TappedFrame {
  std::string from;  // the interface plugged in at the port: "e0"
  std::vector<std::uint8_t> bytes;
  std::chrono::steady_clock::time_point read_at;
};

class WireTap {
 public:
  // Of one switch; hears from now on. A socket of one protocol would hear nothing: the bridge takes the frames first.
  static WireTap open(const NetworkNamespace& lan) {
    return lan.inside([] {
      WireTap tap;
      tap.fd_ = FileDescriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
      EXPECT_TRUE(tap.fd_.is_open());
      int on = 1;
      EXPECT_EQ(::setsockopt(tap.fd_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), 0);
      int bytes = 16 << 20;
      EXPECT_EQ(::setsockopt(tap.fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)), 0);
      return tap;
    });
  }

  // Reads what came since the last call.
  void drain(const NetworkNamespace& lan) {
    lan.inside([this] {
      std::array<std::uint8_t, 2048> bytes;
      for (;;) {
        sockaddr_ll from{};
        socklen_t length = sizeof(from);
        auto size = ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (size < 0) return;
        std::array<char, IF_NAMESIZE> name{};
        ::if_indextoname(static_cast<unsigned>(from.sll_ifindex), name.data());
        std::string port = name.data();
        if (!port.starts_with("port-")) continue;
        frames_.push_back({.from = port.substr(5),
                           .bytes = {bytes.begin(), bytes.begin() + size},
                           .read_at = std::chrono::steady_clock::now()});
      }
    });
  }

  const std::vector<TappedFrame>& frames() const { return frames_; }
  void clear() { frames_.clear(); }

 private:
  FileDescriptor fd_;
  std::vector<TappedFrame> frames_;
};

// What is sent about one address by any interface of the dispatcher: probes, questions, claims, answers.
inline bool is_about(const TappedFrame& frame, const IpAddress& address) {
  if (auto arp = decode_arp(frame.bytes)) {
    return arp->packet.sender_ip == address || arp->packet.target_ip == address;
  }
  if (auto advertisement = decode_advertisement(frame.bytes)) return advertisement->target == address;
  if (auto solicitation = decode_solicitation(frame.bytes)) return solicitation->target == address;
  return false;
}

// A "V-frame": it says that its sender has the address.
inline bool claims(const TappedFrame& frame, const IpAddress& address) {
  if (auto arp = decode_arp(frame.bytes)) return arp->packet.sender_ip == address;
  auto advertisement = decode_advertisement(frame.bytes);
  return advertisement && advertisement->target == address;
}

}  // namespace xdplb
