// SPDX-License-Identifier: GPL-2.0-only
// The commands for clusters, ports and servers.
#include "cli/actions.h"
#include "cli/command_tree.h"

namespace xdplb {
namespace {

constexpr const char* kServerPath = "CLUSTER/PORT/NAME";
constexpr const char* kServerHelp = "web/443/s1, web/53/udp/s1";
constexpr const char* kTierHelp = "0 (as it is) to 3: it gets new flows while better tiers have too few servers up";
constexpr const char* kFixedHelp = "on or off: the manager leaves its weight alone";
constexpr const char* kSourceHelp = "operator (as it is) or hook: whose word it is; each takes back only its own";

void add_port_options(CLI::App& command, PortArguments& words) {
  command.add_option("--pick", words.pick, "hash (as it is), wrr or least-connections: how a new flow gets its server");
  command.add_option("--sticky", words.sticky,
                     "A client's connections go to one server for so long, like 60s; 0 is off");
  command
      .add_option("--sticky-mask", words.sticky_masks,
                  "Clients with equal first bits are one, like /24; twice for IPv4 and IPv6")
      ->allow_extra_args(false);
  command.add_option("--crossport", words.crossport, "Share the clients' servers with this port; none");
  command.add_option("--stale-timeout", words.stale_timeout, "A flow silent for so long is forgotten; 300s");
  command.add_option("--on-stale", words.on_stale,
                     "repick, reset or drop: packets of no known flow, where every flow is written down");
  command.add_option("--no-server", words.no_server, "drop, pass or reset: packets while there is no server");
  command.add_option("--udp-tracking", words.udp_tracking, "on or off: write UDP flows down");
  command.add_option("--new-flow-limit", words.new_flow_limit, "Flows written down a second; 0 is no limit");
  command.add_option("--half-open-limit", words.half_open_limit,
                     "Connections without an answer to the handshake above which an event tells; 0 is none");
  command.add_option("--min-up", words.min_up,
                     "So many servers must be up, a number or percent like 50%, else the next tier helps; 1");
  command.add_option("--on-all-down", words.on_all_down,
                     "rows-stay (as it is), drop or reset: packets while every server is down");
  command.add_option("--slow-start", words.slow_start,
                     "A server that comes back gets its weight in steps over so long, like 30s; 0");
}

}  // namespace

void CommandTree::add_clusters(CLI::App& app) {
  CLI::App& group = add_group(app, "cluster", "Services: a name and its virtual addresses");
  const auto add_with_addresses = [&](const char* name, const char* help, auto function, bool needs_address) {
    auto words = std::make_shared<ClusterArguments>();
    CLI::App* command = group.add_subcommand(name, help);
    command->add_option("NAME", words->name, "Of the cluster")->required();
    command
        ->add_option("ADDRESS", words->addresses,
                     "Its virtual addresses, IPv4 and IPv6; networks like 198.51.100.0/24 in a routed path")
        ->required(needs_address);
    command->add_option("--echo", words->echo, "Who answers a ping: server (as it is), dispatcher or off");
    bind(*command, words, function);
  };
  add_with_addresses("add", "Add a cluster", cluster_add, true);
  add_with_addresses("set", "Give a cluster other addresses or options", cluster_set, false);
  bind(*group.add_subcommand("list", "All clusters"), cluster_list);
  add_one(group, "show", "One cluster with its ports and servers", "NAME", "Of the cluster", cluster_show);
  add_one(group, "remove", "Remove a cluster with its ports and servers", "NAME", "Of the cluster", cluster_remove);
}

void CommandTree::add_ports(CLI::App& app) {
  CLI::App& group = add_group(app, "port", "Ports of a cluster: CLUSTER/PORT, CLUSTER/PORT/udp");
  constexpr const char* kPath = "CLUSTER/PORT";
  constexpr const char* kHelp = "web/443, web/53/udp; port 0 is any port without an entry of its own";
  const auto add_with_options = [&](const char* name, const char* help, auto function) {
    auto words = std::make_shared<PortArguments>();
    CLI::App* command = group.add_subcommand(name, help);
    command->add_option(kPath, words->path, kHelp)->required();
    add_port_options(*command, *words);
    bind(*command, words, function);
  };
  add_with_options("add", "Add a port", port_add);
  add_with_options("set", "Change options of a port", port_set);
  add_one(group, "list", "All ports", "CLUSTER", "Only of this cluster", port_list, false);
  add_one(group, "show", "One port with its servers", kPath, kHelp, port_show);
  add_one(group, "remove", "Remove a port with its servers", kPath, kHelp, port_remove);
}

void CommandTree::add_servers(CLI::App& app) {
  CLI::App& group = add_group(app, "server", "Servers of a port: CLUSTER/PORT/NAME, CLUSTER/PORT/udp/NAME");
  auto added = std::make_shared<ServerAddArguments>();
  CLI::App* add = group.add_subcommand("add", "Add a server to a port");
  add->add_option("CLUSTER/PORT", added->port, "web/443, web/53/udp")->required();
  add->add_option("ADDRESS", added->address,
                  "Of the server, on a network of a loaded interface; A,B,C for several adapters of one host, first "
                  "choice first")
      ->required();
  add->add_option("--name", added->name, "Defaults to the address");
  add->add_option("--weight", added->weight, "0 to 100; 10 when not said, 0 gets no new flows");
  add->add_option("--family", added->family, "v4 or v6: serve only this family of the cluster's addresses");
  add->add_option("--vlan", added->vlan, "keep (as the frame came), none or 1 to 4094: tag of frames to it");
  add->add_option("--tier", added->tier, kTierHelp);
  add->add_option("--fixed-weight", added->fixed_weight, kFixedHelp);
  bind(*add, added, server_add);

  auto changed = std::make_shared<ServerSetArguments>();
  CLI::App* set = group.add_subcommand("set", "Change a server");
  set->add_option(kServerPath, changed->path, kServerHelp)->required();
  set->add_option("--weight", changed->weight, "0 to 100");
  set->add_option("--address", changed->address, "Other addresses: A or A,B,C");
  set->add_option("--vlan", changed->vlan, "keep, none or 1 to 4094");
  set->add_option("--tier", changed->tier, kTierHelp);
  set->add_option("--fixed-weight", changed->fixed_weight, kFixedHelp);
  set->add_option("--admin", changed->admin, "ready, drain, drain-now or down: the configuration's word");
  bind(*set, changed, server_set);

  add_drains(group);
  add_one(group, "list", "All servers", "CLUSTER/PORT", "Only of this port", server_list, false);
  add_one(group, "show", "One server", kServerPath, kServerHelp, server_show);
  add_one(group, "remove", "Remove a server", kServerPath, kServerHelp, server_remove);
}

void CommandTree::add_drains(CLI::App& group) {
  constexpr const char* kWaitHelp = "Until nothing is left on it; --timeout limits it";
  auto drained = std::make_shared<DrainArguments>();
  CLI::App* drain = group.add_subcommand("drain", "No new flows; it keeps those it has, and its sticky clients");
  drain->add_option(kServerPath, drained->path, kServerHelp)->required();
  drain->add_flag("--now", drained->is_now, "Its sticky clients go elsewhere with their next connection");
  drain->add_option("--deadline", drained->deadline, "Give up what is left after so long, like 60s");
  drain->add_option("--daily", drained->daily, "H1 H2: only from hour H1 to the end of hour H2, every day")
      ->expected(2);
  drain->add_option("--source", drained->source, kSourceHelp);
  drain->add_flag("--wait", drained->waits, kWaitHelp);
  bind(*drain, drained, server_drain);

  const auto add_admin = [&](const char* name, const char* help, auto function, bool can_wait) {
    auto words = std::make_shared<AdminArguments>();
    CLI::App* command = group.add_subcommand(name, help);
    command->add_option(kServerPath, words->path, kServerHelp)->required();
    command->add_option("--source", words->source, kSourceHelp);
    if (can_wait) command->add_flag("--wait", words->waits, kWaitHelp);
    bind(*command, words, function);
  };
  add_admin("ready", "Back in service", server_ready, false);
  add_admin("down", "Out of service at once, its flows go elsewhere", server_down, true);
}

}  // namespace xdplb
