// SPDX-License-Identifier: GPL-2.0-only
#include "cli/print.h"
#include "cli/sparkline.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace xdplb {
namespace {

using nlohmann::json;

std::string printed(void (*print)(const Page&, const json&), const json& document, bool has_utf8 = false,
                    bool has_colour = false) {
  std::ostringstream out;
  print({.out = out, .has_colour = has_colour, .has_utf8 = has_utf8}, document);
  return out.str();
}

json entry(const char* code, unsigned latency_us, const char* text = "") {
  return {{"at", "2026-11-28T16:00:00Z"}, {"code", code}, {"latency_us", latency_us}, {"text", text}};
}

json good_check() {
  return {{"server", "web/443/s1"},
          {"destination", "192.0.2.10"},
          {"port", 443},
          {"way", "vip"},
          {"health", "up"},
          {"since", "2026-11-28T15:00:00Z"},
          {"contradicting", 0},
          {"needed", 3},
          {"code", "L7OK"},
          {"text", "200 OK"},
          {"latency_us", 812},
          {"load", nullptr},
          {"certificate_end", nullptr},
          {"shared_by", {"web/443"}},
          {"frozen", false},
          {"history",
           {entry("L7OK", 800), entry("L7STS", 900, "503 Service Unavailable"), entry("L7OK", 820),
            entry("L7OKC", 12345)}}};
}

json bad_check() {
  json check = good_check();
  check["server"] = "web/443/s2";
  check["destination"] = "2001:db8::10";
  check["health"] = "down";
  check["contradicting"] = 1;
  check["needed"] = 2;
  check["code"] = "L4CON";
  check["text"] = "connection refused";
  check["load"] = 12;
  check["certificate_end"] = "2027-01-01T00:00:00Z";
  check["shared_by"] = {"web/80", "web/443"};
  check["frozen"] = true;
  check["history"] = {entry("L4CON", 100)};
  return check;
}

json advisor() {
  return {{"port", "web/443"},
          {"type", "http"},
          {"via", "vip"},
          {"advisor", {{"type", "http"}, {"interval", "1500ms"}}},
          {"up", 1},
          {"servers", 2},
          {"checks", {good_check(), bad_check()}}};
}

TEST(Sparkline, HeightsAreLogarithms) {
  std::vector<Sample> samples;
  for (const unsigned latency : {100U, 135U, 200U, 250U, 300U, 400U, 550U, 800U}) {
    samples.push_back({.latency_us = latency});
  }
  EXPECT_EQ(sparkline(samples, false, false), "_.:-=+*#");
  EXPECT_EQ(sparkline(samples, true, false), "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588");
}

TEST(Sparkline, NoiseStaysFlatAndFailuresAreCrosses) {
  EXPECT_EQ(
      sparkline({{.latency_us = 800}, {.latency_us = 820}, {.latency_us = 2000000, .is_failure = true}}, true, false),
      "\u2581\u2581x");
  EXPECT_EQ(sparkline({{.is_failure = true}}, true, true), "\033[31mx\033[0m");
  EXPECT_EQ(sparkline({{.latency_us = 0}, {.latency_us = UINT64_MAX}}, false, false), "_#");
  EXPECT_EQ(sparkline({}, true, true), "");
}

TEST(Sparkline, SummaryIsOfTheSuccesses) {
  EXPECT_EQ(latency_summary({{.latency_us = 300}, {.latency_us = 100}, {.latency_us = 200}, {.latency_us = 400}}),
            "min 0.10 ms, median 0.20 ms, max 0.40 ms");
  EXPECT_EQ(latency_summary({{.latency_us = 300}, {.latency_us = 1, .is_failure = true}}),
            "min 0.30 ms, median 0.30 ms, max 0.30 ms, 1 of 2 failed");
  EXPECT_EQ(latency_summary({{.is_failure = true}}), "1 of 1 failed");
  EXPECT_EQ(latency_text(9994), "9.99 ms");
  EXPECT_EQ(latency_text(9995), "10.0 ms");
  EXPECT_EQ(latency_text(99949), "99.9 ms");
  EXPECT_EQ(latency_text(99950), "100 ms");
  EXPECT_EQ(latency_text(2000000), "2000 ms");
}

TEST(PrintAdvisors, ListNamesTheWorstCheck) {
  json calm = advisor();
  calm["port"] = "web/53/udp";
  calm["type"] = "dns";
  calm["advisor"] = {{"type", "dns"}};
  calm["up"] = 2;
  calm["checks"] = {good_check()};
  json falling = calm;
  falling["port"] = "web/80";
  falling["checks"][0]["contradicting"] = 2;
  falling["checks"][0]["code"] = "L7STS";
  falling["checks"][0]["text"] = "503";
  EXPECT_EQ(printed(print_advisor_list, {advisor(), calm, falling}),
            "PORT        TYPE  VIA  INTERVAL  UP/ALL  WORST\n"
            "web/443     http  vip  1500ms       1/2  s2 down, going up: 1 of 2 successes: L4CON connection refused\n"
            "web/53/udp  dns   vip  2s           2/2  s1 0.81 ms\n"
            "web/80      dns   vip  2s           2/2  s1 up, going down: 2 of 3 failures: L7STS 503\n");
  EXPECT_EQ(printed(print_advisor_list, json::array()), "no advisor\n");
}

TEST(PrintAdvisors, ABlockACheck) {
  EXPECT_EQ(printed(print_advisors, json::array({advisor()})),
            "advisor web/443: http by way vip every 1500ms, 1 of 2 servers up\n"
            "\n"
            "web/443/s1  192.0.2.10:443  vip\n"
            "  health       up since 2026-11-28T15:00:00Z\n"
            "  last         L7OK 200 OK, 0.81 ms\n"
            "  history      _x_#  min 0.80 ms, median 0.82 ms, max 12.3 ms, 1 of 4 failed\n"
            "  last failure 2026-11-28T16:00:00Z L7STS 503 Service Unavailable\n"
            "\n"
            "web/443/s2  [2001:db8::10]:443  vip\n"
            "  health       down since 2026-11-28T15:00:00Z, going up: 1 of 2 successes, frozen: too much failed at "
            "once\n"
            "  last         L4CON connection refused, 0.81 ms\n"
            "  history      x  1 of 1 failed\n"
            "  load         12\n"
            "  certificate  ends 2027-01-01T00:00:00Z\n"
            "  shared by    web/80 web/443\n");
  EXPECT_NE(printed(print_advisors, json::array({advisor()}), true).find("\u2581x\u2581\u2588  min"),
            std::string::npos);
  EXPECT_NE(printed(print_advisors, json::array({advisor()}), true, true).find("\033[31mx\033[0m"), std::string::npos);
}

TEST(PrintAdvisors, ExitsAndHowTheyFared) {
  const json exits = {{{"event", "server_down"},
                       {"command", {"/usr/local/sbin/page", "down"}},
                       {"user", "nobody"},
                       {"timeout_s", 10},
                       {"runs", 3},
                       {"failures", 1},
                       {"last_at", "2026-11-28T16:00:00Z"},
                       {"last_result", "timed out after 10 s"}},
                      {{"event", "all_down"},
                       {"command", {"/bin/true"}},
                       {"user", "nobody"},
                       {"timeout_s", 10},
                       {"runs", 0},
                       {"failures", 0},
                       {"last_at", nullptr},
                       {"last_result", nullptr}}};
  EXPECT_EQ(printed(print_exits, exits),
            "EVENT        COMMAND                    USER    TIMEOUT  RUNS  FAILURES  LAST                  RESULT\n"
            "server_down  /usr/local/sbin/page down  nobody  10 s        3         1  2026-11-28T16:00:00Z  timed out "
            "after 10 s\n"
            "all_down     /bin/true                  nobody  10 s        0         0  never\n");
  EXPECT_EQ(printed(print_exits, json::array()), "no user exit\n");
}

json load(double value, unsigned weight) { return {{"value", value}, {"weight", weight}}; }

TEST(PrintManager, IsTheClassicReport) {
  const json managers = {{{"cluster", "web"},
                          {"enabled", true},
                          {"proportions", {49, 50, 1, 0}},
                          {"interval_s", 2},
                          {"refresh", 2},
                          {"sensitivity", 5},
                          {"smoothing", 1.5},
                          {"weight_bound", 20},
                          {"ports",
                           {{{"port", "web/443"},
                             {"pushed_ago_s", 4},
                             {"servers",
                              {{{"name", "s1"},
                                {"now", 10},
                                {"next", 11},
                                {"fixed", false},
                                {"active", load(12, 10)},
                                {"new", load(30.5, 9)},
                                {"port", load(-1, 0)},
                                {"system", {{"value", nullptr}, {"weight", 0}}}},
                               {{"name", "s2"},
                                {"now", -1},
                                {"next", 0},
                                {"fixed", true},
                                {"active", load(0, 0)},
                                {"new", load(0, 0)},
                                {"port", load(-1, 0)},
                                {"system", {{"value", nullptr}, {"weight", 0}}}}}},
                             {"totals",
                              {{"now", 9},
                               {"next", 11},
                               {"active", load(12, 10)},
                               {"new", load(30.5, 9)},
                               {"port", load(-2, 0)},
                               {"system", {{"value", nullptr}, {"weight", 0}}}}}}}}}};
  EXPECT_EQ(printed(print_managers, managers),
            "manager web: on, interval 2 s, refresh 2, sensitivity 5 %, smoothing 1.5, weight bound 20\n"
            "\n"
            "port web/443, weights pushed 4 s ago\n"
            "  SERVER     |  WEIGHT   |   ACTV 49%    |   NEWC 50%    |    PORT 1%    |    SYS 0%\n"
            "             |  NOW  NEW | WGHT    VALUE | WGHT    VALUE | WGHT    VALUE | WGHT    VALUE\n"
            "  -----------+-----------+---------------+---------------+---------------+---------------\n"
            "  s1         |   10   11 |   10       12 |    9     30.5 |    0       -1 |    0    -9999\n"
            "  s2 (fixed) |   -1    0 |    0        0 |    0        0 |    0       -1 |    0    -9999\n"
            "  TOTALS     |    9   11 |   10       12 |    9     30.5 |    0       -2 |    0    -9999\n");
}

TEST(PrintStanding, SaysWhyAServerGetsWhatItGets) {
  const json server = {{"path", "web/443/s1"},
                       {"weight", 10},
                       {"effective_weight", 5},
                       {"effective_weight_v6", 0},
                       {"fixed_weight", true},
                       {"admin", "drain"},
                       {"admin_source", "agent"},
                       {"admins", {{"config", "ready"}, {"operator", "ready"}, {"agent", "drain"}, {"hook", "ready"}}},
                       {"daily", {2, 5}},
                       {"health", "up"},
                       {"health_v4", "up"},
                       {"health_v6", "down"},
                       {"tier", 1},
                       {"check", {{"code", "L7OK"}, {"text", "200 OK"}, {"latency_us", 812}}},
                       {"reason", "the agent says drain"}};
  EXPECT_EQ(printed(print_standing, server),
            "\n"
            "admin    drain, the word of agent (agent drain, config ready, hook ready, operator ready)\n"
            "daily    drains from 02:00 to 05:59\n"
            "health   v4 up, v6 down\n"
            "check    L7OK 200 OK, 0.81 ms\n"
            "weight   10, in force 5 (IPv6 0), fixed: the manager leaves it alone\n"
            "tier     1\n"
            "why      the agent says drain\n");
  const std::string table = printed(print_servers, server);
  EXPECT_NE(table.find("10 -> 5 / 0"), std::string::npos) << table;
  EXPECT_NE(table.find("up, v6 down, drain by agent"), std::string::npos) << table;
  EXPECT_EQ(printed(print_standing, {{"path", "web/443/s1"}, {"admin", "ready"}}), "");
}

TEST(PrintStanding, PortsSayHowManyServersAreUp) {
  json port = {{"path", "web/443"},
               {"pick", "hash"},
               {"min_up", "50%"},
               {"on_all_down", "drop"},
               {"slow_start_s", 30},
               {"up", {{"v4", 2}, {"v6", 0}}},
               {"all_down", {{"v4", false}, {"v6", false}}},
               {"tier", 1},
               {"advisor", {{"type", "http"}}},
               {"servers", {json::object(), json::object(), json::object()}}};
  EXPECT_EQ(printed(print_ports, port),
            "PORT     PICK  SERVERS  UP   TIER  ADVISOR  OPTIONS\n"
            "web/443  hash        3  2/3     1  http     min-up 50%, on-all-down drop, slow-start 30s\n");
  port["all_down"]["v6"] = true;
  EXPECT_NE(printed(print_ports, port).find("2/3 v4, 0/3 v6"), std::string::npos) << printed(print_ports, port);
  port["min_up"] = 1;
  port["on_all_down"] = "rows-stay";
  port["slow_start_s"] = 0;
  EXPECT_EQ(printed(print_ports, port).find("OPTIONS"), std::string::npos) << printed(print_ports, port);
}

TEST(PrintAdvisors, ForeignDocumentsDoNotBreakIt) {
  for (const json& document :
       {json(), json(7), json("x"), json::array({1, nullptr, "x"}), json::object(),
        json{{"checks", {1, {{"history", {1, "x"}}}}}, {"probes", {{{"steps", 1}}}}, {"ports", {1}}},
        json{{"proportions", {"x"}}, {"ports", {{{"servers", {1, {{"now", 1e300}}}}}}}, {"admins", 7}}}) {
    for (auto* print : {print_advisor_list, print_advisors, print_advisor_run, print_exits, print_managers}) {
      EXPECT_FALSE(printed(print, document, true, true).empty()) << document;
    }
    printed(print_standing, document);
  }
}

TEST(PrintAdvisors, TextCannotSteerTheTerminal) {
  json hostile = advisor();
  hostile["checks"][0]["text"] = "\033]0;title\a";
  hostile["checks"][0]["history"][1]["text"] = "\033[2J";
  EXPECT_EQ(printed(print_advisors, json::array({hostile})).find('\033'), std::string::npos);
  EXPECT_EQ(printed(print_advisor_list, json::array({hostile})).find('\033'), std::string::npos);
  const json run = {{"probes", {{{"text", "\033[2J"}, {"steps", {{{"text", "\033[2J"}}}}}}}};
  EXPECT_EQ(printed(print_advisor_run, run).find('\033'), std::string::npos);
}

}  // namespace
}  // namespace xdplb
