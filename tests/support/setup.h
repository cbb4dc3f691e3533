// SPDX-License-Identifier: GPL-2.0-only
// What the data plane is told, in the model's words: prog_run.h writes it into the kernel's maps by the layout of
// xdplb/maps.h, reference_model.h says what the program must make of it.
#pragma once

#include "model/client_hash.h"
#include "net/address.h"

#include "xdplb/maps.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace xdplb::test {

// Row words. A row of nobody is 0.
inline std::uint32_t settled_row(std::uint32_t server) { return server | server << XDPLB_ROW_BASE_SHIFT; }
inline std::uint32_t moving_row(std::uint32_t base, std::uint32_t cur) {
  return cur | base << XDPLB_ROW_BASE_SHIFT | XDPLB_ROW_LOOKUP;
}
// A server of a port that picks by least connections or shares its affinity.
inline std::uint32_t member_row(std::uint32_t server, std::uint32_t weight) { return server | weight << 16; }

// What of a client decides its row.
struct ClientMask {
  std::uint8_t v4_bits = 32;   // 1..32
  std::uint8_t v6_bits = 128;  // 1..128
  bool has_port = true;
};

struct PortSetup {
  std::uint16_t port = 0;  // host order; 0: any port without an entry of its own
  Protocol protocol = Protocol::kTcp;
  HashSeeds seeds{0x0123456789abcdef, 0xfedcba9876543210, 0x9e3779b97f4a7c15};
  std::vector<std::uint32_t> rows{};                       // row words, a power of two of them; empty: no server
  std::optional<std::vector<std::uint32_t>> rows_v6 = {};  // the slice of the IPv6 addresses; absent: as `rows`
  ClientMask mask{};
  bool is_for_fragments = false;  // the line of later fragments of `protocol`; its port is 0
  xdplb_pick pick = XDPLB_PICK_HASH;
  bool is_tracked = false;
  std::uint32_t affinity = 0;
  bool shares_affinity = false;  // with another port of the same number; `members` are then needed
  xdplb_on_stale on_stale = XDPLB_STALE_REPICK;
  xdplb_no_server no_server = XDPLB_NO_SERVER_DROP;
  std::uint32_t stale_ticks = 300;
  std::uint32_t new_flow_limit = 0;
  std::vector<std::uint32_t> members{};  // of both families

  const std::vector<std::uint32_t>& rows_of(Family family) const {
    return family == Family::kV6 && rows_v6 ? *rows_v6 : rows;
  }
};

struct ClusterSetup {
  std::vector<IpAddress> addresses{};
  std::vector<PortSetup> ports{};
  std::vector<IpPrefix> prefixes{};
  xdplb_echo echo = XDPLB_ECHO_SERVER;
  bool is_alive = true;
  PortSetup echo_line{};  // rows and seeds of the lines of the addresses: who answers an echo
};

struct ServerSetup {
  MacAddress mac{};
  std::uint16_t egress = 0;  // slot; 0: nowhere
  bool is_forsaken = false;
};

struct EgressSetup {
  MacAddress mac{};
  std::uint32_t ifindex = 0;
  bool has_device = true;  // whether the slot of `devices` is filled
  std::uint16_t tag = 0;   // XDPLB_TAG_*
  bool is_local = false;
  bool decrements_ttl = false;
  bool is_traced = false;
};

struct DataplaneSetup {
  std::vector<ClusterSetup> clusters{};
  std::map<std::uint16_t, ServerSetup> servers{};   // by index into `servers`
  std::map<std::uint32_t, EgressSetup> egresses{};  // by slot
  std::vector<MacAddress> peers{};                  // at most XDPLB_MAX_PEERS
  std::uint64_t traced_outcomes = 0;                // bit XDPLB_OUTCOME_x
  std::uint32_t trace_sample = 0;
  std::uint32_t first_row = 1;  // where its rows begin; leaves those of an earlier setup alone
};

}  // namespace xdplb::test
