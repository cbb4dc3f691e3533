// SPDX-License-Identifier: GPL-2.0-only
#include "host/netlink_socket.h"

#include "host/netlink_attributes.h"

#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace xdplb {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;      // a dump part is at most 32 KiB
constexpr int kReceiveQueueBytes = 8 * 1024 * 1024;  // several thousand events
constexpr int kAnswerTimeoutMs = 2000;
constexpr int kDumpAttempts = 4;
// Requests on their way at once: their acknowledgements, 1 KiB of memory each, fit a default receive queue.
constexpr std::size_t kBatch = 100;

// One datagram of the kernel into `buffer`. Returns its length, 0 for one that is not the kernel's, or -errno.
ssize_t read_datagram(int fd, std::vector<std::uint8_t>& buffer) {
  sockaddr_nl sender{};
  socklen_t sender_length = sizeof(sender);
  ssize_t length =
      ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&sender), &sender_length);
  if (length < 0) return -errno;
  return sender.nl_pid == 0 ? length : 0;
}

// Of NLMSG_ERROR, which also says success, and NLMSG_DONE: both begin with a negative errno or 0.
NetlinkSocket::Answer read_answer(const nlmsghdr& message) {
  NetlinkSocket::Answer answer;
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(int)) return answer;
  answer.number = -*static_cast<const int*>(mnl_nlmsg_get_payload(&message));
  // The kernel may repeat the request before its words; explain() asked it not to.
  const bool has_request = message.nlmsg_type == NLMSG_ERROR && (message.nlmsg_flags & NLM_F_CAPPED) == 0;
  if (has_request || (message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return answer;
  AttributeTable attributes;
  attributes.parse(message, message.nlmsg_type == NLMSG_ERROR ? sizeof(nlmsgerr) : sizeof(int));
  if (const nlattr* words = attributes.at[NLMSGERR_ATTR_MSG]; words != nullptr) {
    const char* text = mnl_attr_get_str(words);
    answer.words.assign(text, strnlen(text, mnl_attr_get_payload_len(words)));
  }
  return answer;
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

Result<NetlinkSocket> NetlinkSocket::open_protocol(int protocol) {
  FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd.is_open()) return os_error("netlink: open a socket of family " + std::to_string(protocol), errno);
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
  std::vector<NetlinkMessage> messages;
  auto answer = dump(
      make_dump_request(type, 0), [&] { messages.clear(); },
      [&](const nlmsghdr& message) { messages.push_back(parse_netlink(message)); });
  if (!answer) return answer.error();
  if (answer->number != 0) return os_error("netlink: dump a table", answer->number);
  return messages;
}

Result<void> NetlinkSocket::explain() {
  const int on = 1;
  for (int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    if (::setsockopt(fd_.get(), SOL_NETLINK, option, &on, sizeof(on)) != 0) {
      return os_error("netlink: set option " + std::to_string(option) + " of a route socket", errno);
    }
  }
  return {};
}

Result<NetlinkSocket::Answer> NetlinkSocket::ask(std::vector<std::uint8_t> request) {
  reinterpret_cast<nlmsghdr*>(request.data())->nlmsg_flags |= NLM_F_ACK;
  auto conversation = converse(request, [](const nlmsghdr&) {});
  if (!conversation) return conversation.error();
  return std::move(conversation->answer);
}

Result<NetlinkSocket::Answer> NetlinkSocket::dump(std::vector<std::uint8_t> request,
                                                  const std::function<void()>& restart, const MessageHandler& handler) {
  for (int attempt = 1;; ++attempt) {
    restart();
    auto conversation = converse(request, handler);
    if (!conversation) return conversation.error();
    // A table that changes all the time: take what came, the events that follow put it right.
    if (!conversation->was_interrupted || attempt == kDumpAttempts) return std::move(conversation->answer);
  }
}

Result<std::vector<NetlinkSocket::Answer>> NetlinkSocket::ask_all(std::vector<std::vector<std::uint8_t>> requests) {
  std::vector<Answer> answers(requests.size());
  for (std::size_t start = 0; start < requests.size(); start += kBatch) {
    const std::size_t count = std::min(kBatch, requests.size() - start);
    auto asked = ask_batch(std::span(requests).subspan(start, count), std::span(answers).subspan(start, count));
    if (!asked) return asked.error();
  }
  return answers;
}

Result<void> NetlinkSocket::ask_batch(std::span<std::vector<std::uint8_t>> requests, std::span<Answer> answers) {
  const std::uint32_t first = sequence_ + 1;
  std::vector<std::uint8_t> batch;
  for (auto& request : requests) {
    auto* header = reinterpret_cast<nlmsghdr*>(request.data());
    header->nlmsg_flags |= NLM_F_ACK;
    header->nlmsg_seq = ++sequence_;
    batch.insert(batch.end(), request.begin(), request.end());
    batch.resize(MNL_ALIGN(batch.size()));
  }
  if (auto sent = send(batch); !sent) return sent;
  for (std::size_t missing = requests.size(); missing > 0;) {
    auto length = await_datagram();
    if (!length) return length.error();
    int rest = static_cast<int>(*length);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest)) {
      const std::uint32_t index = message->nlmsg_seq - first;
      if (message->nlmsg_type != NLMSG_ERROR || index >= requests.size()) continue;
      answers[index] = read_answer(*message);
      --missing;
    }
  }
  return {};
}

// Waits for one into buffer_.
Result<std::size_t> NetlinkSocket::await_datagram() {
  for (;;) {
    const ssize_t length = read_datagram(fd_.get(), buffer_);
    if (length >= 0) return static_cast<std::size_t>(length);
    if (length != -EAGAIN && length != -EINTR) {
      return os_error("netlink: read an answer", static_cast<int>(-length));
    }
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kAnswerTimeoutMs) == 0) return os_error("netlink: wait for an answer", ETIMEDOUT);
  }
}

Result<NetlinkSocket::Conversation> NetlinkSocket::converse(std::vector<std::uint8_t>& request,
                                                            const MessageHandler& handler) {
  reinterpret_cast<nlmsghdr*>(request.data())->nlmsg_seq = ++sequence_;
  if (auto sent = send(request); !sent) return sent.error();
  Conversation conversation;
  while (!conversation.is_done) {
    auto length = await_datagram();
    if (!length) return length.error();
    read_part(*length, handler, conversation);
  }
  return conversation;
}

void NetlinkSocket::read_part(std::size_t length, const MessageHandler& handler, Conversation& conversation) {
  int rest = static_cast<int>(length);
  const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
  for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest)) {
    if (message->nlmsg_seq != sequence_) continue;
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) conversation.was_interrupted = true;
    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
      conversation.is_done = true;
      conversation.answer = read_answer(*message);
      return;
    }
    handler(*message);
  }
}

}  // namespace xdplb
