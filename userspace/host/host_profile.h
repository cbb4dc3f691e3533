// SPDX-License-Identifier: GPL-2.0-only
// HostProfile: the kernel settings under which exactly one interface answers for a VIPA and nothing is dropped:
// checked, made with consent, restored.
#pragma once

#include "base/result.h"

#include <filesystem>
#include <string>
#include <vector>

namespace xdplb {

// What the settings must fit.
struct ProfileNeeds {
  std::vector<std::string> interfaces{};  // loaded or listed for a VIPA, present ones
  bool has_local_v4 = false;  // a VIPA is an address of this host: the kernel would answer for it and filter by it
  bool has_local_v6 = false;
  bool operator==(const ProfileNeeds&) const = default;
};

struct ProfileFault {
  std::string setting{};  // "net/ipv4/conf/eth0/arp_ignore"
  int value = 0;
  int wanted = 0;
  std::string why{};         // "the kernel answers ARP for VIPAs on eth0, too"
  std::string interface {};  // "eth0", "all"
  bool operator==(const ProfileFault&) const = default;
};

// Settings that are wrong for these needs, each with the value that cures it. arp_ignore, arp_announce and rp_filter
// count as the larger of "all" and the interface; a value that is as strict in another way is right, too (arp_ignore 2,
// rp_filter 0). arp_ignore 8 is wrong: the host would not answer at all. Settings the kernel does not have are skipped.
std::vector<ProfileFault> check_profile(const ProfileNeeds& needs);

class HostProfile {
 public:
  // kept  a file that holds the values found before, so that a later run can restore them after a crash; its folder
  // exists
  explicit HostProfile(std::filesystem::path kept) : kept_(std::move(kept)) {}

  // Makes what check_profile() finds wrong right; the values found are written down first. Returns what was changed.
  // Errors: as write_sysctl; what was changed before stays written down.
  Result<std::vector<ProfileFault>> apply(const ProfileNeeds& needs);

  // Puts back what apply() changed, by this run or an earlier one, unless somebody changed it since; settings of
  // interfaces that are gone are skipped. Nothing kept: nothing to do. Errors: as write_sysctl.
  Result<void> restore();
  bool has_changes() const;

 private:
  std::filesystem::path kept_;
};

}  // namespace xdplb
