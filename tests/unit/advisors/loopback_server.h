// SPDX-License-Identifier: GPL-2.0-only
// A server on loopback that does with each connection what a test says, in a thread of its own.
#pragma once

#include "advisors/probe.h"
#include "base/file_descriptor.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace xdplb {

inline constexpr int kPatienceMs = 10000;  // of a server with its client: no test hangs

// One connection as its server sees it.
class Peer {
 public:
  explicit Peer(FileDescriptor fd) : fd_(std::move(fd)) {}
  int fd() const { return fd_.get(); }

  // False: the client is gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // What comes until `end` is in it, or until the client ends.
  std::string read_until(std::string_view end) {
    std::string all;
    std::array<char, 4096> part{};
    while (all.find(end) == std::string::npos) {
      const ssize_t count = ::recv(fd(), part.data(), part.size(), 0);
      if (count <= 0) break;
      all.append(part.data(), static_cast<std::size_t>(count));
    }
    return all;
  }
  // Waits until the client has said something: it knows then that it is connected.
  void wait_for_word() {
    char byte = 0;
    (void)::recv(fd(), &byte, 1, MSG_PEEK);
  }
  // Reads on until the client ends. 0: by FIN; else the errno.
  int wait_for_end() {
    std::array<char, 4096> part{};
    ssize_t count = 1;
    while (count > 0) count = ::recv(fd(), part.data(), part.size(), 0);
    return count == 0 ? 0 : errno;
  }
  // Waits for a RST, also behind a FIN.
  bool wait_for_reset() {
    pollfd waited{.fd = fd(), .events = 0, .revents = 0};  // POLLERR and POLLHUP are always told
    return ::poll(&waited, 1, kPatienceMs) == 1 && (waited.revents & POLLERR) != 0;
  }
  // Sends `bytes` one at a time, `pause_ms` apart, until the client ends.
  void drip(std::string_view bytes, int pause_ms) {
    for (std::size_t i = 0; send(bytes.substr(i % bytes.size(), 1)); ++i) {
      pollfd waited{.fd = fd(), .events = POLLRDHUP, .revents = 0};
      if (::poll(&waited, 1, pause_ms) != 0) return;
    }
  }
  void half_close() { ::shutdown(fd(), SHUT_WR); }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    fd_.reset();
  }

 private:
  FileDescriptor fd_;
};

class LoopbackServer {
 public:
  using Script = std::function<void(Peer&)>;

  // Runs `script` with each connection, one after the other.
  explicit LoopbackServer(Script script, int family = AF_INET)
      : family_(family), script_(std::move(script)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    listen();
    thread_ = std::thread([this] { serve(); });
  }
  ~LoopbackServer() {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
    thread_.join();
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  ProbeTarget target() const {
    ProbeTarget target;
    target.destination = *IpAddress::parse(family_ == AF_INET ? "127.0.0.1" : "::1");
    target.port = port_;
    return target;
  }

 private:
  void listen() {
    listener_ = FileDescriptor(::socket(family_, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 address{};
    address.sin6_family = static_cast<sa_family_t>(family_);
    socklen_t length = family_ == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (family_ == AF_INET6) address.sin6_addr = in6addr_loopback;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (family_ == AF_INET) reinterpret_cast<sockaddr_in*>(generic)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener_.get(), generic, length), 0) << std::strerror(errno);
    ASSERT_EQ(::listen(listener_.get(), 64), 0);
    ASSERT_EQ(::getsockname(listener_.get(), generic, &length), 0);
    port_ = ntohs(address.sin6_port);  // at the same place in both
  }

  void serve() {
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);  // OpenSSL's own writes
    pthread_sigmask(SIG_BLOCK, &pipe_only, nullptr);
    while (true) {
      std::array<pollfd, 2> waited{{{.fd = listener_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = stop_.get(), .events = POLLIN, .revents = 0}}};
      ::poll(waited.data(), waited.size(), -1);
      // A connection that is there is served, also when the test is over.
      if ((waited[0].revents & POLLIN) == 0) return;
      FileDescriptor fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.is_open()) continue;
      const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
      ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
      Peer peer(std::move(fd));
      script_(peer);
    }
  }

  int family_;
  Script script_;
  FileDescriptor stop_;
  FileDescriptor listener_{};
  std::uint16_t port_ = 0;
  std::thread thread_{};
};

}  // namespace xdplb
