// SPDX-License-Identifier: GPL-2.0-only
// Runs command lines in this process, against an ApiServer whose handler each test gives.
#pragma once

#include "api_fixture.h"
#include "cli/cli.h"
#include "control/request.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace xdplb::test {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

class CliTest : public testing::Test {
 protected:
  CliTest() {
    ::unsetenv("XDPLB_INSTANCE");
    std::filesystem::create_directories(socket().parent_path());
  }

  std::filesystem::path socket(const std::string& instance = "default") const {
    return roots().run / instance / "api.sock";
  }
  InstanceRoots roots() const {
    return {.run = folder_.path() / "run", .pins = folder_.path() / "pins", .state = folder_.path() / "state"};
  }

  // From now on a daemon answers: with what `answer` returns.
  void serve(std::function<Reply(const Request&)> answer) {
    server_ = std::make_unique<TestServer>(socket());
    const auto started =
        server_->start([this, answer = std::move(answer)](Request request) -> boost::asio::awaitable<Reply> {
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
          }
          co_return answer(request);
        });
    ASSERT_TRUE(started) << started.error().message;
  }
  void serve(const nlohmann::json& document) {
    serve([document](const Request&) { return make_reply(document); });
  }

  Outcome run(const std::vector<std::string>& words, const std::string& input = "") const {
    std::vector<const char*> argv = {"xdplb"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const CliEnvironment environment{
        .in = in, .out = out, .err = err, .has_colour = false, .program_dir = program_dir_, .roots = roots()};
    const int code = xdplb::run(static_cast<int>(argv.size()), argv.data(), environment);
    return {.code = code, .out = out.str(), .err = err.str()};
  }

  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // The only request that was made.
  template <typename T>
  T only() {
    const auto all = requests();
    EXPECT_EQ(all.size(), 1U);
    if (all.size() == 1 && std::holds_alternative<T>(all[0])) return std::get<T>(all[0]);
    ADD_FAILURE() << "the request is another one";
    return T{};
  }

  TemporaryFolder folder_;
  std::filesystem::path program_dir_ = "/nonexistent";

 private:
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::unique_ptr<TestServer> server_;
};

}  // namespace xdplb::test
