// SPDX-License-Identifier: GPL-2.0-only
// The commands for advisors, the manager and user exits.
#include "cli/actions.h"
#include "cli/command_tree.h"

namespace xdplb {
namespace {

constexpr const char* kPort = "CLUSTER/PORT";
constexpr const char* kPortHelp = "web/443, web/53/udp";
constexpr const char* kCluster = "CLUSTER";
constexpr const char* kClusterHelp = "Of this cluster; of all when it is left out";

// Each option is noted as it is met: the steps of a conversation have the order of the command line.
void add_advisor_options(CLI::App& command, AdvisorSetArguments& words) {
  for (const AdvisorOption& option : advisor_options()) {
    const auto note = [&words, name = option.option](const std::string& text) {
      words.words.push_back({.option = name, .text = text});
    };
    command.add_option_function<std::string>(option.option, note, option.help)->trigger_on_parse()->group(option.group);
  }
}

}  // namespace

void CommandTree::add_advisors(CLI::App& app) {
  CLI::App& group = add_group(app, "advisor", "How the servers of a port are probed, and what was found");
  auto words = std::make_shared<AdvisorSetArguments>();
  CLI::App* set = group.add_subcommand(
      "set", "Probe the servers of a port, or change how: options that are not said stay, another --type begins anew");
  set->add_option(kPort, words->path, kPortHelp)->required();
  set->add_option("COMMAND", words->command, "Behind --: the program of an exec advisor and its arguments");
  set->add_option("--from", words->file,
                  "The whole advisor as a JSON object, in place of options; - is standard input");
  add_advisor_options(*set, *words);
  bind(*set, words, advisor_set);

  bind(*group.add_subcommand("list", "A line a port: its advisor, how many servers are up, and the worst check"),
       advisor_list);
  add_one(group, "show", "Every check: health, the last result, the latest latencies", "CLUSTER/PORT[/SERVER]",
          "web/443, web/53/udp, web/443/s1", advisor_show);
  add_one(group, "run", "Probe a server now and show every step; changes nothing; exit code 1 when it fails",
          "CLUSTER/PORT/SERVER", "web/443/s1, web/53/udp/s1", advisor_run);
  add_one(group, "remove", "Probe no more: all servers of the port count as up", kPort, kPortHelp, advisor_remove);
}

void CommandTree::add_managers(CLI::App& app) {
  CLI::App& group = add_group(app, "manager", "Weights that follow the load");
  auto words = std::make_shared<ManagerArguments>();
  CLI::App* set = group.add_subcommand("set", "Change how load becomes weights");
  set->add_option(kCluster, words->cluster, kClusterHelp);
  set->add_option("--proportions", words->proportions,
                  "Percents of active connections, new ones, advisor and system load, like 49,50,1,0; auto");
  set->add_option("--interval", words->interval, "Weights are pushed at most so often; 2s");
  set->add_option("--refresh", words->refresh, "Connections are counted every so many intervals; 2");
  set->add_option("--sensitivity", words->sensitivity, "Percent: smaller changes of the weights are not pushed; 5");
  set->add_option("--smoothing", words->smoothing, "1 to 100: the larger, the slower; 1.5");
  set->add_option("--weight-bound", words->weight_bound, "1 to 100: the largest weight; 20");
  bind(*set, words, manager_set);
  add_one(group, "start", "Let weights follow the load", kCluster, kClusterHelp, manager_start, false);
  add_one(group, "stop", "Back to the weights of the configuration", kCluster, kClusterHelp, manager_stop, false);
  add_one(group, "report", "Weights, and what they come from", kCluster, kClusterHelp, manager_report, false);

  bind(*app.add_subcommand("exits", "The programs that run when something happens, and how they fared"), exit_list);
}

}  // namespace xdplb
