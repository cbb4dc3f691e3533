// SPDX-License-Identifier: GPL-2.0-only
// What a task needs of this host. Pure.
#pragma once

#include "doctor/doctor_task.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xdplb {

struct DoctorVipa {
  IpAddress address{};
  bool is_local = false;                                // by the configuration an address of this host, too
  bool is_owned = false;                                // this host's daemon owns it now
  bool yields = false;                                  // a probe of anybody makes its owner give it up
  bool has_proxy = false;                               // by the configuration a server answers for it
  std::optional<std::vector<std::string>> preferred{};  // of its list, as configured
};

struct DoctorNeeds {
  std::vector<std::string> interfaces{};  // by name, each once
  std::vector<DoctorVipa> vipas{};        // each once
  std::set<IpAddress> servers{};          // all addresses of all servers
  std::size_t probes = 0;                 // that may be under way at once
  bool has_tags = false;                  // frames with VLAN tags are forwarded
  bool has_v6() const;                    // a VIPA is IPv6
};

DoctorNeeds needs_of(const DoctorTask& task);

}  // namespace xdplb
