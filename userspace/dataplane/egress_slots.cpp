// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/egress_slots.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

constexpr std::uint16_t kFirstSlot = 1;  // slot 0 is none
constexpr std::uint32_t kLoopback = 1;   // of the host's own stack: a slot with interface 0 would be free
constexpr EgressKey kLocal{.ifindex = kLoopback, .tag = 0, .is_local = true};

}  // namespace

EgressKey egress_key(const PlannedServer& server) {
  if (server.target->is_local) return kLocal;
  const auto& vlan = server.config.vlan;
  EgressKey key{.ifindex = server.target->ifindex};
  if (vlan) key.tag = static_cast<std::uint16_t>(*vlan == 0 ? XDPLB_TAG_NONE : XDPLB_TAG_SET | *vlan);
  return key;
}

EgressSlots EgressSlots::open(const KernelTables& tables) {
  EgressSlots slots(tables);
  for (std::uint16_t slot = kFirstSlot; slot < XDPLB_MAX_EGRESSES; ++slot) {
    const auto& egress = tables.egress(slot);
    if (egress.ifindex == 0) continue;
    const bool is_local = (egress.flags & XDPLB_EGRESS_LOCAL) != 0;
    slots.slots_.emplace(EgressKey{.ifindex = egress.ifindex, .tag = egress.tag, .is_local = is_local}, slot);
    slots.flags_ |= static_cast<std::uint16_t>(egress.flags & ~XDPLB_EGRESS_LOCAL);
    if (is_local) continue;
    MacAddress mac;
    std::copy(std::begin(egress.mac), std::end(egress.mac), mac.bytes.begin());
    slots.macs_.emplace(egress.ifindex, mac);
  }
  return slots;
}

Result<void> EgressSlots::store(const EgressKey& key, std::uint16_t slot) const {
  xdplb_egress egress{};
  egress.ifindex = key.ifindex;
  egress.tag = key.tag;
  egress.flags = static_cast<std::uint16_t>(flags_ | (key.is_local ? XDPLB_EGRESS_LOCAL : 0U));
  const auto mac = macs_.find(key.ifindex);
  if (mac != macs_.end() && !key.is_local) std::copy(mac->second.bytes.begin(), mac->second.bytes.end(), egress.mac);
  return tables_->store_egress(slot, egress);
}

Result<void> EgressSlots::set_interface(std::uint32_t ifindex, const MacAddress& mac) {
  const auto known = macs_.find(ifindex);
  if (known != macs_.end() && known->second == mac) return {};
  const bool is_new = known == macs_.end();
  std::map<EgressKey, std::uint16_t> touched;
  if (is_new) {
    std::set<EgressKey> in_use;
    for (const auto& [key, slot] : slots_) in_use.insert(key);
    auto planned = plan({EgressKey{.ifindex = ifindex}}, in_use);
    if (!planned) {
      return fail(ErrorCode::kFailed, fmt::format("interface {}: all {} ways out are in use; unload an interface first",
                                                  ifindex, XDPLB_MAX_EGRESSES - kFirstSlot));
    }
    touched = std::move(*planned);
  } else {
    for (const auto& [key, slot] : slots_)
      if (key.ifindex == ifindex && !key.is_local) touched.emplace(key, slot);
  }
  const auto old = is_new ? MacAddress{} : known->second;
  macs_[ifindex] = mac;
  for (const auto& [key, slot] : touched) {
    if (auto stored = store(key, slot); !stored) {
      if (is_new) {
        macs_.erase(ifindex);
      } else {
        macs_[ifindex] = old;
      }
      return stored;
    }
    slots_[key] = slot;
  }
  return {};
}

void EgressSlots::remove_interface(std::uint32_t ifindex) {
  std::erase_if(slots_, [&](const auto& entry) {
    if (entry.first.ifindex != ifindex || entry.first.is_local) return false;
    tables_->clear_egress(entry.second);
    return true;
  });
  macs_.erase(ifindex);
}

std::set<std::uint32_t> EgressSlots::interfaces() const {
  std::set<std::uint32_t> interfaces;
  for (const auto& [ifindex, mac] : macs_) interfaces.insert(ifindex);
  return interfaces;
}

Result<std::map<EgressKey, std::uint16_t>> EgressSlots::plan(const std::set<EgressKey>& wanted,
                                                             const std::set<EgressKey>& in_use) const {
  std::set<std::uint16_t> taken;
  for (const auto& [key, slot] : slots_) {
    const bool is_plain = key.tag == 0 && !key.is_local;  // an interface keeps its slot while it is loaded
    if (is_plain || wanted.contains(key) || in_use.contains(key)) taken.insert(slot);
  }
  std::map<EgressKey, std::uint16_t> planned;
  std::uint16_t next = kFirstSlot;
  for (const auto& key : wanted) {
    if (slots_.contains(key)) continue;
    while (next < XDPLB_MAX_EGRESSES && taken.contains(next)) ++next;
    if (next == XDPLB_MAX_EGRESSES) {
      return fail(ErrorCode::kFailed, fmt::format("all {} ways out (interfaces and VLANs of servers) are in use; "
                                                  "unload an interface or use fewer VLANs",
                                                  XDPLB_MAX_EGRESSES - kFirstSlot));
    }
    planned.emplace(key, next++);
  }
  return planned;
}

Result<void> EgressSlots::add(const std::map<EgressKey, std::uint16_t>& planned) {
  for (const auto& [key, slot] : planned) {
    std::erase_if(slots_, [number = slot](const auto& entry) { return entry.second == number; });
    if (auto stored = store(key, slot); !stored) return stored;
    slots_.emplace(key, slot);
  }
  return {};
}

Result<void> EgressSlots::set_flag(std::uint16_t flag, bool is_on) {
  const auto flags = static_cast<std::uint16_t>(is_on ? flags_ | flag : flags_ & ~flag);
  if (flags == flags_) return {};
  flags_ = flags;
  for (const auto& [key, slot] : slots_)
    if (auto stored = store(key, slot); !stored) return stored;
  return {};
}

std::uint16_t EgressSlots::slot_of(const EgressKey& key) const {
  const auto known = slots_.find(key);
  return known == slots_.end() ? std::uint16_t{0} : known->second;
}

std::uint32_t EgressSlots::ifindex_of(std::uint16_t slot) const {
  for (const auto& [key, number] : slots_)
    if (number == slot && !key.is_local) return key.ifindex;
  return 0;
}

}  // namespace xdplb
