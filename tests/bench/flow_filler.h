// SPDX-License-Identifier: GPL-2.0-only
// The table of flows before a measurement: empty, full, or with the connections of the clients that will come.
#pragma once

#include "tables.h"

#include <cstdint>

namespace xdplb::bench {

enum class Fill : std::uint8_t {
  kAny,      // the measurement does not look
  kCleared,  // emptied before every slice
  kFull,     // no entry is free
  // Every connection of the frames is written down; the table has the power of two >= twice as many entries. 4 of 1,000
  // find both their buckets full, as they would by the program.
  kWritten,
};

struct FlowFill {
  Fill fill = Fill::kAny;
  std::uint32_t cluster = 0;  // kWritten: whose TCP port
  std::uint32_t flows = 1;    // kWritten: see FrameSpec
  bool operator==(const FlowFill&) const = default;
};

// The `number`th of the clients whose connections frames are of (FrameSpec, traffic.bpf.h).
struct Client {
  std::uint32_t address = 0;  // host order
  std::uint16_t port = 0;     // host order
};
Client client_at(std::uint32_t number, std::uint32_t flows);

// Which server the entry of a client names under kWritten.
std::uint32_t written_server(const TableSpec& spec, std::uint32_t cluster, const Client& client);

// Brings the table of flows into the state asked for.
//
// stamp  the present one
// Errors: kFailed when the map is too small.
Result<void> fill_flows(const BenchMaps& maps, const TableSpec& spec, const FlowFill& fill, std::uint32_t stamp);

}  // namespace xdplb::bench
