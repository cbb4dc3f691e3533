// SPDX-License-Identifier: GPL-2.0-only
#include "cost.h"

#include "frames.h"

#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

namespace xdplb::bench {
namespace {

constexpr std::uint32_t k64Ki = 1U << 16;
constexpr std::uint32_t k1Mi = 1U << 20;
constexpr std::uint32_t kOtherIfindex = 100;  // main makes it: an interface that test runs do not come from

constexpr TableSpec kWeb = {.clusters = 1, .servers = 100};
constexpr TableSpec kBehindOther = {.clusters = 1, .servers = 100, .egress_ifindex = kOtherIfindex};
constexpr TableSpec kOneOfTen = {.clusters = 1, .servers = 10};
constexpr TableSpec kThousandOfTen = {.clusters = 1000, .servers = 10};

// A program with its maps and its frame.
struct Subject {
  const TableSpec* tables;
  const char* program;
  FrameSpec frame;
  std::uint32_t verdict = XDP_TX;
};

struct Comparison {
  const char* name;
  Subject subject;
  const char* against;
  Subject base;
  std::optional<double> bound;
};

constexpr FrameSpec kTcp4 = {.family = 4};
constexpr FrameSpec kUdp4 = {.family = 4, .transport = Transport::kUdp};
constexpr FrameSpec kSyn4 = {.family = 4, .transport = Transport::kTcpSyn};
constexpr FrameSpec kVlan4 = {.family = 4, .vlan = true};
constexpr FrameSpec kTcp6 = {.family = 6};
constexpr FrameSpec kUdp6 = {.family = 6, .transport = Transport::kUdp};

constexpr FrameSpec many(FrameSpec frame, std::uint32_t flows) {
  frame.flows = flows;
  return frame;
}

const char* mutating(const char* one, const char* ipv4, const char* ipv6, const char* vlan, const FrameSpec& frame) {
  if (frame.flows == 1) return one;
  if (frame.vlan) return vlan;
  return frame.family == 4 ? ipv4 : ipv6;
}

Subject dispatch(const FrameSpec& frame) {
  return {&kWeb, mutating("xdplb_dispatch", "dispatch_ipv4", "dispatch_ipv6", "dispatch_vlan", frame), frame};
}

Subject floor_of(const FrameSpec& frame) {
  return {&kWeb, mutating("floor_one", "floor_ipv4", "floor_ipv6", "floor_vlan", frame), frame};
}

std::vector<Comparison> all_comparisons() {
  std::vector<Comparison> list;
  for (const std::uint32_t flows : {1U, k64Ki, k1Mi}) {
    const FrameSpec tcp4 = many(kTcp4, flows), tcp6 = many(kTcp6, flows);
    list.push_back({"v4-tcp-settled", dispatch(tcp4), "floor", floor_of(tcp4), flows == 1 ? 1.6 : 1.8});
    list.push_back({"v6-tcp-settled", dispatch(tcp6), "floor", floor_of(tcp6), {}});
    list.push_back({"v6-over-v4", dispatch(tcp6), "v4-tcp-settled", dispatch(tcp4), 1.3});
  }
  for (const std::uint32_t flows : {1U, k1Mi}) {
    const FrameSpec tcp4 = many(kTcp4, flows);
    list.push_back({"v4-udp-over-tcp", dispatch(many(kUdp4, flows)), "v4-tcp-settled", dispatch(tcp4), 1.1});
    list.push_back({"v4-vlan-over-untagged", dispatch(many(kVlan4, flows)), "v4-tcp-settled", dispatch(tcp4), 1.1});
  }
  list.push_back({"v6-udp-over-tcp", dispatch(kUdp6), "v6-tcp-settled", dispatch(kTcp6), 1.1});
  list.push_back({"v4-udp-settled", dispatch(kUdp4), "floor", floor_of(kUdp4), {}});
  list.push_back({"v4-vlan-settled", dispatch(kVlan4), "floor", floor_of(kVlan4), {}});
  list.push_back({"v4-syn-settled", dispatch(kSyn4), "floor", floor_of(kSyn4), {}});
  list.push_back(
      {"v4-redirect-settled", {&kBehindOther, "xdplb_dispatch", kTcp4, XDP_REDIRECT}, "floor", floor_of(kTcp4), {}});
  for (const std::uint32_t flows : {1U, k1Mi}) {
    FrameSpec frame = many(kTcp4, flows);
    const char* program = flows == 1 ? "xdplb_dispatch" : "dispatch_ipv4";
    const Subject one = {&kOneOfTen, program, frame};
    frame.cluster_index = 777;
    list.push_back({"v4-1000-clusters", {&kThousandOfTen, program, frame}, "1 cluster", one, 1.1});
  }
  const FrameSpec frame = many(kTcp4, k1Mi);
  list.push_back({"v4-1000-clusters-spread",
                  {&kThousandOfTen, "dispatch_clusters", frame},
                  "1 cluster",
                  {&kOneOfTen, "dispatch_clusters", frame},
                  {}});
  return list;
}

// All programs with the maps of each TableSpec, loaded once.
class LoadedSets {
 public:
  static Result<LoadedSets> load() {
    LoadedSets sets;
    for (const TableSpec* spec : {&kWeb, &kBehindOther, &kOneOfTen, &kThousandOfTen}) {
      Result<Programs> programs = load_programs(*spec);
      if (!programs) return programs.error();
      sets.sets_[spec] = std::move(*programs);
    }
    return sets;
  }
  int fd(const Subject& subject) const { return program_fd(sets_.at(subject.tables), subject.program); }

 private:
  std::map<const TableSpec*, Programs> sets_;
};

struct Samples {
  std::vector<double> ns;
  std::vector<double> floor_ns;
  std::vector<double> ratios;
};

Result<double> measure(const LoadedSets& sets, const Subject& subject, std::uint32_t random, std::uint32_t repeat) {
  FrameSpec spec = subject.frame;
  spec.random = random;
  return measure_run_ns(sets.fd(subject), make_frame(spec), repeat);
}

Result<void> measure_pairs(const LoadedSets& sets, const Comparison& comparison, const CostEffort& effort,
                           std::mt19937& random, Samples& samples) {
  for (const Subject* subject : {&comparison.subject, &comparison.base}) {
    const Result<void> checked = check_verdict(sets.fd(*subject), make_frame(subject->frame), subject->verdict);
    if (!checked) return checked.error();
  }
  for (int pair = 0; pair < effort.pairs; ++pair) {
    const auto start = static_cast<std::uint32_t>(random());
    const Result<double> base = measure(sets, comparison.base, start, effort.repeat);
    if (!base) return base.error();
    const Result<double> subject = measure(sets, comparison.subject, start, effort.repeat);
    if (!subject) return subject.error();
    samples.ns.push_back(*subject);
    samples.floor_ns.push_back(*base);
    samples.ratios.push_back(*subject / *base);
  }
  return {};
}

}  // namespace

Result<std::vector<CostResult>> measure_costs(const CostEffort& effort, const Wanted& wanted) {
  std::vector<Comparison> comparisons = all_comparisons();
  std::erase_if(comparisons, [&](const Comparison& comparison) { return !wanted(comparison.name); });
  if (comparisons.empty()) return std::vector<CostResult>{};
  std::vector<Samples> samples(comparisons.size());
  std::mt19937 random(1);
  for (int load = 0; load < effort.loads; ++load) {
    const Result<LoadedSets> sets = LoadedSets::load();
    if (!sets) return sets.error();
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      const Result<void> measured = measure_pairs(*sets, comparisons[i], effort, random, samples[i]);
      if (!measured) return measured.error();
    }
  }
  std::vector<CostResult> results;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& comparison = comparisons[i];
    results.push_back({.name = comparison.name,
                       .against = comparison.against,
                       .flows = comparison.subject.frame.flows,
                       .ns = median_of(samples[i].ns),
                       .floor_ns = median_of(samples[i].floor_ns),
                       .ratio = median_of(samples[i].ratios),
                       .bound = comparison.bound});
  }
  return results;
}

}  // namespace xdplb::bench
