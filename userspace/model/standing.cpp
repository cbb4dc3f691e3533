// SPDX-License-Identifier: GPL-2.0-only
#include "model/standing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string_view>

namespace xdplb {
namespace {

using TimePoint = HealthClock::time_point;

// What one server deserves by itself.
enum class Merit : std::uint8_t { kOtherFamily, kAdminDown, kUnreachable, kDown, kUnknown, kUp };
// Who is in when nobody deserves it.
enum class Resort : std::uint8_t { kNone, kUnknown, kAllDown };

bool serves(const ServerConfig& server, Family family) { return !server.family || *server.family == family; }

std::string_view family_text(Family family) { return family == Family::kV4 ? "IPv4" : "IPv6"; }

std::string_view source_text(std::optional<AdminSource> source) {
  switch (source.value_or(AdminSource::kConfig)) {
    case AdminSource::kConfig:
      return "the configuration";
    case AdminSource::kOperator:
      return "the operator";
    case AdminSource::kAgent:
      return "the agent";
    case AdminSource::kHook:
      return "a hook";
  }
  return "somebody";
}

struct SlowStart {
  unsigned percent = 100;
  std::optional<TimePoint> next{};  // the next step
};

SlowStart slow_start(const PortConfig& port, const std::optional<TimePoint>& up_since, TimePoint now) {
  constexpr int kSteps = 10;
  if (port.slow_start_s == 0 || !up_since) return {};
  const HealthClock::duration step = HealthClock::duration(std::chrono::seconds(port.slow_start_s)) / kSteps;
  const auto taken = std::max(now - *up_since, HealthClock::duration::zero()) / step;
  if (taken >= kSteps - 1) return {};
  return {.percent = static_cast<unsigned>(taken + 1) * 100 / kSteps, .next = *up_since + (taken + 1) * step};
}

unsigned product(unsigned base, unsigned agent_percent, unsigned slow_percent) {
  const std::uint64_t exact = std::uint64_t{base} * agent_percent * slow_percent;  // in 1/10000
  if (exact == 0) return 0;
  return static_cast<unsigned>(std::clamp<std::uint64_t>((exact + 5000) / 10000, 1, kMaxWeight));
}

// All servers of a port, in one family.
class FamilyStanding {
 public:
  FamilyStanding(const PortConfig& port, const std::vector<ServerFacts>& facts, Family family, TimePoint now)
      : port_(port), facts_(facts), family_(family), now_(now) {
    for (std::size_t i = 0; i < port.servers.size(); ++i) places_.push_back({.merit = merit(i)});
    resort_ = resort();
    for (std::size_t i = 0; i < places_.size(); ++i) weigh(i);
    rank();
  }

  void put_into(PortStanding& standing) const {
    const std::size_t f = index();
    standing.all_down[f] = resort_ == Resort::kAllDown;
    standing.up[f] = count(Merit::kUp);
    standing.below_min_up[f] = count(Merit::kOtherFamily) < places_.size() && standing.up[f] < min_up();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const Place& place = places_[i];
      standing.servers[i][f] = {.is_in = place.is_in, .weight = place.weight, .reason = reason(i)};
      if (place.weight == 0) continue;
      standing.tier = std::max(standing.tier, port_.servers[i].tier);
      const auto& next = place.slow.next;
      if (next && (!standing.changes_at || *next < *standing.changes_at)) standing.changes_at = next;
    }
  }

 private:
  struct Place {
    Merit merit = Merit::kUp;
    bool is_in = false;
    unsigned base = 0;  // weight before agent and slow start
    SlowStart slow{};
    unsigned weight = 0;
    unsigned better = 0;  // servers of better tiers that get new flows in its place; 0: they do not
  };

  std::size_t index() const { return static_cast<std::size_t>(family_); }
  unsigned min_up() const { return min_up_count(port_, family_); }
  unsigned count(Merit merit) const {
    return static_cast<unsigned>(
        std::count_if(places_.begin(), places_.end(), [&](const Place& place) { return place.merit == merit; }));
  }

  Merit merit(std::size_t i) const;
  Resort resort() const;
  bool is_in(Merit merit) const;
  bool is_managed(std::size_t i) const;
  void weigh(std::size_t i);
  void rank();
  std::string reason(std::size_t i) const;
  std::string absence(std::size_t i) const;
  std::string weight_reason(std::size_t i) const;

  const PortConfig& port_;
  const std::vector<ServerFacts>& facts_;
  const Family family_;
  const TimePoint now_;
  Resort resort_ = Resort::kNone;
  std::vector<Place> places_;
};

Merit FamilyStanding::merit(std::size_t i) const {
  const ServerFacts& facts = facts_[i];
  const std::size_t f = index();
  if (!serves(port_.servers[i], family_)) return Merit::kOtherFamily;
  if (facts.admin.admin() == Admin::kDown) return Merit::kAdminDown;
  if (!facts.unreachable[f].empty()) return Merit::kUnreachable;
  if (!facts.is_checked[f] || facts.health[f] == Health::kUp) return Merit::kUp;
  if (facts.health[f] == Health::kDown) return Merit::kDown;
  return facts.trusts_unknown[f] ? Merit::kUp : Merit::kUnknown;
}

// Servers of which nothing is known yet are a better hope than those that are known to be down.
Resort FamilyStanding::resort() const {
  if (count(Merit::kUp) > 0) return Resort::kNone;
  if (count(Merit::kUnknown) > 0) return Resort::kUnknown;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const bool is_allowed = places_[i].merit == Merit::kDown || places_[i].merit == Merit::kUnreachable;
    const bool is_known = facts_[i].is_checked[index()] && facts_[i].health[index()] != Health::kUnknown;
    if (is_allowed && is_known) return Resort::kAllDown;
  }
  return Resort::kNone;
}

bool FamilyStanding::is_in(Merit merit) const {
  switch (merit) {
    case Merit::kUp:
      return true;
    case Merit::kUnknown:
      return resort_ == Resort::kUnknown;
    case Merit::kDown:
      return resort_ == Resort::kAllDown && port_.on_all_down == OnAllDown::kRowsStay;
    case Merit::kOtherFamily:
    case Merit::kAdminDown:
    case Merit::kUnreachable:
      return false;
  }
  return false;
}

bool FamilyStanding::is_managed(std::size_t i) const {
  const ServerConfig& server = port_.servers[i];
  return server.weight > 0 && !server.has_fixed_weight && facts_[i].manager_weight.value_or(0) > 0;
}

// What it would get if it were alone.
void FamilyStanding::weigh(std::size_t i) {
  const ServerFacts& facts = facts_[i];
  Place& place = places_[i];
  place.is_in = is_in(place.merit);
  place.base = is_managed(i) ? *facts.manager_weight : port_.servers[i].weight;
  if (place.merit == Merit::kUp) place.slow = slow_start(port_, facts.up_since, now_);
  if (!place.is_in || facts.admin.admin() != Admin::kReady) return;
  place.weight = product(place.base, facts.agent_percent, place.slow.percent);
}

// Takes the weight of those whose tier is not needed.
void FamilyStanding::rank() {
  unsigned better = 0;
  for (unsigned tier = 0; tier <= kMaxTier; ++tier) {
    unsigned takers = 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      Place& place = places_[i];
      if (port_.servers[i].tier != tier || place.weight == 0) continue;
      if (better < min_up()) {
        ++takers;
        continue;
      }
      place.weight = 0;
      place.better = better;
    }
    better += takers;
  }
}

std::string FamilyStanding::reason(std::size_t i) const {
  const Place& place = places_[i];
  if (!place.is_in) return absence(i);
  const Admin admin = facts_[i].admin.admin();
  const auto who = source_text(facts_[i].admin.source());
  if (admin == Admin::kDrainNow) return fmt::format("{} drains it now", who);
  if (admin == Admin::kDrain) return fmt::format("{} drains it", who);
  if (place.base == 0) return "weight 0 in the configuration";
  if (facts_[i].agent_percent == 0) return "the agent asks for weight 0";
  if (place.better > 0)
    return fmt::format("backup of tier {}: {} {} of better tiers {} up", port_.servers[i].tier, place.better,
                       place.better == 1 ? "server" : "servers", place.better == 1 ? "is" : "are");
  if (place.merit == Merit::kDown) return "every server is down: traffic goes on to all (on_all_down rows-stay)";
  if (place.merit == Merit::kUnknown) return "not probed yet, but no other server is up";
  return weight_reason(i);
}

// Why it is not in.
std::string FamilyStanding::absence(std::size_t i) const {
  const ServerFacts& facts = facts_[i];
  const std::string& found = facts.health_reason[index()];
  switch (places_[i].merit) {
    case Merit::kOtherFamily:
      return fmt::format("it does not serve {}", family_text(family_));
    case Merit::kAdminDown:
      return fmt::format("{} took it down", source_text(facts.admin.source()));
    case Merit::kUnreachable:
      return facts.unreachable[index()];
    case Merit::kDown:
      return fmt::format("down: {} ({})", found.empty() ? "its probes fail" : found, family_text(family_));
    case Merit::kUnknown:
      return fmt::format("not probed yet ({})", family_text(family_));
    case Merit::kUp:
      break;
  }
  return {};
}

std::string FamilyStanding::weight_reason(std::size_t i) const {
  const ServerFacts& facts = facts_[i];
  const Place& place = places_[i];
  const std::string weight = fmt::format("weight {}{}", place.base, is_managed(i) ? " of the manager" : "");
  const std::string agent =
      facts.agent_percent == 100 ? std::string() : fmt::format("; the agent asks for {} %", facts.agent_percent);
  if (place.slow.percent < 100) return fmt::format("slow start: {} % of {}{}", place.slow.percent, weight, agent);
  std::string_view state = "up";
  if (!facts.is_checked[index()]) state = "nothing probes it";
  if (facts.is_checked[index()] && facts.health[index()] == Health::kUnknown)
    state = "not probed yet, it served before";
  return fmt::format("{}: {}{}", state, weight, agent);
}

}  // namespace

PortStanding stand(const PortConfig& port, const std::vector<ServerFacts>& facts, TimePoint now) {
  assert(facts.size() == port.servers.size());
  PortStanding standing;
  standing.servers.resize(port.servers.size());
  for (const Family family : {Family::kV4, Family::kV6}) FamilyStanding(port, facts, family, now).put_into(standing);
  return standing;
}

unsigned min_up_count(const PortConfig& port, Family family) {
  if (!port.min_up.is_percent) return std::max(port.min_up.value, 1U);
  const auto servers = std::count_if(port.servers.begin(), port.servers.end(),
                                     [family](const ServerConfig& server) { return serves(server, family); });
  return std::max((port.min_up.value * static_cast<unsigned>(servers) + 99) / 100, 1U);
}

}  // namespace xdplb
