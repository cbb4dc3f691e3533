// SPDX-License-Identifier: GPL-2.0-only
#include "server/object_lists.h"

#include "host/sysctl.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace xdplb {
namespace {

constexpr std::chrono::milliseconds kKernelActs{500};

// Turns duplicate address detection of an interface off while it lives.
class NoDetection {
 public:
  explicit NoDetection(std::uint32_t ifindex) {
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(ifindex, name.data()) == nullptr) return;
    name_ = std::string("net/ipv6/conf/") + name.data() + "/accept_dad";
    auto value = read_sysctl(name_);
    if (value && *value > 0 && write_sysctl(name_, 0)) before_ = *value;
  }
  NoDetection(const NoDetection&) = delete;
  NoDetection& operator=(const NoDetection&) = delete;
  ~NoDetection() {
    if (before_) static_cast<void>(write_sysctl(name_, *before_).has_value());
  }

 private:
  std::string name_{};
  std::optional<int> before_{};
};

bool is_in_use(const KernelObjectList& all, const KernelObject& address) {
  const bool is_held = std::any_of(
      all.begin(), all.end(), [&](const KernelObject& object) { return object == address && object.is_tentative; });
  return !is_held && std::any_of(all.begin(), all.end(), [&](const KernelObject& object) {
    return is_route(object) && object.type == RTN_LOCAL && object.prefix.address == address.prefix.address;
  });
}

// The kernel looks at the setting, and makes the route, a moment after the address was made; never while the interface
// is down.
void await_use(KernelObjects& kernel, const KernelObject& address) {
  const auto end = std::chrono::steady_clock::now() + kKernelActs;
  while (std::chrono::steady_clock::now() < end) {
    auto all = kernel.read();
    if (!all || is_in_use(*all, address)) return;
  }
}

// The kernel lists IPv4 addresses as they came, of IPv6 the newest first.
KernelObjectList oldest_first(KernelObjectList list) {
  if (!list.empty() && family_of(list.front()) == Family::kV6) std::reverse(list.begin(), list.end());
  return list;
}

}  // namespace

Result<bool> put_address(KernelObjects& kernel, const KernelObject& address) {
  if (family_of(address) == Family::kV4) return kernel.put(address);
  const NoDetection none(address.ifindexes.front());
  auto made = kernel.put(address);
  if (made && *made) await_use(kernel, address);
  return made;
}

bool is_made_by_kernel(const KernelObject& route) { return route.protocol == RTPROT_KERNEL; }

bool holds(const KernelObjectList& list, const KernelObject& object) {
  return std::find(list.begin(), list.end(), object) != list.end();
}

KernelObjectList those_of(const KernelObjectList& list, const std::function<bool(const KernelObject&)>& condition) {
  KernelObjectList found;
  std::copy_if(list.begin(), list.end(), std::back_inserter(found), condition);
  return found;
}

KernelObjectList without(const KernelObjectList& list, const KernelObjectList& others) {
  return those_of(list, [&](const KernelObject& object) { return !holds(others, object); });
}

KernelObjectList addresses_of(const KernelObjectList& list, std::uint32_t ifindex, Family family) {
  return those_of(list, [&](const KernelObject& object) {
    return object.kind == KernelObjectKind::kAddress && object.ifindexes.front() == ifindex &&
           family_of(object) == family;
  });
}

KernelObjectList local_routes_of(const KernelObjectList& list, const IpAddress& address) {
  return those_of(list, [&](const KernelObject& object) {
    return is_route(object) && object.type == RTN_LOCAL && object.prefix.is_host() && object.prefix.address == address;
  });
}

KernelObjectList routes_of(const KernelObjectList& list, Family family) {
  return those_of(list, [&](const KernelObject& object) { return is_route(object) && family_of(object) == family; });
}

void put_all(KernelObjects& kernel, const KernelObjectList& list, std::vector<std::string>& notes) {
  for (const KernelObject& object : list) {
    auto made = object.kind == KernelObjectKind::kAddress ? put_address(kernel, object) : kernel.put(object);
    if (!made) notes.push_back("not put back: " + made.error().message);
  }
}

Result<void> bring_addresses(KernelObjects& kernel, const KernelObjectList& present, const KernelObjectList& wanted,
                             std::vector<std::string>& notes) {
  KernelObjectList now = oldest_first(present);
  KernelObjectList then = oldest_first(wanted);
  const auto [now_differs, then_differs] = std::mismatch(now.begin(), now.end(), then.begin(), then.end());
  now.erase(now.begin(), now_differs);
  then.erase(then.begin(), then_differs);
  const bool can_move =
      std::all_of(now.begin(), now.end(), [](const KernelObject& address) { return address.lives_for_ever; });
  if (!can_move) {
    const KernelObjectList kept = now;
    now = without(now, then);
    then = without(then, kept);
  }
  for (auto address = now.rbegin(); address != now.rend(); ++address) {
    if (auto dropped = kernel.drop(*address); !dropped) return dropped.error();
  }
  put_all(kernel, then, notes);
  return {};
}

}  // namespace xdplb
