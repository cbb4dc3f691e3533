// SPDX-License-Identifier: GPL-2.0-only
#include "model/config.h"

#include "model/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

constexpr std::size_t kMaxName = 63;
constexpr std::string_view kPortForm = "CLUSTER/PORT[/tcp|udp]";
constexpr std::string_view kServerForm = "CLUSTER/PORT[/tcp|udp]/SERVER";

bool is_letter_or_digit(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

bool is_name_letter(char letter) {
  return is_letter_or_digit(letter) || letter == '-' || letter == '_' || letter == '.' || letter == ':';
}

bool is_address(std::string_view text) { return IpAddress::parse(text).has_value(); }

Error not_a_path(std::string_view text, std::string_view form) {
  return fail(ErrorCode::kUsage, fmt::format("{} is not of the form {}", quote(text), form));
}

std::vector<std::string_view> split_path(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/')) {
    parts.push_back(text.substr(0, slash));
    text.remove_prefix(slash + 1);
  }
  parts.push_back(text);
  return parts;
}

// The port of a path's first two or three parts; `text` is the whole path, for messages.
Result<PortPath> read_port(const std::vector<std::string_view>& parts, std::string_view text, std::string_view form) {
  if (const auto checked = check_cluster_name(parts[0], fmt::format("cluster of {}", quote(text))); !checked) {
    return fail(ErrorCode::kUsage, checked.error().message);
  }
  const auto number = parse_number(parts[1], 65535, "port");
  if (!number) return fail(ErrorCode::kUsage, fmt::format("{}: {}", quote(text), number.error().message));
  PortPath path{.cluster = std::string(parts[0]), .port = static_cast<std::uint16_t>(*number)};
  if (parts.size() < 3) return path;
  const auto protocol = parse_protocol(parts[2]);
  if (!protocol) return not_a_path(text, form);
  path.protocol = *protocol;
  return path;
}

template <typename Clusters>
auto* cluster_named(Clusters& clusters, std::string_view name) {
  const auto found =
      std::find_if(clusters.begin(), clusters.end(), [&](const ClusterConfig& each) { return each.name == name; });
  return found == clusters.end() ? nullptr : &*found;
}

template <typename Cluster>
auto* port_at(Cluster* cluster, const PortPath& path) {
  using Port = decltype(&cluster->ports.front());
  if (cluster == nullptr) return Port{nullptr};
  const auto is_it = [&](const PortConfig& each) { return each.port == path.port && each.protocol == path.protocol; };
  const auto found = std::find_if(cluster->ports.begin(), cluster->ports.end(), is_it);
  return found == cluster->ports.end() ? Port{nullptr} : &*found;
}

template <typename Vipas>
auto* vipa_at(Vipas& vipas, const IpAddress& address) {
  const auto found =
      std::find_if(vipas.begin(), vipas.end(), [&](const VipaConfig& each) { return each.address == address; });
  return found == vipas.end() ? nullptr : &*found;
}

template <typename Port>
auto* server_named(Port* port, std::string_view name) {
  using Server = decltype(&port->servers.front());
  if (port == nullptr) return Server{nullptr};
  const auto is_it = [&](const ServerConfig& each) { return each.name == name; };
  const auto found = std::find_if(port->servers.begin(), port->servers.end(), is_it);
  return found == port->servers.end() ? Server{nullptr} : &*found;
}

}  // namespace

Result<PortPath> PortPath::parse(std::string_view text) {
  const auto parts = split_path(text);
  if (parts.size() < 2 || parts.size() > 3) return not_a_path(text, kPortForm);
  return read_port(parts, text, kPortForm);
}

std::string PortPath::to_string() const {
  return fmt::format("{}/{}{}", cluster, port, protocol == Protocol::kTcp ? "" : "/udp");
}

Result<ServerPath> ServerPath::parse(std::string_view text) {
  auto parts = split_path(text);
  if (parts.size() < 3 || parts.size() > 4) return not_a_path(text, kServerForm);
  const std::string_view server = parts.back();
  parts.pop_back();
  auto port = read_port(parts, text, kServerForm);
  if (!port) return port.error();
  // "web/53/udp" is a port: the server is missing.
  if (parse_protocol(server)) return not_a_path(text, kServerForm);
  if (const auto checked = check_name(server, fmt::format("server of {}", quote(text))); !checked) {
    return fail(ErrorCode::kUsage, checked.error().message);
  }
  return ServerPath{.port = std::move(*port), .server = std::string(server)};
}

std::string ServerPath::to_string() const { return fmt::format("{}/{}", port.to_string(), server); }

std::vector<IpAddress> addresses_of(const ServerConfig& server) {
  std::vector<IpAddress> addresses = {server.address};
  addresses.insert(addresses.end(), server.further_addresses.begin(), server.further_addresses.end());
  return addresses;
}

Result<void> check_name(std::string_view name, std::string_view what) {
  if (name.empty()) return fail(ErrorCode::kInvalidConfig, fmt::format("{}: the name is empty", what));
  if (name.size() > kMaxName) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: name {} is longer than {} letters", what, quote(name), kMaxName));
  }
  if (name == "tcp" || name == "udp") {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: {} is a protocol, choose another name", what, quote(name)));
  }
  if (!std::all_of(name.begin(), name.end(), is_name_letter)) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: name {} may only have letters, digits, '-', '_', '.' and ':'", what, quote(name)));
  }
  if (!is_letter_or_digit(name.front()) && !(name.front() == ':' && is_address(name))) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: name {} must begin with a letter or a digit", what, quote(name)));
  }
  return {};
}

Result<void> check_cluster_name(std::string_view name, std::string_view what) {
  if (name.starts_with(':')) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: name {} must begin with a letter or a digit", what, quote(name)));
  }
  return check_name(name, what);
}

ClusterConfig* find_cluster(Config& config, std::string_view name) { return cluster_named(config.clusters, name); }

const ClusterConfig* find_cluster(const Config& config, std::string_view name) {
  return cluster_named(config.clusters, name);
}

VipaConfig* find_vipa(Config& config, const IpAddress& address) { return vipa_at(config.vipas, address); }

const VipaConfig* find_vipa(const Config& config, const IpAddress& address) { return vipa_at(config.vipas, address); }

PortConfig* find_port(Config& config, const PortPath& path) {
  return port_at(find_cluster(config, path.cluster), path);
}

const PortConfig* find_port(const Config& config, const PortPath& path) {
  return port_at(find_cluster(config, path.cluster), path);
}

ServerConfig* find_server(Config& config, const ServerPath& path) {
  return server_named(find_port(config, path.port), path.server);
}

const ServerConfig* find_server(const Config& config, const ServerPath& path) {
  return server_named(find_port(config, path.port), path.server);
}

}  // namespace xdplb
