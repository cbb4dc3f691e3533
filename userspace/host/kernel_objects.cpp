// SPDX-License-Identifier: GPL-2.0-only
#include "host/kernel_objects.h"

#include "host/route_netlink.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace xdplb {
namespace {

template <typename T>
std::vector<std::uint8_t> make_message(std::uint16_t type, std::uint16_t flags, const T& body) {
  std::vector<std::uint8_t> message(NLMSG_SPACE(sizeof(T)));
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(message.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = NLM_F_REQUEST | flags;
  std::memcpy(message.data(), &header, sizeof(header));
  std::memcpy(message.data() + NLMSG_HDRLEN, &body, sizeof(T));
  return message;
}

std::vector<std::uint8_t> make_published_dump(int family) {
  ndmsg body{};
  body.ndm_family = static_cast<std::uint8_t>(family);
  body.ndm_flags = NTF_PROXY;
  return make_message(RTM_GETNEIGH, NLM_F_DUMP, body);
}

std::string verb_text(std::uint16_t type) {
  const bool makes = type == RTM_NEWADDR || type == RTM_NEWROUTE || type == RTM_NEWNEIGH;
  return makes ? ": add" : ": remove";
}

std::uint16_t message_type(const KernelObject& object, bool makes) {
  switch (object.kind) {
    case KernelObjectKind::kAddress:
      return makes ? RTM_NEWADDR : RTM_DELADDR;
    case KernelObjectKind::kRoute:
      return makes ? RTM_NEWROUTE : RTM_DELROUTE;
    case KernelObjectKind::kPublished:
      break;
  }
  return makes ? RTM_NEWNEIGH : RTM_DELNEIGH;
}

Error refusal(const KernelObject& object, std::uint16_t type, const NetlinkSocket::Answer& answer) {
  const std::string what = to_text(object) + verb_text(type);
  return os_error(answer.words.empty() ? what : what + " (" + answer.words + ")", answer.number);
}

bool says_absent(int number) {
  return number == EADDRNOTAVAIL || number == ESRCH || number == ENOENT || number == ENODEV;
}

}  // namespace

std::string to_text(const KernelObject& object) {
  switch (object.kind) {
    case KernelObjectKind::kAddress:
      return "address " + object.prefix.to_string();
    case KernelObjectKind::kRoute:
      return "route " + object.prefix.to_string() + " table " + std::to_string(object.table);
    case KernelObjectKind::kPublished:
      break;
  }
  return "neighbour proxy " + object.prefix.address.to_string();
}

KernelObject make_host_address(std::uint32_t ifindex, const IpAddress& address, std::uint8_t scope) {
  const IpPrefix prefix{.address = address, .length = static_cast<std::uint8_t>(8 * address.bytes().size())};
  auto request = make_address_request(RTM_NEWADDR, 0, ifindex, prefix);
  auto* body = reinterpret_cast<ifaddrmsg*>(request.data() + NLMSG_HDRLEN);
  body->ifa_scope = scope;
  auto object = parse_kernel_object(request);
  return object ? *object : KernelObject{};
}

Result<KernelObjects> KernelObjects::open() {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  if (auto explained = socket->explain(); !explained) return explained.error();
  return KernelObjects(std::move(*socket));
}

Result<void> KernelObjects::dump(std::vector<std::uint8_t> request, KernelObjectList& out) {
  const std::size_t before = out.size();
  auto answer = socket_.dump(
      std::move(request), [&] { out.erase(out.begin() + static_cast<std::ptrdiff_t>(before), out.end()); },
      [&](const nlmsghdr& message) {
        if (auto object = parse_kernel_object(message)) out.push_back(std::move(*object));
      });
  if (!answer) return answer.error();
  // A kernel without IPv6 has none of its tables.
  const bool is_absent = answer->number == EAFNOSUPPORT || answer->number == EOPNOTSUPP || answer->number == ENOENT;
  if (answer->number != 0 && !is_absent) return os_error("netlink: list addresses and routes", answer->number);
  return {};
}

Result<KernelObjectList> KernelObjects::read() {
  KernelObjectList all;
  for (Family family : {Family::kV4, Family::kV6}) {
    for (auto request : {make_address_dump(family), make_route_dump(family, 0, 0),
                         make_published_dump(family == Family::kV4 ? AF_INET : AF_INET6)}) {
      if (auto read = dump(std::move(request), all); !read) return read.error();
    }
  }
  return all;
}

Result<NetlinkSocket::Answer> KernelObjects::request(std::uint16_t type, std::uint16_t flags,
                                                     const KernelObject& object) {
  std::vector<std::uint8_t> message = object.message;
  auto* header = reinterpret_cast<nlmsghdr*>(message.data());
  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST | flags;
  return socket_.ask(std::move(message));
}

Result<bool> KernelObjects::put(const KernelObject& object) {
  // An address must not be there; a route may have others beside it.
  const bool is_route = object.kind == KernelObjectKind::kRoute;
  const std::uint16_t type = message_type(object, true);
  auto answer = request(type, NLM_F_CREATE | (is_route ? NLM_F_APPEND : NLM_F_EXCL), object);
  if (!answer) return answer.error();
  if (answer->number == EEXIST) return false;
  if (answer->number != 0) return refusal(object, type, *answer);
  return true;
}

Result<bool> KernelObjects::drop(const KernelObject& object) {
  const std::uint16_t type = message_type(object, false);
  auto answer = request(type, 0, object);
  if (!answer) return answer.error();
  if (says_absent(answer->number)) return false;
  if (answer->number != 0) return refusal(object, type, *answer);
  return true;
}

Result<void> KernelObjects::replace_route(const KernelObject& route) {
  auto answer = request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
  if (!answer) return answer.error();
  if (answer->number != 0) return refusal(route, RTM_NEWROUTE, *answer);
  return {};
}

Result<void> KernelObjects::set_up(std::uint32_t ifindex, bool is_up) {
  ifinfomsg body{};
  body.ifi_index = static_cast<int>(ifindex);
  body.ifi_change = IFF_UP;
  body.ifi_flags = is_up ? IFF_UP : 0;
  auto answer = socket_.ask(make_message(RTM_NEWLINK, 0, body));
  if (!answer) return answer.error();
  if (answer->number != 0) {
    return os_error("interface " + std::to_string(ifindex) + (is_up ? ": set up" : ": set down"), answer->number);
  }
  return {};
}

}  // namespace xdplb
