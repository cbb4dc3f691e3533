// SPDX-License-Identifier: GPL-2.0-only
// Who is to be asked what, and through which interface. Pure.
#pragma once

#include "base/result.h"
#include "host/host_snapshot.h"
#include "verify/verify_task.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

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
Result<VerifyPlan> plan_verify(const VerifyTask& task, const HostSnapshot& host);

}  // namespace xdplb
