// SPDX-License-Identifier: GPL-2.0-only
// What the facts mean for a dispatcher: a check for each thing that was looked at, also for what is well. Pure.
#pragma once

#include "doctor/doctor_facts.h"
#include "doctor/doctor_needs.h"
#include "doctor/doctor_task.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

// Of the program without segments (SEC("xdp")): a frame must fit a page beside its headroom and tail.
inline constexpr std::uint32_t kMostNativeMtu = 3498;
inline constexpr std::uint32_t kLeastV6Mtu = 1280;          // RFC 8200 5
inline constexpr std::uint32_t kWantedRing = 512;           // descriptors
inline constexpr std::uint64_t kWantedDescriptors = 65536;  // what xdplbd allows itself
inline constexpr std::uint64_t kOwnDescriptors = 256;       // without any probe

// ---- judge_kernel.cpp: kernel, prog_type_xdp, map_types, jit, jit_harden, btf, link_features, dispatcher_ext, bpffs,
// memlock
std::vector<Check> judge_kernel(const KernelFacts& facts);

// ---- judge_interfaces.cpp: interface_missing, interface_down, xdp_mode, xdp_driver, other_xdp, queues, rings, lro,
// gro_hw, vlan_offload, mtu
std::vector<Check> judge_interfaces(const DoctorNeeds& needs, const std::vector<InterfaceFacts>& interfaces,
                                    const CpuFacts& cpus);

// ---- judge_network.cpp: vipa_local, rp_filter, arp_ignore, arp_announce and what else HostProfile checks, ip_forward,
// policy_rules, duplicate_vipa
std::vector<Check> judge_network(const DoctorNeeds& needs, const NetworkFacts& facts);

// ---- judge_limits.cpp: capabilities, file_limit, clock, conntrack
std::vector<Check> judge_limits(const DoctorNeeds& needs, const LimitFacts& facts);

// All of them in that order.
DoctorReport judge_doctor(const DoctorNeeds& needs, const DoctorFacts& facts);

// Of a check that is well: no remedy.
inline Check well(std::string code, std::string object, std::string text) {
  return {.code = std::move(code), .object = std::move(object), .verdict = Verdict::kOk, .text = std::move(text)};
}

}  // namespace xdplb
