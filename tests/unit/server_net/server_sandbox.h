// SPDX-License-Identifier: GPL-2.0-only
// A server on a LAN, set up as docs/server-setup.md says.
#pragma once

#include "server/server_facts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sandbox.h"

namespace xdplb {

inline IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }
inline IpPrefix prefix(const std::string& text) { return *IpPrefix::parse(text); }

class ServerSandbox : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(server(), "e0", "02:00:00:00:00:21");
    server().run(
        "ip addr add 192.0.2.21/24 dev e0; ip addr add 2001:db8:1::21/64 dev e0;"
        "ip route add default via 192.0.2.1 dev e0; ip -6 route add default via 2001:db8:1::1 dev e0;"
        "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.all.rp_filter=0"
        " net.ipv4.conf.e0.rp_filter=0;"
        "ip addr add 192.0.2.10/32 dev lo; ip addr add 2001:db8:1::10/128 dev lo");
  }
  const NetworkNamespace& server() const { return dispatcher_; }
  std::uint32_t index(const std::string& name) const { return index_of(server(), name); }

  ServerFacts read() const {
    auto facts = server().inside([] { return read_server_facts(); });
    EXPECT_TRUE(facts) << facts.error().message;
    return facts ? std::move(*facts) : ServerFacts();
  }

  struct Waiting {
    const char* address = "0.0.0.0";
    std::uint16_t port = 80;
    int type = SOCK_STREAM;
    bool is_v6_only = false;
    const char* device = "";
  };
  // A service in the server's namespace.
  FileDescriptor listen(const Waiting& on) const {
    return server().inside([&] {
      const bool is_v6 = std::string_view(on.address).find(':') != std::string_view::npos;
      FileDescriptor fd(::socket(is_v6 ? AF_INET6 : AF_INET, on.type | SOCK_CLOEXEC, 0));
      const int only = on.is_v6_only ? 1 : 0;
      if (is_v6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
      ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, on.device,
                   static_cast<socklen_t>(std::string_view(on.device).size()));
      sockaddr_in6 v6{};
      sockaddr_in v4{};
      v6.sin6_family = AF_INET6;
      v4.sin_family = AF_INET;
      v6.sin6_port = v4.sin_port = htons(on.port);
      ::inet_pton(AF_INET6, on.address, &v6.sin6_addr);
      ::inet_pton(AF_INET, on.address, &v4.sin_addr);
      auto* name = is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
      EXPECT_EQ(::bind(fd.get(), name, is_v6 ? sizeof(v6) : sizeof(v4)), 0) << on.address << std::strerror(errno);
      EXPECT_TRUE(on.type != SOCK_STREAM || ::listen(fd.get(), 1) == 0);
      return fd;
    });
  }
};

}  // namespace xdplb
