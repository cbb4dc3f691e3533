// SPDX-License-Identifier: GPL-2.0-only
// One function a command: the words as typed in, an Action's result out. commands.cpp binds them to argv.
// Errors of text that cannot be read: kUsage, naming the option or object.
#pragma once

#include "cli/advisor_options.h"
#include "cli/context.h"

#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// ---- load_commands.cpp
struct LoadArguments {
  std::vector<std::string> interfaces;
  std::string mode = "auto";
  bool chain = false;
  bool fix_host = false;
  std::string config_file;  // empty: none
  bool no_start = false;
};
Result<int> load(const LoadArguments& arguments, const Context& context);
Result<int> unload(const std::vector<std::string>& interfaces, const Context& context);

// ---- view_commands.cpp
Result<int> show_status(const Context& context);  // 1 when there are problems
Result<int> show_stats(const Context& context);
Result<int> show_drops(const std::string& object, const Context& context);  // of a cluster or port; empty: of all
Result<int> show_flows(const std::string& object, const std::optional<std::string>& limit, const Context& context);
Result<int> show_events(bool follows, const Context& context);  // follows: returns only with an error
Result<int> explain(const std::string& source, const std::string& destination, const std::string& protocol,
                    const Context& context);

// ---- doctor_commands.cpp
struct DoctorArguments {
  std::vector<std::string> interfaces;  // empty: the configuration's
  std::vector<std::string> vipas;       // empty: the configuration's
  std::string config_file;              // empty: the daemon's, if one runs
};
Result<int> examine_host(const DoctorArguments& arguments, const Context& context);  // 1 when a check failed

// ---- verify_commands.cpp
struct VerifyArguments {
  std::string cluster;  // empty: every one
  std::vector<std::string> vipas;
  std::vector<std::string> servers;  // names or addresses
  std::vector<std::string> ports;
  std::string interface;             // empty: by the server's network
  std::optional<std::string> owner;  // a MAC, or none
  std::string config_file;           // empty: the daemon's
  std::string wait = "1s";
};
Result<int> verify(const VerifyArguments& arguments, const Context& context);  // 1 when there is a fault

// ---- trace_commands.cpp
struct TraceArguments {
  std::vector<std::string> filters;
  std::optional<std::string> count;
  std::optional<std::string> sample;
  std::string file;  // empty: none
};
Result<int> show_trace(const TraceArguments& arguments, const Context& context);  // returns after `count` packets

// ---- object_commands.cpp
struct ClusterArguments {
  std::string name;
  std::vector<std::string> addresses;
  std::optional<std::string> echo;
};
struct PortArguments {
  std::string path;
  std::optional<std::string> pick;
  std::optional<std::string> sticky;
  std::vector<std::string> sticky_masks;
  std::optional<std::string> stale_timeout;
  std::optional<std::string> on_stale;
  std::optional<std::string> no_server;
  std::optional<std::string> crossport;
  std::optional<std::string> udp_tracking;
  std::optional<std::string> new_flow_limit;
  std::optional<std::string> half_open_limit;
  std::optional<std::string> min_up;
  std::optional<std::string> on_all_down;
  std::optional<std::string> slow_start;
};
Result<int> cluster_add(const ClusterArguments& arguments, const Context& context);
Result<int> cluster_list(const Context& context);
Result<int> cluster_show(const std::string& name, const Context& context);
Result<int> cluster_set(const ClusterArguments& arguments, const Context& context);
Result<int> cluster_remove(const std::string& name, const Context& context);
Result<int> port_add(const PortArguments& arguments, const Context& context);
Result<int> port_set(const PortArguments& arguments, const Context& context);
Result<int> port_list(const std::string& cluster, const Context& context);  // empty: of all clusters
Result<int> port_show(const std::string& path, const Context& context);
Result<int> port_remove(const std::string& path, const Context& context);

// ---- server_commands.cpp
struct ServerAddArguments {
  std::string port;
  std::string address;  // or several with commas between them
  std::optional<std::string> name;
  std::optional<std::string> weight;
  std::optional<std::string> family;
  std::optional<std::string> vlan;
  std::optional<std::string> tier;
  std::optional<std::string> fixed_weight;
};
struct ServerSetArguments {
  std::string path;
  std::optional<std::string> weight;
  std::optional<std::string> address;
  std::optional<std::string> vlan;
  std::optional<std::string> tier;
  std::optional<std::string> fixed_weight;
  std::optional<std::string> admin;
};
Result<int> server_add(const ServerAddArguments& arguments, const Context& context);
Result<int> server_list(const std::string& port, const Context& context);  // empty: of all ports
Result<int> server_show(const std::string& path, const Context& context);
Result<int> server_set(const ServerSetArguments& arguments, const Context& context);
Result<int> server_remove(const std::string& path, const Context& context);

// ---- drain_commands.cpp; `waits`: until nothing is left on the server. Errors: kTimedOut after --timeout.
struct DrainArguments {
  std::string path;
  bool is_now = false;  // sticky clients go elsewhere, too
  std::optional<std::string> deadline;
  std::vector<std::string> daily;  // the first and the last hour; empty: at any time
  std::optional<std::string> source;
  bool waits = false;
};
// Of `ready` and `down`.
struct AdminArguments {
  std::string path;
  std::optional<std::string> source;
  bool waits = false;
};
Result<int> server_drain(const DrainArguments& arguments, const Context& context);
Result<int> server_ready(const AdminArguments& arguments, const Context& context);
Result<int> server_down(const AdminArguments& arguments, const Context& context);

// ---- advisor_commands.cpp
struct AdvisorSetArguments {
  std::string path;
  std::string file;                  // --from; empty: none
  std::vector<AdvisorWord> words;    // in the order typed
  std::vector<std::string> command;  // behind "--"
};
Result<int> advisor_set(const AdvisorSetArguments& arguments, const Context& context);
Result<int> advisor_list(const Context& context);
Result<int> advisor_show(const std::string& path, const Context& context);  // of a port or a server
Result<int> advisor_run(const std::string& path, const Context& context);   // 1 when the probe fails
Result<int> advisor_remove(const std::string& path, const Context& context);
Result<int> exit_list(const Context& context);

// ---- manager_commands.cpp; an empty cluster: all of them
struct ManagerArguments {
  std::string cluster;
  std::optional<std::string> proportions;
  std::optional<std::string> interval;
  std::optional<std::string> refresh;
  std::optional<std::string> sensitivity;
  std::optional<std::string> smoothing;
  std::optional<std::string> weight_bound;
};
Result<int> manager_set(const ManagerArguments& arguments, const Context& context);
Result<int> manager_start(const std::string& cluster, const Context& context);
Result<int> manager_stop(const std::string& cluster, const Context& context);
Result<int> manager_report(const std::string& cluster, const Context& context);

// ---- vipa_commands.cpp
struct VipaSetArguments {
  std::string address;
  std::optional<std::string> prefer;
  std::optional<std::string> proxy;
  std::optional<std::string> local;
  std::optional<std::string> backup;
  std::optional<std::string> failback;
  std::optional<std::string> hold;
  std::optional<std::string> on_conflict;
  std::optional<std::string> probe;
  std::optional<std::string> refresh;
};
struct VipaMoveArguments {
  std::string address;
  std::string entry;
};
Result<int> vipa_set(const VipaSetArguments& arguments, const Context& context);
Result<int> vipa_list(const Context& context);
Result<int> vipa_show(const std::string& address, const Context& context);
Result<int> vipa_move(const VipaMoveArguments& arguments, const Context& context);
Result<int> vipa_resume(const std::string& address, const Context& context);
Result<int> vipa_deactivate(const std::string& address, const Context& context);
Result<int> vipa_reactivate(const std::string& address, const Context& context);
Result<int> vipa_remove(const std::string& address, const Context& context);
Result<int> interface_list(const Context& context);
Result<int> interface_disable(const std::string& name, const Context& context);
Result<int> interface_enable(const std::string& name, const Context& context);

// ---- settings_commands.cpp
struct SettingsArguments {
  std::vector<std::string> peers;
  bool no_peers = false;
  std::optional<std::string> decrement_ttl;
  std::optional<std::string> fix_host;
  std::optional<std::string> guard;
  std::optional<std::string> reach;
  std::optional<std::string> reach_policy;
  std::optional<std::string> reach_interval;
  std::optional<std::string> reach_missed;
  std::optional<std::string> up_delay;
  std::optional<std::string> down_delay;
};
Result<int> settings_set(const SettingsArguments& arguments, const Context& context);

// ---- config_commands.cpp; `file` may be "-", standard input
Result<int> config_show(const Context& context);
Result<int> config_check(const std::string& file, const Context& context);
Result<int> config_diff(const std::string& file, const Context& context);  // 1 when there is a difference
Result<int> config_apply(const std::string& file, bool dry_run, const Context& context);

// A configuration file, decoded and validated. Errors: kNotFound, kPermission for the file, kInvalidConfig for its
// content.
Result<Config> read_config(const std::string& file, const Context& context);

}  // namespace xdplb
