// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/doctor_once.h"

#include "control/problem_json.h"
#include "control/request.h"
#include "doctor/doctor_run.h"
#include "doctor/doctor_task.h"
#include "model/json_text.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <exception>
#include <istream>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

Result<DoctorTask> read_task(std::istream& in) {
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto document = parse_json(text, "task");
  if (!document) return document.error();
  return decode_doctor_task(*document);
}

Reply answer(std::istream& in) {
  auto task = read_task(in);
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

int doctor_once(std::istream& in, std::ostream& out) {
  const auto reply = answer(in);
  out << dump_json(reply ? *reply : encode_problem(reply.error())) << '\n';
  return reply ? EXIT_SUCCESS : static_cast<int>(reply.error().code);
}

}  // namespace xdplb
