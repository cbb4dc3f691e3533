// SPDX-License-Identifier: GPL-2.0-only
#include "cli/command_tree.h"

#include "cli/actions.h"

#include <optional>
#include <vector>

namespace xdplb {

CLI::App& CommandTree::add_group(CLI::App& parent, const char* name, const char* help) {
  CLI::App* group = parent.add_subcommand(name, help);
  group->require_subcommand(0, 1);  // that one is missing is said in our own words
  return *group;
}

void CommandTree::add_one(CLI::App& parent, const char* name, const char* help, const char* word, const char* word_help,
                          Result<int> (*function)(const std::string&, const Context&), bool is_required) {
  auto text = std::make_shared<std::string>();
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option(word, *text, word_help)->required(is_required);
  bind(*command, text, function);
}

void CommandTree::add_load(CLI::App& app) {
  auto words = std::make_shared<LoadArguments>();
  CLI::App* load_command = app.add_subcommand("load", "Start forwarding on interfaces; starts xdplbd where none runs");
  load_command->add_option("IFACE", words->interfaces, "Interfaces, in order of preference");
  load_command->add_option("--mode", words->mode, "auto, native or generic")->capture_default_str();
  load_command->add_flag("--chain", words->chain, "Attach through libxdp's dispatcher, beside other XDP programs");
  load_command->add_flag("--fix-host", words->fix_host,
                         "Make the kernel settings that owning virtual addresses needs, until the end");
  load_command->add_option("--config", words->config_file, "Then apply this configuration file; - is standard input");
  load_command->add_flag("--no-start", words->no_start, "Fail when no daemon answers");
  bind(*load_command, words, load);

  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* unload_command = app.add_subcommand("unload", "Stop forwarding");
  unload_command->add_option("IFACE", *names,
                             "Interfaces; none: all of them, the pins and the daemon that load started");
  bind(*unload_command, names, unload);
}

void CommandTree::add_views(CLI::App& app) {
  bind(*app.add_subcommand("status", "One screen, problems first; exit code 1 when there are some"), show_status);
  bind(*app.add_subcommand("stats", "What was forwarded, by server and by outcome"), show_stats);
  add_one(app, "drops", "How packets ended, and how many", "CLUSTER[/PORT]", "Only of this cluster or port", show_drops,
          false);

  struct FlowWords {
    std::string object;
    std::optional<std::string> limit;
  };
  auto flow_words = std::make_shared<FlowWords>();
  CLI::App* flows = app.add_subcommand("flows", "The flows and clients that are written down");
  flows->add_option("CLUSTER/PORT[/SERVER]", flow_words->object, "Only of this port or server");
  flows->add_option("--limit", flow_words->limit, "How many to list; 100 when not said");
  bind(*flows, flow_words,
       [](const FlowWords& typed, const Context& context) { return show_flows(typed.object, typed.limit, context); });

  auto follows = std::make_shared<bool>(false);
  CLI::App* events = app.add_subcommand("events", "What happened of late");
  events->add_flag("--follow", *follows, "Go on with what happens, until interrupted");
  bind(*events, follows, show_events);

  auto trace_words = std::make_shared<TraceArguments>();
  CLI::App* trace = app.add_subcommand("trace", "Verdicts of single packets as they happen, until interrupted");
  trace->add_option("--filter", trace_words->filters,
                    "KEY=VALUE of outcome, client, vipa, server, port or interface; repeated: each key must hold");
  trace->add_option("-n,--count", trace_words->count, "End after so many packets");
  trace->add_option("--sample", trace_words->sample, "One of so many packets");
  trace->add_option("-w,--write", trace_words->file, "Write them to this pcapng file, verdicts as comments");
  bind(*trace, trace_words, show_trace);

  struct Words {
    std::string source;
    std::string destination;
    std::string protocol = "tcp";
  };
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("explain", "Which server a flow goes to, and why");
  command->add_option("SRC:PORT", words->source, "The client; [ADDRESS]:PORT for IPv6")->required();
  command->add_option("DST:PORT", words->destination, "The cluster's address and port")->required();
  command->add_option("PROTOCOL", words->protocol, "tcp or udp")->capture_default_str();
  bind(*command, words, [](const Words& typed, const Context& context) {
    return explain(typed.source, typed.destination, typed.protocol, context);
  });
}

void CommandTree::add_config(CLI::App& app) {
  CLI::App& group = add_group(app, "config", "The configuration as one document");
  bind(*group.add_subcommand("show", "What runs, as a configuration file"), config_show);
  add_one(group, "check", "Is this file valid? Needs no daemon", "FILE", "- is standard input", config_check);
  add_one(group, "diff", "What applying this file would change; exit code 1 when something", "FILE",
          "- is standard input", config_diff);
  struct Words {
    std::string file;
    bool dry_run = false;
  };
  auto words = std::make_shared<Words>();
  CLI::App* apply = group.add_subcommand("apply", "Make what runs as this file says");
  apply->add_option("FILE", words->file, "- is standard input")->required();
  apply->add_flag("--dry-run", words->dry_run, "Only say what would change");
  bind(*apply, words,
       [](const Words& typed, const Context& context) { return config_apply(typed.file, typed.dry_run, context); });
}

void CommandTree::add_all(CLI::App& app) {
  add_load(app);
  add_views(app);
  add_verify(app);
  add_doctor(app);
  add_clusters(app);
  add_ports(app);
  add_servers(app);
  add_advisors(app);
  add_managers(app);
  add_vipas(app);
  add_interfaces(app);
  add_settings(app);
  add_config(app);
}

}  // namespace xdplb
