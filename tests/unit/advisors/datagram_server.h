// SPDX-License-Identifier: GPL-2.0-only
// A UDP server on loopback that answers each datagram as a test says, in a thread of its own.
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
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace xdplb {

class DatagramServer {
 public:
  // The datagrams that answer one; none: silence.
  using Script = std::function<std::vector<std::string>(const std::string&)>;

  explicit DatagramServer(Script script) : script_(std::move(script)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    fd_ = FileDescriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_.get(), generic, length), 0);
    EXPECT_EQ(::getsockname(fd_.get(), generic, &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~DatagramServer() {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
    thread_.join();
  }
  DatagramServer(const DatagramServer&) = delete;
  DatagramServer& operator=(const DatagramServer&) = delete;

  ProbeTarget target() const {
    ProbeTarget target;
    target.destination = IpAddress::v4({127, 0, 0, 1});
    target.port = port_;
    return target;
  }

 private:
  void serve() {
    while (true) {
      std::array<pollfd, 2> waited{
          {{.fd = fd_.get(), .events = POLLIN, .revents = 0}, {.fd = stop_.get(), .events = POLLIN, .revents = 0}}};
      ::poll(waited.data(), waited.size(), -1);
      if ((waited[1].revents & POLLIN) != 0) return;
      std::array<char, 4096> bytes{};
      sockaddr_in from{};
      socklen_t length = sizeof(from);
      auto* generic = reinterpret_cast<sockaddr*>(&from);
      const ssize_t size = ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, generic, &length);
      if (size < 0) continue;
      for (const std::string& answer : script_(std::string(bytes.data(), static_cast<std::size_t>(size)))) {
        ::sendto(fd_.get(), answer.data(), answer.size(), 0, generic, length);
      }
    }
  }

  Script script_;
  FileDescriptor stop_;
  FileDescriptor fd_{};
  std::uint16_t port_ = 0;
  std::thread thread_{};
};

}  // namespace xdplb
