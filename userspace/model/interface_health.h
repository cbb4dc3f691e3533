// SPDX-License-Identifier: GPL-2.0-only
// InterfaceHealth: which interfaces may own VIPAs, by what the kernel, the reach targets and the operator say. Pure:
// the clock is the caller's.
#pragma once

#include "model/config.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace xdplb {

// One interface as the kernel tells of it now.
struct LinkFacts {
  bool exists = false;
  std::uint32_t ifindex = 0;
  bool is_up = false;            // IFF_UP
  bool has_carrier = false;      // IFF_LOWER_UP and operstate UP or UNKNOWN
  std::string master{};          // the bridge or bond it is enslaved to; empty: none
  bool lacks_program = false;    // traffic for VIPAs is forwarded by XDP, and no program of ours is attached
  std::string program_reason{};  // why, for people
  bool operator==(const LinkFacts&) const = default;
};

enum class HealthState : std::uint8_t {
  kAbsent,    // no interface has the name
  kDown,      // failed
  kSettling,  // the link is up again; not healthy before the delay, and the first answer of a reach target
  kUp,        // healthy
  kSuspect,   // misses answers: keeps what it owns, gains nothing
  kDisabled,  // the operator said so
};
std::string_view health_state_name(HealthState state);  // "absent", "down", "settling", "up", "suspect", "disabled"

// What the rest of the program may do with an interface.
struct HealthVerdict {
  HealthState state = HealthState::kAbsent;
  // For people: "healthy", "no carrier", "it is down", "it is enslaved to br0", "10.1.1.1 did not answer 3 times",
  // "the operator disabled it".
  std::string reason{};
  // "gone", "admin_down", "no_carrier", "enslaved", "reach_lost", "send_errors", "no_program", "disabled", empty while
  // it has not failed. Of the last change.
  std::string cause{};
  std::chrono::steady_clock::time_point since{};
  unsigned hold_factor = 1;  // 1, 2, 4, ...: failures within a minute of being up double the hold of failback
  bool operator==(const HealthVerdict&) const = default;
};

// All interfaces that are listed for a VIPA or loaded, by device name.
//
// Silence of the wire is never a failure by itself. When every interface that was healthy loses its targets at once,
// the targets are blamed: all stay healthy and is_reach_suspect() holds until one answers.
// Source of the rules: bonding (updelay, arp_validate), teamd link watchers, RFC 5227 for the times.
class InterfaceHealth {
 public:
  using Clock = std::chrono::steady_clock;

  // Takes effect on what is known already.
  void configure(const HealthConfig& config, Clock::time_point now);

  // The whole list of watched interfaces; unknown names are new, missing ones are forgotten.
  void set_links(const std::map<std::string, LinkFacts>& links, Clock::time_point now);

  // The operator's word; unknown names are remembered for when they appear.
  void set_disabled(const std::string& name, bool is_disabled, Clock::time_point now);

  // The outcome of one round of questions through an interface: by target, how many in a row went unanswered (0: it
  // answered). The whole list of targets that can be asked through it; empty: none.
  void set_reach(const std::string& name, const std::map<IpAddress, unsigned>& missed, Clock::time_point now);

  // The kernel refused to send a frame. ENETDOWN, ENODEV and ENXIO are a failure at once, others (ENOBUFS, EIO) when
  // there are 3 within 5 s. A failure by send errors ends with the next change of the link, or after 5 s without one.
  void note_send_error(const std::string& name, int error_number, Clock::time_point now);

  // Ends delays whose time has come. next_wake: when to call it; nullopt: nothing is pending.
  void tick(Clock::time_point now);
  std::optional<Clock::time_point> next_wake() const;

  // kAbsent for a name that is not watched.
  HealthVerdict verdict(const std::string& name) const;
  std::map<std::string, HealthVerdict> verdicts() const;
  // Every interface lost its reach targets at once: the targets are blamed, nothing moves.
  bool is_reach_suspect() const;
  std::map<IpAddress, unsigned> reach(const std::string& name) const;  // as last set

 private:
  struct Interface {
    LinkFacts facts{};
    bool is_new = true;
    bool is_disabled = false;
    std::optional<Clock::time_point> carrier_lost{};
    bool is_link_good = false;
    Clock::time_point good_since{};                 // the link, and since the last failure of reach
    bool is_settled = false;                        // it was good for the delay
    bool awaits_answer = false;                     // of a reach target, since the link is good
    std::map<IpAddress, unsigned> missed{};         // as set
    std::map<IpAddress, unsigned> forgiven{};       // of them: not held against it
    std::optional<Clock::time_point> answered{};    // the last silence ended
    std::optional<Clock::time_point> first_miss{};  // of the silence that lasts
    std::optional<Clock::time_point> lost{};        // as many as make a failure
    std::optional<Clock::time_point> judge_at{};    // the verdict waits for the others
    bool has_lost_reach = false;                    // failed by it
    std::deque<Clock::time_point> send_errors{};
    std::optional<Clock::time_point> send_failed{};  // the last error of a failure
    int error_number = 0;
    bool has_failed = false;                       // ever, by itself: neither by the operator nor for want of a program
    std::optional<Clock::time_point> became_up{};  // after a failure
    HealthVerdict verdict{};

    // Usable, but for its reach targets.
    bool is_contender() const { return is_link_good && !facts.lacks_program && !is_disabled && !has_lost_reach; }
  };
  struct Failure {
    HealthState state = HealthState::kDown;
    std::string cause{};
    std::string reason{};
  };
  enum class Blame : std::uint8_t { kInterface, kTargets, kUndecided };

  void evaluate(Clock::time_point now);
  void follow_link(Interface& interface, Clock::time_point now);
  void follow_reach(Interface& interface, Clock::time_point now);
  void judge_reach(Clock::time_point now);
  void end_blame(Clock::time_point now);
  Blame blame_for(const Interface& lost, Clock::time_point now) const;
  void settle(Interface& interface, Clock::time_point now);
  void conclude(Interface& interface, Clock::time_point now);
  void note_failure(Interface& interface, Clock::time_point now);
  std::optional<Failure> link_failure(const Interface& interface, Clock::time_point now) const;
  std::optional<Failure> failure(const Interface& interface, Clock::time_point now) const;
  HealthVerdict judge(const Interface& interface, Clock::time_point now) const;
  // By the policy, over the configured targets; nullopt: none is asked through it. `forgiven`: so many of them count
  // not.
  std::optional<unsigned> unanswered(const Interface& interface, const std::map<IpAddress, unsigned>& forgiven) const;
  std::optional<unsigned> unanswered(const Interface& interface) const { return unanswered(interface, {}); }
  std::string silent_targets(const Interface& interface) const;
  Clock::duration interval() const { return std::chrono::seconds(config_.reach_interval_s); }
  // In which every other interface had its turn, with some room for a late timer.
  Clock::duration turn() const { return interval() * 5 / 4; }

  HealthConfig config_{};
  std::map<std::string, Interface> interfaces_{};
  std::set<std::string> disabled_{};
  bool is_reach_suspect_ = false;
};

}  // namespace xdplb
