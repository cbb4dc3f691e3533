// SPDX-License-Identifier: GPL-2.0-only
// VipaMachine: who answers ARP or ND for one VIPA on this host, and what is sent about it. Pure: an event and the time
// go in, steps come out.
#pragma once

#include "model/config.h"
#include "net/address.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace xdplb {

// What an interface of the list is good for now.
enum class EntryState : std::uint8_t {
  kFailed,    // owns nothing
  kSettling,  // taken only when nothing better is there
  kSuspect,   // keeps what it owns; gains only when nothing better is there
  kUp,        // eligible
};

// One entry of the preferred list, in the operator's order.
struct VipaEntry {
  std::string name{};         // as the operator wrote it: "eth1", "10.1.1.5"
  std::uint32_t ifindex = 0;  // 0: there is no such interface now
  std::string interface {};   // its device name; empty: none
  EntryState state = EntryState::kFailed;
  std::string reason{};      // for people
  std::string cause{};       // of its failure: HealthVerdict::cause, or "address_gone", "not_loaded"
  unsigned hold_factor = 1;  // multiplies the hold of failback, which never exceeds kMaxHold
  bool operator==(const VipaEntry&) const = default;
};

inline constexpr std::chrono::seconds kMaxHold{300};  // unless the operator asks for a longer one

// Whether and how this host owns the VIPA.
enum class VipaRole : std::uint8_t {
  kOwner,   // claims it whenever an entry is healthy
  kBackup,  // claims it while nobody else answers, yields to whoever does
  kRouted,  // never answers; watches who does
};

struct VipaRules {
  VipaRole role = VipaRole::kOwner;
  Failback failback = Failback::kDelayed;
  std::chrono::seconds hold{kDefaultHold};
  OnConflict on_conflict = OnConflict::kDefend;
  DuplicateProbe probe = DuplicateProbe::kFast;
  std::chrono::seconds refresh{kDefaultRefresh};  // 0: never
  bool operator==(const VipaRules&) const = default;
};

enum class VipaState : std::uint8_t {
  kDisabled,  // the operator took it out
  kRouted,    // another machine answers
  kStandby,   // a backup: another machine answers
  kSilent,    // no entry is healthy
  kProbing,   // asks whether anybody has it, before the first claim
  kOwned,
  kConflict,  // given up to another machine; tried again later
};
// "disabled", "routed", "standby", "silent", "probing", "owned", "conflict"
std::string_view vipa_state_name(VipaState state);

enum class VipaTimer : std::uint8_t {
  kProbe,    // next probe, or the end of the quiet time after the last
  kHold,     // a better entry was healthy for long enough
  kBackoff,  // the end of a conflict
  kRefresh,  // announce again
  kWatch,    // ask again who answers
};
inline constexpr std::size_t kVipaTimerCount = 5;

// ---- What the machine wants done, in this order.

// No answer leaves by this interface any more, nothing of its series either.
struct StopAnswering {
  std::uint32_t ifindex = 0;
};
// From now on this interface answers, with its own MAC, and no other.
struct StartAnswering {
  std::uint32_t ifindex = 0;
};
// The series of announcements: at once, then as vipa/announce_schedule.h says.
struct AnnounceSeries {
  std::uint32_t ifindex = 0;
};
// One announcement: a refresh, a defence.
struct AnnounceOnce {
  std::uint32_t ifindex = 0;
};
// The unicast announcement to gateways and to those who asked lately.
struct TellNeighbours {
  std::uint32_t ifindex = 0;
};
// RFC 5227 probe, or a solicitation from ::. `kWatch` of a backup or a routed VIPA asks as a host does, from the
// interface's own address, so that it is answered and claims nothing.
struct Ask {
  std::uint32_t ifindex = 0;
  bool is_probe = true;
};
// Call timer() with these then. A later one of the same kind replaces it.
struct ArmTimer {
  VipaTimer timer = VipaTimer::kProbe;
  std::uint64_t epoch = 0;
  std::chrono::steady_clock::time_point due{};
};
// What happened, for the event log. Codes: vipa_owned, vipa_moved, vipa_silent, vipa_conflict, vipa_defended,
// vipa_yielded, vipa_standby, vipa_disabled, vipa_enabled, vipa_failback_pending, vipa_released.
struct TellEvent {
  std::string code{};
  std::string text{};
};
using VipaStep =
    std::variant<StopAnswering, StartAnswering, AnnounceSeries, AnnounceOnce, TellNeighbours, Ask, ArmTimer, TellEvent>;
using VipaSteps = std::vector<VipaStep>;

// Another machine says it has the VIPA, or is about to.
struct ForeignClaim {
  MacAddress mac{};
  std::uint32_t ifindex = 0;   // where it was heard
  bool is_probe = false;       // RFC 5227 probe (or DAD): it wants to have it
  bool is_answer = false;      // sent to us because we asked
  bool is_own_kernel = false;  // this host's kernel answers beside us
};

struct VipaMove {
  std::string from{};   // entry name; empty: none
  std::string to{};     // empty: none
  std::string cause{};  // of the entry that failed, "failback", "operator", "list_changed", "first_claim", "conflict"
  std::chrono::steady_clock::time_point at{};
};

// What there is to tell of one VIPA.
struct VipaReport {
  VipaState state = VipaState::kSilent;
  std::uint32_t owner = 0;                        // answers now; 0: none
  std::string owner_entry{};                      // its entry of the list
  std::string reason{};                           // for people: "eth1 answers: eth0 has no carrier"
  std::chrono::steady_clock::time_point since{};  // of state and owner
  std::uint64_t moves = 0;                        // from one interface to another
  std::optional<VipaMove> last_move{};
  std::string pinned{};       // the entry the operator moved it to; empty: none
  std::string failback_to{};  // the better entry that is being waited for; empty: none
  std::optional<std::chrono::steady_clock::time_point> failback_at{};  // absent with manual failback
  std::uint64_t claims = 0;                                            // heard while it was ours or wanted
  std::uint64_t defences = 0;
  std::optional<MacAddress> answered_by{};  // routed and standby: who answered last; absent: nobody the last 3 times
  std::optional<std::chrono::steady_clock::time_point> retry_at{};  // of a conflict
};

// States and transitions: see vipa_machine.cpp. Every step that changes who answers begins with StopAnswering of the
// old interface. A move between our own interfaces, and one out of a silence of at most 10 s, is never preceded by
// probes.
class VipaMachine {
 public:
  using Clock = std::chrono::steady_clock;

  // Begins silent, with an empty list. seed: of the jitter of its timers.
  VipaMachine(const IpAddress& address, const VipaRules& rules, std::uint32_t seed);

  const IpAddress& address() const { return address_; }

  // Another list, other states of its entries, or other rules; idempotent.
  // A new order alone moves an owned VIPA only by the rules of failback; an owner that left the list moves at once.
  VipaSteps update(const VipaRules& rules, const std::vector<VipaEntry>& entries, Clock::time_point now);

  // The owner's MAC changed, its bond has another active member, or the kernel asks to tell the neighbours.
  VipaSteps announce_again(std::uint32_t ifindex, Clock::time_point now);

  // A timer armed with `epoch` is due; a stale one does nothing.
  VipaSteps timer(VipaTimer timer, std::uint64_t epoch, Clock::time_point now);

  VipaSteps hear(const ForeignClaim& claim, Clock::time_point now);

  // The operator. Errors: kNotFound for an entry that is not of the list; kConflict for one that is not healthy, or a
  // VIPA that is disabled or routed; all name the VIPA and the entry.
  Result<VipaSteps> move_to(const std::string& entry, Clock::time_point now);
  VipaSteps resume(Clock::time_point now);                          // forgets the pin; failback as configured
  VipaSteps set_disabled(bool is_disabled, Clock::time_point now);  // out: silent at once

  // After a restart: what the operator said before. No steps: before the first update().
  void restore(bool is_disabled, const std::string& pinned);

  // The interface whose answers this host gives; 0: none. While probing, on standby or routed: nobody answers.
  std::uint32_t answering() const;
  // A foreign probe must be heard as a claim, not be answered: it is probing itself, or a backup that would yield.
  bool heeds_probes() const;

  VipaReport report() const;

 private:
  using TimePoint = Clock::time_point;
  using EntryIndex = std::optional<std::size_t>;
  struct Timer {
    std::uint64_t epoch = 0;
    bool is_armed = false;
    TimePoint due{};
  };
  // One call from outside: its time, and what comes of it.
  struct Turn {
    TimePoint now;
    VipaSteps steps{};

    void add(VipaStep step) { steps.push_back(std::move(step)); }
    void tell(std::string code, std::string text) { add(TellEvent{std::move(code), std::move(text)}); }
  };

  // A claim within that of the last answer is not preceded by probes.
  static constexpr std::chrono::seconds kOursFor{10};
  static constexpr unsigned kUnanswered = 3;  // questions in a row: nobody has it

  // vipa_machine_choice.cpp: which entry.
  EntryIndex find_entry(const std::string& name) const;
  EntryIndex usable(std::uint32_t ifindex) const;
  EntryIndex best() const;
  EntryIndex better() const;
  EntryIndex first_in(EntryState state) const;
  std::uint32_t current() const;
  EntryIndex choose();
  std::string owner_failure() const;
  Clock::duration hold_of(const VipaEntry& entry) const;
  std::string entry_name(std::uint32_t ifindex) const;
  std::string list_failures() const;
  std::string describe_owner() const;
  std::string describe() const;

  // vipa_machine.cpp: what follows from the list and the operator.
  void take_entries(const std::vector<VipaEntry>& entries, TimePoint now);
  void change_role(Turn& turn);
  void begin(Turn& turn);
  void follow_list(Turn& turn);
  void follow_owner(Turn& turn);
  void follow_watch(Turn& turn);
  void review_failback(Turn& turn);

  // vipa_machine_steps.cpp: who answers, and the timers.
  void set_state(VipaState state, TimePoint now);
  void start_claim(const VipaEntry& entry, Turn& turn);
  void start_probing(const VipaEntry& entry, Turn& turn);
  void go_on_probing(Turn& turn);
  void claim(const VipaEntry& entry, Turn& turn);
  void move(const VipaEntry& entry, const std::string& cause, const std::string& why, Turn& turn);
  void release(const std::string& cause, Turn& turn);
  void go_silent(const std::string& why, Turn& turn);
  void start_watching(VipaState state, Turn& turn);
  void ask_who_answers(Turn& turn);
  void go_on_watching(Turn& turn);
  void give_up(const ForeignClaim& claim, Turn& turn);
  void hear_as_owner(const ForeignClaim& claim, Turn& turn);
  void hear_own_kernel(const ForeignClaim& claim, Turn& turn);
  void note_move(std::string from, std::string to, std::string cause, TimePoint at);
  void forget_failback();
  void arm(VipaTimer timer, Clock::duration delay, Turn& turn);
  void arm_refresh(Turn& turn);
  void disarm(VipaTimer timer);
  void disarm_all();
  Timer& timer_of(VipaTimer timer) { return timers_[static_cast<std::size_t>(timer)]; }
  const Timer& timer_of(VipaTimer timer) const { return timers_[static_cast<std::size_t>(timer)]; }
  Clock::duration random_between(std::chrono::milliseconds from, std::chrono::milliseconds to);

  IpAddress address_;
  VipaRules rules_;
  std::minstd_rand random_;
  std::vector<VipaEntry> entries_{};
  std::map<std::uint32_t, TimePoint> up_since_{};  // healthy interfaces, as this machine saw them
  TimePoint order_since_{};                        // of entries_
  std::array<Timer, kVipaTimerCount> timers_{};

  VipaState state_ = VipaState::kSilent;
  TimePoint since_{};
  std::uint32_t owner_ = 0;
  std::string owner_entry_{};
  std::uint32_t asked_ = 0;  // probes or questions go through it
  std::string pinned_{};

  unsigned probes_sent_ = 0;
  std::optional<TimePoint> ours_until_{};  // a claim until then needs no probes: it was ours a moment ago

  std::uint32_t failback_ = 0;  // the better interface that is waited for
  std::string failback_entry_{};

  unsigned unanswered_ = 0;   // questions in a row
  bool is_answered_ = false;  // the last question
  bool is_pausing_ = false;   // between two rounds of questions who answers
  std::optional<MacAddress> answered_by_{};

  unsigned conflicts_ = 0;  // in a row, for the length of the back-off
  std::string conflict_{};  // of the last one, for people
  bool has_told_of_kernel_ = false;
  std::optional<TimePoint> claimed_at_{};
  std::optional<TimePoint> defended_at_{};
  std::optional<TimePoint> contested_until_{};  // announced more often
  std::optional<MacAddress> claimant_{};        // the last one, and when
  TimePoint claimant_at_{};

  std::uint64_t moves_ = 0;
  std::uint64_t claims_ = 0;
  std::uint64_t defences_ = 0;
  std::optional<VipaMove> last_move_{};
};

}  // namespace xdplb
