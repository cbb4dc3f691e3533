// SPDX-License-Identifier: GPL-2.0-only
// NetlinkSocket: one netlink socket, mostly NETLINK_ROUTE; sends requests, reads messages, dumps a table.
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "host/netlink.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace xdplb {

class NetlinkSocket {
 public:
  // groups  RTNLGRP_* to join; none for a socket that only asks
  // Errors: os_error.
  static Result<NetlinkSocket> open(std::span<const unsigned> groups);
  // For another family of netlink than NETLINK_ROUTE, such as NETLINK_SOCK_DIAG. Errors: os_error.
  static Result<NetlinkSocket> open_protocol(int protocol);

  int fd() const { return fd_.get(); }

  // The kernel has acted on every request at return; what it refused waits to be read. Errors: os_error.
  Result<void> send(std::span<const std::uint8_t> requests);

  enum class Reading { kEmpty, kMore, kLost };
  // Reads what waits, at most `limit` datagrams, without blocking. kMore: the limit was reached. kLost: the kernel
  // dropped messages since the last call (ENOBUFS); a dump must make up for them. Errors: os_error.
  Result<Reading> receive(unsigned limit, const std::function<void(NetlinkMessage)>& handler);

  // One whole table of links, addresses or neighbours; type is RTM_GETLINK, RTM_GETADDR or RTM_GETNEIGH. Waits for the
  // kernel (microseconds; 2 s at most) and starts over when the table changed meanwhile. Only for a socket without
  // groups and without unread refusals; those are dropped. Errors: os_error.
  Result<std::vector<NetlinkMessage>> dump(std::uint16_t type);

  // What the kernel says to one request.
  struct Answer {
    int number = 0;     // errno, 0: done
    std::string words;  // its own explanation, mostly empty; only after explain()
  };
  using MessageHandler = std::function<void(const nlmsghdr&)>;

  // From now on the kernel explains refusals, and filters dumps by what their request says (kernel 4.20). For a socket
  // that only asks. Errors: os_error.
  Result<void> explain();

  // One request, sequence and acknowledgement filled in, and its answer. Waits as dump() does; the same sockets.
  // Errors: os_error of the socket, not of the kernel's answer.
  Result<Answer> ask(std::vector<std::uint8_t> request);

  // Many requests, sent in batches, and the answer to each, in their order. Errors and waiting: as ask; then it is not
  // known how far it came.
  Result<std::vector<Answer>> ask_all(std::vector<std::vector<std::uint8_t>> requests);

  // One dump by a whole request; sequence filled in. `restart` is called before it begins and each time it starts over.
  // Errors and waiting: as ask.
  Result<Answer> dump(std::vector<std::uint8_t> request, const std::function<void()>& restart,
                      const MessageHandler& handler);

 private:
  explicit NetlinkSocket(FileDescriptor fd);
  struct Conversation {
    bool is_done = false;
    bool was_interrupted = false;  // the table changed while it was read
    Answer answer{};
  };
  Result<std::size_t> await_datagram();
  Result<void> ask_batch(std::span<std::vector<std::uint8_t>> requests, std::span<Answer> answers);
  Result<Conversation> converse(std::vector<std::uint8_t>& request, const MessageHandler& handler);
  void read_part(std::size_t length, const MessageHandler& handler, Conversation& conversation);

  FileDescriptor fd_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace xdplb
