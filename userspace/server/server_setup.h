// SPDX-License-Identifier: GPL-2.0-only
// Setting a server up for VIPAs, and taking back exactly what was done.
#pragma once

#include "base/result.h"
#include "server/server_facts.h"
#include "server/server_judge.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xdplb {

// Who brings it back after a reboot.
enum class Persistence : std::uint8_t { kAuto, kNetworkd, kIfupdown, kNetworkManager, kSysctlOnly, kNone };
std::string_view persistence_name(
    Persistence persistence);  // "auto", "networkd", "ifupdown", "networkmanager", "sysctl-only", "none"
Result<Persistence> parse_persistence(std::string_view text);  // Errors: kUsage, naming the words there are

struct SetupOptions {
  ServerWish wish{};
  ServerMethod method = ServerMethod::kLoopback;
  Persistence persistence = Persistence::kAuto;  // in a foreign network namespace kAuto is kNone
  bool is_dry_run = false;
};

// Where things are kept: "/" and the usual folders, or a test's own.
struct ServerPaths {
  std::filesystem::path root{"/"};  // /etc and /usr below it
  std::filesystem::path record{};   // what setup did here: /var/lib/xdplb-server/host.json, or netns-NAME.json
  bool is_foreign = false;          // another network namespace than the host's
};

// One line for each change as it is made (or would be): "sysctl net.ipv4.conf.all.arp_ignore: 0 -> 1".
using SetupTold = std::function<void(const std::string&)>;

// Brings this network namespace to where judge_server() finds no curable fault, in the order that never leaks an ARP
// answer: sysctls, then extra routes and wide aliases, then the alias, then what survives a reboot. Idempotent: what is
// right stays and is not written down. Each change is recorded before it is made, so that a run that was killed can be
// undone. Returns the number of changes. Errors: kPermission without root, os_error naming the object; what was done
// before stays recorded.
Result<unsigned> setup_server(const SetupOptions& options, const ServerPaths& paths, const SetupTold& told);

// Undoes what setup did for these VIPAs (all when empty), newest first; settings that other VIPAs of the record still
// need stay. A value that somebody changed since is left alone and told. Errors: kNotFound when nothing is recorded for
// a VIPA.
Result<unsigned> remove_server(const std::vector<IpAddress>& vipas, bool is_dry_run, const ServerPaths& paths,
                               const SetupTold& told);

}  // namespace xdplb
