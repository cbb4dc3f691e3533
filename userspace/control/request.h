// SPDX-License-Identifier: GPL-2.0-only
// Every command of the API as a passive value, and the reply to one.
#pragma once

#include "model/admin_words.h"
#include "model/attach_mode.h"
#include "model/config.h"
#include "model/port_changes.h"
#include "model/vipa_changes.h"

#include <nlohmann/json.hpp>

#include <cstdint>
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
  bool chain = false;     // attach through libxdp's dispatcher
  bool fix_host = false;  // sets Config::fix_host; false leaves it as it is
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
inline constexpr unsigned kDefaultFlowLimit = 100;
inline constexpr unsigned kMaxFlowLimit = 100'000;
struct FlowsRequest {
  std::optional<PortPath> port{};      // only of this port
  std::optional<ServerPath> server{};  // or only of this server
  unsigned limit = kDefaultFlowLimit;  // flows listed, 0..kMaxFlowLimit; the totals count all
  bool operator==(const FlowsRequest&) const = default;
};
struct EventsRequest {
  std::uint64_t after = 0;  // the id of an event: only those after it
  bool operator==(const EventsRequest&) const = default;
};
// Verdicts of single packets. The daemon traces as long as it is asked again within 5 s.
struct TraceRequest {
  std::uint64_t after = 0;              // the id of a record: only those after it
  std::vector<std::string> outcomes{};  // empty: all
  unsigned sample = 1;                  // one of so many packets, 1..kMaxTraceSample
  bool operator==(const TraceRequest&) const = default;
};
inline constexpr unsigned kMaxTraceSample = 1'000'000;
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
  std::string name{};
  // Set: replaces addresses and prefixes, one list may then be empty.
  std::optional<std::vector<IpAddress>> addresses{};
  std::vector<IpPrefix> prefixes{};  // empty without `addresses`
  std::optional<Echo> echo{};
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
struct PortSetRequest {
  PortPath path{};
  PortChanges changes{};  // at least one
  bool operator==(const PortSetRequest&) const = default;
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
  std::optional<unsigned> weight;                      // 0..kMaxWeight
  std::vector<IpAddress> addresses{};                  // all adapters, first wins; empty: as they are
  std::optional<std::optional<std::uint16_t>> vlan{};  // ServerConfig::vlan; nullopt inside: as the frame came
  std::optional<unsigned> tier{};                      // 0..kMaxTier
  std::optional<bool> has_fixed_weight{};
  std::optional<Admin> admin{};  // ServerConfig::admin, the configuration's word
  bool operator==(const ServerSetRequest&) const = default;
};
struct ServerAdminRequest {
  ServerPath path{};
  Admin admin = Admin::kReady;
  // Of a drain, 1..kMaxTimeout: then its last flows are given up. Absent: never.
  std::optional<unsigned> deadline_s{};
  AdminSource source = AdminSource::kOperator;  // or kHook
  std::optional<DailyHours> daily{};            // of a drain: in these hours only
  bool operator==(const ServerAdminRequest&) const = default;
};
struct ServerRemoveRequest {
  ServerPath path;
  bool operator==(const ServerRemoveRequest&) const = default;
};

struct SettingsSetRequest {                        // at least one
  std::optional<std::vector<MacAddress>> peers{};  // replaces the list
  std::optional<bool> decrement_ttl{};
  std::optional<bool> fix_host{};
  std::optional<std::vector<IpAddress>> reach_targets{};  // replaces the list
  std::optional<bool> needs_all_targets{};
  std::optional<unsigned> reach_interval_s{};
  std::optional<unsigned> reach_missed{};
  std::optional<unsigned> up_delay_s{};
  std::optional<unsigned> down_delay_s{};
  std::optional<bool> has_failure_guard{};
  bool operator==(const SettingsSetRequest&) const = default;

  // What it says of health, together; in documents it is the object "health".
  HealthChanges health() const;
  void set_health(HealthChanges changes);
};

struct InterfaceListRequest {
  bool operator==(const InterfaceListRequest&) const = default;
};
// The operator says that an interface owns no VIPA, or may again. Kept over restarts.
struct InterfaceAdminRequest {
  std::string name{};
  bool is_disabled = false;
  bool operator==(const InterfaceAdminRequest&) const = default;
};

struct VipaListRequest {
  std::optional<IpAddress> address{};  // one VIPA: absent is an error; none: all of them
  bool operator==(const VipaListRequest&) const = default;
};
// Makes the VIPA when there is none of the address.
struct VipaSetRequest {
  IpAddress address{};
  VipaChanges changes{};  // may be empty: all defaults, or nothing changes
  bool operator==(const VipaSetRequest&) const = default;
};
struct VipaMoveRequest {
  IpAddress address{};
  std::string entry{};  // of the list, or the name of its interface
  bool operator==(const VipaMoveRequest&) const = default;
};
struct VipaResumeRequest {
  IpAddress address{};
  bool operator==(const VipaResumeRequest&) const = default;
};
// `vipa deactivate` and `vipa reactivate`. Kept over restarts.
struct VipaAdminRequest {
  IpAddress address{};
  bool is_disabled = false;
  bool operator==(const VipaAdminRequest&) const = default;
};
// Takes its options back; an address of a cluster is owned by the defaults then.
struct VipaRemoveRequest {
  IpAddress address{};
  bool operator==(const VipaRemoveRequest&) const = default;
};

struct AdvisorListRequest {
  std::optional<PortPath> port{};      // only of this port: absent is an error
  std::optional<ServerPath> server{};  // or only the checks of this server
  bool operator==(const AdvisorListRequest&) const = default;
};
struct AdvisorSetRequest {
  PortPath path{};
  AdvisorConfig advisor{};  // replaces the one there is
  bool operator==(const AdvisorSetRequest&) const = default;
};
// Some keys of the advisor object, the others stay (model/advisor_json.h, change_advisor).
struct AdvisorPatchRequest {
  PortPath path{};
  nlohmann::json changes{};  // an object, at least one key
  bool operator==(const AdvisorPatchRequest&) const = default;
};
struct AdvisorRemoveRequest {
  PortPath path{};
  bool operator==(const AdvisorRemoveRequest&) const = default;
};
// Probes a server now, by the advisor of its port. Changes nothing.
struct AdvisorRunRequest {
  ServerPath path{};
  bool operator==(const AdvisorRunRequest&) const = default;
};

struct ManagerReportRequest {
  std::optional<std::string> cluster{};  // none: of all clusters
  bool operator==(const ManagerReportRequest&) const = default;
};
struct ManagerSetRequest {               // at least one change
  std::optional<std::string> cluster{};  // none: of all clusters
  ManagerChanges changes{};
  bool operator==(const ManagerSetRequest&) const = default;
};
struct ExitListRequest {
  bool operator==(const ExitListRequest&) const = default;
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
    std::variant<LoadRequest, UnloadRequest, StatusRequest, StatsRequest, DropsRequest, FlowsRequest, EventsRequest,
                 TraceRequest, ExplainRequest, ClusterListRequest, ClusterAddRequest, ClusterSetRequest,
                 ClusterRemoveRequest, PortListRequest, PortAddRequest, PortSetRequest, PortRemoveRequest,
                 ServerListRequest, ServerAddRequest, ServerSetRequest, ServerAdminRequest, ServerRemoveRequest,
                 SettingsSetRequest, InterfaceListRequest, InterfaceAdminRequest, VipaListRequest, VipaSetRequest,
                 VipaMoveRequest, VipaResumeRequest, VipaAdminRequest, VipaRemoveRequest, AdvisorListRequest,
                 AdvisorSetRequest, AdvisorPatchRequest, AdvisorRemoveRequest, AdvisorRunRequest, ManagerReportRequest,
                 ManagerSetRequest, ExitListRequest, ConfigShowRequest, ConfigDiffRequest, ConfigApplyRequest>;

// What comes back: one JSON document, its shape as docs/api.md says for each request.
using Reply = Result<nlohmann::json>;

// A reply that succeeded. `return document;` does not compile: a JSON value converts to anything, so to Error as well.
inline Reply make_reply(nlohmann::json document) { return Reply(boost::system::in_place_value, std::move(document)); }

}  // namespace xdplb
