// SPDX-License-Identifier: GPL-2.0-only
// xdplbd: the controller of one instance.
#include "base/log.h"
#include "control/http_server.h"
#include "control/instance.h"
#include "control/problem_json.h"
#include "control/request_json.h"
#include "daemon/controller.h"
#include "daemon/doctor_once.h"
#include "daemon/instance_lock.h"
#include "daemon/verify_once.h"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

namespace {

using namespace xdplb;
namespace asio = boost::asio;

// Between the decision to end and the end.
constexpr auto kGrace = std::chrono::milliseconds(300);

constexpr rlim_t kDescriptors = 65536;

struct Arguments {
  std::string instance{kDefaultInstance};
  bool started_by_load = false;
  bool is_verbose = false;
  std::string answer;     // a target of the API to answer without being a daemon; empty: none
  bool examines = false;  // a task on standard input, see doctor_once.h
  bool verifies = false;  // a task on standard input, see verify_once.h
};

// The exit code when parsing ends the program, nullopt to go on.
std::optional<int> parse(int argc, char** argv, Arguments& arguments) {
  CLI::App app{"xdplbd, the daemon of the xdplb layer-4 dispatcher", "xdplbd"};
  app.add_option("--instance", arguments.instance, "Which dispatcher of this host")->envname("XDPLB_INSTANCE");
  app.add_flag("--started-by-load", arguments.started_by_load, "End when the last interface is unloaded");
  app.add_option("--answer", arguments.answer,
                 "Read maps and state once, answer this target of the API and end; `xdplb --offline` uses it");
  app.add_flag("--doctor", arguments.examines,
               "Look whether this host is ready for the task on standard input, and end; `xdplb doctor` uses it");
  app.add_flag("--verify", arguments.verifies,
               "Test the servers that the task on standard input names, and end; `xdplb verify` uses it");
  app.add_flag("-v,--verbose", arguments.is_verbose, "Log every detail");
  app.set_version_flag("--version", "xdplbd " XDPLB_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorCode::kUsage);
  }
  return std::nullopt;
}

// Two thousand silent servers are two thousand descriptors; the usual soft limit is 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kDescriptors) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kDescriptors);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log_warning("setrlimit: more descriptors are not to be had");
}

Result<void> serve(const Arguments& arguments) {
  raise_descriptor_limit();
  auto instance = Instance::make(arguments.instance);
  if (!instance) return instance.error();
  if (auto made = make_run_dir(*instance); !made) return made;
  const auto lock = InstanceLock::take(*instance);
  if (!lock) return lock.error();

  asio::io_context io(1);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  asio::steady_timer grace(io);
  std::unique_ptr<Controller> controller;
  std::unique_ptr<ApiServer> server;
  // Posted: it ends what its caller may be in the middle of.
  const auto stop = [&] {
    asio::post(io, [&] {
      signals.cancel();
      if (server) server->close();
      controller->close();
      // Replies under way leave in that time; a probe may wait for a silent server much longer.
      grace.expires_after(kGrace);
      grace.async_wait([&io](const boost::system::error_code& error) {
        if (!error) io.stop();
      });
    });
  };
  auto opened = Controller::open(io, {.instance = *instance, .started_by_load = arguments.started_by_load}, stop);
  if (!opened) return opened.error();
  controller = std::move(*opened);
  auto listening =
      ApiServer::listen(io, instance->socket, [&](Request request) { return controller->apply(std::move(request)); });
  if (!listening) return listening.error();
  server = std::move(*listening);
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    if (error) return;
    log_info(fmt::format("signal {}: ending; forwarding goes on", number));
    stop();
  });
  log_info(
      fmt::format("xdplbd {} answers for instance {} on {}", XDPLB_VERSION, instance->name, instance->socket.string()));
  io.run();
  return {};
}

// What is asked is answered on standard output, as JSON; an error is the problem object.
Reply answer(const Arguments& arguments) {
  const auto instance = Instance::make(arguments.instance);
  if (!instance) return instance.error();
  const auto request = decode_request("GET", arguments.answer, {});
  if (!request) return request.error();
  asio::io_context io(1);
  auto controller = Controller::open_offline(io, {.instance = *instance});
  if (!controller) return controller.error();
  return (*controller)->apply_offline(*request);
}

int answer_once(const Arguments& arguments) {
  const auto reply = answer(arguments);
  std::cout << dump_json(reply ? *reply : encode_problem(reply.error())) << '\n';
  return reply ? EXIT_SUCCESS : static_cast<int>(reply.error().code);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (const auto code = parse(argc, argv, arguments)) return *code;
  if (arguments.is_verbose) set_log_level(LogLevel::kDebug);
  try {
    if (!arguments.answer.empty()) return answer_once(arguments);
    if (arguments.examines) return doctor_once(std::cin, std::cout);
    if (arguments.verifies) return verify_once(std::cin, std::cout);
    const auto served = serve(arguments);
    if (served) return EXIT_SUCCESS;
    log_error(served.error().message);
    return static_cast<int>(served.error().code);
  } catch (const std::exception& error) {
    log_error(error.what());
    return static_cast<int>(ErrorCode::kFailed);
  }
}
