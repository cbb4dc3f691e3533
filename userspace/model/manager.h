// SPDX-License-Identifier: GPL-2.0-only
// The manager: turns the load of a port's servers into weights, as the classic Dispatcher did. Pure.
#pragma once

#include "model/manager_config.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

// What a cycle knows of one server of a port.
struct ManagedLoad {
  std::string name{};                  // of the server; unique
  bool is_up = true;                   // by advisors, in any family, and not down by admin
  bool is_quiesced = false;            // drained: weight 0
  std::optional<unsigned> fixed{};     // fixed weight: never changed, counts in the totals of the report
  unsigned configured_weight = 10;     // the weight it starts with and returns to without news; 0: as if quiesced
  double active = 0;                   // open connections
  double new_connections = 0;          // since the last cycle that read them
  std::optional<double> advisor_ms{};  // load told by the advisor; absent: no data, or too old
  std::optional<double> system{};      // load told by the agent, 0..100; absent: no data
  // False: advisor_ms is the result that the last cycle had already. A probe that timed out while the server still
  // counts as up tells its timeout as load.
  bool is_advisor_fresh = true;
  // What its new connections were shared out by since the counters were last read: the pushed weight after agent and
  // slow start. Absent: the pushed weight.
  std::optional<unsigned> weight_in_force{};
};

// One line of the classic report.
struct ManagerLine {
  std::string name{};
  int now = 0;                        // weight in force after this cycle; -1: down
  int next = 0;                       // computed by this cycle; -1: down
  std::array<double, 4> raw{};        // ACTV, NEWC, PORT, SYS; PORT -1: down; -9999: no data
  std::array<unsigned, 4> weights{};  // the component weight of each, 1..bound; all 0: down, quiesced or fixed
};

struct ManagerCycle {
  std::map<std::string, unsigned> weights;  // of all servers, what is in force after this cycle; down, quiesced: 0
  bool is_pushed = false;                   // they differ from the ones before
  std::vector<ManagerLine> lines;           // in the order of the servers
  std::array<unsigned, 4> proportions{};
};

// The manager of one port. Facts 1 to 12 and the algorithm: docs/manager.md.
class Manager {
 public:
  // One cycle; due every interval.
  //
  // config   on; proportions as in force for the cluster (proportions_of), absent: by the data that these servers have
  // servers  all of the port
  // fresh    active and new_connections were read anew for this cycle (refresh)
  // is_calm  false: the table of flows is crowded, what is not urgent waits
  //
  // A server that went down, came up, was quiesced, is new or has another fixed weight is pushed at once; any other
  // change only when it is larger than the sensitivity, and at most kMaxMove of the weight at a time. Nobody up and not
  // quiesced: all that are not quiesced get home_weight (fixed ones their own), as if all were up.
  ManagerCycle cycle(const ManagerConfig& config, const std::vector<ManagedLoad>& servers, bool fresh, bool is_calm);

  // Before the first cycle: the weights that an earlier manager of this port left in force. Without it the first cycle
  // starts with the configured weights.
  void adopt(const std::map<std::string, unsigned>& weights);

  // Percent of the weight, and so of the port's rows, that one push may take from one server and give to another;
  // what the move of a row costs: dataplane.md.
  static constexpr double kMaxMove = 20.0;

 private:
  // What the urgent changes are changes of.
  struct State {
    bool is_up = false;
    bool is_quiesced = false;
    std::optional<unsigned> fixed{};
    bool operator==(const State&) const = default;
    bool is_in() const { return is_up && !is_quiesced; }
  };
  struct Memory {
    double weight = 0;  // the smoothed one, 1..bound
    unsigned pushed = 0;
    State state{};
    bool is_counted = false;          // it has had its share since the counters were last read
    std::optional<double> latency{};  // natural logarithm of advisor_ms, averaged
    double last_excess = 0;           // how far the last result was above it
    double spread = 0;                // how far results usually are from it
  };
  struct Turn;

  std::vector<Turn> begin(const ManagerConfig& config, const std::vector<ManagedLoad>& servers);
  static void learn_latencies(std::vector<Turn>& turns);
  static void weigh_counts(const ManagerConfig& config, std::vector<Turn*>& steered, bool fresh);
  static void weigh_loads(const ManagerConfig& config, std::vector<Turn*>& steered);
  static void steer(const ManagerConfig& config, std::vector<Turn>& turns, const std::array<unsigned, 4>& proportions,
                    bool fresh);
  static bool push(const ManagerConfig& config, std::vector<Turn>& turns, bool is_calm);
  static ManagerLine line_of(const Turn& turn);

  std::map<std::string, Memory> memory_;
};

// Weight of a server that has no history: half the bound, at least 1.
unsigned home_weight(const ManagerConfig& config);

// The proportions in force: those said, else 50 50 0 0, and 1 for the advisor's and the agent's part when there is one,
// taken from the highest of the others.
std::array<unsigned, 4> proportions_of(const ManagerConfig& config, bool has_advisor, bool has_agent);

// The sum of all changes, up or down, in percent of all weights before. What sensitivity is compared with: one of
// several servers that sum to 100 changed by 5 is 5. Nothing before: 0 without a change, else 100. Of equal length.
double change_percent(std::span<const unsigned> before, std::span<const unsigned> after);

// The percentage of new connections, and so of rows, that go to another server when weights change. Of equal length.
double moved_percent(std::span<const unsigned> before, std::span<const unsigned> after);

// Active connections of a server by the data plane's counts of new and closed flows, for ports that write nothing down:
// flows whose end was not seen are forgotten over the stale timeout. Rates do not tell one steady level from another,
// so such a level fades, too: the value is how many more were opened than closed lately, which shows what piles up.
class ActiveEstimate {
 public:
  // Totals since the program was loaded; totals that went backwards start anew: the program was reloaded, the estimate
  // is kept. Returns the estimate.
  //
  // stale_timeout  more than 0: flows of unknown end decay to 1/e in that time
  // now            never before the last one
  double update(std::uint64_t new_flows, std::uint64_t closed_flows, std::chrono::seconds stale_timeout,
                std::chrono::steady_clock::time_point now);
  double value() const { return active_; }

 private:
  std::optional<std::pair<std::uint64_t, std::uint64_t>> before_;
  std::chrono::steady_clock::time_point at_{};
  double active_ = 0;
};

}  // namespace xdplb
