// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/doctor_once.h"

#include "daemon/task_once.h"
#include "doctor/doctor_run.h"
#include "doctor/doctor_task.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

Reply answer(const nlohmann::json& document) {
  auto task = decode_doctor_task(document);
  if (!task) return task.error();
  asio::io_context io(1);
  std::optional<Result<DoctorReport>> report;
  std::exception_ptr failure;
  asio::co_spawn(io, examine(io, std::move(*task)), [&](std::exception_ptr thrown, Result<DoctorReport> result) {
    failure = std::move(thrown);
    report = std::move(result);
    io.stop();
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  if (!*report) return report->error();
  return make_reply(encode_doctor_report(**report));
}

}  // namespace

int doctor_once(std::istream& in, std::ostream& out) { return answer_task(in, out, answer); }

}  // namespace xdplb
