// SPDX-License-Identifier: GPL-2.0-only
// What `xdplb doctor` is to look at, and what it found: values and their JSON.
#pragma once

#include "base/result.h"
#include "model/config.h"
#include "net/address.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace xdplb {

struct DoctorTask {
  Config config{};                        // what runs or is to run; an empty one when nothing is known
  std::vector<std::string> interfaces{};  // to look at in place of the configuration's; empty: those
  std::vector<IpAddress> vipas{};         // the same
  std::vector<IpAddress> own_vipas{};     // this host's daemon owns them now
  std::string instance{};                 // whose pins are our own
  int daemon = 0;                         // pid of its daemon; 0: none runs
};

// {"config": {} or a configuration, "interfaces", "vipas", "own_vipas", "instance", "daemon"}; each may be missing.
// Errors: kInvalidConfig, naming the key.
Result<DoctorTask> decode_doctor_task(const nlohmann::json& document);

enum class Verdict : std::uint8_t {
  kOk,
  kWarning,  // it works, but less well; or it cannot be told
  kFailure,  // xdplb does not work here, or not rightly, until that is cured
};

struct Check {
  std::string code{};    // "rp_filter"
  std::string object{};  // "eth0", "192.0.2.10"; empty: the host
  Verdict verdict = Verdict::kOk;
  std::string text{};
  std::string remedy{};  // a command; empty for kOk, and where there is none
  auto operator<=>(const Check&) const = default;
};

struct DoctorReport {
  std::vector<Check> checks{};
  bool ok() const;  // no failure
};

// {"ok", "checks": [{code, object, verdict: "ok|warn|fail", text, remedy}]}
nlohmann::json encode_doctor_report(const DoctorReport& report);

}  // namespace xdplb
