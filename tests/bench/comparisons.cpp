// SPDX-License-Identifier: GPL-2.0-only
#include "comparisons.h"

namespace xdplb::bench {
namespace {

constexpr std::uint32_t k64Ki = 1U << 16;
constexpr std::uint32_t k1Mi = 1U << 20;
constexpr std::uint32_t kFlows = 2 * k1Mi;  // entries: twice the connections of the largest measurement

constexpr FrameSpec kTcp4 = {.family = 4};
constexpr FrameSpec kUdp4 = {.family = 4, .transport = Transport::kUdp};
constexpr FrameSpec kSyn4 = {.family = 4, .transport = Transport::kTcpSyn};
constexpr FrameSpec kVlan4 = {.family = 4, .vlan = true};
constexpr FrameSpec kTcp6 = {.family = 6};
constexpr FrameSpec kUdp6 = {.family = 6, .transport = Transport::kUdp};
constexpr FrameSpec kError4 = {.family = 4, .transport = Transport::kIcmpError};

constexpr FrameSpec many(FrameSpec frame, std::uint32_t flows, std::uint32_t cluster = kWeb) {
  frame.flows = flows;
  frame.cluster_index = cluster;
  return frame;
}

const char* changing_clients(const FrameSpec& frame, const char* one, const char* ipv4, const char* vlan,
                             const char* ipv6) {
  if (frame.flows == 1) return one;
  if (frame.vlan) return vlan;
  return frame.family == 4 ? ipv4 : ipv6;
}

Subject dispatch(const FrameSpec& frame, FlowFill fill = {}, Expected expected = Expected::kAnywhere) {
  return {.program = changing_clients(frame, "xdplb_dispatch", "dispatch_ipv4", "dispatch_vlan", "dispatch_ipv6"),
          .frame = frame,
          .fill = fill,
          .expected = expected};
}

Subject floor_of(const FrameSpec& frame) {
  return {.program = changing_clients(frame, "floor_one", "floor_ipv4", "floor_vlan", "floor_ipv6"), .frame = frame};
}

Subject lru_of(const FrameSpec& frame) {
  return {.program = frame.flows == 1 ? "lru_one" : frame.flows == k64Ki ? "lru_64ki" : "lru_1mi", .frame = frame};
}

// Bytes that a dispatcher sees most of: nothing is written down.
void add_settled(std::vector<Comparison>& list) {
  for (const std::uint32_t flows : {1U, k64Ki, k1Mi}) {
    const FrameSpec tcp4 = many(kTcp4, flows), tcp6 = many(kTcp6, flows);
    list.push_back({"v4-tcp-settled", dispatch(tcp4), "floor", floor_of(tcp4), flows == 1 ? 1.6 : 1.8});
    list.push_back({"v6-tcp-settled", dispatch(tcp6), "floor", floor_of(tcp6)});
    list.push_back({"v6-over-v4", dispatch(tcp6), "v4-tcp-settled", dispatch(tcp4), 1.3});
  }
  for (const std::uint32_t flows : {1U, k1Mi}) {
    const Subject tcp4 = dispatch(many(kTcp4, flows));
    list.push_back({"v4-udp-over-tcp", dispatch(many(kUdp4, flows)), "v4-tcp-settled", tcp4, 1.1});
    list.push_back({"v4-vlan-over-untagged", dispatch(many(kVlan4, flows)), "v4-tcp-settled", tcp4, 1.1});
  }
  list.push_back({"v6-udp-over-tcp", dispatch(kUdp6), "v6-tcp-settled", dispatch(kTcp6), 1.1});
  list.push_back({"v4-udp-settled", dispatch(kUdp4), "floor", floor_of(kUdp4)});
  list.push_back({"v4-vlan-settled", dispatch(kVlan4), "floor", floor_of(kVlan4)});
  list.push_back({"v4-syn-settled", dispatch(kSyn4), "floor", floor_of(kSyn4)});
}

void add_clusters(std::vector<Comparison>& list) {
  for (const std::uint32_t flows : {1U, k1Mi}) {
    Subject thousand = dispatch(many(kTcp4, flows, 777));
    thousand.maps = Maps::kThousand;
    list.push_back({"v4-1000-clusters", thousand, "seven clusters", dispatch(many(kTcp4, flows, kOneOfTen)), 1.1});
  }
  Subject one = {.program = "dispatch_clusters", .frame = many(kTcp4, k1Mi)};
  Subject thousand = one;
  thousand.maps = Maps::kThousand;
  thousand.clusters = kClustersOfThousand;
  list.push_back({"v4-1000-clusters-spread", thousand, "1 cluster", one});
}

// Ways out that are not plain, and packets that tell of others.
void add_ways(std::vector<Comparison>& list) {
  Subject redirect = dispatch(many(kTcp4, 1, kBehindOther));
  redirect.verdict = XDP_REDIRECT;
  list.push_back({"v4-redirect-settled", redirect, "floor", floor_of(kTcp4)});
  list.push_back({"v4-ttl-settled",
                  {.program = "dispatch_ttl", .frame = many(kTcp4, 1, kTtl)},
                  "floor",
                  {.program = "floor_ttl", .frame = kTcp4}});
  list.push_back({"v4-icmp-error-settled", dispatch(kError4), "floor of TCP", floor_of(kTcp4)});
}

// Rows that change hands, and ports that write every connection down: packets of connections that were there before.
void add_written(std::vector<Comparison>& list, std::uint32_t flows) {
  const FrameSpec web = many(kTcp4, flows), changing = many(kTcp4, flows, kChanging),
                  tracked = many(kTcp4, flows, kTracked);
  // Others' connections fill the table as much; a TCP packet's entry is looked for in vain.
  const FlowFill in_changing = {Fill::kWritten, kChanging, flows}, in_tracked = {Fill::kWritten, kTracked, flows};
  const Subject written = dispatch(changing, in_changing, Expected::kWritten);
  const Subject all = dispatch(tracked, in_tracked, Expected::kWritten);
  list.push_back({"v4-lru-design", lru_of(web), "floor", floor_of(web)});
  list.push_back({"v4-changing-written", written, "floor", floor_of(web)});
  if (flows == 1) {
    list.push_back({"v4-changing-written-over-lru", written, "v4-lru-design", lru_of(web)});
  } else {
    list.push_back({"v4-changing-written-over-lru", written, "v4-lru-design", lru_of(web), flows == k1Mi ? 1.0 : 0.5});
  }
  list.push_back({"v4-tracked", all, "floor", floor_of(web)});
  list.push_back(
      {"v4-tracked-over-lru", all, "v4-lru-design", lru_of(web), flows == k1Mi ? std::optional(0.6) : std::nullopt});
  list.push_back({"v4-changing-base", dispatch(changing, in_tracked, Expected::kBase), "floor", floor_of(web)});
}

// Connections that begin, and clients that come again.
void add_new(std::vector<Comparison>& list) {
  FrameSpec syn = many(kSyn4, k1Mi, kChanging);
  const Subject floor = {.program = "floor_new", .frame = syn};
  list.push_back({"v4-changing-syn-recorded",
                  {.program = "dispatch_new", .frame = syn, .fill = {Fill::kCleared}, .expected = Expected::kCur},
                  "floor",
                  floor});
  syn.cluster_index = kTracked;
  list.push_back(
      {"v4-tracked-syn", {.program = "dispatch_new", .frame = syn, .fill = {Fill::kCleared}}, "floor", floor});
  for (const std::uint32_t flows : {1U, k64Ki, k1Mi}) {
    const FrameSpec tcp = many(kTcp4, flows, kSticky);
    list.push_back({"v4-sticky-settled", dispatch(tcp), "floor", floor_of(many(kTcp4, flows))});
    if (flows == k64Ki) continue;
    list.push_back({"v4-sticky-syn", dispatch(many(kSyn4, flows, kSticky), {Fill::kCleared}), "floor",
                    floor_of(many(kSyn4, flows))});
  }
  syn.cluster_index = kChanging;
  list.push_back({"v4-changing-syn-refused",
                  {.program = "dispatch_new", .frame = syn, .fill = {Fill::kFull}, .expected = Expected::kBase},
                  "floor",
                  floor});
}

}  // namespace

TableSpec table_spec(Maps maps, std::uint32_t other_ifindex) {
  if (maps == Maps::kThousand)
    return {.clusters = std::vector<ClusterSpec>(kClustersOfThousand, ClusterSpec{.servers = 10})};
  TableSpec spec = {.clusters = std::vector<ClusterSpec>(kSticky + 1), .other_ifindex = other_ifindex, .flows = kFlows};
  spec.clusters[kOneOfTen].servers = 10;
  spec.clusters[kBehindOther].way = Way::kOther;
  spec.clusters[kTtl].way = Way::kTtl;
  spec.clusters[kChanging].is_changing = true;
  spec.clusters[kTracked].is_tracked = true;
  spec.clusters[kSticky].is_sticky = true;
  return spec;
}

std::vector<Comparison> all_comparisons() {
  std::vector<Comparison> list;
  add_settled(list);
  add_clusters(list);
  add_ways(list);
  const std::size_t first_long = list.size();
  for (const std::uint32_t flows : {1U, k64Ki, k1Mi}) add_written(list, flows);
  add_new(list);
  for (std::size_t i = first_long; i < list.size(); ++i) list[i].is_long = true;
  return list;
}

}  // namespace xdplb::bench
