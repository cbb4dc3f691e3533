// SPDX-License-Identifier: GPL-2.0-only
#include "model/manager.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

namespace xdplb {
namespace {

// Of counts: so many connections more are thought on both sides of a ratio, and what is left of a deviation below 10 %
// is not acted upon. Else the chance of small numbers would move rows.
constexpr double kCountsPrior = 20;
constexpr double kCountsNoise = 0.1;
// How far weights that the counts have moved return to the configured ones in a cycle: the counts are relative to the
// weights, so that by themselves any weights would satisfy them.
constexpr double kReturn = 0.05;
// One response time tells little of a server (in a queue it varies by its own size): averaged over about 14 results.
constexpr double kLatencyGain = 0.07;
// But two in a row more than twice as long as the average are not chance: the average follows at once. It follows two
// that are less than half by half of the way: a server that looks idle since it gets little must not get much at once.
const double kLatencyJump = std::log(2.0);
constexpr double kLatencyRecovery = 0.5;
// Where results vary much, as those of busy servers do, it takes more: so many times what is usual. Without it a load
// of 80 % oscillated.
constexpr double kLatencyChance = 3;
constexpr double kLatencyFloorMs = 1;
constexpr double kSystemFloor = 5;  // percent; idle servers are equally idle
constexpr double kNoData = -9999;

enum Part : std::size_t { kActive, kNew, kPort, kSystem };

using Numbers = std::vector<double>;

double sum_of(const Numbers& numbers) { return std::accumulate(numbers.begin(), numbers.end(), 0.0); }

double clamped(double weight, unsigned bound) { return std::clamp(weight, 1.0, static_cast<double>(bound)); }

unsigned rounded(double weight, unsigned bound) { return static_cast<unsigned>(std::lround(clamped(weight, bound))); }

// Their mean is brought to home, and ratios are kept: the least is brought to 1 and the largest to the bound as far as
// both can be. Beyond that the bound is the largest skew (fact 4).
void fit(Numbers& weights, double home, unsigned bound) {
  if (weights.empty()) return;
  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  const double mean = home * static_cast<double>(weights.size()) / sum_of(weights);
  const double scale = std::min(std::max(mean, 1 / *least), bound / *most);
  for (double& weight : weights) weight = clamped(weight * scale, bound);
}

// What a count of connections makes of a weight: ideal over actual, for a server that has `share` of the weight and
// `own` of the connections. More of them never makes it larger.
double by_count(double share, double own, double all) {
  const double excess = std::log((own + kCountsPrior) / (all * share + kCountsPrior));
  const double sure = std::copysign(std::max(0.0, std::abs(excess) - kCountsNoise), excess);
  return std::exp(-sure);
}

// How far the average of the latencies moves when a result is `excess` above it, the one before was `last_excess`,
// all servers' are at least `common`, and `spread` is usual.
double latency_step(double excess, double last_excess, double common, double spread) {
  const double chance = std::max(kLatencyJump, kLatencyChance * spread);
  const double slower = std::min(excess, last_excess) - common;
  if (slower > chance) return slower;
  const double faster = std::max(excess, last_excess);
  if (faster < -chance) return kLatencyRecovery * faster;
  return kLatencyGain * std::clamp(excess, -chance, chance);
}

// As near to `after` as kMaxMove allows.
std::vector<unsigned> limited(const std::vector<unsigned>& before, const std::vector<unsigned>& after, double most,
                              unsigned bound) {
  const double moved = moved_percent(before, after);
  if (moved <= most) return after;
  const double sum_before = std::accumulate(before.begin(), before.end(), 0.0);
  const double sum_after = std::accumulate(after.begin(), after.end(), 0.0);
  double part = most / moved;
  while (part > 0.01) {
    std::vector<unsigned> between;
    for (std::size_t i = 0; i < after.size(); ++i) {
      const double from = before[i] / sum_before * sum_after;
      between.push_back(rounded(from + (after[i] - from) * part, bound));
    }
    if (moved_percent(before, between) <= most && moved_percent(before, between) > 0) return between;
    part *= 0.9;
  }
  // Small weights have coarse steps: the smallest is one server by one.
  std::vector<unsigned> between = before;
  std::size_t farthest = 0;
  const auto distance = [&](std::size_t i) {
    return std::abs(static_cast<int>(after[i]) - static_cast<int>(before[i]));
  };
  for (std::size_t i = 1; i < after.size(); ++i)
    if (distance(i) > distance(farthest)) farthest = i;
  between[farthest] += after[farthest] > before[farthest] ? 1U : -1U;
  return between;
}

}  // namespace

// A server in this cycle.
struct Manager::Turn {
  const ManagedLoad* load = nullptr;
  Memory* memory = nullptr;
  bool is_urgent = false;
  bool is_steered = false;            // by load: up, not quiesced, not fixed
  bool is_newcomer = false;           // steered from the next cycle on
  unsigned next = 0;                  // weight that this cycle would have
  std::array<double, 4> component{};  // the component weights; 0: none
};

unsigned home_weight(const ManagerConfig& config) { return std::max(1U, config.weight_bound / 2); }

std::array<unsigned, 4> proportions_of(const ManagerConfig& config, bool has_advisor, bool has_agent) {
  if (config.proportions) return *config.proportions;
  std::array<unsigned, 4> proportions = {50, 50, 0, 0};
  const auto take_one = [&](Part part) {
    --*std::max_element(proportions.begin(), proportions.end());
    ++proportions[part];
  };
  if (has_advisor) take_one(kPort);
  if (has_agent) take_one(kSystem);
  return proportions;
}

double change_percent(std::span<const unsigned> before, std::span<const unsigned> after) {
  double changes = 0;
  for (std::size_t i = 0; i < before.size(); ++i) changes += std::abs(static_cast<double>(after[i]) - before[i]);
  const double sum = std::accumulate(before.begin(), before.end(), 0.0);
  if (sum == 0) return changes > 0 ? 100 : 0;
  return 100 * changes / sum;
}

double moved_percent(std::span<const unsigned> before, std::span<const unsigned> after) {
  const double sum_before = std::accumulate(before.begin(), before.end(), 0.0);
  const double sum_after = std::accumulate(after.begin(), after.end(), 0.0);
  if (sum_before == 0 || sum_after == 0) return sum_before == sum_after ? 0 : 100;
  double moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) moved += std::max(0.0, after[i] / sum_after - before[i] / sum_before);
  return 100 * moved;
}

void Manager::adopt(const std::map<std::string, unsigned>& weights) {
  for (const auto& [name, weight] : weights) {
    Memory& memory = memory_[name];
    memory.weight = std::max(1U, weight);
    memory.pushed = weight;
    memory.state = {.is_up = weight > 0, .is_quiesced = false, .fixed = {}};
  }
}

// Who takes part: memories of those that are gone are forgotten, new ones made.
std::vector<Manager::Turn> Manager::begin(const ManagerConfig& config, const std::vector<ManagedLoad>& servers) {
  std::map<std::string, Memory> before;
  before.swap(memory_);
  std::vector<Turn> turns;
  for (const ManagedLoad& load : servers) {
    const State state = {
        .is_up = load.is_up, .is_quiesced = load.is_quiesced || load.configured_weight == 0, .fixed = load.fixed};
    const bool is_in = state.is_up && !state.is_quiesced;
    const auto known = before.find(load.name);
    Memory memory{};
    if (known != before.end()) {
      memory = known->second;
    } else if (before.empty()) {  // the manager starts with what the configuration has put into force
      memory.weight = clamped(load.configured_weight, config.weight_bound);
      memory.pushed = load.configured_weight;
      memory.state = {.is_up = true, .is_quiesced = load.configured_weight == 0, .fixed = {}};
    }
    Turn turn{.load = &load, .is_urgent = !(memory.state == state), .is_steered = is_in && !state.fixed};
    if (is_in && !memory.state.is_in()) {
      memory = Memory{.weight = static_cast<double>(home_weight(config)), .pushed = memory.pushed};
      turn.is_newcomer = true;
    }
    if (!is_in) memory.is_counted = false;
    memory.state = state;
    turn.memory = &memory_.insert_or_assign(load.name, memory).first->second;
    turns.push_back(turn);
  }
  return turns;
}

// Averages the response times, in logarithms: a server twice as slow is as far away as one twice as fast.
void Manager::learn_latencies(std::vector<Turn>& turns) {
  const auto measured = [](const ManagedLoad& load) { return std::log(std::max(*load.advisor_ms, kLatencyFloorMs)); };
  double common = std::numeric_limits<double>::infinity();  // what all are slower by is no reason to move anything
  for (const Turn& turn : turns) {
    if (!turn.is_steered || !turn.load->advisor_ms) continue;
    common = std::min(common, turn.memory->latency ? measured(*turn.load) - *turn.memory->latency : 0);
  }
  common = std::max(common, 0.0);
  for (Turn& turn : turns) {
    Memory& memory = *turn.memory;
    if (!turn.is_steered || !turn.load->advisor_ms) {
      memory.latency.reset();
      memory.last_excess = 0;
      continue;
    }
    if (memory.latency && !turn.load->is_advisor_fresh) continue;
    const double excess = memory.latency ? measured(*turn.load) - *memory.latency : 0;
    memory.latency =
        memory.latency.value_or(measured(*turn.load)) + latency_step(excess, memory.last_excess, common, memory.spread);
    memory.spread += kLatencyGain * (std::abs(excess) - memory.spread);
    memory.last_excess = measured(*turn.load) - *memory.latency;
  }
}

// Active and new connections: ideal over actual, of the weight that there is.
void Manager::weigh_counts(const ManagerConfig& config, std::vector<Turn*>& steered, bool fresh) {
  double in_force = 0;
  double configured = 0;
  std::array<double, 2> all{};
  const auto weight_in_force = [](const Turn& turn) {
    return turn.load->weight_in_force.value_or(turn.memory->pushed);
  };
  for (const Turn* turn : steered) {
    configured += turn->load->configured_weight;
    if (!turn->memory->is_counted) continue;
    in_force += weight_in_force(*turn);
    all[kActive] += turn->load->active;
    all[kNew] += turn->load->new_connections;
  }
  const double mean = home_weight(config) * static_cast<double>(steered.size()) / configured;
  for (Turn* turn : steered) {
    Memory& memory = *turn->memory;
    const double start = clamped(turn->load->configured_weight * mean, config.weight_bound);
    const double weight = memory.weight * std::pow(start / memory.weight, kReturn);
    const std::array<double, 2> own = {turn->load->active, turn->load->new_connections};
    for (const Part part : {kActive, kNew}) {
      const bool is_told = fresh && memory.is_counted && in_force > 0;
      const double ratio = is_told ? by_count(weight_in_force(*turn) / in_force, own[part], all[part]) : 1;
      turn->component[part] = weight * ratio;
    }
    if (fresh) memory.is_counted = true;
  }
}

// Response times are absolute: the inverse. The agent's load is that of a server at its present weight: relative to it.
void Manager::weigh_loads(const ManagerConfig& config, std::vector<Turn*>& steered) {
  const double home = home_weight(config);
  Numbers speeds;
  Numbers systems;
  for (const Turn* turn : steered) {
    if (turn->memory->latency) speeds.push_back(std::exp(-*turn->memory->latency));
    if (turn->load->system) systems.push_back(std::max(*turn->load->system, kSystemFloor));
  }
  for (Turn* turn : steered) {
    double port = home;
    double system = home;
    if (turn->memory->latency)
      port = home * static_cast<double>(speeds.size()) * std::exp(-*turn->memory->latency) / sum_of(speeds);
    if (turn->load->system)
      system = turn->memory->weight * sum_of(systems) /
               (static_cast<double>(systems.size()) * std::max(*turn->load->system, kSystemFloor));
    turn->component[kPort] = port;
    turn->component[kSystem] = system;
  }
}

// The next weight of every server.
void Manager::steer(const ManagerConfig& config, std::vector<Turn>& turns, const std::array<unsigned, 4>& proportions,
                    bool fresh) {
  const double home = home_weight(config);
  const double smoothing = std::max(1.0, config.smoothing_tenths / 10.0);
  learn_latencies(turns);
  std::vector<Turn*> steered;
  for (Turn& turn : turns)
    if (turn.is_steered && !turn.is_newcomer) steered.push_back(&turn);
  weigh_counts(config, steered, fresh);
  weigh_loads(config, steered);

  Numbers targets(steered.size());
  for (std::size_t part = 0; part < proportions.size(); ++part) {
    Numbers component;
    for (const Turn* turn : steered) component.push_back(turn->component[part]);
    fit(component, home, config.weight_bound);
    for (std::size_t i = 0; i < steered.size(); ++i) {
      steered[i]->component[part] = component[i];
      targets[i] += proportions[part] / 100.0 * component[i];
    }
  }
  Numbers weights;
  for (const Turn* turn : steered) weights.push_back(turn->memory->weight);
  fit(targets, home, config.weight_bound);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += (targets[i] - weights[i]) / smoothing;
  fit(weights, home, config.weight_bound);
  for (std::size_t i = 0; i < weights.size(); ++i) steered[i]->memory->weight = weights[i];

  for (Turn& turn : turns) {
    const bool is_in = turn.memory->state.is_in();
    if (is_in) turn.next = turn.load->fixed.value_or(rounded(turn.memory->weight, config.weight_bound));
  }
}

// Puts into force what is urgent, and what is worth it. Returns whether a weight changed.
bool Manager::push(const ManagerConfig& config, std::vector<Turn>& turns, bool is_calm) {
  std::vector<unsigned> before;
  std::vector<unsigned> after;
  bool is_urgent = false;
  for (const Turn& turn : turns) {
    before.push_back(turn.memory->pushed);
    after.push_back(turn.next);
    is_urgent |= turn.is_urgent;
  }
  const bool is_worth_it = is_urgent || change_percent(before, after) > config.sensitivity;
  const auto is_at_once = [](const Turn& turn) { return turn.is_urgent || !turn.is_steered; };
  std::vector<unsigned> others_before;
  std::vector<unsigned> others_after;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (is_at_once(turns[i])) continue;
    others_before.push_back(std::min(before[i], config.weight_bound));
    others_after.push_back(after[i]);
  }
  others_after =
      is_calm && is_worth_it ? limited(others_before, others_after, kMaxMove, config.weight_bound) : others_before;

  auto other = others_after.begin();
  bool is_changed = false;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const unsigned weight = is_at_once(turns[i]) ? turns[i].next : *other++;
    is_changed |= weight != before[i];
    turns[i].memory->pushed = weight;
  }
  return is_changed;
}

ManagerCycle Manager::cycle(const ManagerConfig& config, const std::vector<ManagedLoad>& servers, bool fresh,
                            bool is_calm) {
  std::vector<Turn> turns = begin(config, servers);
  const bool has_advisor = std::any_of(servers.begin(), servers.end(), [](auto& load) { return load.advisor_ms; });
  const bool has_agent = std::any_of(servers.begin(), servers.end(), [](auto& load) { return load.system; });
  ManagerCycle cycle{};
  cycle.proportions = proportions_of(config, has_advisor, has_agent);
  const bool is_any_in =
      std::any_of(turns.begin(), turns.end(), [](const Turn& turn) { return turn.memory->state.is_in(); });
  steer(config, turns, cycle.proportions, fresh);
  for (Turn& turn : turns) {
    if (is_any_in) break;
    turn.is_urgent = true;
    if (!turn.memory->state.is_quiesced) turn.next = turn.load->fixed.value_or(home_weight(config));
  }
  cycle.is_pushed = push(config, turns, is_calm);
  for (const Turn& turn : turns) {
    cycle.weights[turn.load->name] = turn.memory->pushed;
    cycle.lines.push_back(line_of(turn));
  }
  return cycle;
}

ManagerLine Manager::line_of(const Turn& turn) {
  const ManagedLoad& load = *turn.load;
  ManagerLine line{.name = load.name};
  line.now = load.is_up ? static_cast<int>(turn.memory->pushed) : -1;
  line.next = load.is_up ? static_cast<int>(turn.next) : -1;
  line.raw = {load.active, load.new_connections, load.is_up ? load.advisor_ms.value_or(kNoData) : -1,
              load.system.value_or(kNoData)};
  for (std::size_t part = 0; part < line.weights.size(); ++part)
    line.weights[part] = static_cast<unsigned>(std::lround(turn.component[part]));
  return line;
}

double ActiveEstimate::update(std::uint64_t new_flows, std::uint64_t closed_flows, std::chrono::seconds stale_timeout,
                              std::chrono::steady_clock::time_point now) {
  if (before_) {
    const bool is_reloaded = new_flows < before_->first || closed_flows < before_->second;
    if (is_reloaded) before_ = {0, 0};
    const std::chrono::duration<double> passed = now - at_;
    active_ *= std::exp(-passed / std::chrono::duration<double>(stale_timeout));
    active_ += static_cast<double>(new_flows - before_->first) - static_cast<double>(closed_flows - before_->second);
  } else {
    active_ = static_cast<double>(new_flows) - static_cast<double>(closed_flows);
  }
  active_ = std::max(0.0, active_);
  before_ = {new_flows, closed_flows};
  at_ = now;
  return active_;
}

}  // namespace xdplb
