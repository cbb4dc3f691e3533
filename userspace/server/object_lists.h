// SPDX-License-Identifier: GPL-2.0-only
// Lists of kernel objects, and bringing an interface's addresses to one. Only for object_change*.cpp.
#pragma once

#include "host/kernel_objects.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace xdplb {

inline bool is_route(const KernelObject& object) { return object.kind == KernelObjectKind::kRoute; }
inline Family family_of(const KernelObject& object) { return object.prefix.address.family(); }
bool is_made_by_kernel(const KernelObject& route);
bool holds(const KernelObjectList& list, const KernelObject& object);
KernelObjectList those_of(const KernelObjectList& list, const std::function<bool(const KernelObject&)>& condition);
// What is in `list` and not in `others`.
KernelObjectList without(const KernelObjectList& list, const KernelObjectList& others);
KernelObjectList addresses_of(const KernelObjectList& list, std::uint32_t ifindex, Family family);
// Those of type local to one address: one an interface that has it.
KernelObjectList local_routes_of(const KernelObjectList& list, const IpAddress& address);
KernelObjectList routes_of(const KernelObjectList& list, Family family);

// Makes an address and waits until the kernel uses it: of IPv6 it makes the local route a moment later. IPv6 addresses
// are usable at once: no duplicate address detection, which would ask the LAN for a VIPA that the dispatcher has.
Result<bool> put_address(KernelObjects& kernel, const KernelObject& address);

// Puts each; what is refused becomes a note ("WHAT: could not be kept: ...").
void put_all(KernelObjects& kernel, const KernelObjectList& list, std::vector<std::string>& notes);

// Makes an interface's addresses `wanted`, in that order, where `present` is what it has now. All from the first
// difference on are taken away and made anew; those with a lifetime stay, and then the order is not kept.
Result<void> bring_addresses(KernelObjects& kernel, const KernelObjectList& present, const KernelObjectList& wanted,
                             std::vector<std::string>& notes);

}  // namespace xdplb
