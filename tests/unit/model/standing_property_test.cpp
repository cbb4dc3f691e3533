// SPDX-License-Identifier: GPL-2.0-only
// What holds of the standing of any servers of which anything is said.
#include "model/standing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace xdplb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kPorts = 5000;
constexpr std::array kFamilies = {Family::kV4, Family::kV6};

class AnyPort {
 public:
  explicit AnyPort(std::uint32_t seed) : random_(seed) {
    port_.on_all_down = static_cast<OnAllDown>(pick(0, 2));
    port_.min_up = {.value = pick(1, 3)};
    if (one_in(3)) port_.min_up = {.value = pick(1, 100), .is_percent = true};
    if (one_in(2)) port_.slow_start_s = pick(1, 60);
    calm_ = pick(1, 10);
    const unsigned count = pick(0, 6);
    for (unsigned i = 0; i < count; ++i) {
      port_.servers.push_back(any_server());
      facts_.push_back(any_facts());
    }
  }

  void check() {
    const PortStanding standing = stand(port_, facts_, now_);
    ASSERT_EQ(standing.servers.size(), port_.servers.size());
    for (const Family family : kFamilies) {
      for (std::size_t i = 0; i < port_.servers.size(); ++i) check_server(standing, i, family);
      check_port(standing, family);
      check_tiers(standing, family);
    }
    check_time(standing);
    check_order(standing);
    check_families(standing);
    check_recovery(standing);
  }

 private:
  unsigned pick(unsigned from, unsigned to) { return std::uniform_int_distribution<unsigned>(from, to)(random_); }
  bool one_in(unsigned count) { return pick(1, count) == 1; }
  bool is_odd_one() { return one_in(calm_); }

  ServerConfig any_server() {
    ServerConfig server{.weight = one_in(8) ? 0 : pick(1, kMaxWeight), .has_fixed_weight = one_in(4)};
    if (one_in(6)) server.family = static_cast<Family>(pick(0, 1));
    if (one_in(2)) server.tier = pick(0, kMaxTier);
    return server;
  }

  ServerFacts any_facts() {
    ServerFacts facts;
    for (const AdminSource source : kAdminSources) {
      if (is_odd_one() && one_in(3)) facts.admin.set(source, static_cast<Admin>(pick(0, 3)));
    }
    const bool is_checked = !one_in(5);
    for (std::size_t f = 0; f < 2; ++f) {
      facts.is_checked[f] = is_checked || one_in(8);
      if (facts.is_checked[f]) facts.health[f] = is_odd_one() ? static_cast<Health>(pick(0, 2)) : Health::kUp;
      facts.trusts_unknown[f] = one_in(2);
      if (one_in(2)) facts.health_reason[f] = "L4CON connection refused";
      if (is_odd_one() && one_in(3)) facts.unreachable[f] = "no answer to ARP for 192.0.2.21 on eth0";
    }
    if (one_in(3)) facts.agent_percent = pick(0, 256);
    if (one_in(3)) facts.manager_weight = pick(0, kMaxWeight);
    if (one_in(2)) facts.up_since = now_ - milliseconds(pick(0, 70000));
    return facts;
  }

  // The rules once more, each by itself.
  bool serves(std::size_t i, Family family) const {
    return !port_.servers[i].family || *port_.servers[i].family == family;
  }
  bool is_allowed(std::size_t i, Family family) const {
    return serves(i, family) && facts_[i].admin.admin() != Admin::kDown;
  }
  bool is_target(std::size_t i, Family family) const {
    return is_allowed(i, family) && facts_[i].unreachable[static_cast<std::size_t>(family)].empty();
  }
  bool is_up(std::size_t i, Family family) const {
    const auto f = static_cast<std::size_t>(family);
    if (!is_target(i, family)) return false;
    if (!facts_[i].is_checked[f] || facts_[i].health[f] == Health::kUp) return true;
    return facts_[i].health[f] == Health::kUnknown && facts_[i].trusts_unknown[f];
  }
  bool wants_flows(std::size_t i) const {
    return facts_[i].admin.admin() == Admin::kReady && port_.servers[i].weight > 0 && facts_[i].agent_percent > 0;
  }
  template <typename Claim>
  std::size_t count(const Claim& claim) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i < port_.servers.size(); ++i) found += claim(i) ? 1 : 0;
    return found;
  }

  void check_server(const PortStanding& standing, std::size_t i, Family family) const {
    const auto f = static_cast<std::size_t>(family);
    const Standing& server = standing.servers[i][f];
    ASSERT_FALSE(server.reason.empty());
    ASSERT_EQ(server.reason.find('\n'), std::string::npos);
    ASSERT_LE(server.weight, kMaxWeight);
    if (server.weight > 0) {
      ASSERT_TRUE(server.is_in && wants_flows(i));
    }
    if (server.is_in) {
      ASSERT_TRUE(is_target(i, family));
    }
    if (is_up(i, family)) {
      ASSERT_TRUE(server.is_in);
    }
    const bool is_unknown = facts_[i].is_checked[f] && facts_[i].health[f] == Health::kUnknown;
    if (server.is_in && !is_up(i, family)) {
      ASSERT_EQ(standing.up[f], 0U);
      ASSERT_NE(is_unknown, standing.all_down[f]);
    }
  }

  void check_port(const PortStanding& standing, Family family) const {
    const auto f = static_cast<std::size_t>(family);
    const auto is_in = [&](std::size_t i) { return standing.servers[i][f].is_in; };
    ASSERT_EQ(standing.up[f], count([&](std::size_t i) { return is_up(i, family); }));
    const auto served = count([&](std::size_t i) { return serves(i, family); });
    ASSERT_EQ(standing.below_min_up[f], served > 0 && standing.up[f] < min_up_count(port_, family));
    if (standing.all_down[f]) {
      ASSERT_EQ(standing.up[f], 0U);
      const bool is_open = port_.on_all_down == OnAllDown::kRowsStay;
      for (std::size_t i = 0; i < port_.servers.size(); ++i) ASSERT_EQ(is_in(i), is_open && is_target(i, family));
    }
    // Rows stay: whoever could be sent to is, before nobody is.
    const bool is_anyone_target = count([&](std::size_t i) { return is_target(i, family); }) > 0;
    if (is_anyone_target && port_.on_all_down == OnAllDown::kRowsStay) {
      ASSERT_GT(count(is_in), 0U);
    }
    const auto willing = count([&](std::size_t i) { return is_in(i) && wants_flows(i); });
    unsigned sum = 0;
    for (const auto& server : standing.servers) sum += server[f].weight;
    ASSERT_EQ(sum > 0, willing > 0);
  }

  void check_tiers(const PortStanding& standing, Family family) const {
    const auto f = static_cast<std::size_t>(family);
    for (std::size_t i = 0; i < port_.servers.size(); ++i) {
      const Standing& server = standing.servers[i][f];
      if (!server.is_in || !wants_flows(i)) continue;
      const unsigned tier = port_.servers[i].tier;
      const auto better =
          count([&](std::size_t j) { return standing.servers[j][f].weight > 0 && port_.servers[j].tier < tier; });
      ASSERT_EQ(server.weight > 0, better < min_up_count(port_, family)) << i;
      if (server.weight > 0) {
        ASSERT_GE(standing.tier, tier);
      }
    }
  }

  static void expect_equal(const PortStanding& one, const PortStanding& other) {
    ASSERT_EQ(one.servers, other.servers);
    ASSERT_EQ(one.all_down, other.all_down);
    ASSERT_EQ(one.up, other.up);
    ASSERT_EQ(one.tier, other.tier);
  }

  // Nothing changes by time before changes_at, and nothing at all without it.
  void check_time(const PortStanding& standing) {
    auto later = now_ + seconds(1000);
    if (standing.changes_at) {
      ASSERT_GT(*standing.changes_at, now_);
      later = *standing.changes_at - HealthClock::duration(1);
    }
    expect_equal(stand(port_, facts_, later), standing);
  }

  // The order of the servers in the configuration does not count.
  void check_order(const PortStanding& standing) {
    std::vector<std::size_t> order(port_.servers.size());
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random_);
    PortConfig port = port_;
    std::vector<ServerFacts> facts;
    for (std::size_t i = 0; i < order.size(); ++i) {
      port.servers[i] = port_.servers[order[i]];
      facts.push_back(facts_[order[i]]);
    }
    const PortStanding shuffled = stand(port, facts, now_);
    for (std::size_t i = 0; i < order.size(); ++i) ASSERT_EQ(shuffled.servers[i], standing.servers[order[i]]);
  }

  // What happens to a server in one family changes nothing in the other.
  void check_families(const PortStanding& standing) {
    if (facts_.empty()) return;
    std::vector<ServerFacts> facts = facts_;
    ServerFacts& changed = facts[pick(0, static_cast<unsigned>(facts.size()) - 1)];
    changed.is_checked[1] = true;
    changed.health[1] = static_cast<Health>(pick(0, 2));
    const PortStanding other = stand(port_, facts, now_);
    for (std::size_t i = 0; i < facts.size(); ++i) ASSERT_EQ(other.servers[i][0], standing.servers[i][0]);
  }

  // A server that comes up gets no less for it.
  void check_recovery(const PortStanding& standing) {
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      if (facts_[i].up_since) continue;
      std::vector<ServerFacts> facts = facts_;
      facts[i].health = {Health::kUp, Health::kUp};
      const PortStanding after = stand(port_, facts, now_);
      for (std::size_t f = 0; f < 2; ++f) {
        ASSERT_GE(after.servers[i][f].weight, standing.servers[i][f].weight);
        ASSERT_GE(after.servers[i][f].is_in, standing.servers[i][f].is_in);
      }
    }
  }

  std::mt19937 random_;
  HealthClock::time_point now_{seconds(1000000)};
  unsigned calm_ = 1;  // so many servers for one that something is the matter with
  PortConfig port_;
  std::vector<ServerFacts> facts_;
};

TEST(StandProperties, HoldOfAnyPort) {
  for (std::uint32_t seed = 0; seed < kPorts && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    AnyPort(seed).check();
  }
}

}  // namespace
}  // namespace xdplb
