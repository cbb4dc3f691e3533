// SPDX-License-Identifier: GPL-2.0-only
// VipaMachine: which entry of the list it is to be, and how that is told.
#include "model/vipa_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace xdplb {
namespace {

// Of the entry: "has no carrier"
std::string ailment(const VipaEntry& entry) {
  struct Phrase {
    std::string_view cause;
    std::string_view text;
    bool needs_reason;
  };
  static constexpr Phrase kPhrases[] = {
      {.cause = "gone", .text = "is gone", .needs_reason = false},
      {.cause = "admin_down", .text = "is down", .needs_reason = false},
      {.cause = "no_carrier", .text = "has no carrier", .needs_reason = false},
      {.cause = "enslaved", .text = "is enslaved", .needs_reason = true},
      {.cause = "reach_lost", .text = "lost its reach targets", .needs_reason = true},
      {.cause = "send_errors", .text = "cannot send", .needs_reason = true},
      {.cause = "no_program", .text = "does not forward", .needs_reason = true},
      {.cause = "disabled", .text = "is disabled by the operator", .needs_reason = false},
      {.cause = "address_gone", .text = "is on no interface any more", .needs_reason = false},
      {.cause = "not_loaded", .text = "is not loaded", .needs_reason = false},
  };
  const std::string reason = entry.reason.empty() ? "" : fmt::format(" ({})", entry.reason);
  if (entry.state == EntryState::kSettling) return "is settling" + reason;
  if (entry.state == EntryState::kSuspect) return "is suspect" + reason;
  if (entry.state == EntryState::kUp) return "is healthy";
  const auto* phrase = std::find_if(std::begin(kPhrases), std::end(kPhrases),
                                    [&](const Phrase& candidate) { return candidate.cause == entry.cause; });
  if (phrase == std::end(kPhrases)) return "has failed" + reason;
  return fmt::format("{}{}", phrase->text, phrase->needs_reason ? reason : "");
}

// "eth0 has no carrier"
std::string what_ails(const VipaEntry& entry) { return fmt::format("{} {}", entry.name, ailment(entry)); }

void append(std::string& text, const std::string& part) { text += (text.empty() ? "" : ", ") + part; }

}  // namespace

std::string_view vipa_state_name(VipaState state) {
  switch (state) {
    case VipaState::kDisabled:
      return "disabled";
    case VipaState::kRouted:
      return "routed";
    case VipaState::kStandby:
      return "standby";
    case VipaState::kSilent:
      return "silent";
    case VipaState::kProbing:
      return "probing";
    case VipaState::kOwned:
      return "owned";
    case VipaState::kConflict:
      return "conflict";
  }
  return "unknown";
}

VipaMachine::EntryIndex VipaMachine::find_entry(const std::string& name) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.name == name; });
  if (found == entries_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - entries_.begin());
}

// The first entry that stands for the interface and has not failed: two entries may stand for the same one.
VipaMachine::EntryIndex VipaMachine::usable(std::uint32_t ifindex) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.ifindex == ifindex && entry.state != EntryState::kFailed;
  });
  if (found == entries_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - entries_.begin());
}

VipaMachine::EntryIndex VipaMachine::first_in(EntryState state) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.state == state; });
  if (found == entries_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - entries_.begin());
}

// The interface that answers, or is to, or is asked through.
std::uint32_t VipaMachine::current() const { return owner_ != 0 ? owner_ : asked_; }

VipaMachine::EntryIndex VipaMachine::best() const {
  if (const auto up = first_in(EntryState::kUp)) return up;
  if (const auto kept = usable(current())) return kept;
  if (const auto suspect = first_in(EntryState::kSuspect)) return suspect;
  return first_in(EntryState::kSettling);
}

// The first healthy one ahead of the owner.
VipaMachine::EntryIndex VipaMachine::better() const {
  const auto own = usable(owner_);
  const auto up = first_in(EntryState::kUp);
  if (!own || !up || *up >= *own || entries_[*up].ifindex == owner_) return std::nullopt;
  return up;
}

// For a claim: the operator's word counts as long as that entry can be used.
VipaMachine::EntryIndex VipaMachine::choose() {
  const auto pin = find_entry(pinned_);
  if (pin && entries_[*pin].state != EntryState::kFailed) return pin;
  const auto chosen = best();
  if (chosen) pinned_.clear();
  return chosen;
}

// Why the owner cannot go on: VipaEntry::cause, or "list_changed".
std::string VipaMachine::owner_failure() const {
  for (const auto& entry : entries_) {
    if (entry.name != owner_entry_ && entry.ifindex != owner_) continue;
    const bool has_failed = entry.state == EntryState::kFailed && !entry.cause.empty();
    return has_failed ? entry.cause : "gone";  // another device has its name
  }
  return "list_changed";
}

// The damping of flaps stops at kMaxHold; a longer hold is the operator's own wish.
VipaMachine::Clock::duration VipaMachine::hold_of(const VipaEntry& entry) const {
  return std::min(rules_.hold * std::max(entry.hold_factor, 1U), std::max(rules_.hold, kMaxHold));
}

std::string VipaMachine::entry_name(std::uint32_t ifindex) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.ifindex == ifindex; });
  return found == entries_.end() ? fmt::format("interface {}", ifindex) : found->name;
}

// "eth0 is down, eth1 has no carrier"
std::string VipaMachine::list_failures() const {
  std::string text;
  for (const auto& entry : entries_) {
    if (entry.state != EntryState::kUp) append(text, what_ails(entry));
  }
  return entries_.empty() ? "no interface is listed" : text;
}

// Why this one answers, and why no better one does.
std::string VipaMachine::describe_owner() const {
  const auto own = usable(owner_);
  std::string failed;
  std::string healthy;
  for (std::size_t i = 0; own && i < *own; ++i) {
    const VipaEntry& entry = entries_[i];
    if (entry.ifindex == owner_) continue;
    append(entry.state == EntryState::kUp ? healthy : failed,
           entry.state == EntryState::kUp ? entry.name : what_ails(entry));
  }
  std::string text = owner_entry_ + " answers";
  if (own && entries_[*own].state != EntryState::kUp) text += ", though it " + ailment(entries_[*own]);
  if (!pinned_.empty()) return text + ": the operator moved it there";
  if (!failed.empty()) text += ": " + failed;
  if (healthy.empty() && failed.empty()) text += ": it is the first of the list";
  if (failback_ == 0) return text;
  return fmt::format("{}; {} is healthy again and {}", text, failback_entry_,
                     rules_.failback == Failback::kManual ? "waits for the operator's word (manual failback)"
                                                          : "takes over after its hold (delayed failback)");
}

std::string VipaMachine::describe() const {
  const std::string asker = asked_ == 0 ? "" : entry_name(asked_);
  switch (state_) {
    case VipaState::kDisabled:
      return "silent: the operator deactivated it";
    case VipaState::kSilent:
      return "silent: " + list_failures();
    case VipaState::kProbing:
      return asker + " asks whether another machine has it";
    case VipaState::kConflict:
      return "given up: " + conflict_;
    case VipaState::kOwned:
      return describe_owner();
    case VipaState::kStandby:
    case VipaState::kRouted:
      break;
  }
  const std::string name{vipa_state_name(state_)};
  if (asker.empty()) return fmt::format("{}: no interface to ask through ({})", name, list_failures());
  if (answered_by_) return fmt::format("{}: {} answers", name, answered_by_->to_string());
  if (unanswered_ >= kUnanswered) return fmt::format("{}: nobody answers on {}", name, asker);
  return fmt::format("{}: {} asks who answers", name, asker);
}

VipaReport VipaMachine::report() const {
  VipaReport report{
      .state = state_, .owner = owner_, .owner_entry = owner_entry_, .reason = describe(), .since = since_};
  report.moves = moves_;
  report.last_move = last_move_;
  report.pinned = pinned_;
  report.failback_to = failback_entry_;
  const Timer& hold = timer_of(VipaTimer::kHold);
  if (hold.is_armed) report.failback_at = hold.due;
  report.claims = claims_;
  report.defences = defences_;
  report.answered_by = answered_by_;
  const Timer& backoff = timer_of(VipaTimer::kBackoff);
  if (backoff.is_armed) report.retry_at = backoff.due;
  return report;
}

}  // namespace xdplb
