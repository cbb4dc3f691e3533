// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

namespace xdplb {
namespace {

// As they were typed.
struct Words {
  std::vector<std::string> vipas{};
  std::vector<std::string> ports{};
  std::string method = "loopback";
  std::string persistence = "auto";
  bool is_all = false;
};

// CLI11 breaks its lines.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

Error usage(const std::string& what, const CLI::App& app) {
  const auto commands = app.get_subcommands();
  const std::string command = commands.empty() ? "xdplb-server" : "xdplb-server " + commands.front()->get_name();
  return fail(ErrorCode::kUsage, fmt::format("{}: see `{} --help`", one_line(what), command));
}

Result<IpAddress> parse_vipa(const std::string& text) {
  auto vipa = IpAddress::parse(text);
  if (!vipa) return vipa;
  if (vipa->is_unspecified() || vipa->is_loopback() || vipa->is_multicast() || vipa->is_broadcast() ||
      vipa->is_link_local()) {
    return fail(ErrorCode::kUsage, text + ": this kind of address is no VIPA");
  }
  return vipa;
}

Result<void> take_words(const Words& words, ServerWish& wish) {
  for (const std::string& text : words.vipas) {
    auto vipa = parse_vipa(text);
    if (!vipa) return vipa.error();
    if (std::find(wish.vipas.begin(), wish.vipas.end(), *vipa) == wish.vipas.end()) wish.vipas.push_back(*vipa);
  }
  for (const std::string& text : words.ports) {
    auto port = parse_server_port(text);
    if (!port) return port.error();
    if (std::find(wish.ports.begin(), wish.ports.end(), *port) == wish.ports.end()) wish.ports.push_back(*port);
  }
  return {};
}

Result<ServerMethod> parse_method(const std::string& text) {
  if (text == "loopback") return ServerMethod::kLoopback;
  if (text == "nft") return ServerMethod::kNft;
  return fail(ErrorCode::kUsage, "--method " + text + ": it is loopback or nft");
}

Result<void> take_options(const Words& words, ServerLine& line) {
  if (auto taken = take_words(words, line.wish); !taken) return taken;
  auto method = parse_method(words.method);
  if (!method) return method.error();
  line.method = *method;
  auto persistence = parse_persistence(words.persistence);
  if (!persistence) return persistence.error();
  line.persistence = *persistence;
  line.wants_json = line.wants_json || line.wants_pretty;
  if (line.command == ServerCommand::kRemove && words.vipas.empty() != words.is_all) {
    return fail(ErrorCode::kUsage, "remove: either VIPAs or --all; see `xdplb-server remove --help`");
  }
  return {};
}

void add_where(CLI::App& command, ServerLine& line) {
  command.add_option("--netns", line.netns, "In this network namespace: a name of `ip netns`, or a process in it")
      ->type_name("NAME|PID");
}

void add_ports(CLI::App& command, Words& words) {
  command.add_option("--port", words.ports, "A port that clients use: 80, 80/tcp, 53/udp; may be given again")
      ->type_name("PORT")
      ->allow_extra_args(false);
}

void add_check(CLI::App& app, ServerLine& line, Words& words) {
  auto* command = app.add_subcommand("check", "Say what is wrong with this server's set-up, and what cures it");
  command->add_option("VIPA", words.vipas, "The cluster's addresses")->required();
  add_ports(*command, words);
  add_where(*command, line);
  command->add_flag("-j,--json", line.wants_json, "One JSON document on standard output");
  command->add_flag("-p,--pretty", line.wants_pretty, "The same with line breaks");
  command->callback([&line] { line.command = ServerCommand::kCheck; });
}

void add_setup(CLI::App& app, ServerLine& line, Words& words) {
  auto* command = app.add_subcommand("setup", "Make this host a right server, and tell each change");
  command->add_option("VIPA", words.vipas, "The cluster's addresses")->required();
  add_ports(*command, words);
  command->add_option("--persist", words.persistence, "Who brings it back after a reboot")
      ->type_name("auto|networkd|ifupdown|networkmanager|sysctl-only|none")
      ->capture_default_str();
  command->add_option("--method", words.method, "An alias of the loopback, or a redirection by nftables")
      ->type_name("loopback|nft")
      ->capture_default_str();
  command->add_flag("--dry-run", line.is_dry_run, "Only tell the changes");
  add_where(*command, line);
  command->callback([&line] { line.command = ServerCommand::kSetup; });
}

void add_remove(CLI::App& app, ServerLine& line, Words& words) {
  auto* command = app.add_subcommand("remove", "Undo what setup did, and nothing else");
  command->add_option("VIPA", words.vipas, "The cluster's addresses");
  command->add_flag("--all", words.is_all, "Of every VIPA");
  command->add_flag("--dry-run", line.is_dry_run, "Only tell the changes");
  add_where(*command, line);
  command->callback([&line] { line.command = ServerCommand::kRemove; });
}

}  // namespace

Result<ServerPort> parse_server_port(std::string_view text) {
  const auto slash = text.find('/');
  const std::string whole = "port " + std::string(text);
  const auto number = parse_number(text.substr(0, slash), 65535, whole);
  if (!number) return number.error();
  if (*number == 0) return fail(ErrorCode::kUsage, whole + ": from 1 to 65535");
  ServerPort port{.port = static_cast<std::uint16_t>(*number)};
  if (slash == std::string_view::npos) return port;
  const auto protocol = parse_protocol(text.substr(slash + 1));
  if (!protocol) return fail(ErrorCode::kUsage, whole + ": the protocol is tcp or udp");
  port.protocol = *protocol;
  return port;
}

Result<ServerLine> parse_server_line(int argc, const char* const* argv) {
  ServerLine line;
  Words words;
  CLI::App app("xdplb-server looks after a server behind an xdplb dispatcher.", "xdplb-server");
  app.set_version_flag("--version", "xdplb-server " XDPLB_VERSION);
  app.require_subcommand(0, 1);
  app.footer("Exit codes: 0 ok, 1 a fault or a failure, 2 usage, 3 not found, 5 permission.");
  add_check(app, line, words);
  add_setup(app, line, words);
  add_remove(app, line, words);
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
  if (app.get_subcommands().empty()) return usage("a command is missing", app);
  if (auto taken = take_options(words, line); !taken) return taken.error();
  return line;
}

}  // namespace xdplb
