// SPDX-License-Identifier: GPL-2.0-only
// The loaded object has the maps that xdplb/maps.h promises to whoever opens them by name.
#include "support/prog_run.h"

#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include <linux/bpf.h>

#include <bpf/libbpf.h>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace xdplb::test {
namespace {

struct MapLine {
  std::string name;
  bpf_map_type type;
  std::uint32_t value_size;
  std::uint32_t max_entries;
  std::uint32_t flags;
};

const std::vector<MapLine>& map_lines() {
  static const std::vector<MapLine> kLines{
      {".bss", BPF_MAP_TYPE_ARRAY, sizeof(xdplb_tables), 1, BPF_F_MMAPABLE},
      {XDPLB_MAP_ROWS, BPF_MAP_TYPE_ARRAY, sizeof(xdplb_row_chunk), XDPLB_ROW_CHUNKS, BPF_F_MMAPABLE},
      {XDPLB_MAP_DEVICES, BPF_MAP_TYPE_DEVMAP, sizeof(std::uint32_t), XDPLB_MAX_EGRESSES, 0},
      {XDPLB_MAP_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(xdplb_counters), XDPLB_MAX_SERVERS, 0},
      {XDPLB_MAP_OUTCOMES, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(std::uint64_t), XDPLB_OUTCOME_COUNT, 0},
  };
  return kLines;
}

TEST_F(ProgRun, HasTheMapsOfTheBoundary) {
  for (const MapLine& line : map_lines()) {
    SCOPED_TRACE(line.name);
    const bpf_map* map = bpf_object__find_map_by_name(program_.object(), line.name.c_str());
    ASSERT_NE(map, nullptr);
    EXPECT_EQ(bpf_map__type(map), line.type);
    EXPECT_EQ(bpf_map__key_size(map), sizeof(std::uint32_t));
    EXPECT_EQ(bpf_map__value_size(map), line.value_size);
    EXPECT_EQ(bpf_map__max_entries(map), line.max_entries);
    EXPECT_EQ(bpf_map__map_flags(map) & BPF_F_MMAPABLE, line.flags);
  }
}

TEST_F(ProgRun, EmptyMapsPassEverything) {
  const Frame frame = Ethernet{} / Ipv4{.source = ip("198.51.100.7"), .destination = ip("192.0.2.10")} / Tcp{};
  const Journey expected = expected_journey({}, frame, interfaces_.ingress);
  EXPECT_EQ(expected.outcome, XDPLB_OUTCOME_NOT_FOR_VIPA);
  EXPECT_TRUE(same_journey(expected, program_.run(frame)));
}

TEST_F(ProgRun, EmptyMapsPassTheAllZeroAddresses) {
  // The key of an empty slot is all zero; no packet may take it for its own.
  for (const Packet& packet : {Ethernet{} / Ipv4{} / Tcp{.destination_port = 0},
                               Ethernet{} / Ipv6{.source = ip("::"), .destination = ip("::")} / Udp{}}) {
    EXPECT_TRUE(same_journey(expected_journey({}, packet, interfaces_.ingress), program_.run(packet)));
  }
}

}  // namespace
}  // namespace xdplb::test
