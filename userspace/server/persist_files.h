// SPDX-License-Identifier: GPL-2.0-only
// The files that bring a set-up back after a reboot. Pure.
#pragma once

#include "server/setup_record.h"

#include <map>
#include <string>
#include <vector>

namespace xdplb {

struct PersistedFile {
  std::string path{};  // below the root
  std::string text{};  // of a link: where it points
  unsigned mode = 0644;
  bool is_link = false;
  auto operator<=>(const PersistedFile&) const = default;
};

// What the host decides about them.
struct PersistPlace {
  std::string networkd_path{};     // own file, or a drop-in of the file that has lo already
  bool has_networkd_file = false;  // it is a drop-in
  bool has_systemd = true;         // it starts the units; else ifupdown loads the nftables table
};

// For all VIPAs that are to survive, each by its own Persistence, and the settings that were changed for them (name ->
// value). The order of a boot is that of a set-up: settings before the alias, by the units' own order (systemd-networkd
// and networking.service start after systemd-sysctl.service).
std::vector<PersistedFile> make_persisted_files(const RecordedVipas& vipas, const std::map<std::string, int>& settings,
                                                const PersistPlace& place);

// The table of all VIPAs with kNft, as `nft -f` takes it, replacing the one before; empty when there is none.
std::string make_nft_table(const RecordedVipas& vipas);
// What takes it away.
std::string make_nft_removal();

inline constexpr const char* kOwnNetworkdFile = "/etc/systemd/network/zz-xdplb-server.network";
inline constexpr const char* kNetworkManagerFile = "/etc/NetworkManager/system-connections/xdplb-server.nmconnection";
inline constexpr const char* kIfupdownFile = "/etc/network/interfaces.d/xdplb-server";

}  // namespace xdplb
