// SPDX-License-Identifier: GPL-2.0-only
#include "server/object_change.h"

#include "server/object_lists.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <optional>
#include <variant>

namespace xdplb {
namespace {

std::string interface_name(std::uint32_t ifindex) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(ifindex, name.data()) == nullptr ? "" : name.data();
}

std::optional<KernelObject> find_object(const KernelObjectList& all,
                                        const std::function<bool(const KernelObject&)>& condition) {
  auto found = std::find_if(all.begin(), all.end(), condition);
  if (found == all.end()) return std::nullopt;
  return *found;
}

bool has_ifindex(const KernelObject& object, std::uint32_t ifindex) {
  const auto& all = object.ifindexes;
  return std::find(all.begin(), all.end(), ifindex) != all.end();
}

std::optional<KernelObject> find_route(const KernelObjectList& all, const ServerRoute& route) {
  return find_object(all, [&](const KernelObject& object) {
    const bool is_key = is_route(object) && object.table == route.table && object.type == route.type &&
                        object.priority == route.priority && object.prefix.network() == route.destination.network();
    if (!is_key || object.source != route.source) return false;
    if (route.ifindex != 0 && !has_ifindex(object, route.ifindex)) return false;
    const auto& gateways = object.gateways;
    const bool is_direct = !route.gateway || route.gateway->family() != family_of(object);
    return is_direct || std::find(gateways.begin(), gateways.end(), *route.gateway) != gateways.end();
  });
}

// What an action is about, as the kernel has it; nullopt: nothing is to be done.
struct FindTarget {
  const KernelObjectList& all;

  std::optional<KernelObject> operator()(const SetSysctl&) const { return std::nullopt; }
  std::optional<KernelObject> operator()(const RaiseLink&) const { return KernelObject{}; }
  std::optional<KernelObject> operator()(const DeletePublished& gone) const {
    return find_object(all, [&](const KernelObject& object) {
      return object.kind == KernelObjectKind::kPublished && object.prefix.address == gone.entry.address &&
             object.ifindexes.front() == gone.entry.ifindex;
    });
  }
  std::optional<KernelObject> operator()(const DeleteAddress& gone) const {
    const auto own = addresses_of(all, gone.ifindex, gone.prefix.address.family());
    return find_object(own, [&](const KernelObject& object) { return object.prefix == gone.prefix; });
  }
  std::optional<KernelObject> operator()(const AddAddress& made) const {
    const KernelObject object = make_host_address(made.ifindex, made.address, made.scope);
    const auto own = addresses_of(all, made.ifindex, made.address.family());
    const bool is_there =
        std::any_of(own.begin(), own.end(), [&](const auto& one) { return one.prefix == object.prefix; });
    if (is_there) return std::nullopt;
    return object;
  }
  std::optional<KernelObject> operator()(const DeleteRoute& gone) const { return find_route(all, gone.route); }
  std::optional<KernelObject> operator()(const StripSource& stripped) const { return find_route(all, stripped.route); }
};

bool is_about_address(const SetupAction& action) {
  return std::holds_alternative<DeleteAddress>(action) || std::holds_alternative<AddAddress>(action);
}

// Routes that may go with an address of an interface.
KernelObjectList routes_at_risk(const KernelObjectList& all, const KernelObjectList& addresses, std::uint32_t ifindex,
                                Family family) {
  return those_of(routes_of(all, family), [&](const KernelObject& route) {
    const bool is_by_source = std::any_of(addresses.begin(), addresses.end(), [&](const KernelObject& address) {
      return route.source == address.prefix.address;
    });
    return is_by_source || has_ifindex(route, ifindex);
  });
}

void note_interfaces(ObjectChange& change) {
  for (const auto* list : {&change.addresses_before, &change.lost, &change.gained}) {
    for (const KernelObject& object : *list) {
      for (std::uint32_t index : object.ifindexes) {
        if (index != 0) change.interfaces[index] = interface_name(index);
      }
    }
  }
  if (change.ifindex != 0) change.interfaces[change.ifindex] = interface_name(change.ifindex);
}

ObjectChange expect(const KernelObjectList& before, const SetupAction& action, const KernelObject& target) {
  ObjectChange change;
  if (const auto* link = std::get_if<RaiseLink>(&action)) {
    change.raised_link = true;
    change.ifindex = link->ifindex;
  } else if (is_about_address(action)) {
    change.ifindex = target.ifindexes.front();
    change.family = family_of(target);
    change.addresses_before = addresses_of(before, change.ifindex, change.family);
    change.twins = local_routes_of(before, target.prefix.address);
  } else {
    change.family = family_of(target);
  }
  if (std::holds_alternative<AddAddress>(action)) {
    change.gained = {target};
  } else if (std::holds_alternative<DeleteAddress>(action)) {
    change.lost = routes_at_risk(before, change.addresses_before, change.ifindex, change.family);
    for (const KernelObject& route : change.lost) {
      const bool is_kept = !is_made_by_kernel(route) && route.source == target.prefix.address;
      if (is_kept) change.gained.push_back(without_source(route));
    }
  } else if (!change.raised_link) {
    change.lost = {target};
    if (std::holds_alternative<StripSource>(action)) change.gained = {without_source(target)};
  }
  note_interfaces(change);
  return change;
}

Result<void> act(KernelObjects& kernel, const SetupAction& action, const KernelObject& target) {
  if (const auto* link = std::get_if<RaiseLink>(&action)) return kernel.set_up(link->ifindex, true);
  if (std::holds_alternative<StripSource>(action)) return kernel.replace_route(without_source(target));
  auto done = std::holds_alternative<AddAddress>(action) ? put_address(kernel, target) : kernel.drop(target);
  if (!done) return done.error();
  return {};
}

bool has_address(const KernelObjectList& all, const IpAddress& address) {
  return std::any_of(all.begin(), all.end(), [&](const KernelObject& object) {
    return object.kind == KernelObjectKind::kAddress && object.prefix.address == address;
  });
}

// An address took others along that nobody asked to go.
Result<void> keep_others(KernelObjects& kernel, const KernelObjectList& before, const KernelObject& target,
                         std::vector<std::string>& notes) {
  auto now = kernel.read();
  if (!now) return now.error();
  const std::uint32_t ifindex = target.ifindexes.front();
  const Family family = family_of(target);
  KernelObjectList wanted = without(addresses_of(before, ifindex, family), {target});
  if (auto brought = bring_addresses(kernel, addresses_of(*now, ifindex, family), wanted, notes); !brought) {
    return brought;
  }
  now = kernel.read();
  if (!now) return now.error();
  for (const KernelObject& route : without(routes_of(before, family), *now)) {
    if (is_made_by_kernel(route) || !route.lives_for_ever) continue;
    // The kernel takes a vanished source out of IPv6 routes by itself.
    const bool lost_source = route.source == target.prefix.address && !has_address(*now, *route.source);
    const KernelObject kept = lost_source ? without_source(route) : route;
    if (!holds(*now, kept)) put_all(kernel, {kept}, notes);
  }
  return {};
}

Result<void> finish(KernelObjects& kernel, const KernelObjectList& before, ObjectChange& change) {
  auto after = kernel.read();
  if (!after) return after.error();
  change.is_pending = false;
  if (change.raised_link) {
    change.gained = without(*after, before);
    change.lost = {};
    note_interfaces(change);
    return {};
  }
  const bool has_addresses = change.ifindex != 0;
  if (has_addresses) change.addresses_after = addresses_of(*after, change.ifindex, change.family);
  auto is_other = [&](const KernelObject& object) {
    return object.kind != KernelObjectKind::kAddress && family_of(object) == change.family;
  };
  change.lost = those_of(without(before, *after), is_other);
  change.gained = those_of(without(*after, before), is_other);
  note_interfaces(change);
  return {};
}

}  // namespace

Result<ChangeOutcome> make_object_change(KernelObjects& kernel, const SetupAction& action, const SaveChange& save) {
  auto before = kernel.read();
  if (!before) return before.error();
  const auto target = std::visit(FindTarget{*before}, action);
  ChangeOutcome outcome;
  if (!target) return outcome;
  ObjectChange change = expect(*before, action, *target);
  if (auto saved = save(change); !saved) return saved.error();
  if (auto done = act(kernel, action, *target); !done) return done.error();
  outcome.is_done = true;
  if (std::holds_alternative<DeleteAddress>(action)) {
    if (auto kept = keep_others(kernel, *before, *target, outcome.notes); !kept) return kept.error();
  }
  if (auto finished = finish(kernel, *before, change); !finished) return finished.error();
  if (auto saved = save(change); !saved) return saved.error();
  return outcome;
}

}  // namespace xdplb
