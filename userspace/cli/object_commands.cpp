// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/fields.h"
#include "cli/print.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;
using Printer = void (*)(const Page&, const json&);

// Text that somebody typed and that no object can be called is a mistake of usage, not of a configuration.
Result<std::string> typed_name(const std::string& text, std::string_view what) {
  if (const auto good = check_name(text, what); !good) return fail(ErrorCode::kUsage, good.error().message);
  return text;
}

Result<PortPath> typed_port(const std::string& text) {
  auto path = PortPath::parse(text);
  if (!path) return path.error();
  if (auto name = typed_name(path->cluster, "cluster"); !name) return name.error();
  return path;
}

Result<ServerPath> typed_server(const std::string& text) {
  auto path = ServerPath::parse(text);
  if (!path) return path.error();
  if (auto name = typed_name(path->port.cluster, "cluster"); !name) return name.error();
  return path;
}

Result<std::vector<IpAddress>> typed_addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = IpAddress::parse(text);
    if (!address) return address.error();
    addresses.push_back(*address);
  }
  return addresses;
}

Result<unsigned> typed_weight(const std::string& text) {
  const auto number = parse_number(text, kMaxWeight, "--weight");
  if (number) return *number;
  return fail(ErrorCode::kUsage, fmt::format("--weight {}: a weight is a whole number from 0 to {}", text, kMaxWeight));
}

Result<Family> typed_family(const std::string& text) {
  if (text == family_name(Family::kV4)) return Family::kV4;
  if (text == family_name(Family::kV6)) return Family::kV6;
  return fail(ErrorCode::kUsage, fmt::format("--family {}: a family is v4 or v6", text));
}

Result<int> show(const Request& request, Printer print, const Context& context) {
  const Reply reply = context.call(request);
  if (!reply) return reply.error();
  context.show(*reply,
               [&](std::ostream& out) { print({.out = out, .has_colour = context.around().has_colour}, *reply); });
  return 0;
}

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

// object     "server web/443/s1"
// done       what happened to it when something did, "added"
// unchanged  what is to say when nothing did
Result<int> change(const Request& request, const std::string& object, std::string_view done, std::string_view unchanged,
                   const Context& context) {
  const Reply reply = context.call(request);
  if (!reply) return reply.error();
  const bool is_changed = is_true(*reply, "changed");
  context.confirm(fmt::format("{} {}", object, is_changed ? done : unchanged));
  if (context.options().wants_json) context.show(*reply, [](std::ostream&) {});
  return 0;
}

constexpr std::string_view kThere = "is there already, unchanged";
constexpr std::string_view kSo = "is so already, unchanged";

}  // namespace

Result<int> cluster_add(const std::string& name, const std::vector<std::string>& addresses, const Context& context) {
  if (const auto good = typed_name(name, "cluster"); !good) return good.error();
  auto parsed = typed_addresses(addresses);
  if (!parsed) return parsed.error();
  ClusterConfig cluster{.name = name, .addresses = std::move(*parsed), .ports = {}};
  return change(ClusterAddRequest{.cluster = std::move(cluster)}, "cluster " + name, "added", kThere, context);
}

Result<int> cluster_list(const Context& context) { return show(ClusterListRequest{}, print_clusters, context); }

Result<int> cluster_show(const std::string& name, const Context& context) {
  if (const auto good = typed_name(name, "cluster"); !good) return good.error();
  return show(ClusterListRequest{.name = name}, print_one_cluster, context);
}

Result<int> cluster_set(const std::string& name, const std::vector<std::string>& addresses, const Context& context) {
  if (const auto good = typed_name(name, "cluster"); !good) return good.error();
  auto parsed = typed_addresses(addresses);
  if (!parsed) return parsed.error();
  return change(ClusterSetRequest{.name = name, .addresses = std::move(*parsed)}, "cluster " + name, "changed", kSo,
                context);
}

Result<int> cluster_remove(const std::string& name, const Context& context) {
  if (const auto good = typed_name(name, "cluster"); !good) return good.error();
  return change(ClusterRemoveRequest{.name = name}, "cluster " + name, "removed", "was absent", context);
}

Result<int> port_add(const std::string& path, const Context& context) {
  const auto parsed = typed_port(path);
  if (!parsed) return parsed.error();
  const PortConfig port{.port = parsed->port, .protocol = parsed->protocol, .servers = {}};
  return change(PortAddRequest{.cluster = parsed->cluster, .port = port}, "port " + parsed->to_string(), "added",
                kThere, context);
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

Result<int> server_add(const ServerAddArguments& arguments, const Context& context) {
  const auto port = typed_port(arguments.port);
  if (!port) return port.error();
  const auto address = IpAddress::parse(arguments.address);
  if (!address) return address.error();
  ServerConfig server{.name = arguments.name.value_or(address->to_string()), .address = *address};
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
  return show(ServerListRequest{.port = std::nullopt, .path = *parsed}, print_servers, context);
}

Result<int> server_set(const ServerSetArguments& arguments, const Context& context) {
  const auto path = typed_server(arguments.path);
  if (!path) return path.error();
  ServerSetRequest request{.path = *path, .weight = std::nullopt, .address = std::nullopt};
  if (arguments.weight) {
    const auto weight = typed_weight(*arguments.weight);
    if (!weight) return weight.error();
    request.weight = *weight;
  }
  if (arguments.address) {
    const auto address = IpAddress::parse(*arguments.address);
    if (!address) return address.error();
    request.address = *address;
  }
  if (!request.weight && !request.address) {
    return fail(ErrorCode::kUsage, fmt::format("server {}: say what to set: --weight or --address", path->to_string()));
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
