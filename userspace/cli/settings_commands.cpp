// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/typed.h"
#include "model/option_text.h"

namespace xdplb {
namespace {

Result<std::vector<IpAddress>> parse_targets(const std::string& text) {
  if (text == "none") return std::vector<IpAddress>{};
  return typed_list(text, kMaxReachTargets);
}

Result<HealthChanges> typed_health(const SettingsArguments& typed) {
  const auto duration = [](unsigned min, unsigned max) {
    return [min, max](const std::string& text) { return parse_duration(text, min, max); };
  };
  const auto missed = [](const std::string& text) { return typed_count("number", text, kMaxReachMissed, 1); };
  HealthChanges changes;
  OptionReader reader;
  reader.read("--reach", typed.reach, changes.reach_targets, parse_targets);
  reader.read("--reach-policy", typed.reach_policy, changes.needs_all_targets, parse_reach_policy);
  reader.read("--reach-interval", typed.reach_interval, changes.reach_interval_s, duration(1, kMaxReachInterval));
  reader.read("--reach-missed", typed.reach_missed, changes.reach_missed, missed);
  reader.read("--up-delay", typed.up_delay, changes.up_delay_s, duration(0, kMaxLinkDelay));
  reader.read("--down-delay", typed.down_delay, changes.down_delay_s, duration(0, kMaxLinkDelay));
  if (reader.error()) return *reader.error();
  return changes;
}

// Nothing where nothing was said.
Result<std::optional<std::vector<MacAddress>>> typed_peers(const SettingsArguments& typed) {
  using Peers = std::optional<std::vector<MacAddress>>;
  if (typed.no_peers && !typed.peers.empty()) {
    return fail(ErrorCode::kUsage, "--peer and --no-peers exclude each other");
  }
  if (!typed.no_peers && typed.peers.empty()) return Peers();
  Peers peers(std::in_place);
  for (const std::string& text : typed.peers) {
    const auto peer = of_option("--peer", MacAddress::parse(text));
    if (!peer) return peer.error();
    peers->push_back(*peer);
  }
  return peers;
}

Result<void> read_switch(const char* option, const std::optional<std::string>& text, std::optional<bool>& field) {
  if (!text) return {};
  const auto is_on = typed_switch(option, *text);
  if (!is_on) return is_on.error();
  field = *is_on;
  return {};
}

}  // namespace

Result<int> settings_set(const SettingsArguments& arguments, const Context& context) {
  SettingsSetRequest request;
  auto peers = typed_peers(arguments);
  if (!peers) return peers.error();
  request.peers = std::move(*peers);
  if (auto good = read_switch("--decrement-ttl", arguments.decrement_ttl, request.decrement_ttl); !good) {
    return good.error();
  }
  if (auto good = read_switch("--fix-host", arguments.fix_host, request.fix_host); !good) return good.error();
  if (auto good = read_switch("--guard", arguments.guard, request.has_failure_guard); !good) return good.error();
  auto health = typed_health(arguments);
  if (!health) return health.error();
  request.set_health(std::move(*health));
  if (request == SettingsSetRequest{}) {
    return fail(
        ErrorCode::kUsage,
        "say what to set, for example --peer, --decrement-ttl or --reach; `xdplb set --help` lists the options");
  }
  return change(request, "settings", "changed", "are so already, unchanged", context);
}

}  // namespace xdplb
