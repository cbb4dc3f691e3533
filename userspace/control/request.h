// SPDX-License-Identifier: GPL-2.0-only
// Every command of the API as a passive value, and the reply to one.
#pragma once

#include "model/attach_mode.h"
#include "model/config.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace xdplb {

// Errors: kUsage, naming the text and the modes there are.
Result<AttachMode> parse_attach_mode(std::string_view text);

struct LoadRequest {
  std::vector<std::string> interfaces;  // at least one
  AttachMode mode = AttachMode::kAuto;
  bool chain = false;  // attach through libxdp's dispatcher
  bool operator==(const LoadRequest&) const = default;
};
struct UnloadRequest {
  std::vector<std::string> interfaces;  // empty: all of them, the pins and the daemon
  bool operator==(const UnloadRequest&) const = default;
};
struct StatusRequest {
  bool operator==(const StatusRequest&) const = default;
};
struct StatsRequest {
  bool operator==(const StatsRequest&) const = default;
};
struct DropsRequest {
  bool operator==(const DropsRequest&) const = default;
};
struct ExplainRequest {
  Endpoint source;
  Endpoint destination;
  Protocol protocol = Protocol::kTcp;
  bool operator==(const ExplainRequest&) const = default;
};

struct ClusterListRequest {
  std::optional<std::string> name;  // one cluster: absent is an error; none: all of them
  bool operator==(const ClusterListRequest&) const = default;
};
struct ClusterAddRequest {
  ClusterConfig cluster;
  bool operator==(const ClusterAddRequest&) const = default;
};
struct ClusterSetRequest {
  std::string name;
  std::vector<IpAddress> addresses;  // replaces the list
  bool operator==(const ClusterSetRequest&) const = default;
};
struct ClusterRemoveRequest {
  std::string name;
  bool operator==(const ClusterRemoveRequest&) const = default;
};

struct PortListRequest {
  std::optional<std::string> cluster;
  std::optional<PortPath> path;  // one port
  bool operator==(const PortListRequest&) const = default;
};
struct PortAddRequest {
  std::string cluster;
  PortConfig port;
  bool operator==(const PortAddRequest&) const = default;
};
struct PortRemoveRequest {
  PortPath path;
  bool operator==(const PortRemoveRequest&) const = default;
};

struct ServerListRequest {
  std::optional<PortPath> port;
  std::optional<ServerPath> path;  // one server
  bool operator==(const ServerListRequest&) const = default;
};
struct ServerAddRequest {
  PortPath port;
  ServerConfig server;
  bool operator==(const ServerAddRequest&) const = default;
};
struct ServerSetRequest {
  ServerPath path;
  std::optional<unsigned> weight;  // 0..kMaxWeight
  std::optional<IpAddress> address;
  bool operator==(const ServerSetRequest&) const = default;
};
struct ServerRemoveRequest {
  ServerPath path;
  bool operator==(const ServerRemoveRequest&) const = default;
};

struct ConfigShowRequest {
  bool operator==(const ConfigShowRequest&) const = default;
};
struct ConfigDiffRequest {
  Config config;
  bool operator==(const ConfigDiffRequest&) const = default;
};
struct ConfigApplyRequest {
  Config config;
  bool dry_run = false;
  bool operator==(const ConfigApplyRequest&) const = default;
};

using Request =
    std::variant<LoadRequest, UnloadRequest, StatusRequest, StatsRequest, DropsRequest, ExplainRequest,
                 ClusterListRequest, ClusterAddRequest, ClusterSetRequest, ClusterRemoveRequest, PortListRequest,
                 PortAddRequest, PortRemoveRequest, ServerListRequest, ServerAddRequest, ServerSetRequest,
                 ServerRemoveRequest, ConfigShowRequest, ConfigDiffRequest, ConfigApplyRequest>;

// What comes back: one JSON document, its shape as docs/api.md says for each request.
using Reply = Result<nlohmann::json>;

// A reply that succeeded. `return document;` does not compile: a JSON value converts to anything, so to Error as well.
inline Reply make_reply(nlohmann::json document) { return Reply(boost::system::in_place_value, std::move(document)); }

}  // namespace xdplb
