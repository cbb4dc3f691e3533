// SPDX-License-Identifier: GPL-2.0-only
// KernelObjects: addresses, routes and published neighbours of this network namespace as the kernel's own messages, so
// that what is taken away can be put back with all its attributes.
#pragma once

#include "base/result.h"
#include "host/netlink_socket.h"
#include "net/address.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

enum class KernelObjectKind : std::uint8_t { kAddress, kRoute, kPublished };

// What is needed to find one, and the message that makes it anew. Two are the same when their identities are: it leaves
// out what changes by itself (lifetimes, states).
struct KernelObject {
  KernelObjectKind kind = KernelObjectKind::kAddress;
  IpPrefix prefix{};                       // the address, a route's destination, or what is published
  std::vector<std::uint32_t> ifindexes{};  // one; of a route none or one a next hop; 0: on every interface
  std::vector<IpAddress> gateways{};       // of a route, one a next hop that has one
  std::optional<IpAddress> source{};       // RTA_PREFSRC
  std::uint32_t table = 0;
  std::uint32_t priority = 0;
  std::uint8_t type = 0;                // RTN_*
  std::uint8_t protocol = 0;            // of a route: 2, the kernel made it
  bool is_tentative = false;            // of an address: duplicate address detection is at work
  bool lives_for_ever = true;           // no lifetime, and not made by the kernel out of a router's advertisement
  std::vector<std::uint8_t> message{};  // a whole RTM_NEW* request without flags and sequence
  std::vector<std::uint8_t> identity{};
  bool operator==(const KernelObject& other) const { return identity == other.identity; }
};
using KernelObjectList = std::vector<KernelObject>;

// `message` must be whole. nullopt for another kind of message, another family, cached routes and cached states. Pure.
std::optional<KernelObject> parse_kernel_object(const nlmsghdr& message);
// The same for bytes from a file; nullopt also for bytes that are no message.
std::optional<KernelObject> parse_kernel_object(std::span<const std::uint8_t> bytes);

// An address as KernelObjects::put() makes it: a host address without route besides the local one, IPv6 without
// duplicate address detection. scope: RT_SCOPE_*.
KernelObject make_host_address(std::uint32_t ifindex, const IpAddress& address, std::uint8_t scope);

// The route without its preferred source.
KernelObject without_source(const KernelObject& route);

// "192.0.2.10/32", "route 192.0.2.0/24"
std::string to_text(const KernelObject& object);

// Every call is one or more round trips to the kernel. Errors: os_error naming the object.
class KernelObjects {
 public:
  static Result<KernelObjects> open();

  // All of them, of each kind and family in the kernel's order.
  Result<KernelObjectList> read();
  // Makes it; false: there is one already.
  Result<bool> put(const KernelObject& object);
  // False: there is none.
  Result<bool> drop(const KernelObject& object);
  // In place of the one of equal destination, table and priority.
  Result<void> replace_route(const KernelObject& route);
  Result<void> set_up(std::uint32_t ifindex, bool is_up);

 private:
  explicit KernelObjects(NetlinkSocket socket) : socket_(std::move(socket)) {}
  Result<void> dump(std::vector<std::uint8_t> request, KernelObjectList& out);
  Result<NetlinkSocket::Answer> request(std::uint16_t type, std::uint16_t flags, const KernelObject& object);

  NetlinkSocket socket_;
};

}  // namespace xdplb
