// SPDX-License-Identifier: GPL-2.0-only
// ManagerKeeper: runs the managers of all clusters at their intervals: reads the load, keeps the weights.
#pragma once

#include "daemon/forwarding.h"
#include "model/config.h"
#include "model/manager.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// Everything runs on the io_context's thread.
class ManagerKeeper {
 public:
  struct Surroundings {
    boost::asio::io_context& io;
    std::function<const Forwarding*()> forwarding;  // nullptr while nothing is forwarding
    // All but active, new connections and the fixed weight: of the advisors and the operator.
    std::function<ManagedLoad(const ServerPath&, const ServerConfig&)> load;
    // How many results the advisor has had of a server: the same number as before is no news.
    std::function<std::uint64_t(const ServerPath&)> results;
    std::function<void()> on_push;  // weights changed
  };

  explicit ManagerKeeper(Surroundings surroundings);
  ~ManagerKeeper();
  ManagerKeeper(const ManagerKeeper&) = delete;
  ManagerKeeper& operator=(const ManagerKeeper&) = delete;

  // What the last daemon had pushed: before the first configure().
  void restore(std::map<ServerPath, unsigned> weights) { weights_ = std::move(weights); }

  void configure(const Config& config);
  // A server went up, down or was quiesced: its port's weights are computed now.
  void hurry(const PortPath& port);

  // The weight that the manager gives; nullopt while it does not steer the server's cluster.
  std::optional<unsigned> weight(const ServerPath& server) const;
  const std::map<ServerPath, unsigned>& weights() const { return weights_; }

  struct PortReport {
    PortPath port;
    ManagerCycle cycle;
    std::optional<std::chrono::steady_clock::time_point> pushed_at{};
  };
  // Of a cluster that is steered; empty before its first cycle.
  std::vector<PortReport> report(const std::string& cluster) const;

  void close();

 private:
  struct Port {
    PortConfig config;
    Manager manager;
    std::map<std::string, ActiveEstimate> active{};
    std::map<std::string, std::uint64_t> new_before{};  // totals at the last reading
    std::map<std::string, std::uint64_t> results{};     // of the advisor, at the last cycle
    std::vector<ManagedLoad> loads{};                   // as last read
    PortReport report;
  };
  struct Cluster {
    ManagerConfig config;
    bool has_advisor = false;
    bool has_agent = false;
    std::map<PortPath, Port> ports{};
    unsigned cycles = 0;  // since counters were read
    std::unique_ptr<boost::asio::steady_timer> timer;
  };

  void arm(const std::string& name);
  void run(Cluster& cluster, Port& port, bool fresh);
  std::map<std::string, unsigned> weights_of(const PortPath& port) const;
  std::vector<ManagedLoad> read(Port& port, bool fresh) const;

  Surroundings host_;
  std::map<std::string, Cluster> clusters_;
  std::map<ServerPath, unsigned> weights_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace xdplb
