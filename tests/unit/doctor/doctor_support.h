// SPDX-License-Identifier: GPL-2.0-only
// A host that is well, and a look for one check of a report.
#pragma once

#include "doctor/doctor_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

inline IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }
inline MacAddress mac(std::string_view text) { return MacAddress::parse(text).value(); }

inline KernelFacts good_kernel() {
  const Trial works{.support = Support::kYes};
  return {.release = "6.1.0-18-amd64",
          .features = {.xdp = works, .program = works, .is_machine_code = true, .link = works, .dispatcher = works},
          .jit = 1,
          .jit_harden = 0,
          .has_btf = true,
          .bpffs = BpffsState::kReady};
}

inline InterfaceFacts good_interface(const std::string& name, std::uint32_t index = 2) {
  Link link;
  link.index = index;
  link.name = name;
  link.is_up = link.has_carrier = true;
  link.mtu = 1500;
  return {.name = name,
          .link = link,
          .xdp = XdpDriver{.has_native = true, .can_redirect = true, .takes_redirected = true},
          .driver = DriverFacts{.driver = "ice",
                                .lro = DriverFeature{.can_change = true},
                                .gro_hw = DriverFeature{.can_change = true},
                                .vlan_offload = DriverFeature{.can_change = true},
                                .channels = DriverChannels{.now = 4, .most = 8},
                                .receive_ring = DriverRing{.now = 512, .most = 4096}}};
}

// Of the first check of this code (and object); fails the test when there is none.
inline Check find_check(const std::vector<Check>& checks, std::string_view code, std::string_view object = {}) {
  for (const auto& check : checks)
    if (check.code == code && (object.empty() || check.object == object)) return check;
  ADD_FAILURE() << "no check " << code << " " << object;
  return {};
}

inline std::size_t count_checks(const std::vector<Check>& checks, std::string_view code) {
  std::size_t count = 0;
  for (const auto& check : checks) count += check.code == code ? 1 : 0;
  return count;
}

// Of all checks: what is well has no remedy, everything else has one.
inline void expect_remedies(const std::vector<Check>& checks) {
  for (const auto& check : checks) {
    EXPECT_EQ(check.remedy.empty(), check.verdict == Verdict::kOk) << check.code << ": " << check.text;
    EXPECT_FALSE(check.text.empty()) << check.code;
  }
}

inline Verdict worst(const std::vector<Check>& checks) {
  Verdict worst = Verdict::kOk;
  for (const auto& check : checks) worst = std::max(worst, check.verdict);
  return worst;
}

}  // namespace xdplb
