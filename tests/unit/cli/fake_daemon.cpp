// SPDX-License-Identifier: GPL-2.0-only
// Stands for xdplbd in the tests of `xdplb load`: takes its arguments, answers on its socket, forwards nothing.
//
// FAKE_RUN   the folder of run folders
// FAKE_MODE  "" | fail (ends with an error) | conflict | silent (never answers) | killed | adopted (has an interface
// from the start)
#include "control/http_server.h"
#include "control/instance.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using namespace xdplb;
using nlohmann::json;

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class FakeDaemon {
 public:
  explicit FakeDaemon(std::string_view mode) {
    if (mode == "adopted") names_.push_back("eth9");
  }

  int run(const Instance& instance) {
    auto server =
        ApiServer::listen(context_, instance.socket, [this](Request request) { return answer(std::move(request)); });
    if (!server) {
      fmt::print(stderr, "xdplbd: {}\n", server.error().message);
      return static_cast<int>(server.error().code);
    }
    server_ = std::move(*server);
    signals_.async_wait([this](auto error, int) {
      if (!error) server_->close();
    });
    context_.run();
    return 0;
  }

 private:
  json interfaces() const {
    json list = json::array();
    for (const std::string& name : names_) {
      list.push_back({{"name", name}, {"mode", "native"}, {"attach", "link"}, {"prog_id", 42}, {"up", true}});
    }
    return list;
  }

  boost::asio::awaitable<Reply> answer(Request request) {
    if (const auto* load = std::get_if<LoadRequest>(&request)) {
      if (load->interfaces.front() == "nosuch0") {
        co_return fail(ErrorCode::kNotFound, "interface nosuch0: there is none");
      }
      for (const std::string& name : load->interfaces) names_.push_back(name);
      co_return make_reply({{"interfaces", interfaces()}, {"warnings", json::array()}});
    }
    if (const auto* unload = std::get_if<UnloadRequest>(&request)) {
      const bool stops = unload->interfaces.empty();
      json gone = stops ? json(names_) : json(unload->interfaces);
      for (const std::string& name : unload->interfaces) std::erase(names_, name);
      if (stops) {
        server_->close();
        signals_.cancel();
      }
      co_return make_reply({{"interfaces", std::move(gone)}, {"stopped", stops}});
    }
    if (std::holds_alternative<ConfigApplyRequest>(request)) {
      co_return fail(ErrorCode::kInvalidConfig, "server web/80/s1: on no loaded interface's network");
    }
    co_return make_reply(
        {{"instance", "x"}, {"pid", ::getpid()}, {"interfaces", interfaces()}, {"problems", json::array()}});
  }

  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_{context_, SIGTERM};
  std::unique_ptr<ApiServer> server_;
  std::vector<std::string> names_;
};

}  // namespace

int main(int argc, char** argv) {
  // A test that is stopped half way must leave nothing behind.
  ::alarm(60);
  const bool is_line =
      argc == 4 && std::string_view(argv[1]) == "--instance" && std::string_view(argv[3]) == "--started-by-load";
  const auto instance = Instance::make(is_line ? argv[2] : "",
                                       {.run = std::filesystem::path(variable("FAKE_RUN")), .pins = {}, .state = {}});
  if (!instance) {
    fmt::print(stderr, "xdplbd: started with other arguments\n");
    return 2;
  }
  const std::string_view mode = variable("FAKE_MODE");
  if (mode == "killed") std::raise(SIGKILL);
  if (mode == "silent") {
    while (true) ::pause();
  }
  if (mode == "fail") {
    fmt::print(stderr,
               "2024-01-01T00:00:00Z info starting\n2024-01-01T00:00:00Z error kernel 4.9: XDP links need 5.9\n");
    return 6;
  }
  if (mode == "conflict") {
    fmt::print(stderr, "xdplbd: instance x already has a daemon\n");
    return 7;
  }
  return FakeDaemon(mode).run(*instance);
}
