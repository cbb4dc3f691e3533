// SPDX-License-Identifier: GPL-2.0-only
#include "model/interface_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace xdplb {
namespace {

using TimePoint = InterfaceHealth::Clock::time_point;

constexpr std::chrono::seconds kSendErrorWindow{5};
constexpr std::size_t kSendErrors = 3;
constexpr std::chrono::seconds kFlapWindow{60};
constexpr std::chrono::seconds kCalmAfter{300};
constexpr unsigned kMaxHoldFactor = 16;

bool is_device_gone(int error_number) {
  return error_number == ENETDOWN || error_number == ENODEV || error_number == ENXIO;
}

bool has_failed(HealthState state) { return state == HealthState::kAbsent || state == HealthState::kDown; }
bool is_healthy(HealthState state) { return state == HealthState::kUp || state == HealthState::kSuspect; }

void keep_earliest(std::optional<TimePoint>& earliest, std::optional<TimePoint> other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

std::string_view health_state_name(HealthState state) {
  switch (state) {
    case HealthState::kAbsent:
      return "absent";
    case HealthState::kDown:
      return "down";
    case HealthState::kSettling:
      return "settling";
    case HealthState::kUp:
      return "up";
    case HealthState::kSuspect:
      return "suspect";
    case HealthState::kDisabled:
      return "disabled";
  }
  return "unknown";
}

// ---- What comes in.

void InterfaceHealth::configure(const HealthConfig& config, Clock::time_point now) {
  config_ = config;
  evaluate(now);
}

void InterfaceHealth::set_links(const std::map<std::string, LinkFacts>& links, Clock::time_point now) {
  std::erase_if(interfaces_, [&](const auto& item) { return !links.contains(item.first); });
  for (const auto& [name, facts] : links) {
    Interface& interface = interfaces_[name];
    const LinkFacts before = std::exchange(interface.facts, facts);
    if (before != facts) {
      interface.send_failed.reset();
      interface.send_errors.clear();
    }
    if (facts.has_carrier) interface.carrier_lost.reset();
    if (!facts.has_carrier && before.has_carrier) interface.carrier_lost = now;
    const bool is_other_device = before.exists && facts.exists && before.ifindex != facts.ifindex;
    if (is_other_device && interface.is_link_good) {  // gone and back between two looks
      note_failure(interface, now);
      interface.is_link_good = false;
    }
  }
  evaluate(now);
}

void InterfaceHealth::set_disabled(const std::string& name, bool is_disabled, Clock::time_point now) {
  if (is_disabled) disabled_.insert(name);
  if (!is_disabled) disabled_.erase(name);
  evaluate(now);
}

void InterfaceHealth::set_reach(const std::string& name, const std::map<IpAddress, unsigned>& missed,
                                Clock::time_point now) {
  const auto found = interfaces_.find(name);
  if (found == interfaces_.end()) return;
  Interface& interface = found->second;
  const bool was_silent = unanswered(interface).value_or(1) > 0;
  interface.missed = missed;
  std::erase_if(interface.forgiven, [&](const auto& item) {
    const auto count = missed.find(item.first);
    return count == missed.end() || count->second < item.second;  // it answered in between
  });
  const auto silent = unanswered(interface);
  if (silent == 0U && was_silent) interface.answered = now;
  // Nothing can be asked through it, or it was answered: the link needs no further proof.
  if (silent.value_or(0) == 0) interface.awaits_answer = false;
  evaluate(now);
}

void InterfaceHealth::note_send_error(const std::string& name, int error_number, Clock::time_point now) {
  const auto found = interfaces_.find(name);
  if (found == interfaces_.end()) return;
  Interface& interface = found->second;
  interface.error_number = error_number;
  interface.send_errors.push_back(now);
  while (now - interface.send_errors.front() > kSendErrorWindow) interface.send_errors.pop_front();
  while (interface.send_errors.size() > kSendErrors) interface.send_errors.pop_front();
  const bool is_failure = is_device_gone(error_number) || interface.send_errors.size() == kSendErrors;
  if (is_failure || interface.send_failed) interface.send_failed = now;
  evaluate(now);
}

void InterfaceHealth::tick(Clock::time_point now) { evaluate(now); }

// ---- What it means.

void InterfaceHealth::evaluate(Clock::time_point now) {
  for (auto& [name, interface] : interfaces_) {
    interface.is_disabled = disabled_.contains(name);
    follow_link(interface, now);
    follow_reach(interface, now);
  }
  for (auto& [name, interface] : interfaces_) settle(interface, now);
  judge_reach(now);
  for (auto& [name, interface] : interfaces_) conclude(interface, now);
}

void InterfaceHealth::follow_link(Interface& interface, Clock::time_point now) {
  if (interface.send_failed && now - *interface.send_failed >= kSendErrorWindow) {
    interface.send_failed.reset();
    interface.send_errors.clear();
  }
  const bool was_good = interface.is_link_good;
  interface.is_link_good = !link_failure(interface, now);
  if (interface.is_link_good && !was_good) {
    interface.good_since = now;
    interface.is_settled = interface.is_new;  // nothing tells that a link that is up at the start came up just now
    interface.awaits_answer = true;
    interface.forgiven = interface.missed;
    interface.has_lost_reach = false;
  }
  interface.is_new = false;
}

// A link that is good is settled after the delay, and once a question through it was answered. Who has missed nothing
// by the time every question had two turns is answered without telling so again, or is not asked at all.
void InterfaceHealth::settle(Interface& interface, Clock::time_point now) {
  if (now - interface.good_since >= std::chrono::seconds(config_.up_delay_s)) interface.is_settled = true;
  const bool is_silent = unanswered(interface).value_or(0) > 0;
  if (config_.reach_targets.empty()) interface.awaits_answer = false;
  if (!is_silent && now - interface.good_since >= interval() + turn()) interface.awaits_answer = false;
}

std::optional<InterfaceHealth::Failure> InterfaceHealth::link_failure(const Interface& interface,
                                                                      Clock::time_point now) const {
  const LinkFacts& facts = interface.facts;
  if (!facts.exists)
    return Failure{.state = HealthState::kAbsent, .cause = "gone", .reason = "there is no such interface"};
  if (!facts.is_up) return Failure{.cause = "admin_down", .reason = "it is down"};
  const bool is_within_delay = interface.is_link_good && interface.carrier_lost &&
                               now - *interface.carrier_lost < std::chrono::seconds(config_.down_delay_s);
  if (!facts.has_carrier && !is_within_delay) return Failure{.cause = "no_carrier", .reason = "no carrier"};
  if (!facts.master.empty())
    return Failure{.cause = "enslaved", .reason = fmt::format("it is enslaved to {}", facts.master)};
  if (interface.send_failed)
    return Failure{.cause = "send_errors",
                   .reason = fmt::format("the kernel refuses to send: {}", std::strerror(interface.error_number))};
  return std::nullopt;
}

std::optional<InterfaceHealth::Failure> InterfaceHealth::failure(const Interface& interface,
                                                                 Clock::time_point now) const {
  if (interface.facts.exists && interface.is_disabled)
    return Failure{.state = HealthState::kDisabled, .cause = "disabled", .reason = "the operator disabled it"};
  if (auto failed = link_failure(interface, now)) return failed;
  if (interface.facts.lacks_program)
    return Failure{.cause = "no_program",
                   .reason = interface.facts.program_reason.empty() ? "no XDP program of ours is attached"
                                                                    : interface.facts.program_reason};
  if (interface.has_lost_reach)
    return Failure{
        .cause = "reach_lost",
        .reason = fmt::format("{} did not answer {} times", silent_targets(interface), config_.reach_missed)};
  return std::nullopt;
}

HealthVerdict InterfaceHealth::judge(const Interface& interface, Clock::time_point now) const {
  if (auto failed = failure(interface, now))
    return {.state = failed->state, .reason = std::move(failed->reason), .cause = std::move(failed->cause)};
  if (interface.awaits_answer)
    return {.state = HealthState::kSettling, .reason = "no reach target has answered yet since its link is up"};
  if (!interface.is_settled) return {.state = HealthState::kSettling, .reason = "it is healthy again, but only just"};
  if (is_reach_suspect_ && interface.lost)
    return {.state = HealthState::kUp, .reason = "healthy; no reach target answers on any interface"};
  if (interface.first_miss)
    return {.state = HealthState::kSuspect, .reason = fmt::format("{} does not answer", silent_targets(interface))};
  return {.state = HealthState::kUp, .reason = "healthy"};
}

// A failure that comes soon after the last one ended makes the next hold of failback longer.
void InterfaceHealth::note_failure(Interface& interface, Clock::time_point now) {
  const auto became_up = std::exchange(interface.became_up, std::nullopt);
  interface.has_failed = true;
  unsigned& factor = interface.verdict.hold_factor;
  if (became_up && now - *became_up <= kFlapWindow) factor = std::min(factor * 2, kMaxHoldFactor);
}

void InterfaceHealth::conclude(Interface& interface, Clock::time_point now) {
  const HealthVerdict before = interface.verdict;
  HealthVerdict after = judge(interface, now);
  const bool is_own_failure = has_failed(after.state) && after.cause != "no_program";
  if (is_own_failure) note_failure(interface, now);
  if (!is_healthy(after.state)) interface.became_up.reset();
  if (interface.has_failed && !is_healthy(before.state) && is_healthy(after.state)) interface.became_up = now;
  if (interface.became_up && now - *interface.became_up >= kCalmAfter) interface.verdict.hold_factor = 1;
  after.hold_factor = interface.verdict.hold_factor;
  const bool is_change = after.state != before.state || after.cause != before.cause;
  after.since = is_change || before.since == Clock::time_point{} ? now : before.since;
  interface.verdict = std::move(after);
}

// ---- What there is to tell.

std::optional<InterfaceHealth::Clock::time_point> InterfaceHealth::next_wake() const {
  std::optional<Clock::time_point> wake;
  for (const auto& [name, interface] : interfaces_) {
    if (interface.send_failed) keep_earliest(wake, *interface.send_failed + kSendErrorWindow);
    if (interface.became_up && interface.verdict.hold_factor > 1)
      keep_earliest(wake, *interface.became_up + kCalmAfter);
    keep_earliest(wake, interface.judge_at);
    if (!interface.is_link_good) continue;
    if (interface.carrier_lost && !interface.facts.has_carrier)
      keep_earliest(wake, *interface.carrier_lost + std::chrono::seconds(config_.down_delay_s));
    if (!interface.is_settled) keep_earliest(wake, interface.good_since + std::chrono::seconds(config_.up_delay_s));
    if (interface.awaits_answer && unanswered(interface).value_or(0) == 0)
      keep_earliest(wake, interface.good_since + interval() + turn());
  }
  return wake;
}

HealthVerdict InterfaceHealth::verdict(const std::string& name) const {
  const auto found = interfaces_.find(name);
  if (found != interfaces_.end()) return found->second.verdict;
  return {.state = HealthState::kAbsent, .reason = "there is no such interface", .cause = "gone"};
}

std::map<std::string, HealthVerdict> InterfaceHealth::verdicts() const {
  std::map<std::string, HealthVerdict> all;
  for (const auto& [name, interface] : interfaces_) all[name] = interface.verdict;
  return all;
}

bool InterfaceHealth::is_reach_suspect() const { return is_reach_suspect_; }

std::map<IpAddress, unsigned> InterfaceHealth::reach(const std::string& name) const {
  const auto found = interfaces_.find(name);
  return found == interfaces_.end() ? std::map<IpAddress, unsigned>{} : found->second.missed;
}

}  // namespace xdplb
