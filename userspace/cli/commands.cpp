// SPDX-License-Identifier: GPL-2.0-only
#include "cli/commands.h"

#include "cli/actions.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <sstream>

namespace xdplb {
namespace {

constexpr double kMaxTimeout = 86'400;

// The commands below `app`; the one that was typed leaves its Action in `action`.
class Tree {
 public:
  explicit Tree(Action& action) : action_(action) {}
  void add_all(CLI::App& app);

 private:
  void add_load(CLI::App& app);
  void add_views(CLI::App& app);
  void add_clusters(CLI::App& app);
  void add_ports(CLI::App& app);
  void add_servers(CLI::App& app);
  void add_config(CLI::App& app);
  // `function` gets the words of the command, of type Words, and the Context.
  template <typename Words, typename Function>
  void bind(CLI::App& command, std::shared_ptr<Words> words, Function function) {
    command.callback([&action = action_, words, function] {
      action = [words, function](const Context& context) { return function(*words, context); };
    });
  }
  void bind(CLI::App& command, Result<int> (*function)(const Context&)) {
    command.callback([&action = action_, function] { action = function; });
  }
  // A command that takes one word.
  void add_one(CLI::App& parent, const char* name, const char* help, const char* word, const char* word_help,
               Result<int> (*function)(const std::string&, const Context&), bool is_required = true);

  Action& action_;
};

CLI::App& add_group(CLI::App& parent, const char* name, const char* help) {
  CLI::App* group = parent.add_subcommand(name, help);
  group->require_subcommand(0, 1);  // that one is missing is said in our own words
  return *group;
}

void Tree::add_one(CLI::App& parent, const char* name, const char* help, const char* word, const char* word_help,
                   Result<int> (*function)(const std::string&, const Context&), bool is_required) {
  auto text = std::make_shared<std::string>();
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option(word, *text, word_help)->required(is_required);
  bind(*command, text, function);
}

void Tree::add_load(CLI::App& app) {
  auto words = std::make_shared<LoadArguments>();
  CLI::App* load_command = app.add_subcommand("load", "Start forwarding on interfaces; starts xdplbd where none runs");
  load_command->add_option("IFACE", words->interfaces, "Interfaces, in order of preference");
  load_command->add_option("--mode", words->mode, "auto, native or generic")->capture_default_str();
  load_command->add_flag("--chain", words->chain, "Attach through libxdp's dispatcher, beside other XDP programs");
  load_command->add_option("--config", words->config_file, "Then apply this configuration file; - is standard input");
  load_command->add_flag("--no-start", words->no_start, "Fail when no daemon answers");
  bind(*load_command, words, load);

  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* unload_command = app.add_subcommand("unload", "Stop forwarding");
  unload_command->add_option("IFACE", *names,
                             "Interfaces; none: all of them, the pins and the daemon that load started");
  bind(*unload_command, names, unload);
}

void Tree::add_views(CLI::App& app) {
  bind(*app.add_subcommand("status", "One screen, problems first; exit code 1 when there are some"), show_status);
  bind(*app.add_subcommand("stats", "What was forwarded, by server and by outcome"), show_stats);
  bind(*app.add_subcommand("drops", "How packets ended, and how many"), show_drops);

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

void Tree::add_clusters(CLI::App& app) {
  CLI::App& group = add_group(app, "cluster", "Services: a name and its virtual addresses");
  struct Words {
    std::string name;
    std::vector<std::string> addresses;
  };
  const auto add_with_addresses = [&](const char* name, const char* help, auto function) {
    auto words = std::make_shared<Words>();
    CLI::App* command = group.add_subcommand(name, help);
    command->add_option("NAME", words->name, "Of the cluster")->required();
    command->add_option("ADDRESS", words->addresses, "Its virtual addresses, IPv4 and IPv6")->required();
    bind(*command, words, [function](const Words& typed, const Context& context) {
      return function(typed.name, typed.addresses, context);
    });
  };
  add_with_addresses("add", "Add a cluster", cluster_add);
  add_with_addresses("set", "Give a cluster other addresses", cluster_set);
  bind(*group.add_subcommand("list", "All clusters"), cluster_list);
  add_one(group, "show", "One cluster with its ports and servers", "NAME", "Of the cluster", cluster_show);
  add_one(group, "remove", "Remove a cluster with its ports and servers", "NAME", "Of the cluster", cluster_remove);
}

void Tree::add_ports(CLI::App& app) {
  CLI::App& group = add_group(app, "port", "Ports of a cluster: CLUSTER/PORT, CLUSTER/PORT/udp");
  constexpr const char* kPath = "CLUSTER/PORT";
  constexpr const char* kHelp = "web/443, web/53/udp; port 0 is any port without an entry of its own";
  add_one(group, "add", "Add a port", kPath, kHelp, port_add);
  add_one(group, "list", "All ports", "CLUSTER", "Only of this cluster", port_list, false);
  add_one(group, "show", "One port with its servers", kPath, kHelp, port_show);
  add_one(group, "remove", "Remove a port with its servers", kPath, kHelp, port_remove);
}

void Tree::add_servers(CLI::App& app) {
  CLI::App& group = add_group(app, "server", "Servers of a port: CLUSTER/PORT/NAME, CLUSTER/PORT/udp/NAME");
  constexpr const char* kPath = "CLUSTER/PORT/NAME";
  auto added = std::make_shared<ServerAddArguments>();
  CLI::App* add = group.add_subcommand("add", "Add a server to a port");
  add->add_option("CLUSTER/PORT", added->port, "web/443, web/53/udp")->required();
  add->add_option("ADDRESS", added->address, "Of the server, on a network of a loaded interface")->required();
  add->add_option("--name", added->name, "Defaults to the address");
  add->add_option("--weight", added->weight, "0 to 100; 10 when not said, 0 gets no new flows");
  add->add_option("--family", added->family, "v4 or v6: serve only this family of the cluster's addresses");
  bind(*add, added, server_add);

  auto changed = std::make_shared<ServerSetArguments>();
  CLI::App* set = group.add_subcommand("set", "Change a server");
  set->add_option(kPath, changed->path, "web/443/s1, web/53/udp/s1")->required();
  set->add_option("--weight", changed->weight, "0 to 100");
  set->add_option("--address", changed->address, "Another address");
  bind(*set, changed, server_set);

  add_one(group, "list", "All servers", "CLUSTER/PORT", "Only of this port", server_list, false);
  add_one(group, "show", "One server", kPath, "web/443/s1, web/53/udp/s1", server_show);
  add_one(group, "remove", "Remove a server", kPath, "web/443/s1, web/53/udp/s1", server_remove);
}

void Tree::add_config(CLI::App& app) {
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

void Tree::add_all(CLI::App& app) {
  add_load(app);
  add_views(app);
  add_clusters(app);
  add_ports(app);
  add_servers(app);
  add_config(app);
}

void add_options(CLI::App& app, Options& options, std::string& timeout) {
  app.add_option("--instance", options.instance, "Which dispatcher of this host")
      ->envname("XDPLB_INSTANCE")
      ->capture_default_str();
  app.add_flag("-j,--json", options.wants_json, "One JSON document on standard output, errors too");
  app.add_flag("-p,--pretty", options.wants_pretty, "The same with line breaks");
  app.add_flag("-q,--quiet", options.is_quiet, "Neither confirmations nor warnings");
  app.add_flag("-v,--verbose", options.is_verbose, "Say what is asked of the daemon");
  app.add_option("--timeout", timeout, "Seconds to wait for the daemon")->capture_default_str();
}

Result<std::chrono::milliseconds> typed_timeout(const std::string& text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  if (is_whole && seconds >= 0.001 && seconds <= kMaxTimeout) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
  return fail(ErrorCode::kUsage, fmt::format("--timeout {}: it is a number of seconds up to {}", text, kMaxTimeout));
}

// "xdplb cluster add", the command that was being typed.
std::string command_of(const CLI::App& app) {
  const CLI::App* at = &app;
  std::string text = "xdplb";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    text += " " + at->get_name();
  }
  return text;
}

Error usage(std::string_view what, const CLI::App& app) {
  return fail(ErrorCode::kUsage, fmt::format("{}: see `{} --help`", one_line(what), command_of(app)));
}

// The commands a group has, for a line that stops before one.
Error incomplete(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> names;
  for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return usage(fmt::format("a command is missing, one of {}", fmt::join(names, ", ")), app);
}

}  // namespace

Result<ParsedLine> parse_line(int argc, const char* const* argv) {
  ParsedLine line;
  std::string timeout = "10";
  CLI::App app("xdplb controls a layer-4 dispatcher on XDP that forwards by MAC address.", "xdplb");
  app.set_version_flag("--version", "xdplb " XDPLB_VERSION);
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.footer(
      "Exit codes: 0 ok, 1 failed or degraded, 2 usage, 3 not found, 4 daemon not reachable, 5 permission,\n"
      "6 invalid configuration, 7 conflict, 8 timed out.");
  add_options(app, line.options, timeout);
  Tree(line.action).add_all(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    app.exit(success, text, text);
    line.text = text.str();
    return line;
  } catch (const CLI::ParseError& error) {
    return usage(error.what(), app);
  }
  if (!line.action) return incomplete(app);
  const auto parsed = typed_timeout(timeout);
  if (!parsed) return parsed.error();
  line.options.timeout = *parsed;
  line.options.wants_json = line.options.wants_json || line.options.wants_pretty;
  return line;
}

bool asks_for_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") return false;
    if (word == "--json" || word == "--pretty") return true;
    const bool is_short = word.size() > 1 && word[0] == '-' && word.find_first_not_of("jpqv", 1) == word.npos;
    if (is_short && word.find_first_of("jp") != word.npos) return true;
  }
  return false;
}

}  // namespace xdplb
