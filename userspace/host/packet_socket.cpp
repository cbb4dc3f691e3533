// SPDX-License-Identifier: GPL-2.0-only
#include "host/packet_socket.h"

#include "base/file_descriptor.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr int kFramesAWake = 64;           // then the other handlers of the loop get their turn
constexpr std::size_t kFrameBytes = 2048;  // ARP and ND fit into the smallest MTU
constexpr std::uint16_t kVlanIdMask = 0xfff;

// Offsets count from the Ethernet header: the socket is SOCK_RAW.
constexpr std::array<sock_filter, 4> kArpFilter = {{
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, kFrameBytes),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};
constexpr std::array<sock_filter, 9> kNeighborDiscoveryFilter = {{
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 6),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 6),  // next header
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 4),     // ICMPv6
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 40),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 1, 0),  // neighbour solicitation
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),  // neighbour advertisement
    BPF_STMT(BPF_RET | BPF_K, kFrameBytes),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

constexpr std::array<sock_filter, 9> kEchoReplyV4Filter = {{
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 9),  // protocol
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 6),      // ICMP
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETH_HLEN + 6),  // flags and offset
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, ETH_HLEN),  // bytes of the IP header
    BPF_STMT(BPF_LD | BPF_B | BPF_IND, ETH_HLEN),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),  // echo reply
    BPF_STMT(BPF_RET | BPF_K, kFrameBytes),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};
constexpr std::array<sock_filter, 6> kEchoReplyV6Filter = {{
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 6),  // next header
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 3),     // ICMPv6
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + 40),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 129, 0, 1),  // echo reply
    BPF_STMT(BPF_RET | BPF_K, kFrameBytes),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

// What a kind hears: the protocol that the socket is bound to, and of that what the filter lets through.
struct KindOfFrames {
  std::uint16_t ether_type = 0;  // host order
  std::span<const sock_filter> filter{};
};

KindOfFrames frames_of(PacketKind kind) {
  switch (kind) {
    case PacketKind::kArp:
      return {.ether_type = ETH_P_ARP, .filter = kArpFilter};
    case PacketKind::kNeighborDiscovery:
      return {.ether_type = ETH_P_IPV6, .filter = kNeighborDiscoveryFilter};
    case PacketKind::kEchoReplyV4:
      return {.ether_type = ETH_P_IP, .filter = kEchoReplyV4Filter};
    case PacketKind::kEchoReplyV6:
      break;
  }
  return {.ether_type = ETH_P_IPV6, .filter = kEchoReplyV6Filter};
}

int attach_filter(int fd, std::span<const sock_filter> code) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(code.size());
  program.filter = const_cast<sock_filter*>(code.data());  // the kernel only reads it
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int enable(int fd, int option) {
  int on = 1;
  return ::setsockopt(fd, SOL_PACKET, option, &on, sizeof(on));
}

// True when the frame came with a tag of a VLAN. Id 0 only carries a priority.
bool has_vlan_tag(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != SOL_PACKET || control->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata auxdata{};
    std::memcpy(&auxdata, CMSG_DATA(control), sizeof(auxdata));
    return (auxdata.tp_status & TP_STATUS_VLAN_VALID) != 0 && (auxdata.tp_vlan_tci & kVlanIdMask) != 0;
  }
  return false;
}

// The kernel (seen with 6.18) takes the tag of a VLAN without an interface off before a socket of one protocol sees the
// frame, and leaves PACKET_OTHERHOST as the only trace (net/core/dev.c, __netif_receive_skb_core).
bool is_foreign(msghdr& message, const sockaddr_ll& sender) {
  return sender.sll_pkttype == PACKET_OTHERHOST || has_vlan_tag(message);
}

}  // namespace

class PacketSocket::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, FileDescriptor fd, std::string name)
      : fd_(std::move(fd)), ready_(io, fd_.get()), name_(std::move(name)) {}
  ~Impl() { ready_.release(); }  // fd_ closes it

  void start(FrameHandler handler) {
    bool is_first = handler_ == nullptr;
    handler_ = std::move(handler);
    if (is_first) wait();
  }

  void close() {
    is_closed_ = true;
    boost::system::error_code ignored;
    ready_.cancel(ignored);
  }

  Result<void> send(std::span<const std::uint8_t> frame) {
    ssize_t sent = ::send(fd_.get(), frame.data(), frame.size(), 0);
    if (sent >= 0) return {};
    last_errno_ = errno;
    return os_error("interface " + name_ + ": send a frame", last_errno_);
  }
  int last_errno() const { return last_errno_; }

 private:
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
    for (int count = 0; count < kFramesAWake && !is_closed_; ++count) {
      std::array<std::uint8_t, kFrameBytes> frame;
      alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(tpacket_auxdata))> control;
      iovec part{.iov_base = frame.data(), .iov_len = frame.size()};
      sockaddr_ll sender{};
      msghdr message{};
      message.msg_name = &sender;
      message.msg_namelen = sizeof(sender);
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      ssize_t length = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT);
      // ENETDOWN is told once when the interface goes down; the socket hears again when it is back.
      if (length < 0 && errno == EAGAIN) return;
      if (length <= 0) continue;
      handler_(std::span<const std::uint8_t>(frame).first(static_cast<std::size_t>(length)),
               is_foreign(message, sender));
    }
  }

  FileDescriptor fd_;
  asio::posix::stream_descriptor ready_;
  std::string name_;
  FrameHandler handler_;
  int last_errno_ = 0;
  bool is_closed_ = false;
};

PacketSocket::PacketSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

PacketSocket::~PacketSocket() { impl_->close(); }

Result<std::unique_ptr<PacketSocket>> PacketSocket::open(asio::io_context& io, std::uint32_t ifindex,
                                                         const std::string& name, PacketKind kind) {
  const KindOfFrames frames = frames_of(kind);
  auto failed = [&](const char* attempt) { return os_error("interface " + name + ": " + attempt, errno); };
  // Protocol 0 hears nothing until bind(), so no frame gets in ahead of the filter.
  FileDescriptor fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return failed("open a packet socket");
  if (attach_filter(fd.get(), frames.filter) != 0) return failed("filter a packet socket");
  if (enable(fd.get(), PACKET_IGNORE_OUTGOING) != 0) return failed("ignore our own frames (needs kernel 4.20)");
  if (enable(fd.get(), PACKET_AUXDATA) != 0) return failed("ask for VLAN tags");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(frames.ether_type);
  address.sll_ifindex = static_cast<int>(ifindex);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return failed("listen on a packet socket");
  }
  return std::unique_ptr<PacketSocket>(new PacketSocket(std::make_shared<Impl>(io, std::move(fd), name)));
}

void PacketSocket::on_frame(FrameHandler handler) { impl_->start(std::move(handler)); }

Result<void> PacketSocket::send(std::span<const std::uint8_t> frame) { return impl_->send(frame); }

int PacketSocket::last_errno() const { return impl_->last_errno(); }

}  // namespace xdplb
