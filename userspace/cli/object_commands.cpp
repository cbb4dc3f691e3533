// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/fields.h"
#include "cli/typed.h"
#include "model/option_text.h"

#include <fmt/format.h>

#include <limits>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

// For one object: the daemon may answer with the object or with a list of it alone.
void print_one_cluster(const Page& page, const json& reply) {
  for (const json& cluster : as_list(reply)) print_cluster(page, cluster);
}

void print_one_port(const Page& page, const json& reply) {
  print_ports(page, reply);
  for (const json& port : as_list(reply)) {
    if (list_of(port, "servers").empty()) continue;
    page.out << '\n';
    print_servers(page, list_of(port, "servers"));
  }
}

// Port 0 to 65535, or none.
Result<std::optional<std::uint16_t>> parse_crossport(std::string_view text) {
  using Crossport = std::optional<std::uint16_t>;
  if (text == "none") return Crossport();
  const auto number = parse_number(text, 65535, "port");
  if (!number) return number.error();
  return Crossport(static_cast<std::uint16_t>(*number));
}

Result<StickyMasks> parse_masks(const std::vector<std::string>& texts) {
  if (texts.empty()) return StickyMasks{};
  return parse_sticky_masks(texts);
}

Result<PortChanges> typed_options(const PortArguments& typed) {
  constexpr unsigned kAny = std::numeric_limits<unsigned>::max();
  const auto duration = [](unsigned min) {
    return [min](const std::string& text) { return parse_duration(text, min, kMaxTimeout); };
  };
  const auto limit = [](const std::string& text) { return typed_count("limit", text, kAny); };
  const auto tracking = [](const std::string& text) { return typed_switch("udp tracking", text); };
  PortChanges changes;
  OptionReader reader;
  reader.read("--pick", typed.pick, changes.pick, parse_pick);
  reader.read("--sticky", typed.sticky, changes.sticky_s, duration(0));
  reader.read("--stale-timeout", typed.stale_timeout, changes.stale_timeout_s, duration(1));
  reader.read("--on-stale", typed.on_stale, changes.on_stale, parse_on_stale);
  reader.read("--no-server", typed.no_server, changes.no_server, parse_no_server);
  reader.read("--crossport", typed.crossport, changes.crossport, parse_crossport);
  reader.read("--udp-tracking", typed.udp_tracking, changes.udp_tracking, tracking);
  reader.read("--new-flow-limit", typed.new_flow_limit, changes.new_flow_limit, limit);
  reader.read("--half-open-limit", typed.half_open_limit, changes.half_open_limit, limit);
  reader.read("--min-up", typed.min_up, changes.min_up, parse_min_up);
  reader.read("--on-all-down", typed.on_all_down, changes.on_all_down, parse_on_all_down);
  reader.read("--slow-start", typed.slow_start, changes.slow_start_s, duration(0));
  if (reader.error()) return *reader.error();
  const auto masks = of_option("--sticky-mask", parse_masks(typed.sticky_masks));
  if (!masks) return masks.error();
  changes.sticky_mask_v4 = masks->v4;
  changes.sticky_mask_v6 = masks->v6;
  return changes;
}

}  // namespace

Result<int> cluster_add(const ClusterArguments& arguments, const Context& context) {
  if (const auto good = typed_name(arguments.name, "cluster"); !good) return good.error();
  auto typed = typed_addresses(arguments.addresses);
  if (!typed) return typed.error();
  ClusterConfig cluster{
      .name = arguments.name, .addresses = std::move(typed->addresses), .prefixes = std::move(typed->prefixes)};
  if (arguments.echo) {
    const auto echo = of_option("--echo", parse_echo(*arguments.echo));
    if (!echo) return echo.error();
    cluster.echo = *echo;
  }
  return change(ClusterAddRequest{.cluster = std::move(cluster)}, "cluster " + arguments.name, "added", kThere,
                context);
}

Result<int> cluster_list(const Context& context) { return show(ClusterListRequest{}, print_clusters, context); }

Result<int> cluster_show(const std::string& name, const Context& context) {
  if (const auto good = typed_name(name, "cluster"); !good) return good.error();
  return show(ClusterListRequest{.name = name}, print_one_cluster, context);
}

Result<int> cluster_set(const ClusterArguments& arguments, const Context& context) {
  if (const auto good = typed_name(arguments.name, "cluster"); !good) return good.error();
  ClusterSetRequest request{.name = arguments.name};
  if (!arguments.addresses.empty()) {
    auto typed = typed_addresses(arguments.addresses);
    if (!typed) return typed.error();
    request.addresses = std::move(typed->addresses);
    request.prefixes = std::move(typed->prefixes);
  }
  if (arguments.echo) {
    const auto echo = of_option("--echo", parse_echo(*arguments.echo));
    if (!echo) return echo.error();
    request.echo = *echo;
  }
  if (!request.addresses && !request.echo) {
    return fail(ErrorCode::kUsage, fmt::format("cluster {}: say what to set: ADDRESS or --echo", arguments.name));
  }
  return change(request, "cluster " + arguments.name, "changed", kSo, context);
}

Result<int> cluster_remove(const std::string& name, const Context& context) {
  if (const auto good = typed_name(name, "cluster"); !good) return good.error();
  return change(ClusterRemoveRequest{.name = name}, "cluster " + name, "removed", "was absent", context);
}

Result<int> port_add(const PortArguments& arguments, const Context& context) {
  const auto path = typed_port(arguments.path);
  if (!path) return path.error();
  const auto options = typed_options(arguments);
  if (!options) return options.error();
  PortConfig port{.port = path->port, .protocol = path->protocol};
  options->apply(port);
  return change(PortAddRequest{.cluster = path->cluster, .port = port}, "port " + path->to_string(), "added", kThere,
                context);
}

Result<int> port_set(const PortArguments& arguments, const Context& context) {
  const auto path = typed_port(arguments.path);
  if (!path) return path.error();
  const auto changes = typed_options(arguments);
  if (!changes) return changes.error();
  const std::string object = "port " + path->to_string();
  if (changes->is_empty()) {
    return fail(ErrorCode::kUsage,
                object + ": say what to set, for example --sticky 60s; `xdplb port set --help` lists the options");
  }
  return change(PortSetRequest{.path = *path, .changes = *changes}, object, "changed", kSo, context);
}

Result<int> port_list(const std::string& cluster, const Context& context) {
  if (cluster.empty()) return show(PortListRequest{}, print_ports, context);
  if (const auto good = typed_name(cluster, "cluster"); !good) return good.error();
  return show(PortListRequest{.cluster = cluster, .path = std::nullopt}, print_ports, context);
}

Result<int> port_show(const std::string& path, const Context& context) {
  const auto parsed = typed_port(path);
  if (!parsed) return parsed.error();
  return show(PortListRequest{.cluster = std::nullopt, .path = *parsed}, print_one_port, context);
}

Result<int> port_remove(const std::string& path, const Context& context) {
  const auto parsed = typed_port(path);
  if (!parsed) return parsed.error();
  return change(PortRemoveRequest{.path = *parsed}, "port " + parsed->to_string(), "removed", "was absent", context);
}

}  // namespace xdplb
