// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_judge.h"

#include <fmt/format.h>

#include <charconv>
#include <compare>
#include <optional>

namespace xdplb {
namespace {

struct Version {
  unsigned major = 0;
  unsigned minor = 0;
  auto operator<=>(const Version&) const = default;
};

constexpr Version kOldest{.major = 6, .minor = 1};
constexpr const char* kNewKernel = "apt install linux-image-amd64  # then reboot";

std::optional<Version> parse_version(const std::string& release) {
  Version version;
  const char* end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  if (std::from_chars(major.ptr + 1, end, version.minor).ec != std::errc()) return std::nullopt;
  return version;
}

Check judge_version(const KernelFacts& facts) {
  Check check{.code = "kernel", .text = "Linux " + facts.release};
  const auto version = parse_version(facts.release);
  if (!version) {
    check.verdict = Verdict::kWarning;
    check.text =
        fmt::format("its version '{}' is not to be read; xdplb is made for Linux 6.1 and newer", facts.release);
    check.remedy = "uname -r";
  } else if (*version < kOldest) {
    check.verdict = Verdict::kFailure;
    check.text += ": xdplb is made for Linux 6.1 and newer";
    check.remedy = kNewKernel;
  }
  return check;
}

Check forbidden(std::string code, const std::string& what) {
  return {.code = std::move(code),
          .verdict = Verdict::kFailure,
          .text = what + ": this process may not load BPF programs, so nothing of it can be tried",
          .remedy = "capsh --print | grep -i bound  # cap_bpf, cap_net_admin and cap_perfmon must be there"};
}

// The type, the maps and our own program.
void judge_programs(const KernelFeatures& features, std::vector<Check>& checks) {
  if (features.xdp.support == Support::kUnknown)
    return checks.push_back(forbidden("prog_type_xdp", "XDP programs: " + features.xdp.why));
  if (features.xdp.support == Support::kNo)
    return checks.push_back({.code = "prog_type_xdp",
                             .verdict = Verdict::kFailure,
                             .text = fmt::format("this kernel loads no XDP programs: {}", features.xdp.why),
                             .remedy = kNewKernel});
  if (features.lacking.empty()) {
    checks.push_back(well("map_types", "", "every type of map that the program has is there"));
  } else {
    checks.push_back({.code = "map_types",
                      .verdict = Verdict::kFailure,
                      .text = fmt::format("this kernel has no maps of type {}", fmt::join(features.lacking, ", ")),
                      .remedy = kNewKernel});
  }
  const auto& program = features.program;
  if (program.support == Support::kYes)
    return checks.push_back(well("prog_type_xdp", "", "the program loads on this kernel (tried, not attached)"));
  checks.push_back({.code = "prog_type_xdp",
                    .verdict = Verdict::kFailure,
                    .text = program.why,
                    .remedy = program.support == Support::kNo ? kNewKernel : "sudo xdplb doctor"});
}

Check judge_jit(const KernelFacts& facts) {
  Check check{.code = "jit",
              .verdict = Verdict::kWarning,
              .text = "whether programs run as machine code is not to be told here",
              .remedy = "sysctl net.core.bpf_jit_enable"};
  const auto is_machine_code = facts.features.is_machine_code;
  if (is_machine_code == false || (!is_machine_code && facts.jit == 0)) {
    check.text = "the kernel interprets programs: every packet costs several times as much";
    check.remedy = "sysctl -w net.core.bpf_jit_enable=1";
  } else if (facts.jit == 2) {
    check.text = "the JIT runs in its debug mode and writes programs to the kernel's log";
    check.remedy = "sysctl -w net.core.bpf_jit_enable=1";
  } else if (is_machine_code == true) {
    return well("jit", "", "the program runs as machine code");
  } else if (facts.jit) {
    return well("jit", "", "the JIT is on");
  }
  return check;
}

void judge_harden(const KernelFacts& facts, std::vector<Check>& checks) {
  if (!facts.jit_harden) return;
  if (*facts.jit_harden != 2) return checks.push_back(well("jit_harden", "", "the JIT does not blind our constants"));
  checks.push_back({.code = "jit_harden",
                    .verdict = Verdict::kWarning,
                    .text = "the JIT blinds the constants of all programs, root's too: each packet costs more",
                    .remedy = "sysctl -w net.core.bpf_jit_harden=1"});
}

void judge_link(const Trial& link, std::vector<Check>& checks) {
  if (link.support == Support::kYes)
    return checks.push_back(well("link_features", "", "XDP links are to be had (tried in a namespace of its own)"));
  const bool is_refused = link.support == Support::kNo;
  checks.push_back({.code = "link_features",
                    .verdict = is_refused ? Verdict::kFailure : Verdict::kWarning,
                    .text = is_refused
                                ? fmt::format("this kernel refuses XDP links: {}", link.why)
                                : fmt::format("whether XDP links are to be had could not be tried: {}", link.why),
                    .remedy = is_refused ? kNewKernel : "sudo xdplb doctor"});
}

void judge_dispatcher(const Trial& dispatcher, std::vector<Check>& checks) {
  if (dispatcher.support == Support::kYes)
    return checks.push_back(well("dispatcher_ext", "",
                                 "libxdp's dispatcher is to be had: `xdplb load --chain` runs beside other programs"));
  const bool is_refused = dispatcher.support == Support::kNo;
  const auto what = is_refused ? "`xdplb load --chain` is not to be had and attaches alone"
                               : "whether `xdplb load --chain` is to be had could not be tried";
  checks.push_back({.code = "dispatcher_ext",
                    .verdict = Verdict::kWarning,
                    .text = fmt::format("{}: {}", what, dispatcher.why),
                    .remedy = "xdplb load IFACE  # without --chain: it needs no dispatcher"});
}

Check judge_bpffs(BpffsState state) {
  Check check{.code = "bpffs", .verdict = Verdict::kFailure};
  if (state == BpffsState::kReady) return well("bpffs", "", "/sys/fs/bpf is there to pin maps and links");
  if (state == BpffsState::kAbsent) {
    check.text =
        "/sys/fs/bpf is no bpffs: maps and links cannot be pinned (`ip netns exec` hides it, too: use nsenter)";
    check.remedy = "mount -t bpf bpf /sys/fs/bpf";
  } else {
    check.text = "/sys/fs/bpf is mounted read-only: maps and links cannot be pinned";
    check.remedy = "mount -o remount,rw /sys/fs/bpf";
  }
  return check;
}

// Since Linux 5.11 the control group pays for maps, and the limit does not count.
void judge_memlock(const KernelFacts& facts, std::vector<Check>& checks) {
  const auto version = parse_version(facts.release);
  if (!version) return;
  if (*version >= Version{.major = 5, .minor = 11})
    return checks.push_back(well("memlock", "", "maps count as memory of the control group; no limit of its own"));
  checks.push_back({.code = "memlock",
                    .verdict = Verdict::kWarning,
                    .text = "this kernel counts maps as locked memory, which the usual limit is too small for",
                    .remedy = "ulimit -l unlimited"});
}

}  // namespace

std::vector<Check> judge_kernel(const KernelFacts& facts) {
  std::vector<Check> checks{judge_version(facts)};
  judge_programs(facts.features, checks);
  checks.push_back(judge_jit(facts));
  judge_harden(facts, checks);
  checks.push_back(facts.has_btf ? well("btf", "", "the kernel tells its types (BTF)")
                                 : Check{.code = "btf",
                                         .verdict = Verdict::kWarning,
                                         .text = "the kernel has no types of its own (CONFIG_DEBUG_INFO_BTF): libxdp's "
                                                 "dispatcher and tracing tools need them, forwarding does not",
                                         .remedy = kNewKernel});
  judge_link(facts.features.link, checks);
  judge_dispatcher(facts.features.dispatcher, checks);
  checks.push_back(judge_bpffs(facts.bpffs));
  judge_memlock(facts, checks);
  return checks;
}

}  // namespace xdplb
