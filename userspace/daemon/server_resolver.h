// SPDX-License-Identifier: GPL-2.0-only
// ServerResolver: server addresses -> MAC and interface, from the kernel's neighbour table; servers with several
// adapters are asked all the time, too.
#pragma once

#include "host/host_monitor.h"
#include "host/reach_prober.h"
#include "model/plan.h"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// What there is to resolve.
struct ResolverTask {
  std::set<IpAddress> addresses{};          // of all servers
  std::set<IpAddress> adapters{};           // of them: those of servers with several
  std::vector<std::uint32_t> interfaces{};  // loaded, in order of preference, healthy ones first
  unsigned missed_limit = 3;                // an adapter silent that often has failed
  std::chrono::seconds interval{1};         // between questions to an adapter
};

class ServerResolver {
 public:
  // The monitor must outlive the resolver. At the end the kernel goes on keeping the neighbours: forwarding outlives
  // the daemon (I5), and the next one finds them fresh.
  ServerResolver(HostMonitor& monitor, boost::asio::io_context& io);
  ServerResolver(const ServerResolver&) = delete;
  ServerResolver& operator=(const ServerResolver&) = delete;

  // Called from the io_context when an adapter failed or answers again.
  void on_change(std::function<void(const IpAddress&)> handler) { handler_ = std::move(handler); }

  // An address lives on the first interface that has a subnet it belongs to. One that moves to another interface on the
  // same network keeps its MAC: it is the same LAN.
  void update(const ResolverTask& task);

  // Targets that outlived the daemon: they hold until the kernel knows better. Call it before the first update.
  void seed(ServerTargets targets) { known_ = std::move(targets); }

  // False before the first update(), and without interfaces: nothing can be said of anybody.
  bool has_task() const { return !places_.empty(); }

  void on_neighbor(const Neighbor& neighbor);
  // Somebody has reason to doubt these adapters: they are asked at once.
  void doubt(const std::vector<IpAddress>& adapters);

  // Where frames can go now: resolved, and not an adapter that fell silent.
  ServerTargets targets() const;
  // The MAC that an address has or had last; nullptr when it was never resolved.
  const ServerTarget* find_known(const IpAddress& address) const;
  // Addresses of this host: a server that has one of them is the host itself, and is not asked for.
  std::set<IpAddress> own_addresses() const;
  // Asked, and neither answered nor given up by the kernel yet.
  bool is_pending(const IpAddress& address) const;
  // Why the address has no target, in words for people; empty when it has one.
  std::string reason(const IpAddress& address) const;
  // The same of a server by all its addresses: empty when one of them has a target.
  std::string reason(const std::vector<IpAddress>& addresses) const;
  // Which of a server's addresses carries its flows now: this host's own before all others, else the first that has a
  // target.
  struct Carrier {
    IpAddress address;
    ServerTarget target;
  };
  std::optional<Carrier> carrier(const std::vector<IpAddress>& addresses) const;
  // No question can be sent to any of them: they are on no interface that works. Says nothing about the server.
  bool is_unreachable_from_here(const std::vector<IpAddress>& addresses) const;
  // The interface its questions leave by; 0: none.
  std::uint32_t interface_of(const IpAddress& address) const;

 private:
  // Where an address lives.
  struct Place {
    std::uint32_t ifindex = 0;  // 0: on no interface, or this host's own
    // Of the network it was found in. Kept here, for the interface may lose its addresses together with its link.
    std::uint8_t prefix_length = 0;
  };
  Place find_place(const IpAddress& address, const std::vector<std::uint32_t>& interfaces) const;
  void place(const IpAddress& address, const std::vector<std::uint32_t>& interfaces);
  void move(const IpAddress& address, const Place& from, const Place& to);
  void probe_adapters(const ResolverTask& task);
  void take_outcome(const ReachProber::Outcome& outcome);
  void take_over(const Neighbor& neighbor);
  bool is_own(const IpAddress& address) const;
  bool is_silent(const IpAddress& address) const;

  HostMonitor* monitor_;
  ReachProber prober_;
  std::function<void(const IpAddress&)> handler_;
  std::map<IpAddress, Place> places_;
  ServerTargets known_;
  ServerTargets last_;  // of every address that was ever resolved: whom a MAC belongs to outlives its answers
  std::map<IpAddress, unsigned> missed_;  // adapters that are silent: how often in a row
  unsigned missed_limit_ = 3;
};

}  // namespace xdplb
