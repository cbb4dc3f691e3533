// SPDX-License-Identifier: GPL-2.0-only
// Controller: the single owner of state (I1). Every request and every event of the host enters here.
#pragma once

#include "base/result.h"
#include "control/instance.h"
#include "control/request.h"
#include "daemon/admin_states.h"
#include "daemon/advisor_keeper.h"
#include "daemon/claimants.h"
#include "daemon/event_log.h"
#include "daemon/forwarding.h"
#include "daemon/manager_keeper.h"
#include "daemon/object_views.h"
#include "daemon/server_resolver.h"
#include "daemon/standing_book.h"
#include "daemon/state_store.h"
#include "daemon/tracer.h"
#include "daemon/user_exits.h"
#include "daemon/vipa_keeper.h"
#include "daemon/vipa_views.h"
#include "host/host_monitor.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// One interface that `xdplb load` named.
struct LoadedInterface {
  InterfaceState wanted;
  std::uint32_t ifindex = 0;             // 0: no interface has the name now
  std::optional<Attachment> attachment;  // none: `failure` says why
  std::string failure;
  std::uint32_t failed_ifindex = 0;  // the interface that refused: not tried again until another has the name
};

// What a change leaves to say: whether anything changed, and in which lines.
struct Change {
  bool changed = false;
  std::vector<std::string> lines;
};

// Not thread-safe: requests and events run on the thread of the io_context.
class Controller {
 public:
  struct Options {
    Instance instance;
    bool started_by_load = false;  // ends with the last interface
  };

  // Reads the state kept, watches the host, and takes over what an earlier daemon left forwarding.
  //
  // stop  called once when the daemon shall end: close everything else that keeps `io` busy
  // Errors: of the state file, of netlink, of Program::open.
  static Result<std::unique_ptr<Controller>> open(boost::asio::io_context& io, Options options,
                                                  std::function<void()> stop);

  // The same state without a daemon: reads the state kept and the maps, watches and changes nothing. Only for
  // apply_offline(). Errors: as open; kNotFound when nothing is forwarding.
  static Result<std::unique_ptr<Controller>> open_offline(boost::asio::io_context& io, Options options);

  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Answers one request. A refused one changed nothing (I2).
  boost::asio::awaitable<Reply> apply(Request request);

  // Answers a request that only reads. Errors: kUsage for one that changes something, or that needs the daemon.
  Reply apply_offline(const Request& request);

  // Ends the watching of the host; forwarding goes on (I5).
  void close();

 private:
  Controller(boost::asio::io_context& io, Options options, std::function<void()> stop);
  Result<State> open_host();
  Result<void> start();
  Result<void> take_over(State state);
  Result<void> restore(const State& state);
  Result<void> start_offline();

  // controller.cpp: one way for every change
  template <typename SomeRequest>
  boost::asio::awaitable<Reply> run(const SomeRequest& request);
  boost::asio::awaitable<void> servers_settled();
  Result<Change> commit(Config next);
  Result<void> fits_host(const Config& next, const std::vector<std::uint32_t>& interfaces) const;
  Result<void> write_through(const Config& next);
  Result<void> save();
  State state_of(const Config& config, const Plan* plan) const;
  std::string_view secret_of(const Config& config) const;
  Surroundings surroundings(const Config& config) const;
  void on_host_change(const HostChange& change);
  void note_link_change();
  void reconcile_soon();
  void reconcile_links();
  void replan();
  ResolverTask resolver_task(const Config& config) const;

  // controller_vipas.cpp
  Result<void> open_keeper();
  void update_vipas();
  std::vector<LoadedLink> loaded_links() const;
  MacOwner owner_of(const MacAddress& mac) const;
  void hear_claim(const VipaConflict& conflict);
  void ask_for_leaks();
  void add_claimant_problems(nlohmann::json& found) const;
  std::vector<ServerPath> proxy_servers(const VipaConfig& vipa) const;
  ProxyServer proxy_of(const VipaConfig& vipa) const;
  VipaViewContext vipa_context() const;
  Result<Change> change(const InterfaceAdminRequest& request);
  Result<Change> change(const VipaSetRequest& request);
  Result<Change> change(const VipaMoveRequest& request);
  Result<Change> change(const VipaResumeRequest& request);
  Result<Change> change(const VipaAdminRequest& request);
  Result<Change> change(const VipaRemoveRequest& request);
  Result<Change> word_said(Result<bool> said, std::string line);
  Reply changed_vipa(const IpAddress& address, const Change& change) const;
  Reply view(const InterfaceAdminRequest& request, const Change& change) const;
  Reply view(const VipaSetRequest& request, const Change& change) const;
  Reply view(const VipaMoveRequest& request, const Change& change) const;
  Reply view(const VipaResumeRequest& request, const Change& change) const;
  Reply view(const VipaAdminRequest& request, const Change& change) const;
  Reply view(const VipaRemoveRequest& request, const Change& change) const;
  Reply view(const InterfaceListRequest& request) const;
  Reply view(const VipaListRequest& request) const;
  nlohmann::json interface_view(const std::string& name) const;
  nlohmann::json interface_views() const;
  void add_interface_problems(nlohmann::json& found) const;

  // controller_advisors.cpp
  Result<void> open_advisors();
  void update_advisors();
  void reconcile_paced();
  void restore_standings(const State& state);
  std::map<ServerPath, ServerStanding> kept_standings() const;
  void follow_standings();
  void follow_hours();
  void follow_seconds();
  ManagedLoad load_of(const ServerPath& path, const ServerConfig& server) const;
  void add_advisor_problems(nlohmann::json& found) const;
  void add_port_problems(const ClusterConfig& cluster, const PortConfig& port, nlohmann::json& found) const;
  void add_health_problems(const ClusterConfig& cluster, const PortConfig& port, const ServerConfig& server,
                           nlohmann::json& found) const;
  Result<Change> change(const AdvisorSetRequest& request);
  Result<Change> change(const AdvisorPatchRequest& request);
  Result<Change> change(const AdvisorRemoveRequest& request);
  Result<Change> change(const ManagerSetRequest& request);
  Result<Change> set_advisor(const PortPath& path, std::optional<AdvisorConfig> advisor);
  boost::asio::awaitable<Reply> probe_now(AdvisorRunRequest request);
  Reply view(const AdvisorSetRequest& request, const Change& change) const;
  Reply view(const AdvisorPatchRequest& request, const Change& change) const;
  Reply view(const AdvisorRemoveRequest& request, const Change& change) const;
  Reply view(const ManagerSetRequest& request, const Change& change) const;
  Reply view(const AdvisorListRequest& request) const;
  Reply view(const AdvisorRunRequest& request) const;  // without a daemon
  Reply view(const ManagerReportRequest& request) const;
  Reply view(const ExitListRequest& request) const;

  // controller_flows.cpp
  void sweep_soon();
  void sweep();
  void end_expired_drains();
  void tell_half_open();
  void tell_drained();

  // controller_interfaces.cpp
  Result<Change> change(const LoadRequest& request);
  Result<Change> change(const UnloadRequest& request);
  Result<std::uint32_t> find_loadable(const std::string& name) const;
  Result<LoadedInterface> load_one(const InterfaceState& wanted);
  Result<void> load_all(const std::vector<InterfaceState>& wanted);
  Result<void> unload_all(const std::vector<std::string>& names);
  void open_again(LoadedInterface& interface);
  void reconcile_interfaces();
  void forget_gone_egresses();
  Result<void> order_interfaces(const std::vector<std::string>& names);
  Result<void> open_forwarding();
  Result<void> close_forwarding();
  std::vector<std::uint32_t> loaded_indexes() const;
  std::vector<std::string> loaded_names() const;

  // controller_objects.cpp
  Result<Change> change(const ClusterAddRequest& request);
  Result<Change> change(const ClusterSetRequest& request);
  Result<Change> change(const ClusterRemoveRequest& request);
  Result<Change> change(const PortAddRequest& request);
  Result<Change> change(const PortSetRequest& request);
  Result<Change> change(const PortRemoveRequest& request);
  Result<Change> change(const ServerAddRequest& request);
  Result<Change> change(const ServerSetRequest& request);
  Result<Change> change(const ServerAdminRequest& request);
  Result<Change> change(const ServerRemoveRequest& request);
  Result<Change> change(const SettingsSetRequest& request);
  Result<Change> change(const ConfigApplyRequest& request);

  // controller_views.cpp: what is true now, read back from the maps
  Reply view(const LoadRequest& request, const Change& change) const;
  Reply view(const UnloadRequest& request, const Change& change) const;
  Reply view(const ClusterAddRequest& request, const Change& change) const;
  Reply view(const ClusterSetRequest& request, const Change& change) const;
  Reply view(const ClusterRemoveRequest& request, const Change& change) const;
  Reply view(const PortAddRequest& request, const Change& change) const;
  Reply view(const PortSetRequest& request, const Change& change) const;
  Reply view(const PortRemoveRequest& request, const Change& change) const;
  Reply view(const ServerAddRequest& request, const Change& change) const;
  Reply view(const ServerSetRequest& request, const Change& change) const;
  Reply view(const ServerAdminRequest& request, const Change& change) const;
  Reply view(const ServerRemoveRequest& request, const Change& change) const;
  Reply view(const SettingsSetRequest& request, const Change& change) const;
  Reply view(const ConfigApplyRequest& request, const Change& change) const;
  Reply view(const StatusRequest& request) const;
  Reply view(const StatsRequest& request) const;
  Reply view(const DropsRequest& request) const;
  Reply view(const FlowsRequest& request) const;
  Reply view(const EventsRequest& request) const;
  Reply view(const TraceRequest& request);
  Reply view(const ExplainRequest& request) const;
  Reply view(const ClusterListRequest& request) const;
  Reply view(const PortListRequest& request) const;
  Reply view(const ServerListRequest& request) const;
  Reply view(const ConfigShowRequest& request) const;
  Reply view(const ConfigDiffRequest& request) const;
  nlohmann::json problems() const;
  void add_server_problems(nlohmann::json& found) const;
  Reply changed_cluster(const std::string& name, const Change& change) const;
  Reply changed_port(const PortPath& path, const Change& change) const;
  Reply changed_server(const ServerPath& path, const Change& change) const;
  Result<xdplb_counters> total() const;
  Result<OutcomeSums> outcome_totals() const;
  ObjectViews objects() const;
  std::string interface_name(std::uint32_t ifindex) const;
  static Error absent(const char* kind, const std::string& name);
  Config shown_config() const;
  std::vector<std::string> changes_to(const Config& next) const;

  boost::asio::io_context& io_;
  Options options_;
  std::function<void()> stop_;
  StateStore store_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();

  Config config_;  // without interfaces: those are in interfaces_
  std::string generated_secret_;
  std::vector<LoadedInterface> interfaces_;  // in the operator's order
  std::unique_ptr<Forwarding> forwarding_;   // while an interface is loaded
  AdminStates admins_;
  EventLog events_;
  Tracer tracer_;
  boost::asio::steady_timer sweep_timer_;
  std::set<PortPath> half_open_high_;  // ports whose event half_open_high was told and not half_open_ok since
  std::set<ServerPath> draining_;      // drained servers that still had something when it was looked at last

  std::unique_ptr<HostMonitor> monitor_;
  std::unique_ptr<ServerResolver> resolver_;
  std::unique_ptr<VipaKeeper> keeper_;  // none without a daemon
  Claimants claimants_;                 // who else answers for them
  std::unique_ptr<UserExits> exits_;    // nor these three
  std::unique_ptr<AdvisorKeeper> advisors_;
  std::unique_ptr<ManagerKeeper> managers_;
  StandingBook book_;
  boost::asio::steady_timer standing_timer_;  // when a standing changes by time alone
  boost::asio::steady_timer pace_timer_;      // the next plan for what advisors and managers say
  bool is_pace_due_ = false;
  std::chrono::steady_clock::time_point paced_at_{};
  unsigned seconds_ = 0;            // sweeps since the start
  std::optional<unsigned> hour_{};  // local, as it was followed last

  std::set<std::uint32_t> gone_egresses_;  // ways out to forget once no server leaves by them

  std::set<IpAddress> fresh_;  // servers that the request under way brought
  std::set<boost::asio::steady_timer*> waiting_;
  bool reconcile_is_due_ = false;
  // When the first change of links since the last reconcile was heard.
  std::optional<std::chrono::steady_clock::time_point> links_changed_at_;
  // When what the next update of the VIPAs is about was heard; none: now.
  std::optional<std::chrono::steady_clock::time_point> event_at_;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // false: posted work of a closed controller does nothing
};

}  // namespace xdplb
