// SPDX-License-Identifier: GPL-2.0-only
// Undoing what make_object_change() did, wholly or in part.
#include "server/object_change.h"
#include "server/object_lists.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace xdplb {
namespace {

// Interfaces that are gone, or whose index another one has now.
std::map<std::uint32_t, std::string> lost_interfaces(const ObjectChange& change) {
  std::map<std::uint32_t, std::string> lost;
  for (const auto& [index, name] : change.interfaces) {
    std::array<char, IF_NAMESIZE> now{};
    const bool is_same = ::if_indextoname(index, now.data()) != nullptr && name == now.data();
    if (!is_same) lost.emplace(index, name);
  }
  return lost;
}

// What is left to undo without those interfaces: their routes and published neighbours went with them.
ObjectChange without_interfaces(ObjectChange change, const std::map<std::uint32_t, std::string>& gone) {
  const auto is_gone = [&](const KernelObject& object) {
    return std::any_of(object.ifindexes.begin(), object.ifindexes.end(),
                       [&](std::uint32_t index) { return gone.contains(index); });
  };
  for (KernelObjectList* list : {&change.lost, &change.gained, &change.twins}) std::erase_if(*list, is_gone);
  return change;
}

std::string joined_names(const std::map<std::uint32_t, std::string>& interfaces) {
  std::string names;
  for (const auto& [index, name] : interfaces) names += (names.empty() ? "" : ", ") + name;
  return names;
}

// Nobody but the kernel makes an IPv6 route without metric: it comes with its address.
bool can_be_put(const KernelObject& object) {
  const bool comes_along =
      is_route(object) && is_made_by_kernel(object) && family_of(object) == Family::kV6 && object.priority == 0;
  return object.lives_for_ever && !comes_along;
}

KernelObjectList joined(KernelObjectList list, const KernelObjectList& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

bool has_prefix(const KernelObjectList& list, const IpPrefix& prefix) {
  return std::any_of(list.begin(), list.end(), [&](const KernelObject& object) { return object.prefix == prefix; });
}

// What setup added goes even when a boot made it anew with other attributes.
KernelObjectList without_made(const ObjectChange& change, const KernelObjectList& present) {
  const KernelObjectList& made = change.is_pending ? change.gained : change.addresses_after;
  return those_of(present, [&](const KernelObject& address) {
    return !has_prefix(made, address.prefix) || has_prefix(change.addresses_before, address.prefix);
  });
}

// Nobody changed the addresses since: all can be as it was, in that order.
bool is_as_left(const ObjectChange& change, const KernelObjectList& present) {
  if (!change.is_pending) return present == change.addresses_after;
  return without(without_made(change, present), change.addresses_before).empty();
}

KernelObjectList wanted_addresses(const ObjectChange& change, const KernelObjectList& present) {
  const auto& before = change.addresses_before;
  if (is_as_left(change, present)) return before;
  const KernelObjectList lost = change.is_pending ? before : without(before, change.addresses_after);
  return joined(without_made(change, present), without(lost, present));
}

Result<void> undo_addresses(KernelObjects& kernel, const ObjectChange& change, const KernelObjectList& present,
                            ChangeOutcome& outcome) {
  const KernelObjectList wanted = wanted_addresses(change, present);
  if (present == wanted) return {};
  outcome.is_done = true;
  return bring_addresses(kernel, present, wanted, outcome.notes);
}

// The one that a gained route took the place of.
const KernelObject* predecessor(const KernelObjectList& lost, const KernelObject& gained) {
  auto found = std::find_if(lost.begin(), lost.end(), [&](const KernelObject& route) {
    return is_route(route) && route.prefix == gained.prefix && route.table == gained.table &&
           route.priority == gained.priority && route.type == gained.type;
  });
  return found == lost.end() ? nullptr : &*found;
}

// The kernel takes no route by way of an address of its own, though it keeps one that was there before the address.
Result<bool> put_past_gateway(KernelObjects& kernel, const KernelObject& route) {
  auto made = kernel.put(route);
  if (made || route.gateways.empty()) return made;
  auto all = kernel.read();
  if (!all) return all.error();
  for (const KernelObject& address : *all) {
    const bool is_gateway = address.kind == KernelObjectKind::kAddress && address.lives_for_ever &&
                            address.prefix.is_host() && address.prefix.address == route.gateways.front();
    if (!is_gateway) continue;
    const auto before = addresses_of(*all, address.ifindexes.front(), family_of(address));
    std::vector<std::string> notes;
    if (auto dropped = kernel.drop(address); !dropped) return dropped;
    made = kernel.put(route);
    auto brought = bring_addresses(kernel, without(before, {address}), before, notes);
    if (!brought) return brought.error();
  }
  return made;
}

Result<void> drop_gained(KernelObjects& kernel, const ObjectChange& change, const KernelObjectList& now,
                         ChangeOutcome& outcome) {
  for (const KernelObject& gained : change.gained) {
    if (gained.kind == KernelObjectKind::kAddress || !holds(now, gained)) continue;
    outcome.is_done = true;
    const KernelObject* before = predecessor(change.lost, gained);
    if (before != nullptr && !holds(now, *before)) {
      auto replaced = kernel.replace_route(*before);
      if (replaced) continue;
      outcome.notes.push_back("not put back: " + replaced.error().message);
    }
    if (auto dropped = kernel.drop(gained); !dropped) return dropped.error();
  }
  return {};
}

// Routes that the kernel made anew along with an address, and that were not there before.
Result<void> drop_unwanted(KernelObjects& kernel, const KernelObjectList& wanted, const KernelObjectList& now,
                           Family family) {
  for (const KernelObject& route : without(routes_of(now, family), wanted)) {
    if (!is_made_by_kernel(route)) continue;
    if (auto dropped = kernel.drop(route); !dropped) return dropped.error();
  }
  return {};
}

Result<void> undo_routes(KernelObjects& kernel, const ObjectChange& change, const KernelObjectList& current,
                         ChangeOutcome& outcome) {
  auto now = kernel.read();
  if (!now) return now.error();
  if (auto dropped = drop_gained(kernel, change, *now, outcome); !dropped) return dropped;
  // Ours own, and what was taken along by undoing addresses.
  const KernelObjectList kept = without(current, change.gained);
  const KernelObjectList present = addresses_of(current, change.ifindex, change.family);
  if (is_as_left(change, present)) {
    auto dropped = drop_unwanted(kernel, joined(kept, change.lost), *now, change.family);
    if (!dropped) return dropped;
  }
  now = kernel.read();
  if (!now) return now.error();
  const KernelObjectList lost = without(change.lost, *now);
  outcome.is_done = outcome.is_done || !lost.empty();
  for (const KernelObject& object : those_of(lost, can_be_put)) {
    auto made = put_past_gateway(kernel, object);
    if (!made) outcome.notes.push_back("not put back: " + made.error().message);
  }
  const KernelObjectList taken_along = those_of(without(routes_of(kept, change.family), *now), [](const auto& route) {
    return !is_made_by_kernel(route) && route.lives_for_ever;
  });
  put_all(kernel, taken_along, outcome.notes);
  return {};
}

// Of several interfaces with one address the first route counts.
Result<void> order_twins(KernelObjects& kernel, const ObjectChange& change, ChangeOutcome& outcome) {
  if (change.twins.size() < 2 || change.family == Family::kV6) return {};
  auto now = kernel.read();
  if (!now) return now.error();
  const KernelObjectList present = local_routes_of(*now, change.twins.front().prefix.address);
  const bool is_same_set =
      std::is_permutation(present.begin(), present.end(), change.twins.begin(), change.twins.end());
  if (!is_same_set || present == change.twins) return {};
  for (const KernelObject& route : change.twins) {
    if (auto dropped = kernel.drop(route); !dropped) return dropped.error();
    put_all(kernel, {route}, outcome.notes);
  }
  return {};
}

Result<void> lower_link(KernelObjects& kernel, const ObjectChange& change) {
  if (auto lowered = kernel.set_up(change.ifindex, false); !lowered) return lowered;
  for (const KernelObject& gained : change.gained) {
    auto dropped = kernel.drop(gained);
    // The kernel takes routes along, and some it does not let go by name.
    if (!dropped && gained.kind == KernelObjectKind::kAddress) return dropped.error();
  }
  return {};
}

}  // namespace

Result<ChangeOutcome> undo_object_change(KernelObjects& kernel, const ObjectChange& whole) {
  ChangeOutcome outcome;
  const auto gone = lost_interfaces(whole);
  if (gone.contains(whole.ifindex)) {
    outcome.notes.push_back("interface " + gone.at(whole.ifindex) + " is gone, and this with it");
    return outcome;
  }
  const ObjectChange change = without_interfaces(whole, gone);
  if (!gone.empty()) outcome.notes.push_back("interface " + joined_names(gone) + " is gone, and its routes with it");
  if (change.raised_link) {
    outcome.is_done = true;
    if (auto lowered = lower_link(kernel, change); !lowered) return lowered.error();
    return outcome;
  }
  auto current = kernel.read();
  if (!current) return current.error();
  const KernelObjectList present = addresses_of(*current, change.ifindex, change.family);
  if (change.ifindex != 0) {
    if (auto undone = undo_addresses(kernel, change, present, outcome); !undone) return undone.error();
  }
  if (auto undone = undo_routes(kernel, change, *current, outcome); !undone) return undone.error();
  if (auto ordered = order_twins(kernel, change, outcome); !ordered) return ordered.error();
  return outcome;
}

}  // namespace xdplb
