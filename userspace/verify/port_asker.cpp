// SPDX-License-Identifier: GPL-2.0-only
#include "verify/port_asker.h"

#include "advisors/probe.h"
#include "advisors/probe_tools.h"
#include "base/log.h"
#include "host/pause.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kWorkers = 64;          // connections at a time
constexpr const char* kInstance = "verify!";  // no instance of a daemon can have that name

// Shared by the probes under way: whoever of them and the caller ends last takes the routes back.
struct PortRound {
  PortRound(asio::io_context& io, ProbeRoutes made, std::vector<PortQuestion> all)
      : routes(std::move(made)), questions(std::move(all)), results(questions.size()), tools(io), done(io) {
    done.expires_at(asio::steady_timer::time_point::max());
  }
  ~PortRound() { clear(); }
  PortRound(const PortRound&) = delete;
  PortRound& operator=(const PortRound&) = delete;

  void clear() {
    if (std::exchange(is_cleared, true)) return;
    if (auto cleared = routes.clear(); !cleared) log_error(cleared.error().message);
  }

  ProbeRoutes routes;
  std::vector<PortQuestion> questions;
  std::vector<CheckResult> results;
  ProbeTools tools;
  asio::steady_timer done;
  std::size_t next = 0;
  std::size_t workers = 0;
  bool is_cleared = false;
};

asio::awaitable<CheckResult> ask_one(PortRound& round, const PortQuestion& question) {
  const auto family = question.vipa.family();
  const ProbeTarget target{.destination = question.vipa,
                           .port = question.advisor.port.value_or(question.port),
                           .mark = round.routes.mark_of(question.hop.server, family),
                           .server = question.server,
                           .waits_for_end = true};
  if (target.mark == 0)
    co_return CheckResult{.code = CheckCode::kSocketError,
                          .text = "no route to it: " + round.routes.failure_of(question.hop.server, family)};
  co_return co_await probe(round.tools, question.advisor, target);
}

asio::awaitable<void> work(std::shared_ptr<PortRound> round) {
  while (round->next < round->questions.size()) {
    const std::size_t at = round->next++;
    round->results[at] = co_await ask_one(*round, round->questions[at]);
  }
  if (--round->workers == 0) round->done.cancel();
}

// Whether what failed belongs to single servers, as their results tell, and not to this host.
bool is_of_servers(const ProbeRoutes& routes, const std::vector<ProbeNextHop>& hops) {
  return std::any_of(hops.begin(), hops.end(), [&routes](const ProbeNextHop& hop) {
    return !routes.failure_of(hop.server, Family::kV4).empty() || !routes.failure_of(hop.server, Family::kV6).empty();
  });
}

}  // namespace

asio::awaitable<Result<std::vector<CheckResult>>> ask_ports(asio::io_context& io, std::vector<PortQuestion> questions) {
  if (questions.empty()) co_return std::vector<CheckResult>();
  auto routes = ProbeRoutes::open(kInstance);
  if (!routes) co_return routes.error();
  const auto round = std::make_shared<PortRound>(io, std::move(*routes), std::move(questions));
  std::vector<ProbeNextHop> hops;
  for (const auto& question : round->questions) hops.push_back(question.hop);
  // What failed for single servers is told by their results.
  if (auto set = round->routes.set(hops); !set) {
    if (!is_of_servers(round->routes, hops)) co_return set.error();
    log_debug(set.error().message);
  }
  round->workers = std::min(kWorkers, round->questions.size());
  for (std::size_t i = round->workers; i > 0; --i) asio::co_spawn(io, work(round), asio::detached);
  co_await round->done.async_wait(asio::as_tuple(asio::use_awaitable));
  round->clear();
  co_return std::move(round->results);
}

}  // namespace xdplb
