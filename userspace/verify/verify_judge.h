// SPDX-License-Identifier: GPL-2.0-only
// What was seen, and what follows from it: rows, faults and their remedies. Pure.
#pragma once

#include "model/check_result.h"
#include "verify/verify_plan.h"
#include "verify/verify_task.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// Who answered ARP or ND for an address, and on which interface it was heard.
using Answerers = std::map<MacAddress, std::string>;

struct VipaSeen {
  Answerers before{};
  std::optional<Answerers> after{};  // absent: not asked again
};

// Of one row: through which adapter it was tested, and what came back.
struct RowSeen {
  bool was_asked = false;                           // an echo request was sent
  std::optional<IpAddress> echo{};                  // whose address the answer came from; absent: silence
  std::optional<bool> own_answers{};                // the same of the server's own address; absent: not asked
  std::vector<std::optional<CheckResult>> ports{};  // as the row's ports; absent: not asked
};

struct VerifySeen {
  std::map<IpAddress, VipaSeen> vipas{};
  std::map<IpAddress, Answerers> adapters{};  // by the server's own addresses
  std::set<IpAddress> deaf{};                 // of them: answers a probe, but no question in this host's name
  std::vector<RowSeen> rows{};                // as the plan's
};

// The adapter that a row is tested through: the first that exactly one machine answers for.
struct TestedAdapter {
  AskedAdapter adapter{};
  MacAddress mac{};
};
std::optional<TestedAdapter> carrier_of(const AskedRow& row, const std::map<IpAddress, Answerers>& adapters);

// The report: rows in the plan's order; faults by step, each once, however many rows it is about.
VerifyReport judge_verify(const VerifyTask& task, const HostSnapshot& host, const VerifyPlan& plan,
                          const VerifySeen& seen);

}  // namespace xdplb
