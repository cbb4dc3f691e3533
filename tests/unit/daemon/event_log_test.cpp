// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/event_log.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

TEST(EventLog, TellsWhatCameAfterAnId) {
  EventLog log;
  log.add("drained", "server web/80/s1", "no flows");
  log.add("half_open_high", "port web/80", "many");
  const auto all = log.after(0);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].code, "drained");
  EXPECT_EQ(all[1].object, "port web/80");
  EXPECT_EQ(all[1].id, all[0].id + 1);
  EXPECT_EQ(log.after(all[0].id).size(), 1U);
  EXPECT_TRUE(log.after(all[1].id).empty());
}

TEST(EventLog, IdsGrowOverARestart) {
  EventLog before;
  before.add("a", "b", "c");
  EventLog after;
  after.add("a", "b", "c");
  EXPECT_GT(after.after(0)[0].id, before.after(0)[0].id);
}

TEST(EventLog, OldOnesAreForgottenAndTheGapShows) {
  EventLog log;
  log.add("first", "o", "t");
  const auto first = log.after(0)[0].id;
  for (std::size_t i = 0; i < EventLog::kKept; ++i) log.add("later", "o", "t");
  const auto kept = log.after(0);
  EXPECT_EQ(kept.size(), EventLog::kKept);
  EXPECT_EQ(kept.front().id, first + 1);
}

}  // namespace
}  // namespace xdplb
