// SPDX-License-Identifier: GPL-2.0-only
// Who is to be asked what, and through which interface. Pure.
#pragma once

#include "base/result.h"
#include "host/host_state.h"
#include "verify/verify_task.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// This host, as verifying cares about it.
struct VerifyHost {
  std::vector<Link> links{};
  std::vector<InterfaceAddress> addresses{};
  std::map<MacAddress, std::vector<IpAddress>> known{};  // whose a MAC is, from the kernel's neighbours

  const Link* find_link(std::uint32_t index) const;
  const Link* find_link(const std::string& name) const;
  bool has(const IpAddress& address) const;
  std::vector<MacAddress> macs() const;
  // An address of the interface to ask from: on the network of `target` before all others, no link-local one where
  // there is another. nullopt: the interface has none of this family.
  std::optional<IpAddress> source_for(std::uint32_t ifindex, const IpAddress& target) const;
  std::optional<IpAddress> link_local_of(std::uint32_t ifindex) const;
};

// One address of a server, and where it lives.
struct AskedAdapter {
  IpAddress address{};
  std::uint32_t ifindex = 0;  // 0: on no network of this host
};

struct AskedPort {
  PortPath path{};
  std::optional<AdvisorConfig> advisor{};  // what is asked; absent: nothing can be
};

// One server and one VIPA, over all ports of the cluster that have both.
struct AskedRow {
  std::string cluster{};
  std::string server{};
  std::string object{};  // "web/s1", or the server alone
  IpAddress vipa{};
  std::vector<AskedAdapter> adapters{};  // at least one
  std::vector<AskedPort> ports{};
};

struct AskedVipa {
  IpAddress address{};
  std::vector<std::uint32_t> interfaces{};  // where it is asked for
  bool is_owned_here = false;
  bool yields = false;  // its owner gives it up at the second answer of another: one must do
  std::string proxy{};  // the server that answers for it by right; empty: none
};

struct VerifyPlan {
  std::vector<AskedVipa> vipas{};
  std::vector<AskedRow> rows{};
  std::vector<std::string> notes{};  // what is left out, and why
};

// Left out with a note: networks of clusters, VIPAs that are addresses of this host (they never leave it), servers that
// are this host, and servers behind a VLAN tag that the dispatcher puts on.
//
// Errors: kNotFound for an interface that is not there; kFailed when it is down.
Result<VerifyPlan> plan_verify(const VerifyTask& task, const VerifyHost& host);

}  // namespace xdplb
