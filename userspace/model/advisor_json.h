// SPDX-License-Identifier: GPL-2.0-only
// Advisors, managers and user exits <-> JSON. Keys: docs/advisors.md.
#pragma once

#include "base/result.h"
#include "model/advisor_config.h"
#include "model/exit_config.h"
#include "model/manager_config.h"
#include "net/address.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace xdplb {

// An advisor object, ranges and what excludes what checked. `path` prefixes the messages. Errors: kInvalidConfig.
//
// port  the protocol of the port it is for: without "over_tcp" dns asks a TCP port over TCP
Result<AdvisorConfig> decode_advisor(const nlohmann::json& object, const std::string& path,
                                     Protocol port = Protocol::kUdp);
// The object that decode_advisor accepts and that gives `advisor` again, whatever the port: "type" and what is not the
// default, of dns "over_tcp", too. Headers are sorted by name.
nlohmann::json encode_advisor(const AdvisorConfig& advisor);

// `now` with some keys changed. Without "type" there must be one; with another type than that of `now` the rest starts
// from the defaults, but for interval, fast_interval, down_interval, fall, rise and via. A key that is null takes its
// default. A way written as "path" changes "via". Errors: kNotFound, kInvalidConfig.
Result<AdvisorConfig> change_advisor(const std::optional<AdvisorConfig>& now, const nlohmann::json& changes,
                                     const std::string& path, Protocol port = Protocol::kUdp);

Result<ManagerChanges> decode_manager_changes(const nlohmann::json& object, const std::string& path);
nlohmann::json encode_manager_changes(const ManagerChanges& changes);
// A cluster's "manager": "enabled" and what is not the default.
nlohmann::json encode_manager(const ManagerConfig& manager);
// The "exits" of a configuration: an object, its keys the events. Decoded they come in the order of kExitEvents.
nlohmann::json encode_exits(std::span<const ExitConfig> exits);

// Checks an advisor that is already decoded: what decode_advisor checks, and against the port it is for (its number and
// protocol). Errors: kInvalidConfig, beginning with `object`: no port to probe for port 0, a TCP conversation for a UDP
// port without "port" or the other way round.
Result<void> check_advisor(const AdvisorConfig& advisor, std::uint16_t port, bool is_udp, const std::string& object);

}  // namespace xdplb
