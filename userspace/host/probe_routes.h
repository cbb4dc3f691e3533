// SPDX-License-Identifier: GPL-2.0-only
// ProbeRoutes: for each server a mark and a policy route, so that a socket with that mark reaches any address, a VIPA
// above all, through that server's MAC: exactly the frame that the data plane would send.
#pragma once

#include "base/result.h"
#include "host/route_control.h"
#include "net/address.h"

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

// How a server is reached on its LAN.
struct ProbeNextHop {
  IpAddress server{};  // its address on the LAN of the interface
  MacAddress mac{};    // for packets of the other family than `server`: they have no neighbour entry of their own
  std::uint32_t ifindex = 0;
  bool operator==(const ProbeNextHop&) const = default;
};

// Rules, all of them tagged kRouteProtocol:
//   5800: not fwmark 0x58000000/0xff000000 goto 5802       unmarked lookups pass by the rest
//   5801: fwmark 0x58II0000/0xffff0000 iif xp:NAME nop     never matches: says whose the byte II is (IPv4 only)
//   5801: fwmark 0x58IISSSS lookup 0x57IISSSS              one a server
//   5802: fwmark 0x58II0000/0xffff0000 unreachable         a probe without a route must never reach anybody else
// Rules of others before and behind stay in force for everybody. IPv6 to a server known by IPv4 goes through a made-up
// link-local next hop with a permanent neighbour entry, IPv4 through an IPv6 one by RTA_VIA.
//
// Several instances of one network namespace share the guard: the one that leaves last removes it. An instance's byte
// comes from a hash of its name, or is the next that nobody claims. The claim is a rule, not a file: it belongs to the
// namespace, and after a crash the next start knows by it what was its own.
// Not thread-safe. Every call is round trips to the kernel.
class ProbeRoutes {
 public:
  static constexpr std::uint32_t kMarkBase = 0x58000000;
  static constexpr std::uint32_t kMarkMask = 0xff000000;
  static constexpr std::uint32_t kGuardPriority = 5800;
  static constexpr std::uint32_t kRulePriority = 5801;
  static constexpr std::uint32_t kEndPriority = 5802;

  // instance  its name tells whose marks (0x58IISSSS) and tables (0x57IISSSS) are ours
  // Errors: as RouteControl::open.
  static Result<ProbeRoutes> open(const std::string& instance);

  // The whole list; of two entries for a server the first counts. What is there and right stays, what is ours and not
  // wanted is removed, also what an earlier run left. Marks of servers that stay do not change. An empty list is
  // clear(). Errors: os_error of the first that failed in its server's own family; the others are done, and the next
  // set() tries again. What fails in the other family (an interface without IPv6) is told by failure_of() alone, and
  // tried again after doubt() or a change of the hop. kConflict when there are too many instances or servers.
  Result<void> set(const std::vector<ProbeNextHop>& hops);
  // The mark for a server and family; 0: it has no route.
  std::uint32_t mark_of(const IpAddress& server, Family family) const;
  // Why it has none; empty when it has, or nobody asked for it.
  std::string failure_of(const IpAddress& server, Family family) const;
  // Somebody else changed rules or routes, or an interface went down or came up (which takes its routes away): the next
  // set() looks at the kernel again, else it trusts what it made.
  void doubt() { is_sure_ = false; }
  // Removes everything of this instance. Errors: of the first that failed.
  Result<void> clear();

 private:
  struct Server {
    std::uint16_t slot = 0;
    ProbeNextHop hop{};
    bool is_settled = false;                     // nothing to do while the hop stays
    std::uint64_t round = 0;                     // of set() that wanted it last
    std::vector<RouteChange::Object> present{};  // what the kernel has for it
    std::array<std::string, 2> failures{};       // by family
  };
  // A change, and what it is for: none for the frame and for what nobody wants any more.
  struct Step {
    RouteChange change{};
    Server* server = nullptr;
  };
  // What the kernel has of this instance.
  struct Present {
    std::vector<Rule> frame{};  // guards, stops and claims of whatever instance
    std::map<std::uint16_t, std::vector<RouteChange::Object>> slots{};
  };

  ProbeRoutes(RouteControl control, std::string instance)
      : control_(std::move(control)), instance_(std::move(instance)) {}
  Result<void> claim();
  Result<Present> read();
  Result<void> recall(const std::vector<ProbeNextHop>& hops, std::vector<Step>& steps);
  void adopt(const std::vector<ProbeNextHop>& hops, Present& present);
  Result<std::uint16_t> free_slot();
  Result<void> want(const ProbeNextHop& hop, std::vector<Step>& steps);
  void plan(Server& server, std::vector<Step>& steps) const;
  void drop_unwanted(std::vector<Step>& steps);
  Result<void> apply(const std::vector<Step>& steps);
  Result<void> note(const Step& step, const Result<void>& outcome);
  Result<std::vector<Rule>> frame_rules();
  Result<void> leave_frame();

  RouteControl control_;
  std::string instance_;
  std::uint8_t byte_ = 0;  // 0: not claimed
  bool has_ipv6_ = true;
  bool is_sure_ = false;
  std::uint64_t round_ = 0;
  std::map<IpAddress, Server> servers_{};
  std::set<std::uint16_t> slots_{};  // in use
  std::uint16_t last_slot_ = 0;
};

}  // namespace xdplb
