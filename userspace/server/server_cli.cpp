// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_cli.h"

#include "server/network_namespace.h"
#include "server/server_line.h"
#include "server/server_report.h"
#include "server/server_setup.h"

#include <fmt/format.h>

#include <optional>
#include <ostream>
#include <string>

namespace xdplb {
namespace {

const char* const kRecordFolder = "/var/lib/xdplb-server";

// Enters the namespace that the line names. nullopt: it names none, and this is the host's.
Result<std::optional<EnteredNamespace>> enter(const ServerLine& line, const ServerStreams& streams) {
  if (line.netns.empty()) return find_foreign_start();
  auto entered = enter_network_namespace(line.netns);
  if (!entered) return entered.error();
  if (entered->is_own) {
    streams.err << "xdplb-server: " << line.netns
                << " shares the host's network: one loopback, so one server per VIPA and port on this host\n";
  }
  return std::optional<EnteredNamespace>(*entered);
}

// Why firewall rules are not judged. Without nft there are none that it could tell of.
void tell_unread(const ServerFacts& facts, const ServerStreams& streams) {
  if (facts.ruleset) return;
  streams.err << "xdplb-server: firewall rules are not looked at: " << facts.ruleset_failure << '\n';
}

// What is typed outside of the namespace that --netns named must act inside.
std::string typed_outside(const std::string& remedy, const ServerLine& line) {
  std::string quoted;
  for (const char letter : remedy) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return fmt::format("nsenter --net={} sh -c '{}'", network_namespace_file(line.netns), quoted);
}

Result<int> check(const ServerLine& line, bool is_outside, const ServerStreams& streams) {
  auto facts = read_server_facts();
  if (!facts) return facts.error();
  Faults faults = judge_server(*facts, line.wish);
  for (Fault& fault : faults) {
    if (is_outside && !fault.remedy.empty()) fault.remedy = typed_outside(fault.remedy, line);
  }
  if (line.wants_json) {
    streams.out << report_json(line.wish, faults).dump(line.wants_pretty ? 2 : -1) << '\n';
  } else {
    tell_unread(*facts, streams);
    print_report(streams.out, *facts, line.wish, faults);
  }
  return is_well(faults) ? 0 : 1;
}

// Where setup writes down what it did: a file a namespace.
ServerPaths paths_of(const std::optional<EnteredNamespace>& entered) {
  ServerPaths paths;
  paths.is_foreign = entered && !entered->is_own;
  std::string name = "host";
  if (paths.is_foreign) name = "netns-" + (entered->name.empty() ? std::to_string(entered->inode) : entered->name);
  paths.record = std::filesystem::path(kRecordFolder) / (name + ".json");
  return paths;
}

void tell_count(unsigned changes, bool is_dry_run, const ServerStreams& streams) {
  if (changes == 0) {
    streams.out << "nothing to change\n";
  } else {
    streams.out << changes << (changes == 1 ? " change" : " changes") << (is_dry_run ? " to make\n" : " made\n");
  }
}

Result<int> setup(const ServerLine& line, const ServerPaths& paths, bool is_outside, const ServerStreams& streams) {
  const SetupOptions options{
      .wish = line.wish, .method = line.method, .persistence = line.persistence, .is_dry_run = line.is_dry_run};
  auto changes = setup_server(options, paths, [&](const std::string& change) { streams.out << change << std::endl; });
  if (!changes) return changes.error();
  tell_count(*changes, line.is_dry_run, streams);
  if (line.is_dry_run) return 0;
  return check(line, is_outside, streams);
}

Result<int> remove(const ServerLine& line, const ServerPaths& paths, const ServerStreams& streams) {
  auto changes = remove_server(line.wish.vipas, line.is_dry_run, paths,
                               [&](const std::string& change) { streams.out << change << std::endl; });
  if (!changes) return changes.error();
  tell_count(*changes, line.is_dry_run, streams);
  return 0;
}

Result<int> act(int argc, const char* const* argv, const ServerStreams& streams) {
  auto line = parse_server_line(argc, argv);
  if (!line) return line.error();
  if (line->text) {
    streams.out << *line->text;
    return 0;
  }
  auto entered = enter(*line, streams);
  if (!entered) return entered.error();
  const bool is_outside = !line->netns.empty() && *entered && !(*entered)->is_own;
  switch (line->command) {
    case ServerCommand::kSetup:
      return setup(*line, paths_of(*entered), is_outside, streams);
    case ServerCommand::kRemove:
      return remove(*line, paths_of(*entered), streams);
    default:
      return check(*line, is_outside, streams);
  }
}

}  // namespace

int run_server(int argc, const char* const* argv, const ServerStreams& streams) {
  const auto code = act(argc, argv, streams);
  if (code) return *code;
  streams.err << "xdplb-server: " << code.error().message << '\n';
  return static_cast<int>(code.error().code);
}

}  // namespace xdplb
