// SPDX-License-Identifier: GPL-2.0-only
// What is said while a server goes out of service, and how long is waited.
#include "cli_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace xdplb {
namespace {

using nlohmann::json;
using test::CliTest;
using test::Outcome;
using testing::HasSubstr;

json server(const char* admin, unsigned rows, unsigned flows) {
  return {{"path", "web/443/s1"}, {"admin", admin}, {"base_rows", rows}, {"flows", flows}};
}

json change(const json& object) { return {{"changed", true}, {"object", object}}; }

class Drain : public CliTest {
 protected:
  // The reply to the change, then to each look at the server; the last look is repeated.
  void serve_looks(const json& first, std::vector<Reply> looks) {
    serve([first, looks = std::move(looks), at = std::size_t{0}](const Request& request) mutable {
      if (std::holds_alternative<ServerAdminRequest>(request)) return make_reply(change(first));
      EXPECT_TRUE(request == Request(ServerListRequest{.port = std::nullopt, .path = kServer}));
      return looks[std::min(at++, looks.size() - 1)];
    });
  }
  inline static const ServerPath kServer{.port = {.cluster = "web", .port = 443}, .server = "s1"};
};

TEST_F(Drain, SaysWhatIsLeft) {
  serve(change(server("drain", 512, 1034)));
  EXPECT_EQ(run({"server", "drain", "web/443/s1"}).out, "server web/443/s1 drains: 512 rows and 1034 flows left\n");
  EXPECT_EQ(run({"server", "down", "web/443/s1"}).out, "server web/443/s1 goes down: 512 rows and 1034 flows left\n");
}

TEST_F(Drain, RowsOfBothFamiliesCount) {
  json object = server("drain", 0, 1);
  object["base_rows"] = {{"v4", 1}, {"v6", 0}};
  serve(change(object));
  EXPECT_EQ(run({"server", "drain", "web/443/s1"}).out, "server web/443/s1 drains: 1 row and 1 flow left\n");
}

TEST_F(Drain, OfAnIdleServerIsDoneAtOnce) {
  serve(change(server("drain", 0, 0)));
  EXPECT_EQ(run({"server", "drain", "web/443/s1", "--wait"}).out, "server web/443/s1 drained\n");
  EXPECT_EQ(run({"server", "drain", "web/443/s1"}).out, "server web/443/s1 drained\n");
  EXPECT_EQ(run({"server", "down", "web/443/s1"}).out, "server web/443/s1 is down\n");
  EXPECT_EQ(requests().size(), 3U);
}

TEST_F(Drain, ReadyAgain) {
  serve(change(server("ready", 3, 4)));
  EXPECT_EQ(run({"server", "ready", "web/443/s1"}).out, "server web/443/s1 is ready again\n");
}

TEST_F(Drain, WaitsUntilRowsAndFlowsAreGone) {
  serve_looks(server("drain", 2, 7),
              {make_reply(server("drain", 2, 7)), make_reply(server("drain", 0, 7)),
               make_reply(json::array({server("drain", 1, 0)})), make_reply(server("drain", 0, 0))});
  const Outcome outcome = run({"server", "drain", "web/443/s1", "--wait"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "server web/443/s1 drains: 2 rows and 7 flows left\nserver web/443/s1 drained\n");
  EXPECT_EQ(outcome.err,
            "xdplb: server web/443/s1: 0 rows and 7 flows left\nxdplb: server web/443/s1: 1 row and 0 flows left\n");
  EXPECT_EQ(requests().size(), 5U);
}

TEST_F(Drain, WaitingIsQuietWhereItIsAskedFor) {
  serve_looks(server("down", 2, 7), {make_reply(server("down", 1, 7)), make_reply(server("down", 0, 0))});
  const Outcome outcome = run({"-q", "server", "down", "web/443/s1", "--wait"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(Drain, JsonIsOneDocumentWithTheServerAsItIsAtLast) {
  serve_looks(server("drain", 2, 7), {make_reply(server("drain", 0, 0))});
  EXPECT_EQ(json::parse(run({"-j", "server", "drain", "web/443/s1", "--wait"}).out), change(server("drain", 0, 0)));
  EXPECT_EQ(json::parse(run({"-j", "server", "drain", "web/443/s1"}).out), change(server("drain", 2, 7)));
}

TEST_F(Drain, WaitingEndsWithTheTimeout) {
  serve_looks(server("drain", 2, 7), {make_reply(server("drain", 1, 6))});
  const Outcome outcome = run({"--timeout", "0.5", "server", "drain", "web/443/s1", "--wait"});
  EXPECT_EQ(outcome.code, 8);
  EXPECT_THAT(outcome.err,
              HasSubstr("server web/443/s1: timed out, 1 row and 6 flows left: wait longer with --timeout"));
}

TEST_F(Drain, WaitingEndsWhenSomebodyTakesItBack) {
  serve_looks(server("drain", 2, 7), {make_reply(server("ready", 2, 7))});
  const Outcome outcome = run({"server", "drain", "web/443/s1", "--wait"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "xdplb: server web/443/s1: it is ready again, 2 rows and 7 flows left\n");
}

TEST_F(Drain, WaitingEndsWithAnErrorOfTheDaemon) {
  serve_looks(server("drain", 2, 7), {Reply(fail(ErrorCode::kNotFound, "server web/443/s1: not found"))});
  EXPECT_EQ(run({"server", "drain", "web/443/s1", "--wait"}).code, 3);
  serve_looks(server("drain", 2, 7), {make_reply(json::array())});
  EXPECT_EQ(run({"server", "drain", "web/443/s1", "--wait"}).code, 3);
}

}  // namespace
}  // namespace xdplb
