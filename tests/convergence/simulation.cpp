// SPDX-License-Identifier: GPL-2.0-only
#include "simulation.h"

#include "model/rows.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace xdplb::convergence {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

struct Job {
  double done_work = 0;  // the work each request present got since the beginning, when this one is complete
  double came_s = 0;
  bool is_probe = false;
  bool operator<(const Job& other) const {
    return std::pair(done_work, came_s) < std::pair(other.done_work, other.came_s);
  }
};

// A processor that all requests present share equally; work is in requests.
class Server {
 public:
  explicit Server(double capacity) : capacity_(capacity) {}

  double capacity() const { return capacity_; }
  void set_capacity(double now_s, double capacity) {
    advance(now_s);
    capacity_ = capacity;
  }
  void add(double now_s, double work, bool is_probe) {
    advance(now_s);
    const Job job = {.done_work = work_ + work, .came_s = now_s, .is_probe = is_probe};
    jobs_.insert(job);
    queue_.push_back(job);
  }
  double next_done_s() const {
    if (jobs_.empty()) return kNever;
    return at_s_ + (jobs_.begin()->done_work - work_) * static_cast<double>(jobs_.size()) / capacity_;
  }
  Job finish(double now_s) {
    advance(now_s);
    return jobs_.extract(jobs_.begin()).value();
  }
  // Takes away what came before a time. Returns how many requests of clients.
  std::size_t give_up(double now_s, double before_s) {
    advance(now_s);
    std::size_t count = 0;
    for (; !queue_.empty() && queue_.front().came_s < before_s; queue_.pop_front())
      count += jobs_.erase(queue_.front()) > 0 && !queue_.front().is_probe;
    return count;
  }
  std::size_t present() const { return jobs_.size(); }
  // Since the last call.
  double busy_s(double now_s) {
    advance(now_s);
    return std::exchange(busy_s_, 0.0);
  }

 private:
  void advance(double now_s) {
    if (!jobs_.empty()) {
      work_ += (now_s - at_s_) * capacity_ / static_cast<double>(jobs_.size());
      busy_s_ += now_s - at_s_;
    }
    at_s_ = now_s;
  }

  double capacity_;
  double at_s_ = 0;
  double work_ = 0;
  double busy_s_ = 0;
  std::set<Job> jobs_;     // the next one to be done first
  std::deque<Job> queue_;  // in the order they came; with those done
};

struct Counts {
  double connections = 0;
  double responses = 0;
  double response_s = 0;
  double response_ms = 0;
  double new_since_read = 0;
  double active_read = 0;
  std::deque<double> lingering;  // ends of connections whose request is answered
  std::optional<double> probe_sent_s;
  std::optional<double> advisor_ms;
  bool is_advisor_fresh = false;
};

class Simulation {
 public:
  explicit Simulation(const Scenario& scenario) : scenario_(scenario), random_(scenario.seed) {
    for (const double capacity : scenario.capacities) servers_.emplace_back(capacity);
    counts_.resize(servers_.size());
    share_out(std::vector<unsigned>(servers_.size(), home_weight(scenario.manager)));
    const double all = std::accumulate(scenario.capacities.begin(), scenario.capacities.end(), 0.0);
    gap_ = std::exponential_distribution<double>(all * scenario.load);
  }

  std::vector<Sample> run() {
    const double interval = scenario_.manager.interval_s;
    record(0, {}, std::vector<ManagedLoad>(servers_.size()));
    double arrival_s = gap_(random_);
    double tick_s = interval / 2;  // probes and cycles take turns
    for (unsigned tick = 0; tick_s <= scenario_.seconds;) {
      std::size_t first = 0;
      for (std::size_t i = 1; i < servers_.size(); ++i)
        if (servers_[i].next_done_s() < servers_[first].next_done_s()) first = i;
      const double done_s = servers_[first].next_done_s();
      if (done_s <= arrival_s && done_s <= tick_s) {
        finish(first, done_s);
      } else if (arrival_s <= tick_s) {
        arrive(arrival_s);
        arrival_s += gap_(random_);
      } else {
        if (tick++ % 2 == 0)
          probe(tick_s);
        else
          cycle(tick_s);
        tick_s += interval / 2;
      }
    }
    return std::move(samples_);
  }

 private:
  void arrive(double now_s) {
    const std::size_t server = rows_[std::uniform_int_distribution<std::size_t>(0, rows_.size() - 1)(random_)];
    ++counts_[server].connections;
    ++counts_[server].new_since_read;
    servers_[server].add(now_s, work_(random_), false);
  }

  void finish(std::size_t server, double now_s) {
    const Job job = servers_[server].finish(now_s);
    Counts& counts = counts_[server];
    const double took_s = now_s - job.came_s;
    if (job.is_probe) {
      if (counts.probe_sent_s != job.came_s) return;  // timed out
      counts.probe_sent_s.reset();
      tell(counts, took_s);
      return;
    }
    ++counts.responses;
    counts.response_s += took_s;
    counts.lingering.push_back(now_s + scenario_.client_s);
  }

  static void tell(Counts& counts, double took_s) {
    counts.advisor_ms = took_s * 1000;
    counts.is_advisor_fresh = true;
  }

  void probe(double now_s) {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      Counts& counts = counts_[i];
      if (counts.probe_sent_s && now_s - *counts.probe_sent_s < scenario_.probe_timeout_s - 1e-6) continue;
      if (counts.probe_sent_s) tell(counts, scenario_.probe_timeout_s);
      counts.probe_sent_s = now_s;
      servers_[i].add(now_s, scenario_.probe_requests, true);
    }
  }

  void change_capacities(double now_s) {
    if (!scenario_.slow_server) return;
    const bool is_slow = now_s >= scenario_.slow_from_s && now_s < scenario_.slow_until_s;
    const double full = scenario_.capacities[*scenario_.slow_server];
    servers_[*scenario_.slow_server].set_capacity(now_s, is_slow ? full / scenario_.slowness : full);
  }

  void cycle(double now_s) {
    const bool fresh = samples_.size() % scenario_.manager.refresh == 0;
    std::vector<ManagedLoad> loads;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      Counts& counts = counts_[i];
      const auto given_up = static_cast<double>(servers_[i].give_up(now_s, now_s - scenario_.patience_s));
      counts.responses += given_up;
      counts.response_s += given_up * scenario_.patience_s;
      while (!counts.lingering.empty() && counts.lingering.front() <= now_s) counts.lingering.pop_front();
      ManagedLoad load{.name = "s" + std::to_string(i + 1), .configured_weight = home_weight(scenario_.manager)};
      load.active = static_cast<double>(servers_[i].present() + counts.lingering.size());
      load.new_connections = counts.new_since_read;
      load.advisor_ms = counts.advisor_ms;
      load.is_advisor_fresh = std::exchange(counts.is_advisor_fresh, false);
      const double busy = servers_[i].busy_s(now_s) / scenario_.manager.interval_s;
      if (scenario_.has_agent) load.system = 100 * busy;
      if (fresh) counts.new_since_read = 0;
      loads.push_back(load);
    }
    const ManagerCycle cycle = manager_.cycle(scenario_.manager, loads, fresh, true);
    change_capacities(now_s);
    record(now_s, cycle, loads);
  }

  // Without weights in the cycle: those in force stay.
  void record(double now_s, const ManagerCycle& cycle, const std::vector<ManagedLoad>& loads) {
    std::vector<unsigned> weights;
    for (const ManagedLoad& load : loads)
      if (!cycle.weights.empty()) weights.push_back(cycle.weights.at(load.name));
    if (cycle.weights.empty()) weights = weights_;
    Sample sample{};
    sample.at_s = now_s;
    sample.is_pushed = cycle.is_pushed;
    sample.moved = moved_percent(weights_, weights);
    double capacity = 0;
    double connections = 0;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      capacity += servers_[i].capacity();
      connections += counts_[i].connections;
    }
    const double weight = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      Counts& counts = counts_[i];
      if (counts.responses > 0) counts.response_ms = 1000 * counts.response_s / counts.responses;
      sample.share.push_back(weights[i] / weight);
      sample.connections.push_back(counts.connections / std::max(1.0, connections));
      sample.capacity_share.push_back(servers_[i].capacity() / capacity);
      sample.response_ms.push_back(counts.response_ms);
      sample.advisor_ms.push_back(counts.advisor_ms.value_or(0));
      sample.active.push_back(loads[i].active);
      counts.connections = counts.responses = counts.response_s = 0;
    }
    sample.weights = weights;
    samples_.push_back(sample);
    share_out(weights);
  }

  // The rows of the data plane; which of them is whose does not matter to clients that come at random.
  void share_out(const std::vector<unsigned>& weights) {
    weights_ = weights;
    std::vector<RowServer> named;
    for (std::size_t i = 0; i < weights.size(); ++i)
      named.push_back(
          {.name = "s" + std::to_string(i + 1), .index = static_cast<std::uint16_t>(i + 1), .weight = weights[i]});
    rows_.clear();
    const std::vector<std::uint32_t> quotas = row_quotas(named, rows_for(named.size()));
    for (std::size_t i = 0; i < quotas.size(); ++i) rows_.insert(rows_.end(), quotas[i], i);
  }

  const Scenario& scenario_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_;
  std::exponential_distribution<double> work_{1};
  std::vector<Server> servers_;
  std::vector<Counts> counts_;
  std::vector<unsigned> weights_;
  std::vector<std::size_t> rows_;
  Manager manager_;
  std::vector<Sample> samples_;
};

constexpr double kAverage = 10;  // seconds

// The shares of the last kAverage seconds.
std::vector<double> averaged(const std::vector<Sample>& samples, std::size_t last) {
  std::vector<double> mean(samples[last].share.size());
  double count = 0;
  for (std::size_t i = last + 1; i-- > 0 && samples[i].at_s > samples[last].at_s - kAverage; ++count)
    for (std::size_t server = 0; server < mean.size(); ++server) mean[server] += samples[i].share[server];
  for (double& share : mean) share /= count;
  return mean;
}

double error_of(double share, double goal) { return std::abs(share / goal - 1); }

}  // namespace

std::vector<Sample> simulate(const Scenario& scenario) { return Simulation(scenario).run(); }

Stretch judge(const std::vector<Sample>& samples, double from_s, double until_s) {
  Stretch stretch;
  const std::size_t servers = samples.front().share.size();
  std::vector<double> sum(servers);
  std::vector<double> least(servers, kNever);
  std::vector<double> most(servers, 0);
  std::vector<double> goal(servers);
  double count = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    if (sample.at_s < from_s || sample.at_s >= until_s) continue;
    ++count;
    stretch.pushes_a_minute += sample.is_pushed;
    stretch.moved_a_minute += sample.moved;
    const std::vector<double> mean = averaged(samples, i);
    for (std::size_t server = 0; server < servers; ++server) {
      goal[server] = sample.capacity_share[server];
      sum[server] += sample.share[server];
      least[server] = std::min(least[server], mean[server]);
      most[server] = std::max(most[server], mean[server]);
      stretch.worst_error = std::max(stretch.worst_error, error_of(mean[server], goal[server]));
    }
  }
  for (std::size_t server = 0; server < servers; ++server) {
    stretch.mean_error = std::max(stretch.mean_error, error_of(sum[server] / count, goal[server]));
    stretch.swing = std::max(stretch.swing, (most[server] - least[server]) / goal[server]);
  }
  const double minutes = (until_s - from_s) / 60;
  stretch.pushes_a_minute /= minutes;
  stretch.moved_a_minute /= minutes;
  return stretch;
}

std::optional<double> settled_after(const std::vector<Sample>& samples, double from_s, double until_s,
                                    double tolerance) {
  std::optional<double> since;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    if (sample.at_s <= from_s || sample.at_s >= until_s) continue;
    const std::vector<double> mean = averaged(samples, i);
    bool is_within = true;
    for (std::size_t server = 0; server < mean.size(); ++server)
      is_within &= error_of(mean[server], sample.capacity_share[server]) <= tolerance;
    if (!is_within) since.reset();
    if (is_within && !since) since = sample.at_s;
    if (since && sample.at_s - *since >= kAverage) return *since - from_s;
  }
  return std::nullopt;
}

double followed_part(const Scenario& scenario, const std::vector<Sample>& samples, double after_s) {
  const std::size_t server = scenario.slow_server.value();
  const Sample* before = nullptr;
  const Sample* last = nullptr;
  for (const Sample& sample : samples) {
    if (sample.at_s < scenario.slow_from_s) before = &sample;
    if (sample.at_s <= scenario.slow_from_s + after_s) last = &sample;
  }
  const double goal = last->capacity_share[server];
  return (before->share[server] - last->share[server]) / (before->share[server] - goal);
}

}  // namespace xdplb::convergence
