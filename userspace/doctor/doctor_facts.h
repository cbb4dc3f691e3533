// SPDX-License-Identifier: GPL-2.0-only
// What is so on this host: plain values. What could not be read is absent.
#pragma once

#include "dataplane/kernel_features.h"
#include "host/ethtool.h"
#include "host/host_profile.h"
#include "host/host_state.h"
#include "host/policy_rules.h"
#include "host/route_query.h"
#include "host/xdp_state.h"
#include "net/address.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

// ---- read_kernel.cpp
enum class BpffsState : std::uint8_t { kReady, kAbsent, kReadOnly };

struct KernelFacts {
  std::string release{};  // "6.1.0-18-amd64"
  KernelFeatures features{};
  std::optional<int> jit{};         // net/core/bpf_jit_enable
  std::optional<int> jit_harden{};  // net/core/bpf_jit_harden
  bool has_btf = false;             // of the kernel itself
  BpffsState bpffs = BpffsState::kAbsent;
};

// ---- read_interfaces.cpp
struct InterfaceFacts {
  std::string name{};
  std::optional<Link> link{};  // absent: there is no such interface; then the rest is, too
  XdpPrograms programs{};
  std::string program{};             // name of the attached one; empty: none, or it is not to be known
  std::vector<std::string> chain{};  // names of those in libxdp's dispatcher, first to last
  bool is_ours = false;              // it is this instance's: its link is pinned there
  std::optional<XdpDriver> xdp{};    // absent: the kernel does not tell
  std::optional<DriverFacts> driver{};
  bool has_vlans = false;  // VLAN interfaces stand on it
};

// ---- read_network.cpp
// One VIPA of IPv4 as probes of servers on an interface meet it.
struct ProbePath {
  std::string interface {};
  std::uint32_t ifindex = 0;
  IpAddress vipa{};
  int rp_filter = 0;       // that counts
  RouteAnswer way_back{};  // where the kernel would send a packet for the VIPA
};

struct VipaFacts {
  IpAddress address{};
  RouteAnswer route{};
  std::string holder{};       // the interface that it is an address of; empty: none
  std::string local_route{};  // else "192.0.2.0/28 dev lo", which makes it local
  std::optional<std::set<MacAddress>>
      answers{};          // who answers for it on the wire, but for this host; absent: not asked
  std::string unasked{};  // why not
};

struct NetworkFacts {
  bool is_server = false;          // a server of the needs is this host itself
  std::vector<VipaFacts> vipas{};  // as the needs
  std::vector<ProbePath> paths{};
  std::vector<ProfileFault> settings{};  // that are wrong for these needs
  std::optional<int> forwards_v4{};
  std::optional<int> forwards_v6{};
  std::vector<PolicyRule> rules{};
  std::map<MacAddress, std::vector<IpAddress>> known{};  // whose a MAC is, from the kernel's neighbours
};

// ---- read_limits.cpp
struct ProcessFacts {                           // of the daemon, or of this process when none runs
  int daemon = 0;                               // its pid
  std::optional<std::uint64_t> capabilities{};  // effective, a bit each
  std::optional<std::uint64_t> descriptors{};   // that it may have, or may allow itself
};

struct CpuFacts {
  unsigned online = 1;
  unsigned possible = 1;  // possible_cpus()
};

struct LimitFacts {
  CpuFacts cpus{};
  ProcessFacts process{};
  std::optional<bool> is_clock_synchronised{};
  std::optional<int> tracked_connections{};  // in this network namespace; absent: none are tracked
  std::optional<int> most_connections{};
};

struct DoctorFacts {
  KernelFacts kernel{};
  std::vector<InterfaceFacts> interfaces{};  // as the needs
  NetworkFacts network{};
  LimitFacts limits{};
};

}  // namespace xdplb
