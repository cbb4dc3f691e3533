// SPDX-License-Identifier: GPL-2.0-only
#include "cost.h"

#include "comparisons.h"
#include "lru_design.h"
#include "skeleton.h"

#include <linux/if_ether.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>

namespace xdplb::bench {
namespace {

constexpr std::uint32_t kOtherIfindex = 100;  // main makes it

// The programs that the comparisons need, with their maps.
class LoadedSets {
 public:
  static Result<LoadedSets> load(std::span<const Comparison> comparisons) {
    std::map<Maps, std::set<std::string>> names;
    for (const Comparison& comparison : comparisons) {
      for (const Subject* subject : {&comparison.subject, &comparison.base}) {
        names[subject->maps].insert(subject->program);
        if (subject->fill.fill != Fill::kAny) names[subject->maps].insert("xdplb_clock");
      }
    }
    LoadedSets sets;
    for (const auto& [maps, programs] : names) {
      Result<LoadedPrograms> loaded = load_programs(table_spec(maps, kOtherIfindex), programs);
      if (!loaded) return loaded.error();
      if (std::ranges::any_of(programs, [](const std::string& name) { return name.starts_with("lru_"); })) {
        if (Result<void> filled = fill_lru_service(*loaded); !filled) return filled.error();
        if (Result<void> filled = fill_lru_flows(*loaded); !filled) return filled.error();
      }
      sets.sets_.emplace(maps, std::move(*loaded));
    }
    return sets;
  }

  int fd(const Subject& subject) const { return program_fd(of(subject).object, subject.program); }

  // Brings the maps into the state that the subject asks for.
  Result<void> prepare(const Subject& subject) {
    const LoadedPrograms& set = of(subject);
    set.object->data_bench->cluster_count = subject.clusters;
    const FlowFill& fill = subject.fill;
    if (fill.fill == Fill::kAny || (fill == filled_ && fill.fill != Fill::kCleared)) return {};
    const Result<std::uint32_t> stamp = present_stamp(set.object);
    if (!stamp) return stamp.error();
    filled_ = fill;
    return fill_flows(set.maps, set.spec, fill, *stamp);
  }

  // Runs the subject's frame a few times, from many clients if it has them, and looks where it goes.
  Result<void> check(const Subject& subject, std::mt19937& random) {
    constexpr int kRuns = 50;
    constexpr int kMayMiss = 5;  // connections that found no room under Fill::kWritten
    int missed = 0;
    for (int i = 0; i < kRuns; ++i) {
      FrameSpec spec = subject.frame;
      spec.random = static_cast<std::uint32_t>(random());
      const Result<std::vector<std::uint8_t>> frame = run_once(fd(subject), make_frame(spec), subject.verdict);
      if (!frame) return fail(frame.error().code, fmt::format("{}: {}", subject.program, frame.error().message));
      missed += is_placed(subject, *frame) ? 0 : 1;
    }
    if (missed > (subject.expected == Expected::kWritten ? kMayMiss : 0)) {
      return fail(ErrorCode::kFailed,
                  fmt::format("bench: {} sent {} of {} packets for cluster {} not where they belong", subject.program,
                              missed, kRuns, subject.frame.cluster_index));
    }
    return {};
  }

 private:
  const LoadedPrograms& of(const Subject& subject) const { return sets_.at(subject.maps); }

  bool is_placed(const Subject& subject, std::span<const std::uint8_t> frame) const {
    const TableSpec& spec = of(subject).spec;
    const std::uint32_t cluster = subject.frame.cluster_index, first = first_server_of(spec, cluster);
    const std::uint32_t middle = first + spec.clusters[cluster].servers / 2;
    const auto server = static_cast<std::uint32_t>(frame[4] << 8 | frame[5]);
    if (subject.expected == Expected::kBase) return server >= first && server < middle;
    if (subject.expected == Expected::kCur) return server >= middle;
    if (subject.expected == Expected::kAnywhere) return true;
    Client client;
    client.address = static_cast<std::uint32_t>(frame[26] << 24 | frame[27] << 16 | frame[28] << 8 | frame[29]);
    client.port = static_cast<std::uint16_t>(frame[34] << 8 | frame[35]);
    return server == written_server(spec, cluster, client);
  }

  std::map<Maps, LoadedPrograms> sets_;
  FlowFill filled_;
};

struct Samples {
  std::vector<double> ns;
  std::vector<double> floor_ns;
  std::vector<double> ratios;
};

Result<double> measure(LoadedSets& sets, const Subject& subject, std::uint32_t random, std::uint32_t repeat) {
  if (Result<void> prepared = sets.prepare(subject); !prepared) return prepared.error();
  FrameSpec spec = subject.frame;
  spec.random = random;
  return measure_run_ns(sets.fd(subject), make_frame(spec), repeat);
}

Result<void> measure_pairs(LoadedSets& sets, const Comparison& comparison, const CostEffort& effort,
                           std::mt19937& random, Samples& samples) {
  for (const Subject* subject : {&comparison.subject, &comparison.base}) {
    if (Result<void> prepared = sets.prepare(*subject); !prepared) return prepared;
    if (Result<void> checked = sets.check(*subject, random); !checked) return checked;
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
    // The long ones come last in the list, and only in the first loads.
    const auto short_end = std::ranges::find(comparisons, true, &Comparison::is_long);
    const auto end = load < (effort.loads + 2) / 3 ? comparisons.end() : short_end;
    if (end == comparisons.begin()) break;
    const std::span<const Comparison> present(comparisons.begin(), end);
    Result<LoadedSets> sets = LoadedSets::load(present);
    if (!sets) return sets.error();
    for (std::size_t i = 0; i < present.size(); ++i) {
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
