// SPDX-License-Identifier: GPL-2.0-only
// SetupRecord: what `setup` did to one network namespace, so that it can be undone. A JSON file.
#pragma once

#include "base/result.h"
#include "host/kernel_objects.h"
#include "server/server_setup.h"
#include "server/setup_plan.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

// How a VIPA was set up.
struct RecordedVipa {
  ServerMethod method = ServerMethod::kLoopback;
  std::vector<ServerPort> ports{};
  Persistence persistence = Persistence::kNone;  // never kAuto
  auto operator<=>(const RecordedVipa&) const = default;
};
using RecordedVipas = std::map<IpAddress, RecordedVipa>;

// What a step did to the kernel's objects. While is_pending it is not known how far it came: `lost` are those that the
// step may have taken along, `gained` is what it was to make, addresses_after is empty.
struct ObjectChange {
  bool is_pending = true;
  bool raised_link = false;                           // the interface was down
  std::uint32_t ifindex = 0;                          // of the addresses
  Family family = Family::kV4;                        // of the addresses
  std::map<std::uint32_t, std::string> interfaces{};  // names of all indexes: another one may get an index later
  KernelObjectList addresses_before{};                // all of ifindex and family, in the kernel's order
  KernelObjectList addresses_after{};
  KernelObjectList lost{};  // routes and published neighbours
  KernelObjectList gained{};
  KernelObjectList twins{};  // IPv4 routes of type local to the address, in their order before
  bool operator==(const ObjectChange&) const = default;
};

struct RecordedStep {
  std::string text{};  // to_text() of its action; one step a text
  std::string undo_text{};
  std::vector<IpAddress> vipas{};      // that need it
  std::vector<IpPrefix> serves{};      // and later ones in these networks
  std::optional<SetSysctl> setting{};  // else: objects
  ObjectChange objects{};
  bool operator==(const RecordedStep&) const = default;
};

struct RecordedFile {
  std::string path{};                   // below the root: "/etc/sysctl.d/90-xdplb-server.conf"
  std::optional<std::string> before{};  // what was there
  std::string after{};                  // what we wrote, or are about to
  std::optional<std::string> former{};  // what we wrote before, until `after` is there
  unsigned mode = 0644;                 // of both
  bool is_link = false;                 // `after` is where it points
  std::vector<std::string> folders{};   // made for it, outermost first
  bool operator==(const RecordedFile&) const = default;
};

// Tells whether the namespace is the one that was set up: it may have been made anew under its name, and a reboot
// takes with it what no file keeps.
struct NamespaceIdentity {
  std::string boot{};
  std::uint64_t cookie = 0;  // SO_NETNS_COOKIE: given out once; its inode on kernels older than 5.14
  auto operator<=>(const NamespaceIdentity&) const = default;
};
Result<NamespaceIdentity> read_namespace_identity();  // of the calling thread. Errors: os_error.

struct SetupRecord {
  NamespaceIdentity made_in{};
  RecordedVipas vipas{};
  std::vector<RecordedStep> steps{};  // oldest first
  std::optional<std::string> nft{};   // what the table holds; absent: there is none of ours
  std::vector<RecordedFile> files{};
  bool is_empty() const { return vipas.empty() && steps.empty() && !nft && files.empty(); }
  bool operator==(const SetupRecord&) const = default;
};

std::string encode_record(const SetupRecord& record);
// Errors: kFailed for text that is no record; `name` names it.
Result<SetupRecord> decode_record(std::string_view text, const std::string& name);

// An empty record when there is no file. Errors: os_error, and as decode_record.
Result<SetupRecord> load_record(const std::filesystem::path& path);
// All or nothing, also over a power failure; an empty record is no file. Errors: os_error.
Result<void> save_record(const std::filesystem::path& path, const SetupRecord& record);

}  // namespace xdplb
