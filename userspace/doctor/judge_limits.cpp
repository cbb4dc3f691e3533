// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_judge.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace xdplb {
namespace {

// linux/capability.h
constexpr unsigned kSysAdmin = 21;
struct Capability {
  unsigned bit;
  const char* name;
  bool is_of_sys_admin;  // CAP_SYS_ADMIN stands for it, too
};
constexpr std::array<Capability, 4> kNeeded = {
    {{12, "cap_net_admin", false}, {13, "cap_net_raw", false}, {38, "cap_perfmon", true}, {39, "cap_bpf", true}}};

std::string process_name(const ProcessFacts& process) {
  return process.daemon == 0 ? std::string() : fmt::format("xdplbd {}", process.daemon);
}

Check judge_capabilities(const ProcessFacts& process) {
  Check check{.code = "capabilities", .object = process_name(process), .verdict = Verdict::kWarning};
  if (!process.capabilities) {
    check.text = "they are not to be read";
    check.remedy = "mount -t proc proc /proc";
    return check;
  }
  const auto has = [&](unsigned bit) { return (*process.capabilities >> bit & 1) != 0; };
  std::vector<const char*> missing;
  for (const auto& needed : kNeeded)
    if (!has(needed.bit) && !(needed.is_of_sys_admin && has(kSysAdmin))) missing.push_back(needed.name);
  if (!missing.empty()) {
    check.verdict = Verdict::kFailure;
    check.text = fmt::format("{} {} missing", fmt::join(missing, ", "), missing.size() == 1 ? "is" : "are");
    check.remedy = "systemctl start xdplbd@default  # or as root, with these in the container's capabilities";
  } else if (!has(kSysAdmin)) {
    check.text = "cap_sys_admin is missing: libxdp's dispatcher and the names of other programs need it";
    check.remedy = "xdplb load IFACE  # without --chain: it is not needed";
  } else {
    return well("capabilities", process_name(process), "all that is needed");
  }
  return check;
}

Check judge_descriptors(const DoctorNeeds& needs, const ProcessFacts& process) {
  Check check{.code = "file_limit", .object = process_name(process), .verdict = Verdict::kWarning};
  if (!process.descriptors) {
    check.text = "the limit of open files is not to be read";
    check.remedy = "ulimit -Hn";
    return check;
  }
  const std::uint64_t needed = kOwnDescriptors + needs.probes;
  check.text = fmt::format("{} open files", *process.descriptors);
  check.remedy =
      fmt::format("ulimit -n {}  # of a service: LimitNOFILE= by systemctl edit xdplbd@default", kWantedDescriptors);
  if (*process.descriptors < needed) {
    check.verdict = Verdict::kFailure;
    check.text += fmt::format(" at most: {} are needed, one of them for each of {} probes", needed, needs.probes);
    return check;
  }
  if (*process.descriptors < kWantedDescriptors) {
    check.text += fmt::format(" at most: enough for {} probes under way, {} now",
                              *process.descriptors - kOwnDescriptors, needs.probes);
    return check;
  }
  return well("file_limit", process_name(process), check.text);
}

Check judge_clock(const LimitFacts& facts) {
  if (facts.is_clock_synchronised == true) return well("clock", "", "synchronised");
  return {.code = "clock",
          .verdict = Verdict::kWarning,
          .text = facts.is_clock_synchronised ? "not synchronised: certificates are checked by it, and events of two "
                                                "hosts cannot be compared; forwarding does not mind"
                                              : "whether it is synchronised is not to be told",
          .remedy = "timedatectl set-ntp true"};
}

Check judge_conntrack(const LimitFacts& facts) {
  const auto count = facts.tracked_connections;
  const auto most = facts.most_connections;
  if (!count) return well("conntrack", "", "no connections are tracked here");
  const auto text = fmt::format("{} connections are tracked, {} at most; forwarded packets are not among them", *count,
                                most ? std::to_string(*most) : "unknown");
  // Full, it drops probes and the host's own connections. Compared so that nothing overflows.
  if (most && *most > 0 && *count >= *most - *most / 10)
    return {.code = "conntrack",
            .verdict = Verdict::kWarning,
            .text = text + ": it is nearly full, and probes will fail",
            .remedy = fmt::format("sysctl -w net.netfilter.nf_conntrack_max={}", std::int64_t{2} * *most)};
  return well("conntrack", "", text);
}

}  // namespace

std::vector<Check> judge_limits(const DoctorNeeds& needs, const LimitFacts& facts) {
  return {judge_capabilities(facts.process), judge_descriptors(needs, facts.process), judge_clock(facts),
          judge_conntrack(facts)};
}

}  // namespace xdplb
