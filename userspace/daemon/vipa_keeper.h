// SPDX-License-Identifier: GPL-2.0-only
// VipaKeeper: owns the VIPAs of this host: which interfaces are healthy, who answers for which VIPA, and what the host
// itself needs for it (addresses, routes, kernel settings).
#pragma once

#include "daemon/event_log.h"
#include "daemon/state_store.h"
#include "host/host_monitor.h"
#include "host/host_profile.h"
#include "host/local_vipas.h"
#include "host/reach_prober.h"
#include "host/route_control.h"
#include "model/config.h"
#include "model/interface_health.h"
#include "vipa/vipa_service.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

// A loaded interface, as owning VIPAs cares about it.
struct LoadedLink {
  std::string name;
  std::uint32_t ifindex = 0;  // 0: no interface has the name now
  bool is_attached = false;
  std::uint32_t program_id = 0;  // 0: any will do, it sits behind a dispatcher
  std::string failure{};         // why it is not attached
};

// Who a MAC belongs to.
struct MacOwner {
  std::string kind = "unknown";  // "server", "dispatcher", "unknown"
  std::string object{};          // "server web/80/s1"; empty: not known
};

// Not thread-safe: everything runs on the io_context's thread.
class VipaKeeper {
 public:
  using Clock = std::chrono::steady_clock;

  struct Surroundings {
    boost::asio::io_context& io;
    HostMonitor& monitor;
    EventLog& events;
    std::function<void()> on_health;                    // the verdict on an interface changed: call update()
    std::function<void(const VipaConflict&)> on_claim;  // heard from a machine that is not expected to
    std::function<void()> on_words;                     // the words changed by themselves: keep them
  };

  // run_dir  of the instance; what must be undone after a crash is kept there
  // Errors: of the sockets.
  static Result<std::unique_ptr<VipaKeeper>> open(Surroundings surroundings, const std::filesystem::path& run_dir);
  ~VipaKeeper();
  VipaKeeper(const VipaKeeper&) = delete;
  VipaKeeper& operator=(const VipaKeeper&) = delete;

  // What the operator said before a restart: before the first update().
  void restore(const VipaWords& words);
  const VipaWords& words() const { return words_; }

  // Another configuration; takes effect with the next update().
  void configure(const Config& config);
  // The configuration, the loaded interfaces or the host's links changed. Who lost a VIPA is silent and who gained it
  // has spoken when this returns.
  //
  // event_at  when what caused it was heard
  void update(const std::vector<LoadedLink>& loaded, Clock::time_point event_at);
  // The kernel says that the neighbours of an interface must learn its addresses anew.
  void announce_again(std::uint32_t ifindex) { service_->announce_again(ifindex); }

  // Asks the LAN of a VIPA that this host owns who else answers for it; `on_claim` tells. Unknown ones are left alone.
  void ask(const IpAddress& vipa) { service_->ask(vipa); }

  // Undoes what owning VIPAs changed of kernel settings; addresses and routes of local VIPAs stay (I5).
  void close();

  // The operator. Errors: kNotFound, kConflict; nothing was changed then.
  Result<bool> move_to(const IpAddress& vipa, const std::string& entry);
  Result<bool> resume(const IpAddress& vipa);
  Result<bool> set_disabled(const IpAddress& vipa, bool is_disabled);
  Result<bool> set_interface_disabled(const std::string& name, bool is_disabled);

  bool is_vipa(const IpAddress& address) const { return managed_.contains(address); }
  bool is_healthy(const std::string& interface) const;
  HealthVerdict verdict(const std::string& interface) const { return health_.verdict(interface); }
  const InterfaceHealth& health() const { return health_; }
  // Interfaces that are loaded or listed for a VIPA.
  const std::vector<std::string>& watched() const { return watched_; }
  std::optional<VipaStatus> status(const IpAddress& vipa) const { return service_->status(vipa); }
  std::vector<VipaStatus> statuses() const { return service_->status(); }
  const VipaCounters& counters() const { return service_->counters(); }
  // As they are managed: in order of the address.
  struct Managed {
    VipaConfig config;
    std::vector<VipaEntry> entries{};
    std::vector<std::string> clusters{};
  };
  const std::map<IpAddress, Managed>& managed() const { return managed_; }
  // Kernel settings that are wrong and were not to be changed.
  const std::vector<ProfileFault>& faults() const { return faults_; }

 private:
  explicit VipaKeeper(Surroundings surroundings, const std::filesystem::path& run_dir);
  Result<void> start();

  std::map<std::string, LinkFacts> facts() const;
  void watch_links(Clock::time_point now);
  void tell_verdicts();
  void list_entries();
  VipaEntry entry_of(const std::string& name, const VipaConfig& config) const;
  std::vector<std::string> default_list(const IpAddress& vipa) const;
  std::string interface_with(const IpAddress& address) const;
  void set_service(Clock::time_point event_at);
  void set_local();
  void set_profile();
  void set_reach();
  void set_neighbours();
  void take_outcome(const ReachProber::Outcome& outcome);
  void health_changed();
  void arm_health();
  void tick_slowly();
  void tell(const IpAddress& vipa, const TellEvent& event);
  bool is_loaded(std::string_view name) const;

  Surroundings host_;
  std::unique_ptr<VipaService> service_;
  std::optional<RouteControl> routes_;
  std::optional<LocalVipas> local_;
  HostProfile profile_;
  ReachProber prober_;
  InterfaceHealth health_;
  boost::asio::steady_timer health_timer_;
  boost::asio::steady_timer slow_timer_;

  HealthConfig health_config_;
  bool fixes_host_ = false;
  std::vector<LoadedLink> loaded_;
  std::vector<std::string> watched_;
  std::map<IpAddress, Managed> managed_;
  std::set<IpAddress> served_;                 // VIPAs that the service knows
  std::map<std::string, HealthVerdict> told_;  // verdicts that events told of
  std::map<ReachQuestion, ReachProber::Outcome> reach_;
  std::vector<ProfileFault> faults_;
  VipaWords words_;
  bool has_local_ = true;  // something on the host may be ours to undo: an earlier run may have left it
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace xdplb
