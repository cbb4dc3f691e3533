// SPDX-License-Identifier: GPL-2.0-only
// AdvisorKeeper: the advisors of all ports: which checks there are, the policy routes they take, what they found of
// each server.
#pragma once

#include "advisors/check_scheduler.h"
#include "advisors/probe.h"
#include "control/request.h"
#include "daemon/event_log.h"
#include "daemon/server_resolver.h"
#include "host/probe_routes.h"
#include "model/config.h"
#include "model/failure_guard.h"
#include "model/plan.h"
#include "model/standing.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// The cluster has an address or a network of the family, and the server is not limited to the other.
bool serves_family(const ClusterConfig& cluster, const ServerConfig& server, Family family);

// One check of a server, by family of the clients it stands for.
struct ServerCheck {
  std::string key;  // of the scheduler
  IpAddress destination;
  std::uint16_t port = 0;
  bool is_own = false;  // the server's own address
  bool operator==(const ServerCheck&) const = default;
};

// Everything runs on the io_context's thread.
class AdvisorKeeper {
 public:
  struct Surroundings {
    boost::asio::io_context& io;
    const ServerResolver& resolver;
    EventLog& events;
    std::string instance;             // name
    std::function<void()> on_change;  // what a server gets may have changed
  };

  // Errors: of netlink.
  static Result<std::unique_ptr<AdvisorKeeper>> open(Surroundings surroundings);
  ~AdvisorKeeper();
  AdvisorKeeper(const AdvisorKeeper&) = delete;
  AdvisorKeeper& operator=(const AdvisorKeeper&) = delete;

  // What the last daemon knew: before the first update().
  void restore(std::map<ServerPath, ByFamily<Health>> kept) { kept_ = std::move(kept); }
  std::map<ServerPath, ByFamily<Health>> kept() const;

  // The configuration changed, or servers are reached another way. Not forwarding: nothing is probed.
  void update(const Config& config, bool is_forwarding);
  // Only the ways to the servers may have changed.
  //
  // is_sure  false: links changed, or others may have removed what is ours: the kernel is looked at again
  void update_routes(bool is_sure = true);
  // All reach targets of all interfaces are lost, or they are back.
  void set_reach(bool is_reachable);

  // What is known of a server of a port with an advisor, without admin words, manager and reachability. One that no
  // update() brought yet counts as it will after it.
  ServerFacts facts(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server) const;
  // The agent's word; kReady when it said nothing.
  Admin agent_admin(const ServerPath& server) const;
  // For the manager: the advisor's load, its milliseconds or the number that an exec printed; and the load of the
  // machine, the number that the exec of a composite printed.
  // A probe that failed while the server still counts as up tells how long it took.
  std::optional<double> load_ms(const ServerPath& server) const;
  std::optional<double> system_load(const ServerPath& server) const;

  // The earliest end of the certificates that its checks saw last.
  std::optional<std::chrono::system_clock::time_point> certificate_end(const ServerPath& server) const;
  // How many results there were of a server.
  std::uint64_t results(const ServerPath& server) const;

  const std::map<Family, std::vector<ServerCheck>>* checks_of(const ServerPath& server) const;
  const CheckHealth* find(const std::string& key) const { return scheduler_->find(key); }
  // All servers that a check is for.
  const std::vector<ServerPath>& users_of(const std::string& key) const;
  // To be called once a second: a freeze ends by time alone, and is told.
  void follow_guard();
  // Why demotions are frozen; empty while they are not.
  std::string frozen() const;
  Lateness lateness() const { return scheduler_->lateness(); }
  // What is wrong with the way of probes itself; empty: nothing.
  const std::string& route_failure() const { return route_failure_; }

  // One probe of each check of a server, now.
  struct RunResult {
    ServerCheck check;
    CheckResult result;
    ProbeLog log;
  };
  boost::asio::awaitable<std::vector<RunResult>> run(ServerPath server, PortConfig port);

  // No probe begins and no result counts any more; the policy routes are taken back. Probes under way still use what is
  // in here: it is destroyed when the io_context has stopped.
  void close();

 private:
  explicit AdvisorKeeper(Surroundings surroundings);
  struct Server {
    std::vector<IpAddress> addresses{};
    std::map<Family, std::vector<ServerCheck>> checks{};
    AdvisorType type = AdvisorType::kConnect;
    bool trusts_unknown = false;
    Health told = Health::kUnknown;  // overall, to see it come back
    std::optional<HealthClock::time_point> up_since{};
    unsigned agent_percent = 100;
    Admin agent_admin = Admin::kReady;
    std::optional<double> system_load{};
    std::uint64_t results = 0;
  };

  void add_server(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server, bool trusts,
                  std::map<std::string, CheckScheduler::Wanted>& wanted);
  CheckScheduler::Way find_way(const Check& check) const;
  std::optional<IpAddress> own_address(const Check& check) const;
  bool all_answer(const Server& server) const;
  bool can_fall(const Check& check);
  void take(const Check& check, const CheckHealth& health, bool changed);
  void take_agent(const ServerPath& path, Server& server, const AgentWords& words);
  Health health_of(const Server& server, Family family) const;
  Health overall(const Server& server) const;
  std::string reason_of(const Server& server, Family family) const;

  Surroundings host_;
  std::unique_ptr<ProbeTools> tools_;
  std::unique_ptr<CheckScheduler> scheduler_;
  std::optional<ProbeRoutes> routes_;
  FailureGuard guard_;
  bool has_guard_ = true;
  std::string told_frozen_;
  std::map<ServerPath, Server> servers_;  // of ports with an advisor
  std::map<std::string, std::vector<ServerPath>> users_;
  std::map<IpAddress, std::vector<IpAddress>> hosts_;  // addresses of a server by its first one
  std::set<ServerPath> known_;                         // every server of the last configuration
  bool is_first_ = true;                               // nothing was probed yet
  std::map<ServerPath, ByFamily<Health>> kept_;
  std::vector<ProbeNextHop> hops_;
  bool has_looked_ = false;  // at the policy routes that the kernel has
  std::string route_failure_;
};

}  // namespace xdplb
