// SPDX-License-Identifier: GPL-2.0-only
#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace xdplb {
namespace {

using ::testing::MatchesRegex;

class Log : public ::testing::Test {
 protected:
  ~Log() override { set_log_level(LogLevel::kInfo); }

  static std::string written(LogLevel level, const std::string& text) {
    ::testing::internal::CaptureStderr();
    log(level, text);
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, WritesOneLineWithTimeAndLevel) {
  EXPECT_THAT(written(LogLevel::kWarning, "server web/443/s1: down"),
              MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z warning server web/443/s1: down\n"));
}

TEST_F(Log, LeavesOutWhatIsBelowTheLevel) {
  EXPECT_EQ(written(LogLevel::kDebug, "text"), "");
  EXPECT_NE(written(LogLevel::kInfo, "text"), "");
  set_log_level(LogLevel::kError);
  EXPECT_EQ(written(LogLevel::kWarning, "text"), "");
  EXPECT_NE(written(LogLevel::kError, "text"), "");
  set_log_level(LogLevel::kDebug);
  EXPECT_NE(written(LogLevel::kDebug, "text"), "");
}

TEST_F(Log, LinesOfThreadsStayWhole) {
  ::testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int line = 0; line < 200; ++line) log_info("0123456789 0123456789 0123456789");
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string all = ::testing::internal::GetCapturedStderr();
  int whole = 0;
  for (std::size_t at = 0; (at = all.find(" info 0123456789 0123456789 0123456789\n", at)) != std::string::npos; ++at) {
    ++whole;
  }
  EXPECT_EQ(whole, 800);
}

}  // namespace
}  // namespace xdplb
