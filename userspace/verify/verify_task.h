// SPDX-License-Identifier: GPL-2.0-only
// What `xdplb verify` is to look at, and what it found: values and their JSON.
#pragma once

#include "base/result.h"
#include "model/check_result.h"
#include "model/config.h"
#include "net/address.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

struct VerifyTask {
  Config config{};           // its clusters are verified; interfaces and others are not looked at
  bool is_made_up = false;   // of --vipa and --server alone: its one cluster has no name, reports say "-"
  std::string interface {};  // through which; empty: the one whose network has the server, or the VIPA
  // Who may answer for the VIPAs. Absent: one machine that is no server is taken for the owner, as is this host.
  std::optional<MacAddress> owner{};
  bool expects_no_owner = false;         // nobody may answer: the dispatcher is off
  std::vector<IpAddress> own_vipas{};    // this host's daemon owns them: no other machine may answer
  std::chrono::milliseconds wait{1000};  // for each answer
};

enum class StepMark : std::uint8_t { kOk, kWarning, kFault, kSkipped };

struct VerifyPort {
  PortPath path{};
  StepMark mark = StepMark::kSkipped;
  CheckCode code = CheckCode::kNone;
  std::string text{};
};

struct VerifyRow {  // one server and one VIPA
  std::string cluster{};
  std::string server{};
  IpAddress address{};  // the server's
  IpAddress vipa{};
  std::string interface {};
  std::optional<MacAddress> mac{};
  StepMark silent_before = StepMark::kSkipped;  // 1
  StepMark resolved = StepMark::kSkipped;       // 2
  StepMark echo = StepMark::kSkipped;           // 3
  StepMark ports = StepMark::kSkipped;          // 4, the worst of them
  StepMark silent_after = StepMark::kSkipped;   // 5
  std::vector<VerifyPort> port_results{};
};

struct VerifyFault {
  std::string code{};    // "arp_leak", "nd_leak", "duplicate_vipa", "no_mac", "two_macs", "no_alias", "no_echo",
                         // "echo_source", "port_refused", "port_silent", "port_failed"; warnings: "echo_ignored",
                         // "udp_unasked", "shared_mac", "no_source", and "no_mac" of one adapter of several
  std::string object{};  // "web/s1", "192.0.2.10"
  std::string text{};    // names MAC, address and, if known, the server
  std::string remedy{};
  bool is_warning = false;
  auto operator<=>(const VerifyFault&) const = default;
};

struct VerifyReport {
  std::vector<VerifyRow> rows{};
  std::vector<VerifyFault> faults{};
  std::vector<std::string> notes{};  // what was not looked at and why, and who was taken for the owner
  bool ok() const;                   // no fault that is not a warning
};

// {"config": {...as the configuration file}, "made_up", "interface", "owner": MAC|"none"|null, "own_vipas", "wait_ms"}
// Errors: kInvalidConfig, naming the key.
Result<VerifyTask> decode_verify_task(const nlohmann::json& document);
nlohmann::json encode_verify_task(const VerifyTask& task);
// {"ok", "servers": [{cluster, server, address, vipa, interface, mac, steps: {silent_before, mac, echo, ports,
// silent_after: "ok|warning|fault|skipped"},
//  ports: [{path, mark, code, text}]}], "faults": [{code, object, text, remedy, severity: "fault|warning"}], "notes"}
nlohmann::json encode_verify_report(const VerifyReport& report);

}  // namespace xdplb
