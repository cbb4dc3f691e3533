// SPDX-License-Identifier: GPL-2.0-only
#include "server/facts_listeners.h"

#include "host/netlink_attributes.h"
#include "host/netlink_socket.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstring>

namespace xdplb {
namespace {

std::vector<std::uint8_t> make_request(int family, Protocol protocol) {
  std::vector<std::uint8_t> request(NLMSG_LENGTH(sizeof(inet_diag_req_v2)));
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(request.size());
  header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  inet_diag_req_v2 about{};
  about.sdiag_family = static_cast<std::uint8_t>(family);
  about.sdiag_protocol = static_cast<std::uint8_t>(protocol);
  // A UDP socket without peer is "closed" in the kernel's words.
  about.idiag_states = 1U << (protocol == Protocol::kTcp ? TCP_LISTEN : TCP_CLOSE);
  std::memcpy(request.data(), &header, sizeof(header));
  std::memcpy(request.data() + NLMSG_HDRLEN, &about, sizeof(about));
  return request;
}

// ::ffff:192.0.2.10 of an IPv6 socket takes IPv4 packets.
IpAddress unmapped(const IpAddress& address) {
  static constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto bytes = address.bytes();
  if (!address.is_v6() || !std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return address;
  std::array<std::uint8_t, 4> last{};
  std::copy_n(bytes.begin() + kMapped.size(), last.size(), last.begin());
  return IpAddress::v4(last);
}

void read_listener(const nlmsghdr& message, Protocol protocol, std::vector<Listener>& out) {
  const auto* header = family_header<inet_diag_msg>(message);
  if (message.nlmsg_type != SOCK_DIAG_BY_FAMILY || header == nullptr) return;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header->id.idiag_src);
  const auto address = make_address({bytes, header->idiag_family == AF_INET ? 4U : 16U}, header->idiag_family);
  const std::uint16_t port = ntohs(header->id.idiag_sport);
  if (!address || port == 0) return;
  AttributeTable attributes;
  attributes.parse(message, sizeof(inet_diag_msg));
  out.push_back({.protocol = protocol,
                 .address = unmapped(*address),
                 .port = port,
                 .is_v6_only = attributes.byte(INET_DIAG_SKV6ONLY).value_or(0) != 0,
                 .ifindex = header->id.idiag_if});
}

}  // namespace

Result<std::vector<Listener>> read_listeners() {
  auto socket = NetlinkSocket::open_protocol(NETLINK_SOCK_DIAG);
  if (!socket) return socket.error();
  std::vector<Listener> all;
  for (Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
    for (int family : {AF_INET, AF_INET6}) {
      std::vector<Listener> found;
      auto answer = socket->dump(
          make_request(family, protocol), [&] { found.clear(); },
          [&](const nlmsghdr& message) { read_listener(message, protocol, found); });
      if (!answer) return answer.error();
      if (answer->number != 0) {
        return os_error("sock_diag: list the sockets of " + std::string(protocol_name(protocol)), answer->number);
      }
      all.insert(all.end(), found.begin(), found.end());
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace xdplb
