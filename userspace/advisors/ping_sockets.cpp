// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/ping_sockets.h"

#include "advisors/socket_address.h"
#include "net/checksum.h"
#include "net/wire.h"

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr int kPacketsAWake = 64;       // then the other handlers of the loop get their turn
constexpr std::size_t kEchoBytes = 16;  // header and token

using EchoMessage = std::array<std::uint8_t, kEchoBytes>;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);
};

SocketAddress socket_address(const IpAddress& address) {
  SocketAddress made;
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, bytes.data(), sizeof(v4.sin_addr));
    std::memcpy(&made.storage, &v4, sizeof(v4));
    made.length = sizeof(v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, bytes.data(), sizeof(v6.sin6_addr));
    std::memcpy(&made.storage, &v6, sizeof(v6));
    made.length = sizeof(v6);
  }
  return made;
}

IpAddress address_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof(v4));
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &storage, sizeof(v6));
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return IpAddress::v6(bytes);
}

// Leaves everything but echo replies, and errors about our own requests, in the kernel.
bool keep_only_answers(int fd, bool is_v4) {
  const int on = 1;
  if (is_v4) {
    const icmp_filter filter{.data = ~(std::uint32_t{1} << ICMP_ECHOREPLY)};
    return ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)) == 0 &&
           ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) == 0;
  }
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
  return ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) == 0 &&
         ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)) == 0;
}

// The errno of an ICMP error; 0 when it is none.
int error_in(msghdr& header) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    const bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                          (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!is_error) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(part), sizeof(error));
    return static_cast<int>(error.ee_errno);
  }
  return 0;
}

EchoMessage make_request(bool is_v4, std::uint16_t identifier, std::uint16_t sequence, std::uint64_t token) {
  EchoMessage message{};
  message[0] = is_v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
  store_be16(&message[4], identifier);
  store_be16(&message[6], sequence);
  std::memcpy(&message[8], &token, sizeof(token));
  if (is_v4) store_be16(&message[2], icmp_checksum(message));  // ICMPv6's the kernel fills in
  return message;
}

}  // namespace

PingSockets::PingSockets(asio::io_context& io) : io_(io) {
  v6_.is_v4 = false;
  std::random_device random;
  identifier_ = static_cast<std::uint16_t>(random());
  last_token_ = std::uint64_t{random()} << 32 | random();
}

PingSockets::~PingSockets() {
  for (Port* port : {&v4_, &v6_}) {
    if (port->ready) port->ready->release();  // fd closes it
  }
}

Result<void> PingSockets::open(Port& port) {
  if (port.fd.is_open()) return {};
  FileDescriptor fd(::socket(port.is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                             port.is_v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6)));
  if (!fd.is_open()) return os_error("open an ICMP socket", errno);
  if (!keep_only_answers(fd.get(), port.is_v4)) return os_error("filter an ICMP socket", errno);
  port.ready.emplace(io_, fd.get());
  port.fd = std::move(fd);
  return {};
}

Result<std::uint16_t> PingSockets::ask(const IpAddress& destination, std::uint32_t mark, Handler handler) {
  Port& port = port_of(destination);
  if (const auto opened = open(port); !opened) return opened.error();
  if (asked_.size() > 0xf000) return fail(ErrorCode::kFailed, "too many pings under way");
  while (asked_.contains(++last_sequence_)) {
  }
  if (port.mark != mark) {
    if (::setsockopt(port.fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) != 0) {
      return os_error("mark an ICMP socket", errno);
    }
    port.mark = mark;
  }
  const EchoMessage message = make_request(port.is_v4, identifier_, last_sequence_, ++last_token_);
  SocketAddress to = socket_address(destination);
  const auto send = [&] {
    return ::sendto(port.fd.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&to.storage), to.length);
  };
  // An error about an earlier request is told to the next call that sends, once.
  if (send() < 0) {
    read_errors(port);
    if (send() < 0) return os_error("ping " + destination.to_string(), errno);
  }
  asked_[last_sequence_] = {.destination = destination, .token = last_token_, .handler = std::move(handler)};
  wait(port);
  return last_sequence_;
}

void PingSockets::forget(std::uint16_t sequence) {
  asked_.erase(sequence);
  rest();
}

// Nobody waits: echo replies to others do not wake the process.
void PingSockets::rest() {
  if (!asked_.empty()) return;
  boost::system::error_code ignored;
  for (Port* port : {&v4_, &v6_}) {
    if (port->is_waiting) port->ready->cancel(ignored);
  }
}

void PingSockets::wait(Port& port) {
  if (port.is_waiting) return;
  port.is_waiting = true;
  port.ready->async_wait(asio::posix::stream_descriptor::wait_read,
                         [weak = weak_from_this(), &port](const boost::system::error_code& error) {
                           const auto self = weak.lock();
                           if (!self) return;
                           port.is_waiting = false;
                           if (!error) self->read_errors(port);
                           if (!error) self->read(port);
                           if (!self->asked_.empty()) self->wait(port);
                         });
}

void PingSockets::read(Port& port) {
  for (int count = 0; count < kPacketsAWake; ++count) {
    std::array<std::uint8_t, 256> packet;
    SocketAddress from;
    const ssize_t size = ::recvfrom(port.fd.get(), packet.data(), packet.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from.storage), &from.length);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (size <= 0) continue;  // an error that the queue of errors tells better
    take_answer(port.is_v4, std::span<const std::uint8_t>(packet).first(static_cast<std::size_t>(size)),
                address_of(from.storage));
  }
}

void PingSockets::read_errors(Port& port) {
  for (int count = 0; count < kPacketsAWake; ++count) {
    std::array<std::uint8_t, 256> request;
    alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
    SocketAddress to;
    iovec part{.iov_base = request.data(), .iov_len = request.size()};
    msghdr header{};
    header.msg_name = &to.storage;
    header.msg_namelen = to.length;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(port.fd.get(), &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) return;
    const int number = error_in(header);
    if (number == 0 || header.msg_namelen == 0) continue;
    take_error(port.is_v4, std::span<const std::uint8_t>(request).first(static_cast<std::size_t>(size)),
               address_of(to.storage), number);
  }
}

void PingSockets::take_answer(bool is_v4, std::span<const std::uint8_t> packet, const IpAddress& from) {
  if (packet.empty()) return;
  // An IPv4 socket gives the IP header, too.
  const std::size_t header = is_v4 ? std::size_t{4} * (packet[0] & 0x0f) : 0;
  if (packet.size() < header + kEchoBytes) return;
  const auto message = packet.subspan(header, kEchoBytes);
  const bool is_answer = message[0] == (is_v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) && message[1] == 0;
  if (!is_answer || load_be16(&message[4]) != identifier_) return;
  const std::uint16_t sequence = load_be16(&message[6]);
  const auto asked = asked_.find(sequence);
  if (asked == asked_.end() || asked->second.destination != from) return;
  if (std::memcmp(&message[8], &asked->second.token, sizeof(asked->second.token)) == 0) tell(sequence, 0);
}

// request  what of our request the error quoted, from the ICMP header on; it may be cut behind 8 bytes
void PingSockets::take_error(bool is_v4, std::span<const std::uint8_t> request, const IpAddress& destination,
                             int number) {
  if (request.size() < 8 || request[0] != (is_v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST)) return;
  if (load_be16(&request[4]) != identifier_) return;
  const std::uint16_t sequence = load_be16(&request[6]);
  const auto asked = asked_.find(sequence);
  if (asked != asked_.end() && asked->second.destination == destination) tell(sequence, number);
}

void PingSockets::tell(std::uint16_t sequence, int number) {
  auto asked = asked_.extract(sequence);
  if (!asked.empty()) asked.mapped().handler(number);
  rest();
}

}  // namespace xdplb
