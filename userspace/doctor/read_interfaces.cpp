// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/dispatcher.h"
#include "doctor/read_facts.h"
#include "host/netlink_socket.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <variant>

namespace xdplb {
namespace {

constexpr const char* kPins = "/sys/fs/bpf/xdplb";

// As Attachments pins them: bpffs refuses names with a dot.
bool is_pinned(const std::string& instance, std::string name) {
  std::replace(name.begin(), name.end(), '.', ':');
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::path(kPins) / instance / "links" / name, ignored);
}

// "eth0.100       | 100  | eth0", below two lines of titles.
bool has_vlans(const std::string& name) {
  std::ifstream file("/proc/net/vlan/config");
  for (std::string line; std::getline(file, line);)
    if (line.ends_with("| " + name)) return true;
  return false;
}

InterfaceFacts read_one(const Link& link, const std::string& instance) {
  InterfaceFacts facts{.name = link.name, .link = link, .has_vlans = has_vlans(link.name)};
  facts.is_ours = is_pinned(instance, link.name);
  if (auto driver = read_driver(link.name)) facts.driver = std::move(*driver);
  return facts;
}

void add_xdp(const std::map<std::uint32_t, XdpPrograms>& programs,
             const std::optional<std::map<std::uint32_t, XdpDriver>>& drivers, InterfaceFacts& facts) {
  if (!facts.link) return;
  if (const auto found = programs.find(facts.link->index); found != programs.end()) facts.programs = found->second;
  for (const auto id : {facts.programs.native, facts.programs.generic, facts.programs.hardware})
    if (id != 0) facts.program = program_name(id);
  if (facts.program == "xdp_dispatcher") facts.chain = dispatcher::members(facts.link->index);
  if (!drivers) return;
  if (const auto found = drivers->find(facts.link->index); found != drivers->end()) facts.xdp = found->second;
}

}  // namespace

Result<std::vector<InterfaceFacts>> read_interfaces(const DoctorNeeds& needs, const std::string& instance) {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  const auto messages = socket->dump(RTM_GETLINK);
  if (!messages) return messages.error();
  const auto programs = read_xdp_programs();
  if (!programs) return programs.error();
  // What the kernel does not tell is not known; no reason to end.
  const auto read = read_xdp_drivers();
  const auto drivers = read ? *read : std::nullopt;
  std::vector<InterfaceFacts> interfaces;
  for (const auto& name : needs.interfaces) {
    InterfaceFacts facts{.name = name};
    for (const auto& message : *messages) {
      const auto* link = std::get_if<LinkMessage>(&message);
      if (link != nullptr && link->link.name == name) facts = read_one(link->link, instance);
    }
    add_xdp(*programs, drivers, facts);
    interfaces.push_back(std::move(facts));
  }
  return interfaces;
}

}  // namespace xdplb
