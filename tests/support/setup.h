// SPDX-License-Identifier: GPL-2.0-only
// What the data plane is told, in the model's words: prog_run.h writes it into the kernel's maps by the layout of
// xdplb/maps.h, reference_model.h says what the program must make of it.
#pragma once

#include "model/client_hash.h"
#include "net/address.h"

#include "xdplb/maps.h"

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

struct PortSetup {
  std::uint16_t port = 0;  // host order; 0: any port without an entry of its own
  Protocol protocol = Protocol::kTcp;
  HashSeeds seeds{0x0123456789abcdef, 0xfedcba9876543210, 0x9e3779b97f4a7c15};
  std::vector<std::uint32_t> rows{};                       // row words, a power of two of them; empty: no server
  std::optional<std::vector<std::uint32_t>> rows_v6 = {};  // the slice of the IPv6 addresses; absent: as `rows`

  const std::vector<std::uint32_t>& rows_of(Family family) const {
    return family == Family::kV6 && rows_v6 ? *rows_v6 : rows;
  }
};

struct ClusterSetup {
  std::vector<IpAddress> addresses{};
  std::vector<PortSetup> ports{};
};

struct ServerSetup {
  MacAddress mac{};
  std::uint16_t egress = 0;  // slot; 0: nowhere
};

struct EgressSetup {
  MacAddress mac{};
  std::uint32_t ifindex = 0;
  bool has_device = true;  // whether the slot of `devices` is filled
};

struct DataplaneSetup {
  std::vector<ClusterSetup> clusters{};
  std::map<std::uint16_t, ServerSetup> servers{};   // by index into `servers`
  std::map<std::uint32_t, EgressSetup> egresses{};  // by slot
};

}  // namespace xdplb::test
