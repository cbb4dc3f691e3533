// SPDX-License-Identifier: GPL-2.0-only
// xdplb-probe-bench [SERVERS]: what policy routes of probes cost everybody else, as ratios, and how long ProbeRoutes
// takes. Needs root; works in network namespaces of its own, which vanish with it.
#include "host/probe_routes.h"
#include "base/file_descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {
namespace {

constexpr int kRounds = 401;  // short ones, in turns: what the machine does besides hits all alike
// Of one round.
constexpr int kLookups = 400;
constexpr int kConnections = 40;
constexpr int kWarmUp = 40;
constexpr const char* kSetup =
    "set -e; ip link set lo up; ip link add e0 type veth peer name p0; ip link set p0 up; ip link set e0 up;"
    "ip addr add 192.0.2.4/24 dev e0; ip addr add 2001:db8::4/64 dev e0 nodad;"
    "ip route add default via 192.0.2.1 dev e0; ip route add default via 2001:db8::1 dev e0;"
    "ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:99 dev e0 nud permanent;"
    "ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:99 dev e0 nud permanent";

[[noreturn]] void die(const std::string& why) {
  fmt::print(stderr, "xdplb-probe-bench: {}\n", why);
  std::exit(1);
}

double microseconds(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

sockaddr_storage destination(Family family, std::uint32_t number) {
  sockaddr_storage storage{};
  if (family == Family::kV4) {
    auto* to = reinterpret_cast<sockaddr_in*>(&storage);
    to->sin_family = AF_INET;
    to->sin_port = htons(80);
    to->sin_addr.s_addr = htonl(0xc6336400 + (number & 0xff));
  } else {
    auto* to = reinterpret_cast<sockaddr_in6*>(&storage);
    to->sin6_family = AF_INET6;
    to->sin6_port = htons(80);
    const std::array<std::uint8_t, 6> prefix = {0x20, 0x01, 0x0d, 0xb8, 0, 1};
    std::copy(prefix.begin(), prefix.end(), to->sin6_addr.s6_addr);
    to->sin6_addr.s6_addr[15] = static_cast<std::uint8_t>(number);
  }
  return storage;
}

// A namespace of its own. The thread is inside when it comes back.
class Host {
 public:
  explicit Host(const std::string& setup = "") {
    if (::unshare(CLONE_NEWNET) != 0) die("cannot make a network namespace: run it as root");
    if (std::system((std::string(kSetup) + setup).c_str()) != 0) die("cannot set a network namespace up");
    namespace_ = FileDescriptor(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  }

  void mark(std::uint32_t mark) { mark_ = mark; }

  // Of one connect() of a UDP socket, each to another address: little more than a route lookup.
  double lookup_us(Family family) const {
    const FileDescriptor fd = open(family, SOCK_DGRAM);
    for (std::uint32_t i = 1; i <= kWarmUp; ++i) connect(fd, family, i);
    const double all = microseconds([&] {
      for (std::uint32_t i = 1; i <= kLookups; ++i) connect(fd, family, i);
    });
    return all / kLookups;
  }

  // Of one TCP connection begun and given up: socket(), connect() with a SYN on the wire, close().
  double connection_us(Family family) const {
    const double all = microseconds([&] {
      for (std::uint32_t i = 1; i <= kConnections; ++i) connect(open(family, SOCK_STREAM | SOCK_NONBLOCK), family, i);
    });
    return all / kConnections;
  }

 private:
  FileDescriptor open(Family family, int type) const {
    ::setns(namespace_.get(), CLONE_NEWNET);
    FileDescriptor fd(::socket(family == Family::kV4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
    if (mark_ != 0) ::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark_, sizeof(mark_));
    return fd;
  }
  static void connect(const FileDescriptor& fd, Family family, std::uint32_t number) {
    const sockaddr_storage to = destination(family, number);
    const int done = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    if (done != 0 && errno != EINPROGRESS) die(std::string("connect: ") + std::strerror(errno));
  }

  FileDescriptor namespace_;
  std::uint32_t mark_ = 0;
};

std::vector<ProbeNextHop> servers(unsigned count) {
  std::vector<ProbeNextHop> hops;
  for (unsigned i = 0; i < count; ++i) {
    const auto high = static_cast<std::uint8_t>(i / 250);
    const auto low = static_cast<std::uint8_t>(i % 250 + 1);
    hops.push_back({.server = IpAddress::v4({10, 1, high, low}),
                    .mac = {{2, 0, 0, 1, high, low}},
                    .ifindex = ::if_nametoindex("e0")});
  }
  return hops;
}

void must(const Result<void>& done) {
  if (!done) die(done.error().message);
}

void time_changes(ProbeRoutes& probes, unsigned count) {
  auto hops = servers(count);
  const auto print = [](const char* what, double us) { fmt::print("{:<34}{:>10.2f} ms\n", what, us / 1000); };
  print(fmt::format("first set() of {} servers", count).c_str(), microseconds([&] { must(probes.set(hops)); }));
  print("set() of the same list", microseconds([&] { must(probes.set(hops)); }));
  hops = servers(count + 1);
  print("set() with one server more", microseconds([&] { must(probes.set(hops)); }));
  for (auto& hop : hops) hop.mac.bytes[1] = 7;
  print("set() with every MAC changed", microseconds([&] { must(probes.set(hops)); }));
  probes.doubt();
  print("set() after doubt()", microseconds([&] { must(probes.set(hops)); }));
  print("clear()", microseconds([&] { must(probes.clear()); }));
}

// Medians of the ratios of each round to its first.
void compare(const char* what, Family family, const std::vector<std::pair<std::string, const Host*>>& hosts,
             double (Host::*measure)(Family) const) {
  std::vector<double> base;
  std::vector<std::vector<double>> ratios(hosts.size());
  for (int round = 0; round < kRounds; ++round) {
    base.push_back((hosts[0].second->*measure)(family));
    for (std::size_t i = 1; i < hosts.size(); ++i) {
      ratios[i].push_back((hosts[i].second->*measure)(family) / base.back());
    }
  }
  fmt::print("IP{} {}: {} {:.2f} us", family_name(family), what, hosts[0].first, median(base));
  for (std::size_t i = 1; i < hosts.size(); ++i) fmt::print(", {} {:.2f}x", hosts[i].first, median(ratios[i]));
  fmt::print("\n");
}

ProbeRoutes open_probes() {
  auto probes = ProbeRoutes::open("bench");
  if (!probes) die(probes.error().message);
  return std::move(*probes);
}

int run(unsigned count) {
  const Host none;
  const Host foreign(
      "; ip rule add pref 100 to 203.0.113.7 lookup 9; ip -6 rule add pref 100 to 2001:db8:7::/48 lookup 9");
  Host guarded;
  auto probes = open_probes();
  time_changes(probes, count * 2);
  must(probes.set(servers(count)));
  const Host unguarded;
  auto others = open_probes();
  must(others.set(servers(count)));
  if (std::system("ip rule del pref 5800 && ip -6 rule del pref 5800") != 0) die("cannot remove the guard");
  Host marked;
  auto own = open_probes();
  must(own.set(servers(count)));
  marked.mark(own.mark_of(servers(count).back().server, Family::kV4));
  const Host none_again;
  // The slow ones apart: they leave cold caches to the next.
  const std::vector<std::pair<std::string, const Host*>> fast = {{"without rules", &none},
                                                                 {"again", &none_again},
                                                                 {"one rule of the operator", &foreign},
                                                                 {fmt::format("{} servers", count), &guarded}};
  const std::vector<std::pair<std::string, const Host*>> slow = {{"without rules", &none},
                                                                 {fmt::format("{} without guard", count), &unguarded},
                                                                 {"marked for the last of them", &marked}};
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (const auto* hosts : {&fast, &slow}) {
      compare("lookup", family, *hosts, &Host::lookup_us);
      compare("connection", family, *hosts, &Host::connection_us);
    }
  }
  return 0;
}

}  // namespace
}  // namespace xdplb

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  return xdplb::run(static_cast<unsigned>(std::clamp(count, 1, 30000)));
}
