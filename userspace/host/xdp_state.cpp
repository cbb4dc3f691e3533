// SPDX-License-Identifier: GPL-2.0-only
#include "host/xdp_state.h"

#include "base/file_descriptor.h"
#include "host/netlink_attributes.h"
#include "host/netlink_socket.h"

#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <utility>

namespace xdplb {
namespace {

// linux/netdev.h, newer than the oldest headers that this is built with.
constexpr std::uint8_t kDeviceGet = 1;  // NETDEV_CMD_DEV_GET
constexpr std::size_t kIfindex = 1;     // NETDEV_A_DEV_IFINDEX
constexpr std::size_t kFeatures = 3;    // NETDEV_A_DEV_XDP_FEATURES
constexpr std::uint64_t kBasic = 1;     // NETDEV_XDP_ACT_*
constexpr std::uint64_t kRedirect = 2;
constexpr std::uint64_t kNdoXmit = 4;
constexpr std::uint64_t kReceiveSegments = 32;

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr int kTimeoutSeconds = 2;

XdpPrograms programs_of(const nlattr* nest) {
  XdpPrograms programs;
  if (nest == nullptr) return programs;
  AttributeTable xdp;
  xdp.parse_nested(nest);
  programs = {.native = xdp.number(IFLA_XDP_DRV_PROG_ID).value_or(0),
              .generic = xdp.number(IFLA_XDP_SKB_PROG_ID).value_or(0),
              .hardware = xdp.number(IFLA_XDP_HW_PROG_ID).value_or(0)};
  return programs;
}

using MessageHandler = std::function<void(const nlmsghdr&)>;

// A generic netlink socket, which waits for the kernel 2 s at most.
class GenericSocket {
 public:
  static Result<GenericSocket> open() {
    GenericSocket socket;
    socket.fd_ = FileDescriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
    if (!socket.fd_.is_open()) return os_error("netlink: open a generic socket", errno);
    const timeval limit{.tv_sec = kTimeoutSeconds, .tv_usec = 0};
    if (::setsockopt(socket.fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
      return os_error("netlink: set up a generic socket", errno);
    return socket;
  }

  // Returns the errno that the kernel answers with. Errors: os_error of the socket.
  Result<int> ask(std::uint16_t family, std::uint16_t flags, std::uint8_t command, const char* name,
                  const MessageHandler& handler) {
    std::array<char, 256> room{};
    auto* request = mnl_nlmsg_put_header(room.data());
    request->nlmsg_type = family;
    request->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    auto* header = static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(request, sizeof(genlmsghdr)));
    header->cmd = command;
    header->version = 1;
    if (name != nullptr) mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, name);
    if (::send(fd_.get(), room.data(), request->nlmsg_len, 0) < 0) return os_error("netlink: send a request", errno);
    for (;;) {
      const ssize_t length = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
      if (length < 0 && errno == EINTR) continue;
      if (length < 0) return os_error("netlink: wait for an answer", errno);
      if (const auto answer = read(static_cast<int>(length), handler)) return *answer;
    }
  }

 private:
  GenericSocket() : buffer_(kBufferBytes) {}

  // nullopt: more is to come.
  std::optional<int> read(int length, const MessageHandler& handler) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
      if (message->nlmsg_type == NLMSG_DONE) return 0;
      if (message->nlmsg_type == NLMSG_ERROR) return -*static_cast<const int*>(mnl_nlmsg_get_payload(message));
      handler(*message);
    }
    return std::nullopt;
  }

  FileDescriptor fd_;
  std::vector<std::uint8_t> buffer_;
};

XdpDriver driver_of(std::uint64_t features) {
  return {.has_native = (features & kBasic) != 0,
          .can_redirect = (features & kRedirect) != 0,
          .takes_redirected = (features & kNdoXmit) != 0,
          .takes_long_frames = (features & kReceiveSegments) != 0};
}

}  // namespace

Result<std::map<std::uint32_t, XdpPrograms>> read_xdp_programs() {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  std::map<std::uint32_t, XdpPrograms> programs;
  const auto answer = socket->dump(
      make_dump_request(RTM_GETLINK, 0), [&] { programs.clear(); },
      [&](const nlmsghdr& message) {
        const auto* header = family_header<ifinfomsg>(message);
        if (message.nlmsg_type != RTM_NEWLINK || header == nullptr) return;
        AttributeTable attributes;
        attributes.parse(message, sizeof(ifinfomsg));
        programs[static_cast<std::uint32_t>(header->ifi_index)] = programs_of(attributes.at[IFLA_XDP]);
      });
  if (!answer) return answer.error();
  if (answer->number != 0) return os_error("netlink: list interfaces", answer->number);
  return programs;
}

Result<std::optional<std::map<std::uint32_t, XdpDriver>>> read_xdp_drivers() {
  using Drivers = std::optional<std::map<std::uint32_t, XdpDriver>>;
  auto socket = GenericSocket::open();
  if (!socket) return socket.error();
  std::uint16_t family = 0;
  const auto found = socket->ask(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, "netdev", [&](const nlmsghdr& message) {
    AttributeTable attributes;
    attributes.parse(message, sizeof(genlmsghdr));
    if (const auto* id = attributes.at[CTRL_ATTR_FAMILY_ID]; id != nullptr) family = mnl_attr_get_u16(id);
  });
  if (!found) return found.error();
  if (*found != 0 || family == 0) return Drivers();
  Drivers drivers(std::in_place);
  const auto answer = socket->ask(family, NLM_F_DUMP, kDeviceGet, nullptr, [&](const nlmsghdr& message) {
    AttributeTable attributes;
    attributes.parse(message, sizeof(genlmsghdr));
    const auto index = attributes.number(kIfindex);
    const auto* features = attributes.at[kFeatures];
    if (index && features != nullptr) (*drivers)[*index] = driver_of(mnl_attr_get_u64(features));
  });
  if (!answer) return answer.error();
  if (*answer != 0) return os_error("netlink: ask what drivers can do", *answer);
  return drivers;
}

}  // namespace xdplb
