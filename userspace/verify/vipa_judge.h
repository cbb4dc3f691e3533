// SPDX-License-Identifier: GPL-2.0-only
// Steps 1 and 5: who answers for a VIPA, and who of them should not. Pure.
#pragma once

#include "verify/verify_judge.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

struct VipaVerdict {
  std::map<IpAddress, std::set<MacAddress>> leaks_before{};  // servers' MACs that answer for a VIPA
  std::map<IpAddress, std::set<MacAddress>> leaks_after{};
  std::vector<VerifyFault> faults{};
  std::vector<std::string> notes{};  // who was taken for the owner
};

VipaVerdict judge_vipas(const VerifyTask& task, const HostSnapshot& host, const VerifyPlan& plan,
                        const VerifySeen& seen);

// "192.0.2.10", "2001:db8::10": what answering for it is called.
std::string question_name(const IpAddress& address);

}  // namespace xdplb
