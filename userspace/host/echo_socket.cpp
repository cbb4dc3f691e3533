// SPDX-License-Identifier: GPL-2.0-only
#include "host/echo_socket.h"

#include "base/file_descriptor.h"
#include "net/wire.h"

#include <linux/icmp.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr int kPacketsAWake = 64;       // then the other handlers of the loop get their turn
constexpr std::size_t kEchoBytes = 16;  // header and 8 bytes, some machines do not answer an empty one

using EchoMessage = std::array<std::uint8_t, kEchoBytes>;

// RFC 1071. ICMPv6 sums the kernel makes and checks itself.
std::uint16_t internet_checksum(std::span<const std::uint8_t> message) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < message.size(); i += 2) sum += load_be16(&message[i]);
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

// A sockaddr with its length for both families.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address(const IpAddress& address, std::uint32_t ifindex) {
  SocketAddress made;
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, address.bytes().data(), sizeof(v4.sin_addr));
    std::memcpy(&made.storage, &v4, sizeof(v4));
    made.length = sizeof(v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_scope_id = ifindex;
    std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof(v6.sin6_addr));
    std::memcpy(&made.storage, &v6, sizeof(v6));
    made.length = sizeof(v6);
  }
  return made;
}

IpAddress address_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, bytes.size());
  return IpAddress::v6(bytes);
}

// Leaves everything but echo replies in the kernel.
int keep_only_answers(int fd, Family family) {
  if (family == Family::kV4) {
    icmp_filter filter{.data = ~(std::uint32_t{1} << ICMP_ECHOREPLY)};
    return ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
  }
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
  return ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

}  // namespace

class EchoSocket::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, FileDescriptor fd, std::string name, std::uint32_t ifindex, Family family,
       std::uint16_t identifier)
      : fd_(std::move(fd)),
        ready_(io, fd_.get()),
        name_(std::move(name)),
        ifindex_(ifindex),
        is_v4_(family == Family::kV4),
        identifier_(identifier) {}
  ~Impl() { ready_.release(); }  // fd_ closes it

  void start(AnswerHandler handler) {
    const bool is_first = handler_ == nullptr;
    handler_ = std::move(handler);
    if (is_first) wait();
  }

  void close() {
    is_closed_ = true;
    boost::system::error_code ignored;
    ready_.cancel(ignored);
  }

  Result<void> send(const IpAddress& source, const IpAddress& target, std::uint16_t sequence) {
    EchoMessage message{};
    message[0] = is_v4_ ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    store_be16(&message[4], identifier_);
    store_be16(&message[6], sequence);
    if (is_v4_) store_be16(&message[2], internet_checksum(message));
    const auto sent = is_v4_ ? send_with(target, message, IPPROTO_IP, IP_PKTINFO, v4_info(source))
                             : send_with(target, message, IPPROTO_IPV6, IPV6_PKTINFO, v6_info(source));
    if (sent >= 0) return {};
    return os_error("interface " + name_ + ": ask " + target.to_string() + " by ICMP", errno);
  }

 private:
  in_pktinfo v4_info(const IpAddress& source) const {
    in_pktinfo info{};
    if (!source.is_v4()) return info;
    info.ipi_ifindex = static_cast<int>(ifindex_);
    std::memcpy(&info.ipi_spec_dst, source.bytes().data(), sizeof(info.ipi_spec_dst));
    return info;
  }
  in6_pktinfo v6_info(const IpAddress& source) const {
    in6_pktinfo info{};
    if (!source.is_v6()) return info;
    info.ipi6_ifindex = ifindex_;
    std::memcpy(&info.ipi6_addr, source.bytes().data(), sizeof(info.ipi6_addr));
    return info;
  }

  template <typename Info>
  ssize_t send_with(const IpAddress& target, EchoMessage& message, int level, int type, const Info& info) {
    SocketAddress to = socket_address(target, target.is_link_local() ? ifindex_ : 0);
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(Info))> control{};
    iovec part{.iov_base = message.data(), .iov_len = message.size()};
    msghdr header{};
    header.msg_name = &to.storage;
    header.msg_namelen = to.length;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* extra = CMSG_FIRSTHDR(&header);
    extra->cmsg_level = level;
    extra->cmsg_type = type;
    extra->cmsg_len = CMSG_LEN(sizeof(Info));
    std::memcpy(CMSG_DATA(extra), &info, sizeof(info));
    return ::sendmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void wait() {
    ready_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [weak = weak_from_this()](const boost::system::error_code& error) {
                        auto self = weak.lock();
                        if (error || !self || self->is_closed_) return;
                        self->read();
                        self->wait();
                      });
  }

  void read() {
    for (int count = 0; count < kPacketsAWake && !is_closed_; ++count) {
      std::array<std::uint8_t, 256> packet;
      sockaddr_storage from{};
      socklen_t length_of_from = sizeof(from);
      const ssize_t length = ::recvfrom(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT,
                                        reinterpret_cast<sockaddr*>(&from), &length_of_from);
      if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (length <= 0) continue;  // an ICMP error about a request: the silence says the same
      take(std::span<const std::uint8_t>(packet).first(static_cast<std::size_t>(length)), address_of(from));
    }
  }

  void take(std::span<const std::uint8_t> packet, const IpAddress& from) {
    // An IPv4 socket gives the IP header, too.
    const std::size_t header = is_v4_ ? std::size_t{4} * (packet[0] & 0x0f) : 0;
    if (packet.size() < header + 8) return;
    const auto message = packet.subspan(header);
    const bool is_answer = message[0] == (is_v4_ ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) && message[1] == 0;
    if (!is_answer || load_be16(&message[4]) != identifier_) return;
    if (is_v4_ && packet.size() >= header + kEchoBytes && internet_checksum(message.first(kEchoBytes)) != 0) return;
    handler_(from, load_be16(&message[6]));
  }

  FileDescriptor fd_;
  asio::posix::stream_descriptor ready_;
  std::string name_;
  std::uint32_t ifindex_;
  bool is_v4_;
  std::uint16_t identifier_;
  AnswerHandler handler_;
  bool is_closed_ = false;
};

EchoSocket::EchoSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

EchoSocket::~EchoSocket() { impl_->close(); }

Result<std::unique_ptr<EchoSocket>> EchoSocket::open(asio::io_context& io, std::uint32_t ifindex,
                                                     const std::string& name, Family family, std::uint16_t identifier) {
  auto failed = [&](const char* attempt) { return os_error("interface " + name + ": " + attempt, errno); };
  const bool is_v4 = family == Family::kV4;
  FileDescriptor fd(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                             is_v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6)));
  if (!fd.is_open()) return failed("open an ICMP socket");
  if (keep_only_answers(fd.get(), family) != 0) return failed("filter an ICMP socket");
  // Not by name: it may be another interface's by now.
  const int index = static_cast<int>(ifindex);
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index)) != 0) {
    return failed("bind an ICMP socket");
  }
  return std::unique_ptr<EchoSocket>(
      new EchoSocket(std::make_shared<Impl>(io, std::move(fd), name, ifindex, family, identifier)));
}

void EchoSocket::on_answer(AnswerHandler handler) { impl_->start(std::move(handler)); }

Result<void> EchoSocket::send(const IpAddress& source, const IpAddress& target, std::uint16_t sequence) {
  return impl_->send(source, target, sequence);
}

}  // namespace xdplb
