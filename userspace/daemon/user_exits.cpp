// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/user_exits.h"

#include "host/child_process.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <deque>
#include <nlohmann/json.hpp>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using nlohmann::json;
using SystemClock = std::chrono::system_clock;

struct Call {
  std::string object{};
  std::string text{};
  std::map<std::string, std::string> details{};
  SystemClock::time_point time{};
};

// RFC 3339, UTC, seconds.
std::string time_text(SystemClock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(SystemClock::to_time_t(time)));
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter; });
  return text;
}

std::string first_line(const std::string& text) { return text.substr(0, std::min(text.find('\n'), std::size_t{200})); }

ChildCommand command_for(const ExitConfig& config, const std::string& instance, const Call& call) {
  std::map<std::string, std::string> told = call.details;
  // What we say of the event itself counts before a detail of that name.
  told.insert_or_assign("event", std::string(exit_event_name(config.event)));
  told.insert_or_assign("instance", instance);
  told.insert_or_assign("object", call.object);
  told.insert_or_assign("text", call.text);
  told.insert_or_assign("time", time_text(call.time));
  ChildCommand command{.argv = config.command, .user = config.user, .timeout = std::chrono::seconds(config.timeout_s)};
  for (const auto& [name, value] : told) command.environment.emplace_back("XDPLB_" + upper(name), value);
  command.input = json(told).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return command;
}

std::string result_text(const ExitConfig& config, const Result<ChildOutcome>& outcome) {
  if (!outcome) return "refused: " + outcome.error().message;
  if (outcome->timed_out) return fmt::format("timed out after {} s", config.timeout_s);
  const std::string words = outcome->errors.empty() ? std::string() : ": " + first_line(outcome->errors);
  if (!outcome->exit_code) return fmt::format("signal {}{}", outcome->signal, words);
  return *outcome->exit_code == 0 ? "exit 0" : fmt::format("exit {}{}", *outcome->exit_code, words);
}

}  // namespace

struct UserExits::State : std::enable_shared_from_this<UserExits::State> {
  struct Exit {
    ExitView view{};  // `waiting` is of `queue`
    bool is_configured = false;
    std::deque<Call> queue{};
  };

  State(asio::io_context& context, std::string name, FailureHandler handler)
      : io(context), instance(std::move(name)), on_failure(std::move(handler)) {}

  void start(Exit& exit) {
    if (exit.view.is_running || exit.queue.empty()) return;
    exit.view.is_running = true;
    asio::co_spawn(io, work(shared_from_this(), exit), asio::detached);
  }

  // Until the queue is empty. An Exit stays where it is while there is a State.
  static asio::awaitable<void> work(std::shared_ptr<State> self, Exit& exit) {
    while (!exit.queue.empty()) {
      const Call call = std::move(exit.queue.front());
      exit.queue.pop_front();
      const ExitConfig config = exit.view.config;
      const auto start = SystemClock::now();
      const auto outcome = co_await run_child(command_for(config, self->instance, call),
                                              fmt::format("exit {}", exit_event_name(config.event)));
      self->note(exit, call, start, result_text(config, outcome));
    }
    exit.view.is_running = false;
  }

  void note(Exit& exit, const Call& call, SystemClock::time_point start, std::string result) {
    const bool is_failure = result != "exit 0";
    const bool is_new = result != exit.view.last_result;
    ++exit.view.runs;
    if (is_failure) ++exit.view.failures;
    exit.view.last_at = start;
    exit.view.last_result = std::move(result);
    if (!is_failure || !is_new || !on_failure) return;
    const FailureHandler handler = on_failure;  // it may end the UserExits
    handler(exit.view.config.event, call.object, std::string(exit.view.last_result));
  }

  asio::io_context& io;
  std::string instance;
  FailureHandler on_failure;
  std::map<ExitEvent, Exit> exits{};  // of every event that was ever configured
};

UserExits::UserExits(asio::io_context& io, std::string instance, FailureHandler on_failure)
    : state_(std::make_shared<State>(io, std::move(instance), std::move(on_failure))) {}

UserExits::~UserExits() {
  state_->on_failure = nullptr;
  configure({});
}

void UserExits::configure(const std::vector<ExitConfig>& exits) {
  for (auto& [event, exit] : state_->exits) exit.is_configured = false;
  for (const ExitConfig& config : exits) {
    auto& exit = state_->exits[config.event];
    exit.view.config = config;
    exit.is_configured = true;
  }
  for (auto& [event, exit] : state_->exits) {
    if (exit.is_configured) continue;
    exit.queue.clear();
    // Its numbers are not those of a later configuration.
    exit.view = {.config = exit.view.config, .is_running = exit.view.is_running};
  }
}

void UserExits::fire(ExitEvent event, std::string object, std::string text,
                     std::map<std::string, std::string> details) {
  const auto found = state_->exits.find(event);
  if (found == state_->exits.end() || !found->second.is_configured) return;
  auto& exit = found->second;
  if (exit.queue.size() >= kQueued) {
    exit.queue.pop_front();
    ++exit.view.dropped;
  }
  exit.queue.push_back({.object = std::move(object),
                        .text = std::move(text),
                        .details = std::move(details),
                        .time = SystemClock::now()});
  state_->start(exit);
}

std::vector<ExitView> UserExits::view() const {
  std::vector<ExitView> all;
  for (const auto& [event, exit] : state_->exits) {
    if (!exit.is_configured) continue;
    all.push_back(exit.view);
    all.back().waiting = exit.queue.size();
  }
  return all;
}

}  // namespace xdplb
