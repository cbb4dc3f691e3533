// SPDX-License-Identifier: GPL-2.0-only
// Views that are made of more than one reply.
#include "cli_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace xdplb {
namespace {

using nlohmann::json;
using test::CliTest;
using test::Outcome;
using testing::StartsWith;

const json kDrops = {{{"outcome", "forwarded"}, {"verdict", "tx"}, {"packets", 1000}, {"meaning", "sent"}},
                     {{"outcome", "no_server"}, {"verdict", "drop"}, {"packets", 7}, {"meaning", "nobody"}},
                     {{"outcome", "stale"}, {"verdict", "drop"}, {"packets", 8}, {"meaning", "unknown"}}};

TEST_F(CliTest, DropsOfAnObjectAreItsOutcomesInTheWordsOfAll) {
  json object = {{"path", "web/443"}, {"outcomes", {{"no_server", 3}, {"stale", 4}}}};
  serve([&](const Request& request) {
    return make_reply(std::holds_alternative<DropsRequest>(request) ? kDrops : object);
  });
  EXPECT_EQ(run({"drops", "web/443"}).out,
            "OUTCOME    VERDICT  PACKETS  MEANING\nno_server  drop           3  nobody\nstale      drop           4  "
            "unknown\n");
  EXPECT_TRUE(requests().front() == Request(PortListRequest{.cluster = {}, .path = PortPath{"web", 443}}));
  EXPECT_EQ(json::parse(run({"-j", "drops", "web"}).out)[0],
            (json{{"outcome", "no_server"}, {"verdict", "drop"}, {"packets", 3}, {"meaning", "nobody"}}));
  EXPECT_TRUE(requests()[2] == Request(ClusterListRequest{.name = "web"}));
  object["outcomes"] = json::object();
  EXPECT_EQ(run({"drops", "web"}).out, "no packets\n");
}

TEST_F(CliTest, EventsAreFollowedByTheirNumbers) {
  std::vector<Reply> replies = {
      make_reply(json::array({{{"id", 5},
                               {"time", "T1"},
                               {"code", "half_open_high"},
                               {"object", "port web/443"},
                               {"text", "600 half-open"}},
                              {{"id", 9}, {"time", "T2"}, {"code", "x"}, {"object", "y"}, {"text", "z"}}})),
      make_reply(json::array()), Reply(fail(ErrorCode::kUnreachable, "gone"))};
  std::size_t at = 0;
  serve([&](const Request&) { return replies[std::min(at++, replies.size() - 1)]; });
  const Outcome outcome = run({"events", "--follow"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_EQ(outcome.out, "T1  half_open_high  port web/443: 600 half-open\nT2  x  y: z\n");
  const auto asked = requests();
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_TRUE(asked[0] == Request(EventsRequest{.after = 0}));
  EXPECT_TRUE(asked[1] == Request(EventsRequest{.after = 9}));
  EXPECT_TRUE(asked[2] == Request(EventsRequest{.after = 9}));

  at = 0;
  const Outcome with_json = run({"-j", "events", "--follow"});
  EXPECT_THAT(with_json.out, StartsWith("{\"code\":\"half_open_high\",\"id\":5,"));
  EXPECT_EQ(std::count(with_json.out.begin(), with_json.out.end(), '\n'), 3) << "two events and the problem";
}

}  // namespace
}  // namespace xdplb
