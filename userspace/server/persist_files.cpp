// SPDX-License-Identifier: GPL-2.0-only
#include "server/persist_files.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

constexpr const char* kSysctlFile = "/etc/sysctl.d/90-xdplb-server.conf";
constexpr const char* kNftFile = "/etc/xdplb-server.nft";
constexpr const char* kNftUnit = "/etc/systemd/system/xdplb-server-nft.service";
constexpr const char* kNftWanted = "/etc/systemd/system/multi-user.target.wants/xdplb-server-nft.service";
constexpr const char* kHead = "# Written by `xdplb-server setup`; `xdplb-server remove` takes it away.\n";
// Of NetworkManager's profile: there is one a host.
constexpr const char* kProfileId = "5d0a0b86-3c0b-4b1c-8d0e-9a2f6c7b1e54";

using Addresses = std::vector<IpAddress>;

Addresses aliases_of(const RecordedVipas& vipas, Persistence persistence) {
  Addresses found;
  for (const auto& [address, vipa] : vipas) {
    if (vipa.method == ServerMethod::kLoopback && vipa.persistence == persistence) found.push_back(address);
  }
  return found;
}

bool any_vipa(const RecordedVipas& vipas, bool (*holds)(const IpAddress&, const RecordedVipa&)) {
  return std::any_of(vipas.begin(), vipas.end(), [&](const auto& entry) { return holds(entry.first, entry.second); });
}

bool survives(const RecordedVipa& vipa) { return vipa.persistence != Persistence::kNone; }

std::string host_text(const IpAddress& address) { return address.to_string() + (address.is_v4() ? "/32" : "/128"); }

std::string sysctl_file(const RecordedVipas& vipas, std::map<std::string, int> settings) {
  const bool needs_silence = any_vipa(vipas, [](const IpAddress& address, const RecordedVipa& vipa) {
    return survives(vipa) && vipa.method == ServerMethod::kLoopback && address.is_v4();
  });
  // Also where the host was silent already: what made it so may not last.
  if (needs_silence) {
    settings.try_emplace("net/ipv4/conf/all/arp_ignore", 1);
    settings.try_emplace("net/ipv4/conf/all/arp_announce", 2);
  }
  std::string text;
  for (const auto& [name, value] : settings) text += fmt::format("{} = {}\n", sysctl_text(name), value);
  return text.empty() ? text : kHead + text;
}

std::string networkd_file(const Addresses& aliases, bool is_drop_in) {
  std::string text = kHead;
  // networkd would take foreign addresses off an interface that it did not manage before.
  if (!is_drop_in) text += "[Match]\nName=lo\n\n[Network]\nKeepConfiguration=static\n";
  for (const IpAddress& alias : aliases) {
    text += fmt::format("\n[Address]\nAddress={}\n", host_text(alias));
    if (alias.is_v6()) text += "DuplicateAddressDetection=none\nAddPrefixRoute=false\n";
  }
  return text;
}

// `replace`, and a second stanza of method loopback, as both do no harm where things are there already; static does.
std::string ifupdown_file(const Addresses& aliases, bool loads_nft) {
  std::string text = std::string(kHead) + "auto lo\niface lo inet loopback\n";
  if (loads_nft) text += fmt::format("    up nft -f {}\n", kNftFile);
  for (const IpAddress& alias : aliases) {
    const std::string what = host_text(alias) + " dev lo";
    const char* ip = alias.is_v4() ? "ip" : "ip -6";
    text += fmt::format("    up {} address replace {}{}\n", ip, what, alias.is_v6() ? " nodad noprefixroute" : "");
    text += fmt::format("    down {} address delete {} || true\n", ip, what);
  }
  return text;
}

void append_addresses(const Addresses& aliases, Family family, std::string& text) {
  unsigned number = 1;  // the kernel's own is the first
  for (const IpAddress& alias : aliases) {
    if (alias.family() == family) text += fmt::format("address{}={}\n", ++number, host_text(alias));
  }
}

std::string networkmanager_file(const Addresses& aliases) {
  std::string text =
      fmt::format("{}[connection]\nid=xdplb-server\nuuid={}\ntype=loopback\ninterface-name=lo\nautoconnect=true\n",
                  kHead, kProfileId);
  text += "\n[ipv4]\nmethod=manual\naddress1=127.0.0.1/8\n";
  append_addresses(aliases, Family::kV4, text);
  text += "\n[ipv6]\nmethod=manual\naddress1=::1/128\n";
  append_addresses(aliases, Family::kV6, text);
  return text;
}

// After nftables.service, which flushes everything, and again whenever that is restarted.
std::string nft_unit() {
  return std::string(kHead) + fmt::format(R"([Unit]
Description=VIPAs of xdplb redirected to this server
After=nftables.service network-pre.target
PartOf=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {}

[Install]
WantedBy=multi-user.target
)",
                                          kNftFile);
}

std::string port_set(const std::vector<ServerPort>& ports, Protocol protocol) {
  std::string text;
  for (const ServerPort& port : ports) {
    if (port.protocol == protocol) text += (text.empty() ? "" : ", ") + std::to_string(port.port);
  }
  return text;
}

void append_rules(const IpAddress& address, const RecordedVipa& vipa, std::string& text) {
  const std::string to = fmt::format("    {} daddr {} ", address.is_v4() ? "ip" : "ip6", address.to_string());
  const std::string echo = address.is_v4() ? "icmp type echo-request" : "icmpv6 type echo-request";
  if (vipa.ports.empty()) text += to + "meta l4proto { tcp, udp } redirect\n";
  for (Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
    const std::string ports = port_set(vipa.ports, protocol);
    if (!ports.empty()) text += fmt::format("{}{} dport {{ {} }} redirect\n", to, protocol_name(protocol), ports);
  }
  text += to + echo + " redirect\n";
}

void add_nft_files(const std::string& table, bool by_unit, std::vector<PersistedFile>& files) {
  files.push_back({.path = kNftFile, .text = kHead + table});
  if (!by_unit) return;
  files.push_back({.path = kNftUnit, .text = nft_unit()});
  files.push_back({.path = kNftWanted, .text = kNftUnit, .is_link = true});
}

}  // namespace

std::string make_nft_table(const RecordedVipas& vipas) {
  std::string rules;
  for (const auto& [address, vipa] : vipas) {
    if (vipa.method == ServerMethod::kNft) append_rules(address, vipa, rules);
  }
  if (rules.empty()) return {};
  // Made first, so that deleting it is no mistake when it is not there: one transaction.
  return make_nft_removal() +
         "table inet xdplb_server {\n"
         "  chain prerouting {\n"
         "    type nat hook prerouting priority dstnat; policy accept;\n" +
         rules + "  }\n}\n";
}

std::string make_nft_removal() { return "table inet xdplb_server\ndelete table inet xdplb_server\n"; }

std::vector<PersistedFile> make_persisted_files(const RecordedVipas& vipas, const std::map<std::string, int>& settings,
                                                const PersistPlace& place) {
  std::vector<PersistedFile> files;
  RecordedVipas lasting = vipas;
  std::erase_if(lasting, [](const auto& entry) { return !survives(entry.second); });
  if (lasting.empty()) return files;
  if (const std::string text = sysctl_file(lasting, settings); !text.empty()) {
    files.push_back({.path = kSysctlFile, .text = text});
  }
  RecordedVipas redirected = lasting;
  std::erase_if(redirected, [](const auto& entry) { return entry.second.persistence == Persistence::kSysctlOnly; });
  const std::string table = make_nft_table(redirected);
  const bool nft_by_ifupdown = !table.empty() && !place.has_systemd;
  if (!table.empty()) add_nft_files(table, place.has_systemd, files);
  if (const auto aliases = aliases_of(lasting, Persistence::kNetworkd); !aliases.empty()) {
    files.push_back({.path = place.networkd_path, .text = networkd_file(aliases, place.has_networkd_file)});
  }
  if (const auto aliases = aliases_of(lasting, Persistence::kIfupdown); !aliases.empty() || nft_by_ifupdown) {
    files.push_back({.path = kIfupdownFile, .text = ifupdown_file(aliases, nft_by_ifupdown)});
  }
  if (const auto aliases = aliases_of(lasting, Persistence::kNetworkManager); !aliases.empty()) {
    files.push_back({.path = kNetworkManagerFile, .text = networkmanager_file(aliases), .mode = 0600});
  }
  return files;
}

}  // namespace xdplb
