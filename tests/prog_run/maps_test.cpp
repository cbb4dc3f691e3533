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
  std::uint32_t key_size;
  std::uint32_t value_size;
  std::uint32_t max_entries;
  std::uint32_t flags;
};

const std::vector<MapLine>& map_lines() {
  static const std::vector<MapLine> kLines{
      {".bss", BPF_MAP_TYPE_ARRAY, 4, sizeof(xdplb_tables), 1, BPF_F_MMAPABLE},
      {XDPLB_MAP_FLOWS, BPF_MAP_TYPE_ARRAY, 4, sizeof(xdplb_flow_bucket), kFlowBuckets, BPF_F_MMAPABLE},
      {XDPLB_MAP_FLOW_DETAILS, BPF_MAP_TYPE_ARRAY, 4, sizeof(xdplb_flow_detail), kFlowBuckets * XDPLB_FLOW_WAYS,
       BPF_F_MMAPABLE},
      {XDPLB_MAP_FRAGMENTS, BPF_MAP_TYPE_ARRAY, 4, sizeof(xdplb_flow_bucket), XDPLB_FRAGMENT_BUCKETS, BPF_F_MMAPABLE},
      {XDPLB_MAP_PREFIXES, BPF_MAP_TYPE_LPM_TRIE, sizeof(xdplb_prefix_key), sizeof(xdplb_port_key), XDPLB_MAX_PREFIXES,
       0},
      {XDPLB_MAP_DEVICES, BPF_MAP_TYPE_DEVMAP, 4, sizeof(std::uint32_t), XDPLB_MAX_EGRESSES, 0},
      {XDPLB_MAP_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(xdplb_counters), XDPLB_MAX_SERVERS, 0},
      {XDPLB_MAP_OUTCOMES, BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(xdplb_outcome_counters), XDPLB_MAX_OPTIONS, 0},
      {XDPLB_MAP_TRACE, BPF_MAP_TYPE_RINGBUF, 0, 0, XDPLB_TRACE_RING_BYTES, 0},
  };
  return kLines;
}

TEST_F(ProgRun, HasTheMapsOfTheBoundary) {
  for (const MapLine& line : map_lines()) {
    SCOPED_TRACE(line.name);
    const bpf_map* map = bpf_object__find_map_by_name(program_.object(), line.name.c_str());
    ASSERT_NE(map, nullptr);
    EXPECT_EQ(bpf_map__type(map), line.type);
    EXPECT_EQ(bpf_map__key_size(map), line.key_size);
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
