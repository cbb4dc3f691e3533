// SPDX-License-Identifier: GPL-2.0-only
// A farm of one cluster under the controller's own data plane: plan, publisher, sweep and the real program, driven by
// an operator who cannot leave it alone. No daemon, no interface: packets come by BPF_PROG_RUN.
#pragma once

#include "daemon/forwarding.h"
#include "support/packet.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb::test {

// What one packet came to.
struct Sent {
  int verdict = 0;              // XDP_*
  std::optional<int> server{};  // number of the server that its frame went to; none: it was not forwarded
};

class Farm {
 public:
  static constexpr int kMaxServers = 20;
  static constexpr unsigned kStaleSeconds = 6;

  // ports    of the cluster "web"; their servers are those of the farm
  // entries  of the table of flows: a small one is full soon
  Farm(std::vector<PortConfig> ports, std::uint32_t entries);
  ~Farm();
  Farm(const Farm&) = delete;
  Farm& operator=(const Farm&) = delete;

  // The operator. Servers have numbers from 0; each call is published before it returns.
  void add(int server, unsigned weight);
  void remove(int server);
  void reweigh(int server, unsigned weight);
  void say(int server, Admin admin);
  // What advisors and managers make of it.
  void grant(int server, bool is_in, unsigned weight);
  bool is_granted_in(int server) const;
  void force(int server);  // a drain's deadline
  void change_mac(int server);
  void restart();  // kill -9 and a new daemon
  void sweep();
  // Moves the program's clock on; it goes by itself, too.
  void pass(std::uint32_t ticks);
  std::uint32_t now() const;

  // All servers of the farm, and whether they take part.
  bool has(int server) const { return weights_.contains(server); }
  Admin admin_of(int server) const;
  std::uint32_t stale_ticks() const { return forwarding_->tables().clock().length().ticks(kStaleSeconds); }
  const SweepReport& report() const { return forwarding_->last_sweep(); }

  // One packet, as it comes in; may be called by several threads while the operator is at work.
  Sent send(const Frame& frame) const;

 private:
  void open();
  void publish();
  Config config() const;
  Surroundings host() const;
  static MacAddress mac_of(int server, int generation);

  std::filesystem::path pin_dir_;
  std::vector<PortConfig> ports_;
  std::uint32_t entries_;
  std::map<int, unsigned> weights_;
  std::map<int, int> generations_;  // of a server's MAC
  std::map<int, Admin> admins_;
  std::map<int, ServerGrant> grants_;
  std::unique_ptr<Forwarding> forwarding_;
  int program_ = -1;  // a descriptor of its own: packets go on while the daemon restarts
};

}  // namespace xdplb::test
