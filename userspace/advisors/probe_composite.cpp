// SPDX-License-Identifier: GPL-2.0-only
// Several probes of one server at once.
#include "advisors/composite_verdict.h"
#include "advisors/probe_kinds.h"
#include "advisors/probe_tools.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

struct Part {
  const AdvisorConfig* advisor = nullptr;
  ProbeTarget target{};
  ProbeLog log{};
  CompositePart found{};
};

struct Parts {
  explicit Parts(asio::io_context& io) : all_done(io, ProbeClock::time_point::max()) {}
  std::vector<Part> list{};
  std::size_t under_way = 0;
  asio::steady_timer all_done;  // cancelled when they are
};

std::string name_of(const Part& part) {
  std::string name(advisor_type_name(part.advisor->type));
  if (part.target.port != 0 && part.advisor->type != AdvisorType::kPing) {
    name += ' ' + std::to_string(part.target.port);
  }
  return name;
}

asio::awaitable<void> run_part(ProbeTools& tools, std::shared_ptr<Parts> parts, Part& part, bool is_logged) {
  part.found.result = co_await probe(tools, *part.advisor, part.target, is_logged ? &part.log : nullptr);
  if (--parts->under_way == 0) parts->all_done.cancel();
}

void merge_logs(std::vector<Part>& parts, ProbeLog& log) {
  for (Part& part : parts) {
    for (ProbeStep& step : part.log) log.push_back({.at = step.at, .text = part.found.name + ": " + step.text});
  }
  std::stable_sort(log.begin(), log.end(), [](const ProbeStep& a, const ProbeStep& b) { return a.at < b.at; });
}

}  // namespace

asio::awaitable<CheckResult> probe_composite(ProbeTools& tools, const AdvisorConfig& advisor, const ProbeTarget& target,
                                             ProbeLog* log) {
  auto parts = std::make_shared<Parts>(tools.io());
  for (const AdvisorConfig& one : advisor.checks) {
    Part& part = parts->list.emplace_back();
    part.advisor = &one;
    part.target = target;
    part.target.port = one.port.value_or(target.port);
    part.found.name = name_of(part);
  }
  parts->under_way = parts->list.size();
  // Nothing of them outlives this: it waits for all.
  for (Part& part : parts->list) {
    asio::co_spawn(tools.io(), run_part(tools, parts, part, log != nullptr), asio::detached);
  }
  if (parts->under_way > 0) co_await parts->all_done.async_wait(asio::as_tuple(asio::use_awaitable));
  if (log != nullptr) merge_logs(parts->list, *log);
  std::vector<CompositePart> found;
  for (Part& part : parts->list) found.push_back(std::move(part.found));
  if (found.empty()) co_return make_result(CheckCode::kSocketError, ProbeClock::now(), "no checks");
  co_return combine_results(found, advisor.combine, advisor.at_least);
}

}  // namespace xdplb
