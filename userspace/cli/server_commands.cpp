// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/typed.h"
#include "model/option_text.h"

#include <fmt/format.h>

namespace xdplb {
namespace {

struct Standing {
  std::optional<unsigned> tier;
  std::optional<bool> has_fixed_weight;
};

template <typename Arguments>
Result<void> read_standing(const Arguments& arguments, Standing& standing) {
  if (arguments.tier) {
    const auto tier = typed_count("--tier", *arguments.tier, kMaxTier);
    if (!tier) return tier.error();
    standing.tier = *tier;
  }
  if (arguments.fixed_weight) {
    const auto is_fixed = typed_switch("--fixed-weight", *arguments.fixed_weight);
    if (!is_fixed) return is_fixed.error();
    standing.has_fixed_weight = *is_fixed;
  }
  return {};
}

}  // namespace

Result<int> server_add(const ServerAddArguments& arguments, const Context& context) {
  const auto port = typed_port(arguments.port);
  if (!port) return port.error();
  const auto adapters = of_option("server", typed_list(arguments.address, kMaxAdapters));
  if (!adapters) return adapters.error();
  ServerConfig server{.name = arguments.name.value_or(adapters->front().to_string()), .address = adapters->front()};
  server.further_addresses.assign(adapters->begin() + 1, adapters->end());
  if (const auto good = typed_name(server.name, "server"); !good) return good.error();
  if (arguments.weight) {
    const auto weight = typed_weight(*arguments.weight);
    if (!weight) return weight.error();
    server.weight = *weight;
  }
  if (arguments.family) {
    const auto family = typed_family(*arguments.family);
    if (!family) return family.error();
    server.family = *family;
  }
  if (arguments.vlan) {
    const auto vlan = of_option("--vlan", parse_vlan(*arguments.vlan));
    if (!vlan) return vlan.error();
    server.vlan = *vlan;
  }
  Standing standing;
  if (const auto read = read_standing(arguments, standing); !read) return read.error();
  server.tier = standing.tier.value_or(server.tier);
  server.has_fixed_weight = standing.has_fixed_weight.value_or(server.has_fixed_weight);
  const std::string object = "server " + ServerPath{.port = *port, .server = server.name}.to_string();
  return change(ServerAddRequest{.port = *port, .server = std::move(server)}, object, "added", kThere, context);
}

Result<int> server_list(const std::string& port, const Context& context) {
  if (port.empty()) return show(ServerListRequest{}, print_servers, context);
  const auto path = typed_port(port);
  if (!path) return path.error();
  return show(ServerListRequest{.port = *path, .path = std::nullopt}, print_servers, context);
}

Result<int> server_show(const std::string& path, const Context& context) {
  const auto parsed = typed_server(path);
  if (!parsed) return parsed.error();
  return show(ServerListRequest{.port = std::nullopt, .path = *parsed}, print_server, context);
}

Result<int> server_set(const ServerSetArguments& arguments, const Context& context) {
  const auto path = typed_server(arguments.path);
  if (!path) return path.error();
  ServerSetRequest request{.path = *path, .weight = std::nullopt};
  if (arguments.weight) {
    const auto weight = typed_weight(*arguments.weight);
    if (!weight) return weight.error();
    request.weight = *weight;
  }
  if (arguments.address) {
    auto adapters = of_option("--address", typed_list(*arguments.address, kMaxAdapters));
    if (!adapters) return adapters.error();
    request.addresses = std::move(*adapters);
  }
  if (arguments.vlan) {
    const auto vlan = of_option("--vlan", parse_vlan(*arguments.vlan));
    if (!vlan) return vlan.error();
    request.vlan = *vlan;
  }
  Standing standing;
  if (const auto read = read_standing(arguments, standing); !read) return read.error();
  request.tier = standing.tier;
  request.has_fixed_weight = standing.has_fixed_weight;
  if (arguments.admin) {
    const auto admin = of_option("--admin", parse_admin(*arguments.admin));
    if (!admin) return admin.error();
    request.admin = *admin;
  }
  if (request == ServerSetRequest{.path = *path, .weight = std::nullopt}) {
    return fail(
        ErrorCode::kUsage,
        fmt::format("server {}: say what to set: --weight, --address, --vlan, --tier, --fixed-weight or --admin",
                    path->to_string()));
  }
  return change(request, "server " + path->to_string(), "changed", kSo, context);
}

Result<int> server_remove(const std::string& path, const Context& context) {
  const auto parsed = typed_server(path);
  if (!parsed) return parsed.error();
  return change(ServerRemoveRequest{.path = *parsed}, "server " + parsed->to_string(), "removed", "was absent",
                context);
}

}  // namespace xdplb
