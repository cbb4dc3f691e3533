// SPDX-License-Identifier: GPL-2.0-only
#include "host/multicast.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>

namespace xdplb {
namespace {

int change_membership(int fd, int option, const NeighborKey& key) {
  ipv6_mreq request{};
  auto bytes = key.address.bytes();
  std::copy(bytes.begin(), bytes.end(), request.ipv6mr_multiaddr.s6_addr);
  request.ipv6mr_interface = key.ifindex;
  return ::setsockopt(fd, IPPROTO_IPV6, option, &request, sizeof(request)) == 0 ? 0 : errno;
}

bool is_full(int error_number) { return error_number == ENOMEM || error_number == ENOBUFS; }

}  // namespace

Result<void> MulticastGroups::join(std::uint32_t ifindex, const IpAddress& group) {
  NeighborKey key{.ifindex = ifindex, .address = group};
  auto entry = memberships_.find(key);
  if (entry != memberships_.end()) {
    ++entry->second.users;
    return {};
  }
  auto socket = join_somewhere(key);
  if (!socket) return socket.error();
  memberships_[key] = Membership{.socket = *socket, .users = 1};
  return {};
}

Result<std::size_t> MulticastGroups::join_somewhere(const NeighborKey& key) {
  std::string what = "interface " + std::to_string(key.ifindex) + ": join group " + key.address.to_string();
  for (std::size_t i = sockets_.size(); i > 0; --i) {
    int error_number = change_membership(sockets_[i - 1].get(), IPV6_JOIN_GROUP, key);
    if (error_number == 0) return i - 1;
    if (!is_full(error_number)) return os_error(what, error_number);
  }
  FileDescriptor fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return os_error(what, errno);
  if (int error_number = change_membership(fd.get(), IPV6_JOIN_GROUP, key)) return os_error(what, error_number);
  sockets_.push_back(std::move(fd));
  return sockets_.size() - 1;
}

void MulticastGroups::leave(std::uint32_t ifindex, const IpAddress& group) {
  auto entry = memberships_.find({.ifindex = ifindex, .address = group});
  if (entry == memberships_.end() || --entry->second.users > 0) return;
  drop(entry->first, entry->second);
  memberships_.erase(entry);
}

void MulticastGroups::leave_all(std::uint32_t ifindex) {
  for (auto entry = memberships_.begin(); entry != memberships_.end();) {
    if (entry->first.ifindex != ifindex) {
      ++entry;
      continue;
    }
    drop(entry->first, entry->second);
    entry = memberships_.erase(entry);
  }
}

void MulticastGroups::drop(const NeighborKey& key, const Membership& membership) {
  // Fails only when the interface is gone, and its memberships with it.
  change_membership(sockets_[membership.socket].get(), IPV6_LEAVE_GROUP, key);
}

}  // namespace xdplb
