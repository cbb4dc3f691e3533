// SPDX-License-Identifier: GPL-2.0-only
// Which interface answers ARP and ND for a VIPA. Pure.
#pragma once

#include "net/address.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xdplb {

// One interface that may own the VIPA, as it is now.
struct ElectionCandidate {
  std::uint32_t ifindex = 0;
  std::string name;
  bool is_up = false;              // wanted up and has carrier
  std::vector<IpPrefix> prefixes;  // its own addresses; other families do no harm
};

enum class ElectionKind : std::uint8_t {
  kSilent,            // nobody answers
  kOwner,             // `owner` answers, nobody else
  kAnswerWhereAsked,  // the interface that hears the question answers; `owner` is the one that announces
};

struct Election {
  ElectionKind kind = ElectionKind::kSilent;
  std::uint32_t owner = 0;  // interface index; 0 = none
  std::string owner_name;   // empty = none
  std::string reason;       // for people: "eth1: first listed that is up and on its subnet; eth0 is down"

  // The same decision, whatever the words for it.
  bool decides_like(const Election& other) const { return kind == other.kind && owner == other.owner; }
};

// Chooses the interface that answers ARP and ND for one VIPA.
//
// candidates  in the operator's order of preference, first wins; may be empty
//
// The first that is up and has an address whose subnet contains `vipa` owns it. When none that is up is on the subnet,
// whichever of them is asked answers (a VIPA with a host route or a subnet of its own) and the first that is up
// announces. When none is up the VIPA is silent rather than answered where the operator did not list it. Source: IBM i
// virtual IP address proxy ARP with a preferred interface list.
Election elect_interface(const IpAddress& vipa, std::span<const ElectionCandidate> candidates);

}  // namespace xdplb
