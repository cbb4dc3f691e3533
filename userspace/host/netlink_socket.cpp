// SPDX-License-Identifier: GPL-2.0-only
#include "host/netlink_socket.h"

#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

namespace xdplb {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;      // a dump part is at most 32 KiB
constexpr int kReceiveQueueBytes = 8 * 1024 * 1024;  // several thousand events
constexpr int kDumpTimeoutMs = 2000;
constexpr int kDumpAttempts = 4;

// One datagram of the kernel into `buffer`. Returns its length, 0 for one that is not the kernel's, or -errno.
ssize_t read_datagram(int fd, std::vector<std::uint8_t>& buffer) {
  sockaddr_nl sender{};
  socklen_t sender_length = sizeof(sender);
  ssize_t length =
      ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&sender), &sender_length);
  if (length < 0) return -errno;
  return sender.nl_pid == 0 ? length : 0;
}

}  // namespace

NetlinkSocket::NetlinkSocket(FileDescriptor fd) : fd_(std::move(fd)), buffer_(kBufferBytes) {}

Result<NetlinkSocket> NetlinkSocket::open(std::span<const unsigned> groups) {
  FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd.is_open()) return os_error("netlink: open a route socket", errno);
  // FORCE needs CAP_NET_ADMIN; without it the smaller queue only means more dumps.
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveQueueBytes, sizeof(kReceiveQueueBytes)) != 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveQueueBytes, sizeof(kReceiveQueueBytes));
  }
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0) {
    return os_error("netlink: bind a route socket", errno);
  }
  for (unsigned group : groups) {
    int value = static_cast<int>(group);
    if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &value, sizeof(value)) != 0) {
      return os_error("netlink: join route group " + std::to_string(group), errno);
    }
  }
  return NetlinkSocket(std::move(fd));
}

Result<void> NetlinkSocket::send(std::span<const std::uint8_t> requests) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = ::sendto(fd_.get(), requests.data(), requests.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                          sizeof(kernel));
  if (sent < 0) return os_error("netlink: send a request", errno);
  return {};
}

Result<NetlinkSocket::Reading> NetlinkSocket::receive(unsigned limit,
                                                      const std::function<void(NetlinkMessage)>& handler) {
  for (unsigned count = 0; count < limit; ++count) {
    ssize_t length = read_datagram(fd_.get(), buffer_);
    if (length == -EAGAIN) return Reading::kEmpty;
    if (length == -ENOBUFS) return Reading::kLost;
    if (length == -EINTR) continue;
    if (length < 0) return os_error("netlink: read events", static_cast<int>(-length));
    int rest = static_cast<int>(length);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    while (mnl_nlmsg_ok(message, rest)) {
      handler(parse_netlink(*message));
      message = mnl_nlmsg_next(message, &rest);
    }
  }
  return Reading::kMore;
}

Result<std::vector<NetlinkMessage>> NetlinkSocket::dump(std::uint16_t type) {
  for (int attempt = 1;; ++attempt) {
    auto dump = dump_once(type);
    if (!dump) return dump.error();
    // A table that changes all the time: take what came, the events that follow put it right.
    if (!dump->was_interrupted || attempt == kDumpAttempts) return std::move(dump->messages);
  }
}

Result<NetlinkSocket::Dump> NetlinkSocket::dump_once(std::uint16_t type) {
  if (auto sent = send(make_dump_request(type, ++sequence_)); !sent) return sent.error();
  Dump dump;
  while (!dump.is_done) {
    ssize_t length = read_datagram(fd_.get(), buffer_);
    if (length == -EAGAIN || length == -EINTR) {
      pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, kDumpTimeoutMs) == 0) return os_error("netlink: dump a table", ETIMEDOUT);
      continue;
    }
    if (length < 0) return os_error("netlink: dump a table", static_cast<int>(-length));
    read_dump_part(static_cast<std::size_t>(length), dump);
    if (dump.error_number != 0) return os_error("netlink: dump a table", dump.error_number);
  }
  return dump;
}

void NetlinkSocket::read_dump_part(std::size_t length, Dump& dump) {
  int rest = static_cast<int>(length);
  const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
  for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest)) {
    if (message->nlmsg_seq != sequence_) continue;
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) dump.was_interrupted = true;
    if (message->nlmsg_type == NLMSG_DONE) {
      dump.is_done = true;
      return;
    }
    auto parsed = parse_netlink(*message);
    if (const auto* refusal = std::get_if<RefusalMessage>(&parsed)) {
      dump.error_number = refusal->number;
      return;
    }
    dump.messages.push_back(std::move(parsed));
  }
}

}  // namespace xdplb
