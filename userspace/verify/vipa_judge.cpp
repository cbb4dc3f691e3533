// SPDX-License-Identifier: GPL-2.0-only
#include "verify/vipa_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

// A server as its MAC tells it.
struct Named {
  std::string object{};  // "web/s1"
  std::string server{};
  IpAddress address{};
};

class VipaJudge {
 public:
  VipaJudge(const VerifyTask& task, const HostSnapshot& host, const VerifyPlan& plan, const VerifySeen& seen)
      : task_(task), host_(host), plan_(plan), seen_(seen), own_(host.macs()) {
    for (const auto& row : plan.rows)
      for (const auto& adapter : row.adapters) name_adapter(row, adapter.address);
  }

  VipaVerdict judge() {
    for (const auto& vipa : plan_.vipas) {
      const auto found = seen_.vipas.find(vipa.address);
      if (found != seen_.vipas.end()) judge_one(vipa, found->second);
    }
    return std::move(verdict_);
  }

 private:
  void name_adapter(const AskedRow& row, const IpAddress& address) {
    const auto found = seen_.adapters.find(address);
    if (found == seen_.adapters.end()) return;
    for (const auto& [mac, interface] : found->second)
      servers_.emplace(mac, Named{.object = row.object, .server = row.server, .address = address});
  }

  bool is_own(const MacAddress& mac) const { return std::find(own_.begin(), own_.end(), mac) != own_.end(); }

  // It answers by right, whoever else does.
  bool is_right(const AskedVipa& vipa, const MacAddress& mac) const {
    if (is_own(mac) || (task_.owner && *task_.owner == mac)) return true;
    const auto server = servers_.find(mac);
    if (vipa.proxy.empty() || server == servers_.end()) return false;
    const auto& [object, name, address] = server->second;
    return vipa.proxy == name || vipa.proxy == address.to_string() || vipa.proxy.ends_with("/" + name);
  }

  // Nobody was named: the only unknown machine that answers is the owner, unless this host is.
  std::optional<MacAddress> presumed_owner(const AskedVipa& vipa, const Answerers& all) const {
    if (task_.owner || task_.expects_no_owner || vipa.is_owned_here || !vipa.proxy.empty()) return std::nullopt;
    std::optional<MacAddress> only;
    for (const auto& [mac, interface] : all) {
      if (is_right(vipa, mac)) return std::nullopt;
      if (servers_.contains(mac)) continue;
      if (only) return std::nullopt;
      only = mac;
    }
    return only;
  }

  void judge_one(const AskedVipa& vipa, const VipaSeen& seen) {
    Answerers all = seen.before;
    if (seen.after) all.insert(seen.after->begin(), seen.after->end());
    const auto owner = presumed_owner(vipa, all);
    if (owner)
      verdict_.notes.push_back(
          fmt::format("VIPA {}: {} answers for it on {} and is taken for its owner; `--owner {}` says so",
                      vipa.address.to_string(), described(*owner), all.at(*owner), owner->to_string()));
    if (all.empty() && !vipa.is_owned_here && !task_.expects_no_owner && vipa.proxy.empty())
      verdict_.notes.push_back(fmt::format("VIPA {}: nobody answers for it", vipa.address.to_string()));
    for (const auto& [mac, interface] : all) {
      if (is_right(vipa, mac) || mac == owner) continue;
      const bool was_before = seen.before.contains(mac);
      const bool was_after = seen.after && seen.after->contains(mac);
      const auto server = servers_.find(mac);
      if (server == servers_.end()) {
        add_duplicate(vipa, mac, interface, all);
        continue;
      }
      if (was_before) verdict_.leaks_before[vipa.address].insert(mac);
      if (was_after) verdict_.leaks_after[vipa.address].insert(mac);
      add_leak(vipa, server->second, mac, interface, was_before);
    }
  }

  void add_leak(const AskedVipa& vipa, const Named& server, const MacAddress& mac, const std::string& interface,
                bool was_before) {
    const bool is_v4 = vipa.address.is_v4();
    verdict_.faults.push_back(
        {.code = is_v4 ? "arp_leak" : "nd_leak",
         .object = server.object,
         .text = fmt::format("{} (server {}, {}) answers {} for {} on {}{}: clients may reach it past the dispatcher",
                             mac.to_string(), server.object, server.address.to_string(), question_name(vipa.address),
                             vipa.address.to_string(), interface, was_before ? "" : ", though not at first"),
         .remedy = fmt::format("on {}: xdplb-server setup {}", server.server, vipa.address.to_string())});
  }

  void add_duplicate(const AskedVipa& vipa, const MacAddress& mac, const std::string& interface, const Answerers& all) {
    const auto address = vipa.address.to_string();
    verdict_.faults.push_back(
        {.code = "duplicate_vipa",
         .object = address,
         .text = fmt::format("{} answers {} for {} on {}{}", described(mac), question_name(vipa.address), address,
                             interface, beside(vipa, mac, all)),
         .remedy = fmt::format("on the machine with {0}: ip address delete {1} dev NIC; if it is the owner, say "
                               "--owner {0} here",
                               mac.to_string(), address)});
  }

  // Why it should not.
  std::string beside(const AskedVipa& vipa, const MacAddress& mac, const Answerers& all) const {
    if (task_.expects_no_owner) return ", though nobody should";
    if (vipa.is_owned_here) return ", which this host owns";
    if (task_.owner) return fmt::format(" and is not its owner {}", task_.owner->to_string());
    for (const auto& [other, interface] : all)
      if (other != mac && !servers_.contains(other)) return fmt::format(", and so does {}", described(other));
    return vipa.proxy.empty() ? std::string() : fmt::format(", in place of server {}", vipa.proxy);
  }

  // The MAC and whose it is, as far as it is known.
  std::string described(const MacAddress& mac) const {
    const auto& peers = task_.config.peers;
    if (std::find(peers.begin(), peers.end(), mac) != peers.end())
      return fmt::format("{} (another dispatcher of the configuration)", mac.to_string());
    const auto known = host_.known.find(mac);
    std::string addresses;
    if (known != host_.known.end()) {
      for (const auto& address : known->second) {
        if (seen_.vipas.contains(address)) continue;
        addresses += (addresses.empty() ? "" : ", ") + address.to_string();
      }
    }
    return addresses.empty() ? fmt::format("{} (an unknown machine)", mac.to_string())
                             : fmt::format("{} (the machine with {})", mac.to_string(), addresses);
  }

  const VerifyTask& task_;
  const HostSnapshot& host_;
  const VerifyPlan& plan_;
  const VerifySeen& seen_;
  std::vector<MacAddress> own_;
  std::map<MacAddress, Named> servers_{};
  VipaVerdict verdict_{};
};

}  // namespace

std::string question_name(const IpAddress& address) { return address.is_v4() ? "ARP" : "neighbour solicitations"; }

VipaVerdict judge_vipas(const VerifyTask& task, const HostSnapshot& host, const VerifyPlan& plan,
                        const VerifySeen& seen) {
  return VipaJudge(task, host, plan, seen).judge();
}

}  // namespace xdplb
