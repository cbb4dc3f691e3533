// SPDX-License-Identifier: GPL-2.0-only
// PacketSocket: sends and hears whole Ethernet frames of one kind on one interface.
#pragma once

#include "base/result.h"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace xdplb {

// What the socket hears. Anything else is left in the kernel by a filter.
enum class PacketKind : std::uint8_t {
  kArp,
  kNeighborDiscovery,  // ICMPv6 types 135 and 136 without extension headers
  kEchoReplyV4,        // ICMP type 0; no later fragments
  kEchoReplyV6,        // ICMPv6 type 129 without extension headers
};

// Needs CAP_NET_RAW. Not thread-safe.
class PacketSocket {
 public:
  // frame   whole, without FCS and without a VLAN tag the kernel took off; valid during the call
  // tagged  such a tag with a VLAN id was there, so the frame belongs to a VLAN interface; also set for a frame to
  // another
  //         station's MAC (promiscuous mode), which the kernel marks alike
  using FrameHandler = std::function<void(std::span<const std::uint8_t> frame, bool tagged)>;

  // Hears nothing of what this host itself sends on the interface. `name` is for messages. The io_context must outlive
  // the socket. Errors: os_error naming the interface.
  static Result<std::unique_ptr<PacketSocket>> open(boost::asio::io_context& io, std::uint32_t ifindex,
                                                    const std::string& name, PacketKind kind);
  ~PacketSocket();
  PacketSocket(const PacketSocket&) = delete;
  PacketSocket& operator=(const PacketSocket&) = delete;

  // Starts hearing. The handler may destroy the socket.
  void on_frame(FrameHandler handler);

  // frame  whole, from the destination MAC on. Success says the kernel took it, not that it left: an interface without
  // carrier
  //        takes frames, too. Errors: os_error naming the interface (ENETDOWN: it is down).
  Result<void> send(std::span<const std::uint8_t> frame);
  // errno of the last send() that failed; 0 when none did yet.
  int last_errno() const;

 private:
  class Impl;
  explicit PacketSocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
