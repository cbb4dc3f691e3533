// SPDX-License-Identifier: GPL-2.0-only
// Where a probe goes, as Asio and the kernel take it.
#pragma once

#include "net/address.h"

#include <boost/asio/ip/address.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace xdplb {

inline boost::asio::ip::address asio_address(const IpAddress& address) {
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    boost::asio::ip::address_v4::bytes_type v4{};
    std::copy(bytes.begin(), bytes.end(), v4.begin());
    return boost::asio::ip::address_v4(v4);
  }
  boost::asio::ip::address_v6::bytes_type v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return boost::asio::ip::address_v6(v6);
}

// Sockets with the mark take the route of their server (host/probe_routes.h). 0, or an errno.
inline int set_mark(int fd, std::uint32_t mark) {
  if (mark == 0 || ::setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0) return 0;
  return errno;
}

}  // namespace xdplb
