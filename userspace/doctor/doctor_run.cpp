// SPDX-License-Identifier: GPL-2.0-only
#include "doctor/doctor_run.h"

#include "doctor/doctor_judge.h"
#include "doctor/read_facts.h"

#include <unistd.h>

#include <chrono>
#include <iterator>
#include <utility>

namespace xdplb {
namespace {

constexpr auto kWait = std::chrono::milliseconds(600);  // for who answers for the VIPAs

}  // namespace

DoctorReport judge_doctor(const DoctorNeeds& needs, const DoctorFacts& facts) {
  DoctorReport report;
  const auto take = [&](std::vector<Check> checks) {
    report.checks.insert(report.checks.end(), std::make_move_iterator(checks.begin()),
                         std::make_move_iterator(checks.end()));
  };
  take(judge_kernel(facts.kernel));
  take(judge_interfaces(needs, facts.interfaces, facts.limits.cpus));
  take(judge_network(needs, facts.network));
  take(judge_limits(needs, facts.limits));
  return report;
}

boost::asio::awaitable<Result<DoctorReport>> examine(boost::asio::io_context& io, DoctorTask task) {
  if (::geteuid() != 0) co_return fail(ErrorCode::kPermission, "doctor: it looks into the kernel: run it as root");
  const auto needs = needs_of(task);
  auto interfaces = read_interfaces(needs, task.instance);
  if (!interfaces) co_return interfaces.error();
  auto network = read_network(needs);
  if (!network) co_return network.error();
  co_await ask_for_vipas(io, needs, kWait, *network);
  co_return judge_doctor(needs, {.kernel = read_kernel(),
                                 .interfaces = std::move(*interfaces),
                                 .network = std::move(*network),
                                 .limits = read_limits(task.daemon)});
}

}  // namespace xdplb
