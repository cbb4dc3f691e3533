// SPDX-License-Identifier: GPL-2.0-only
// A real ApiServer on a socket in a temporary folder, its context run by a thread. Also used by tests/unit/cli.
#pragma once

#include "control/http_server.h"
#include "control/instance.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>

namespace xdplb::test {

// A folder of its own, short enough for a socket's path; removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = "/tmp/xdplb-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp " << name;
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Runs an io_context until the end of the test; what touches its objects is posted.
class ContextThread {
 public:
  ContextThread() : guard_(boost::asio::make_work_guard(context)), thread_([this] { context.run(); }) {}
  ~ContextThread() {
    context.stop();
    thread_.join();
  }
  ContextThread(const ContextThread&) = delete;
  ContextThread& operator=(const ContextThread&) = delete;

  // Runs `function` on the context's thread and waits for it.
  template <typename Function>
  void run(Function function) {
    std::promise<void> done;
    boost::asio::post(context, [&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }

  boost::asio::io_context context{1};

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

// One server; listens from start() on.
class TestServer {
 public:
  explicit TestServer(std::filesystem::path socket) : socket_(std::move(socket)) {}
  ~TestServer() {
    thread_.run([this] { server_.reset(); });
  }

  Result<void> start(ApiServer::Handler handler, ServerLimits limits = {}) {
    Result<void> outcome;
    thread_.run([&] {
      auto server = ApiServer::listen(thread_.context, socket_, std::move(handler), limits);
      if (server) {
        server_ = std::move(*server);
      } else {
        outcome = server.error();
      }
    });
    return outcome;
  }
  void close() {
    thread_.run([this] { server_->close(); });
  }
  ContextThread& thread() { return thread_; }

 private:
  std::filesystem::path socket_;
  ContextThread thread_;
  std::unique_ptr<ApiServer> server_;
};

}  // namespace xdplb::test
