// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/check_rounds.h"

#include <algorithm>
#include <utility>

namespace xdplb {
namespace {

using Clock = CheckRounds::Clock;

constexpr int kLatePart = 10;  // of an interval: a probe later than a tenth of it counts from when it began

}  // namespace

struct CheckRounds::Server {
  unsigned running = 0;
  Queue waiting{};  // due, and no place for them
};

struct CheckRounds::Entry : std::enable_shared_from_this<CheckRounds::Entry> {
  explicit Entry(const CheckPace& pace) : health(pace) {}

  std::string key{};
  std::shared_ptr<const Check> check{};
  std::uint64_t definition = 0;  // counts up when the check is another
  CheckHealth health;
  OwnAddressJudge judge{};
  std::shared_ptr<Server> server{};
  Queue* queue = nullptr;  // where it is; nullptr: under way
  Queue::iterator place{};
  Queue::node_type node{};          // while it is in none
  Clock::time_point planned{};      // the start of the next probe, or of the one under way
  Clock::time_point counts_from{};  // of the one under way: what the next is planned from
  Clock::duration interval{};       // that `planned` keeps
  unsigned suspected = 0;           // results that still come at the fast pace
  bool is_gone = false;
};

const std::string& CheckRounds::Outcome::key() const { return entry_->key; }
const CheckHealth& CheckRounds::Outcome::health() const { return entry_->health; }

CheckRounds::CheckRounds(CheckScheduler::Limits limits, std::uint64_t random_seed)
    : limits_{.in_flight = std::max(1U, limits.in_flight), .per_server = std::max(1U, limits.per_server)},
      random_(random_seed) {}

CheckRounds::~CheckRounds() = default;

void CheckRounds::move(Entry& entry, Queue& queue, Clock::time_point planned) {
  take_out(entry);
  entry.planned = planned;
  if (entry.node.empty()) {
    entry.place = queue.emplace(planned, &entry);
  } else {
    entry.node.key() = planned;
    entry.place = queue.insert(std::move(entry.node));
  }
  entry.queue = &queue;
}

void CheckRounds::take_out(Entry& entry) {
  if (entry.queue == nullptr) return;
  entry.node = entry.queue->extract(entry.place);
  entry.queue = nullptr;
}

bool CheckRounds::is_current(const Run& run) const {
  return !run.entry_->is_gone && run.definition_ == run.entry_->definition;
}

std::shared_ptr<CheckRounds::Server> CheckRounds::server_of(const IpAddress& address) {
  auto& known = servers_[address];
  auto server = known.lock();
  if (!server) known = server = std::make_shared<Server>();
  return server;
}

void CheckRounds::wake_waiting(Server& server) {
  for (unsigned places = server.running; places < limits_.per_server && !server.waiting.empty(); ++places) {
    Entry& entry = *server.waiting.begin()->second;
    move(entry, due_, entry.planned);
  }
}

// Its question is the same; the name or the pace may be others.
void CheckRounds::keep(Entry& entry, CheckScheduler::Wanted& wanted, Clock::time_point now) {
  if (entry.check->name != wanted.check.name) entry.check = std::make_shared<const Check>(std::move(wanted.check));
  if (entry.health.pace() == wanted.pace) return;
  entry.health.set_pace(wanted.pace);
  const auto soon = now + start_wait(wanted.pace, chance());
  if (entry.queue != &due_ || entry.planned <= soon) return;
  entry.interval = wanted.pace.interval;
  move(entry, due_, soon);
}

void CheckRounds::redefine(Entry& entry, CheckScheduler::Wanted& wanted, Clock::time_point now) {
  entry.check = std::make_shared<const Check>(std::move(wanted.check));
  entry.health.set_pace(wanted.pace);
  entry.judge = {};
  entry.suspected = 0;
  entry.interval = wanted.pace.interval;
  ++entry.definition;
  move(entry, due_, now);
}

std::shared_ptr<CheckRounds::Entry> CheckRounds::make(CheckScheduler::Wanted& wanted, Clock::time_point now) {
  auto entry = std::make_shared<Entry>(wanted.pace);
  if (wanted.seed != Health::kUnknown) entry->health.seed(wanted.seed);
  entry->server = server_of(wanted.check.server);
  entry->interval = wanted.pace.interval;
  entry->check = std::make_shared<const Check>(std::move(wanted.check));
  const auto planned = wanted.hurry ? now : now + start_wait(wanted.pace, chance());
  move(*entry, due_, planned);
  return entry;
}

void CheckRounds::set(std::vector<CheckScheduler::Wanted> wanted, Clock::time_point now) {
  std::unordered_map<std::string, std::shared_ptr<Entry>> kept;
  std::vector<std::pair<std::string, CheckScheduler::Wanted*>> unknown;
  for (auto& one : wanted) {
    std::string key = one.check.key();
    auto known = entries_.find(key);
    if (known != entries_.end()) {
      keep(*known->second, one, now);
      kept.insert(entries_.extract(known));
    } else if (!kept.contains(key)) {
      unknown.emplace_back(std::move(key), &one);
    }
  }
  std::unordered_multimap<std::string, std::shared_ptr<Entry>> left;  // by subject
  for (auto& [key, entry] : entries_) left.emplace(entry->check->subject(), std::move(entry));
  for (auto& [key, one] : unknown) {
    if (kept.contains(key)) continue;  // said twice
    auto same = left.find(one->check.subject());
    std::shared_ptr<Entry> entry;
    if (same == left.end()) {
      entry = make(*one, now);
    } else {
      entry = std::move(same->second);
      left.erase(same);
      redefine(*entry, *one, now);
    }
    entry->key = key;
    kept.emplace(std::move(key), std::move(entry));
  }
  for (auto& [subject, entry] : left) {
    take_out(*entry);
    entry->is_gone = true;
  }
  entries_ = std::move(kept);
  left.clear();
  std::erase_if(servers_, [](const auto& server) { return server.second.expired(); });
  for (const auto& [address, weak] : servers_) wake_waiting(*weak.lock());
}

void CheckRounds::hurry(const std::string& key, Clock::time_point now) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  if (entry.queue == &due_ && entry.planned > now) move(entry, due_, now);
}

void CheckRounds::suspect(const std::string& key, Clock::time_point now) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return;
  found->second->suspected = found->second->health.pace().fall;
  hurry(key, now);
}

const CheckHealth* CheckRounds::find(const std::string& key) const {
  auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second->health;
}

std::optional<Clock::time_point> CheckRounds::next_at() const {
  if (due_.empty() || in_flight_ >= limits_.in_flight) return std::nullopt;
  return due_.begin()->first;
}

std::optional<CheckRounds::Run> CheckRounds::start(Clock::time_point now) {
  while (in_flight_ < limits_.in_flight && !due_.empty() && due_.begin()->first <= now) {
    Entry& entry = *due_.begin()->second;
    if (entry.server->running >= limits_.per_server) {
      move(entry, entry.server->waiting, entry.planned);
      continue;
    }
    take_out(entry);
    ++in_flight_;
    ++entry.server->running;
    const auto late = now - entry.planned;
    meter_.add(now, late, entry.interval);
    entry.counts_from = late * kLatePart > entry.interval ? now : entry.planned;
    Run run;
    run.entry_ = entry.shared_from_this();
    run.check_ = entry.check;
    run.definition_ = entry.definition;
    return run;
  }
  return std::nullopt;
}

bool CheckRounds::must_ask_own(const Run& run, const CheckResult& result) {
  return is_current(run) && run.check_->destination != run.check_->server && run.entry_->judge.must_ask(result);
}

void CheckRounds::answer_own(const Run& run, const IpAddress& own, bool is_there) {
  if (is_current(run)) run.entry_->judge.answer(own, is_there);
}

std::optional<CheckRounds::Outcome> CheckRounds::finish(const Run& run, CheckResult result, Clock::time_point now,
                                                        std::chrono::system_clock::time_point at, bool can_fall) {
  Entry& entry = *run.entry_;
  --in_flight_;
  --entry.server->running;
  wake_waiting(*entry.server);
  if (!is_current(run)) return std::nullopt;
  entry.judge.judge(result);
  Outcome outcome;
  outcome.entry_ = run.entry_;
  outcome.check_ = entry.check;
  outcome.is_changed_ = entry.health.take(result, at, can_fall);
  plan_next(entry, now);
  return outcome;
}

void CheckRounds::plan_next(Entry& entry, Clock::time_point now) {
  auto wait = entry.health.next_wait(chance());
  if (entry.suspected > 0) {
    --entry.suspected;
    wait = std::min(wait, entry.health.pace().fast_interval);
  }
  entry.interval = wait;
  move(entry, due_, std::max(now, entry.counts_from + wait));
}

}  // namespace xdplb
