// SPDX-License-Identifier: GPL-2.0-only
// NetlinkSocket: one NETLINK_ROUTE socket; sends requests, reads messages, dumps a table.
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "host/netlink.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace xdplb {

class NetlinkSocket {
 public:
  // groups  RTNLGRP_* to join; none for a socket that only asks
  // Errors: os_error.
  static Result<NetlinkSocket> open(std::span<const unsigned> groups);

  int fd() const { return fd_.get(); }

  // The kernel has acted on every request at return; what it refused waits to be read. Errors: os_error.
  Result<void> send(std::span<const std::uint8_t> requests);

  enum class Reading { kEmpty, kMore, kLost };
  // Reads what waits, at most `limit` datagrams, without blocking. kMore: the limit was reached. kLost: the kernel
  // dropped messages since the last call (ENOBUFS); a dump must make up for them. Errors: os_error.
  Result<Reading> receive(unsigned limit, const std::function<void(NetlinkMessage)>& handler);

  // One whole table; type is RTM_GETLINK, RTM_GETADDR or RTM_GETNEIGH. Waits for the kernel (microseconds; 2 s at
  // most) and starts over when the table changed meanwhile. Only for a socket without groups and without unread
  // refusals; those are dropped. Errors: os_error.
  Result<std::vector<NetlinkMessage>> dump(std::uint16_t type);

 private:
  explicit NetlinkSocket(FileDescriptor fd);
  struct Dump {
    std::vector<NetlinkMessage> messages;
    bool is_done = false;
    bool was_interrupted = false;  // the table changed while it was read
    int error_number = 0;
  };
  Result<Dump> dump_once(std::uint16_t type);
  void read_dump_part(std::size_t length, Dump& dump);

  FileDescriptor fd_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace xdplb
