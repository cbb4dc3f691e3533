// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/check_scheduler.h"

#include "advisors/check_rounds.h"
#include "advisors/check_watches.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using Clock = CheckRounds::Clock;

constexpr int kStartsATurn = 64;  // then the other handlers of the loop get their turn

}  // namespace

class CheckScheduler::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, Prober prober, Limits limits)
      : io_(io),
        timer_(io),
        prober_(std::move(prober)),
        rounds_(limits, std::random_device{}()),
        watches_(io, [this](const std::string& key) { suspect(key); }) {}

  void close() {
    is_closed_ = true;
    timer_.cancel();
    watches_.clear();
  }

  void set(std::vector<Wanted> wanted) {
    rounds_.set(std::move(wanted), Clock::now());
    watches_.keep([this](const std::string& key) { return rounds_.find(key) != nullptr; });
    arm();
  }

  void hurry(const std::string& key) {
    rounds_.hurry(key, Clock::now());
    arm();
  }

  const CheckRounds& rounds() const { return rounds_; }

  FindWay find_way_{};
  OwnAddress own_address_{};
  CanFall can_fall_{};
  OnResult on_result_{};

 private:
  void suspect(const std::string& key) {
    rounds_.suspect(key, Clock::now());
    arm();
  }

  // The timer is left alone when it wakes us early enough: most new plans come after the one it waits for.
  void arm() {
    const auto next = rounds_.next_at();
    if (is_closed_ || !next || (is_armed_ && timer_.expiry() <= *next)) return;
    timer_.expires_at(*next);
    is_armed_ = true;
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->is_closed_) return;
      self->is_armed_ = false;
      self->take_turn();
    });
  }

  void take_turn() {
    if (is_in_turn_) return;  // a probe ended at once: the turn that began it goes on
    is_in_turn_ = true;
    for (int started = 0; started < kStartsATurn && !is_closed_; ++started) {
      auto run = rounds_.start(Clock::now());
      if (!run) break;
      begin(std::move(*run));
    }
    is_in_turn_ = false;
    arm();
  }

  Way find_way(const Check& check) const { return find_way_ ? find_way_(check) : Way{}; }

  static ProbeTarget target_of(const Check& check, const Way& way) {
    return {.destination = check.destination, .port = check.port, .mark = way.mark, .server = check.name};
  }

  void begin(CheckRounds::Run run) {
    Way way = find_way(*run.check());
    if (way.code == CheckCode::kNone) {
      asio::co_spawn(io_, probe_once(shared_from_this(), std::move(run), way.mark), asio::detached);
      return;
    }
    CheckResult result;
    result.code = way.code;
    result.text = std::move(way.why);
    finish(run, std::move(result), way.mark);
  }

  // Parameters live in the coroutine's frame: what `self` and `run` hold outlives the probe.
  static asio::awaitable<void> probe_once(std::shared_ptr<Impl> self, CheckRounds::Run run, std::uint32_t mark) {
    const Check& check = *run.check();
    CheckResult result;
    try {
      const ProbeTarget target = target_of(check, {.mark = mark});
      result = co_await self->prober_(check.advisor, target);
      if (!self->is_closed_ && self->rounds_.must_ask_own(run, result)) co_await ask_own(*self, run);
    } catch (const std::exception& error) {  // out of memory
      result = {};
      result.code = CheckCode::kSocketError;
      result.text = clean_text(error.what());
    }
    if (self->is_closed_) co_return;
    self->finish(run, std::move(result), mark);
    self->take_turn();
  }

  static asio::awaitable<void> ask_own(Impl& self, const CheckRounds::Run& run) {
    if (!self.own_address_) co_return;
    const auto own = self.own_address_(*run.check());
    if (!own) co_return;
    Check check = *run.check();
    check.destination = *own;
    const Way way = self.find_way(check);
    if (way.code != CheckCode::kNone) co_return;
    const AdvisorConfig question = own_address_question(check.advisor);
    const ProbeTarget target = target_of(check, way);
    const CheckResult result = co_await self.prober_(question, target);
    self.rounds_.answer_own(run, *own, result.ok());
  }

  void finish(const CheckRounds::Run& run, CheckResult result, std::uint32_t mark) {
    const bool is_ok = result.ok();
    // What this host could not send says nothing of the server.
    const bool is_failure = !is_ok && result.code != CheckCode::kSocketError;
    const bool can_fall = !is_failure || !can_fall_ || can_fall_(*run.check());
    const auto outcome =
        rounds_.finish(run, std::move(result), Clock::now(), std::chrono::system_clock::now(), can_fall);
    if (!outcome) return;
    const Check& check = outcome->check();
    if (check.advisor.watches) mind_watch(*outcome, is_ok, mark);
    if (!on_result_) return;
    const OnResult handler = on_result_;  // it may set another
    handler(check, outcome->health(), outcome->is_changed());
  }

  void mind_watch(const CheckRounds::Outcome& outcome, bool is_ok, std::uint32_t mark) {
    if (outcome.health().health() != Health::kUp) {
      watches_.close(outcome.key());
    } else if (is_ok) {
      watches_.open(outcome.key(), outcome.check().advisor, target_of(outcome.check(), {.mark = mark}));
    }
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  Prober prober_;
  CheckRounds rounds_;
  CheckWatches watches_;
  bool is_armed_ = false;
  bool is_in_turn_ = false;
  bool is_closed_ = false;
};

CheckScheduler::CheckScheduler(asio::io_context& io, Prober prober, Limits limits)
    : impl_(std::make_shared<Impl>(io, std::move(prober), limits)) {}

CheckScheduler::CheckScheduler(asio::io_context& io, ProbeTools& tools, Limits limits)
    : CheckScheduler(
          io,
          [&tools](const AdvisorConfig& advisor, const ProbeTarget& target) { return probe(tools, advisor, target); },
          limits) {}

CheckScheduler::~CheckScheduler() { impl_->close(); }

void CheckScheduler::on_way(FindWay find_way) { impl_->find_way_ = std::move(find_way); }
void CheckScheduler::on_own_address(OwnAddress own_address) { impl_->own_address_ = std::move(own_address); }
void CheckScheduler::on_can_fall(CanFall can_fall) { impl_->can_fall_ = std::move(can_fall); }
void CheckScheduler::on_result(OnResult handler) { impl_->on_result_ = std::move(handler); }

void CheckScheduler::set(std::vector<Wanted> wanted) { impl_->set(std::move(wanted)); }
void CheckScheduler::hurry(const std::string& key) { impl_->hurry(key); }
const CheckHealth* CheckScheduler::find(const std::string& key) const { return impl_->rounds().find(key); }
Lateness CheckScheduler::lateness() const { return impl_->rounds().lateness(Clock::now()); }
void CheckScheduler::close() { impl_->close(); }

}  // namespace xdplb
