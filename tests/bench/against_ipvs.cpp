// SPDX-License-Identifier: GPL-2.0-only
#include "against_ipvs.h"

#include "flow_filler.h"
#include "ipvs_director.h"
#include "processor.h"
#include "shell.h"
#include "skeleton.h"
#include "veth_line.h"

#include <fmt/core.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace xdplb::bench {
namespace {

constexpr int kServers = 16;
constexpr std::uint32_t k64Ki = 1U << 16;
constexpr std::uint32_t k1Mi = 1U << 20;

// Clusters of the program: their VIPAs are 10.99.0.0 and so on. The first one's is IPVS's, too; the others' are routed.
enum Cluster : std::uint32_t { kPlain, kChangingRows, kTrackedPort };

struct Load {
  const char* name;
  std::uint32_t flows;
  bool is_new;   // every packet is a SYN, of another connection
  double bound;  // against IPVS
};

constexpr std::array kLoads = {Load{"one flow", 1, false, 3.0}, Load{"64 Ki flows", k64Ki, false, 3.0},
                               Load{"new connections", k1Mi, true, 4.0}};

// Who forwards at the far end.
struct Forwarder {
  const char* name;
  const char* program;
  Cluster cluster = kPlain;
  const char* scheduler = nullptr;  // of IPVS
};

constexpr Forwarder kReflector = {"reflector", "reflect"};
constexpr Forwarder kXdplb = {"xdplb", "xdplb_dispatch"};
constexpr Forwarder kXdplbChanging = {"xdplb-changing", "xdplb_dispatch", kChangingRows};
constexpr Forwarder kXdplbTracked = {"xdplb-tracked", "xdplb_dispatch", kTrackedPort};
constexpr Forwarder kFloor = {"floor", "floor_one"};
constexpr Forwarder kForward = {"ip-forward", kStack, kChangingRows};
constexpr std::array kSchedulers = {Forwarder{"ipvs-wlc", kStack, kPlain, "wlc"},
                                    Forwarder{"ipvs-wrr", kStack, kPlain, "wrr"},
                                    Forwarder{"ipvs-mh", kStack, kPlain, "mh"}};

FrameSpec frame_of(const Load& load, const Forwarder& forwarder) {
  return {.transport = load.is_new ? Transport::kTcpSyn : Transport::kTcp,
          .cluster_index = forwarder.cluster,
          .flows = load.flows};
}

class Contest {
 public:
  Contest(const LoadedPrograms& loaded, const Processor& processor, const IpvsEffort& effort, bool has_ipvs)
      : loaded_(loaded), processor_(processor), effort_(effort), has_ipvs_(has_ipvs) {}

  Result<RivalResult> measure(const Load& load, const Forwarder& forwarder, const Forwarder& rival) {
    if (rival.scheduler) {
      if (Result<void> prepared = fill_director(load, rival); !prepared) return prepared.error();
    }
    std::vector<double> rates, rival_rates, reflected, ratios, costs, rival_costs;
    for (int pair = 0; pair < effort_.pairs; ++pair) {
      const Result<double> base = slice(load, kReflector), rate = slice(load, forwarder),
                           rival_rate = slice(load, rival);
      for (const Result<double>* one : {&base, &rate, &rival_rate})
        if (!*one) return one->error();
      reflected.push_back(*base);
      rates.push_back(*rate);
      rival_rates.push_back(*rival_rate);
      ratios.push_back(*rate / *rival_rate);
      costs.push_back(*base / *rate - 1);
      rival_costs.push_back(*base / *rival_rate - 1);
    }
    RivalResult result = {.name = forwarder.name,
                          .rival = rival.name,
                          .load = load.name,
                          .flows = load.flows,
                          .mpps = median_of(rates),
                          .rival_mpps = median_of(rival_rates),
                          .reflector_mpps = median_of(reflected),
                          .ratio = median_of(ratios),
                          .cost = median_of(costs),
                          .rival_cost = median_of(rival_costs),
                          .bound = {}};
    if (rival.scheduler && forwarder.name == std::string_view(kXdplb.name)) result.bound = load.bound;
    return result;
  }

 private:
  // IPVS has the service and, unless they are new ones, all connections, established.
  Result<void> fill_director(const Load& load, const Forwarder& forwarder) {
    // Established connections stay where they are, whatever the scheduler.
    if (filled_ == &load) return schedule_by(forwarder.scheduler);
    filled_ = nullptr;
    if (Result<void> served = serve_by(forwarder.scheduler, kServers); !served) return served;
    if (load.is_new) return {};
    const std::uint32_t packets = std::max(load.flows, 64U);  // generators send no less
    for (const Transport transport : {Transport::kTcpSyn, Transport::kTcp}) {
      FrameSpec frame = frame_of(load, forwarder);
      frame.transport = transport;
      const auto send_each = [&] { return send(forwarder, kEachClient, frame, packets); };
      if (const Result<double> sent = until_none_is_lost(forwarder, packets, send_each); !sent) return sent.error();
    }
    filled_ = &load;
    return {};
  }

  // Packets that came back per microsecond.
  Result<double> slice(const Load& load, const Forwarder& forwarder) {
    // Those that do not go through the kernel's stack would be done too soon to tell their time.
    constexpr std::uint32_t kTimesInXdp = 4;
    const std::uint32_t packets = effort_.packets * (forwarder.program == kStack ? 1 : kTimesInXdp);
    return until_none_is_lost(forwarder, packets, [&]() -> Result<Passed> {
      if (load.is_new) {
        const Result<void> forgotten = forwarder.scheduler ? serve_by(forwarder.scheduler, kServers) : forget_flows();
        if (!forgotten) return forgotten.error();
      }
      Result<Passed> passed =
          send(forwarder, load.is_new ? kEachClient : kAnyClient, frame_of(load, forwarder), packets);
      if (passed && load.is_new) check_recorded(forwarder, *passed);
      return passed;
    });
  }

  struct Passed {
    std::uint64_t arrived = 0;
    double us = 0;
    IpvsCounts by_ipvs;
    bool is_recorded = true;  // new connections that whoever forwards must write down
  };

  // A slice in which packets were lost was no measurement: where ksoftirqd does not get its turn at once, the generator
  // overruns the line. Fails when another forwarded the packets than whom it is about.
  template <typename Send>
  Result<double> until_none_is_lost(const Forwarder& forwarder, std::uint32_t packets, Send send_once) {
    constexpr int kAttempts = 20;
    Result<Passed> passed = Passed{};
    for (int attempt = 0; attempt < kAttempts && passed->arrived < packets; ++attempt) {
      passed = send_once();
      if (!passed) return passed.error();
    }
    const std::uint64_t directed = passed->by_ipvs.packets;
    if (passed->arrived < packets || directed != (forwarder.scheduler ? passed->arrived : 0) || !passed->is_recorded) {
      return fail(ErrorCode::kFailed,
                  fmt::format("bench: {}: of {} packets {} came back, {} of them by IPVS; new connections {}",
                              forwarder.name, packets, passed->arrived, directed,
                              passed->is_recorded ? "were as they should be" : "were not written down"));
    }
    return static_cast<double>(passed->arrived) / passed->us;
  }

  Result<Passed> send(const Forwarder& forwarder, const char* generator, const FrameSpec& frame,
                      std::uint32_t packets) {
    if (Result<void> attached = attach(kFar, program_fd(loaded_.object, forwarder.program)); !attached)
      return attached.error();
    const Result<IpvsCounts> before = counts();
    if (!before) return before.error();
    const double softirq_us = processor_.softirq_us();
    const Result<Slice> slice = send_slice(loaded_.object, generator, frame, packets);
    if (!slice) return slice.error();
    const std::uint64_t late = await_rest(packets - std::min<std::uint64_t>(packets, slice->arrived));
    const double us = slice->us + processor_.softirq_us() - softirq_us;
    const Result<IpvsCounts> after = counts();
    if (!after) return after.error();
    return Passed{.arrived = slice->arrived + late,
                  .us = us,
                  .by_ipvs = {.connections = after->connections - before->connections,
                              .packets = after->packets - before->packets}};
  }

  // Those that ksoftirqd has yet to handle when the generator is done; how many came.
  std::uint64_t await_rest(std::uint64_t missing) const {
    const volatile auto* const arrived = &loaded_.object->data_bench->arrived;
    const std::uint64_t before = *arrived;
    for (int i = 0; i < 20 && *arrived - before < missing; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return *arrived - before;
  }

  void check_recorded(const Forwarder& forwarder, Passed& passed) const {
    if (forwarder.scheduler) passed.is_recorded = passed.by_ipvs.connections == passed.arrived;
    if (forwarder.program != kXdplb.program || forwarder.cluster == kPlain) return;
    std::uint64_t entries = 0;
    for (const xdplb_flow_bucket& bucket : loaded_.maps.flows.values()) {
      entries += static_cast<std::uint64_t>(
          std::ranges::count_if(bucket.ways, [](const xdplb_flow& flow) { return flow.tag != 0; }));
    }
    constexpr double kFindNoRoom = 0.01;  // both their buckets are full
    passed.is_recorded = static_cast<double>(entries) >= (1 - kFindNoRoom) * static_cast<double>(passed.arrived);
  }

  Result<void> forget_flows() {
    const Result<std::uint32_t> stamp = present_stamp(loaded_.object);
    if (!stamp) return stamp.error();
    return fill_flows(loaded_.maps, loaded_.spec, {Fill::kCleared}, *stamp);
  }

  Result<IpvsCounts> counts() const { return has_ipvs_ ? ipvs_counts() : IpvsCounts{}; }

  const LoadedPrograms& loaded_;
  const Processor& processor_;
  IpvsEffort effort_;
  bool has_ipvs_;
  const Load* filled_ = nullptr;  // whose connections IPVS has
};

}  // namespace

Result<std::vector<RivalResult>> measure_against_ipvs(const IpvsEffort& effort, std::vector<Skipped>& skipped) {
  const Result<Processor> processor = Processor::stay();
  if (!processor) return processor.error();
  if (Result<void> made = make_veth(kServers); !made) return made.error();
  const Result<void> director = make_director();
  if (!director) skipped.push_back({"ipvs", director.error().message});

  TableSpec tables = {.clusters = std::vector<ClusterSpec>(kTrackedPort + 1, ClusterSpec{.servers = kServers}),
                      .back_ifindex = ::if_nametoindex(kFar),
                      .flows = k1Mi};
  tables.clusters[kChangingRows].is_changing = true;
  tables.clusters[kTrackedPort].is_tracked = true;
  const Result<LoadedPrograms> loaded =
      load_programs(tables, {kXdplb.program, kReflector.program, kFloor.program, kStack, kAnyClient, kEachClient,
                             "count_arrived", "xdplb_clock"});
  if (!loaded) return loaded.error();
  if (Result<void> attached = attach(kNear, program_fd(loaded->object, "count_arrived")); !attached)
    return attached.error();
  // Some kernels turn it on with the first program. These packets cannot be merged, so it would cost the stack and
  // bring nothing.
  if (Result<void> attached = attach(kFar, program_fd(loaded->object, kStack)); !attached) return attached.error();
  if (Result<void> set = run_tool({"ethtool", "-K", kFar, "gro", "off"}); !set) return set.error();

  Contest contest(*loaded, *processor, effort, director.has_value());
  std::vector<RivalResult> results;
  const auto measure = [&](const Load& load, const Forwarder& forwarder, const Forwarder& rival) -> Result<void> {
    Result<RivalResult> result = contest.measure(load, forwarder, rival);
    if (!result) return result.error();
    results.push_back(std::move(*result));
    return {};
  };
  for (const Load& load : kLoads) {
    std::vector<std::pair<Forwarder, Forwarder>> pairs = {{kXdplb, kFloor}, {kXdplb, kForward}};
    if (director) {
      for (const Forwarder& scheduler : kSchedulers) pairs.emplace_back(kXdplb, scheduler);
      if (load.is_new) {
        // Each connection written down, as IPVS does: by hash, and in turns.
        pairs.emplace_back(kXdplbChanging, kSchedulers[2]);
        pairs.emplace_back(kXdplbTracked, kSchedulers[1]);
      }
    }
    for (const auto& [forwarder, rival] : pairs)
      if (Result<void> measured = measure(load, forwarder, rival); !measured) return measured.error();
  }
  return results;
}

}  // namespace xdplb::bench
