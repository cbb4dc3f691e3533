// SPDX-License-Identifier: GPL-2.0-only
// VIPAs, interfaces and adapters as text for people.
#include "cli/print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace xdplb {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string printed(void (*print)(const Page&, const json&), const json& document, bool has_colour = false) {
  std::ostringstream out;
  print({.out = out, .has_colour = has_colour}, document);
  return out.str();
}

json entry(const char* name, const char* interface, bool healthy, const char* state, const char* reason) {
  return {{"name", name}, {"interface", interface}, {"healthy", healthy}, {"state", state}, {"reason", reason}};
}

// Owned by its second entry.
json vipa() {
  return {{"address", "10.1.1.7"},
          {"state", "owned"},
          {"owner", "eth1"},
          {"owner_entry", "10.1.1.5"},
          {"reason", "eth1 answers: eth0 has no carrier"},
          {"since_s", 182.7},
          {"moves", 3},
          {"local", true},
          {"backup", false},
          {"failback", "delayed"},
          {"hold_s", 30},
          {"pinned", nullptr},
          {"failback_to", "eth0"},
          {"failback_in_s", 12.3},
          {"retry_in_s", nullptr},
          {"preferred",
           {entry("eth0", "eth0", false, "failed", "no carrier"), entry("10.1.1.5", "eth1", true, "up", "healthy")}},
          {"proxy", nullptr},
          {"answered_by", nullptr},
          {"conflicts",
           {{{"mac", "02:00:00:00:00:21"},
             {"class", "server"},
             {"object", "server web/80/s1"},
             {"interface", "eth1"},
             {"count", 1234},
             {"last_s", 61.5}},
            {{"mac", "02:00:00:00:00:99"},
             {"class", "unknown"},
             {"object", nullptr},
             {"interface", "eth1"},
             {"count", 1},
             {"last_s", 5}}}},
          {"requests", 1000},
          {"answers", 998},
          {"announcements", 42},
          {"defences", 1},
          {"last_announcement_s", 2.5},
          {"event_to_announcement_ms", 0.42318},
          {"last_move", {{"from", "eth0"}, {"to", "10.1.1.5"}, {"cause", "no_carrier"}, {"ago_s", 182.7}}},
          {"clusters", {"web", "mail"}}};
}

json routed_vipa() {
  return {{"address", "10.1.1.8"},
          {"state", "routed"},
          {"owner", nullptr},
          {"reason", "this host never answers"},
          {"since_s", 5},
          {"failback", "manual"},
          {"preferred", json::array()},
          {"proxy", "s1"},
          {"answered_by", {{"mac", "02:00:00:00:00:21"}, {"class", "server"}, {"object", "server web/80/s1"}}},
          {"conflicts", json::array()},
          {"clusters", json::array()}};
}

TEST(PrintVipas, AListMarksWhatIsNotHealthy) {
  EXPECT_EQ(printed(print_vipas, json::array({vipa(), routed_vipa()})),
            "VIPA      CLUSTER   STATE   OWNER  SINCE      LIST            REASON\n"
            "10.1.1.7  web mail  owned   eth1   3 min 2 s  eth0* 10.1.1.5  eth1 answers: eth0 has no carrier\n"
            "10.1.1.8            routed  -      5 s        none            this host never answers\n");
  EXPECT_EQ(printed(print_vipas, json::array()), "no VIPA\n");
}

TEST(PrintVipas, OneIsShownWithAllThatIsKnown) {
  EXPECT_EQ(printed(print_vipa, vipa()),
            "vipa         10.1.1.7\n"
            "state        owned for 3 min 2 s\n"
            "owner        eth1 (10.1.1.5)\n"
            "why          eth1 answers: eth0 has no carrier\n"
            "clusters     web mail\n"
            "role         local\n"
            "failback     delayed by 30 s, eth0 is better: in 12 s\n"
            "moves        3\n"
            "last move    eth0 -> 10.1.1.5, no_carrier, 3 min 2 s ago\n"
            "announced    2 s ago; the first 0.42 ms after what caused it\n"
            "frames       1,000 requests, 998 answers, 42 announcements, 1 defences\n"
            "\n"
            "ENTRY     INTERFACE  STATE   REASON\n"
            "eth0      eth0       failed  no carrier\n"
            "10.1.1.5  eth1       up      healthy\n"
            "\n"
            "CLAIMED BY         CLASS    OBJECT            INTERFACE  CLAIMS  LAST\n"
            "02:00:00:00:00:21  server   server web/80/s1  eth1        1,234  1 min 1 s ago\n"
            "02:00:00:00:00:99  unknown                    eth1            1  5 s ago\n");
}

TEST(PrintVipas, OneThatAnotherMachineAnswersSaysWho) {
  EXPECT_EQ(printed(print_vipa, routed_vipa()),
            "vipa         10.1.1.8\n"
            "state        routed for 5 s\n"
            "why          this host never answers\n"
            "failback     manual\n"
            "proxy        s1\n"
            "answered by  02:00:00:00:00:21, server web/80/s1\n"
            "moves        0\n"
            "frames       0 requests, 0 answers, 0 announcements, 0 defences\n");
}

TEST(PrintVipas, WhatHoldsItIsSaid) {
  json changed = vipa();
  changed["backup"] = true;
  changed["pinned"] = "10.1.1.5";
  changed["failback_in_s"] = nullptr;
  changed["retry_in_s"] = 20;
  changed["owner_entry"] = "eth1";
  changed["event_to_announcement_ms"] = nullptr;
  const std::string text = printed(print_vipa, changed);
  EXPECT_THAT(text, HasSubstr("owner        eth1\n"));
  EXPECT_THAT(text, HasSubstr("role         local, backup\n"));
  EXPECT_THAT(text, HasSubstr("failback     delayed by 30 s, eth0 is better\n"));
  EXPECT_THAT(text, HasSubstr("moved to     10.1.1.5\n"));
  EXPECT_THAT(text, HasSubstr("tried again  in 20 s\n"));
  EXPECT_THAT(text, HasSubstr("announced    2 s ago\n"));
}

TEST(PrintVipas, ColoursTellGoodFromBad) {
  EXPECT_THAT(printed(print_vipas, vipa(), true), HasSubstr("\033[32mowned"));
  json silent = vipa();
  silent["state"] = "silent";
  EXPECT_THAT(printed(print_vipas, silent, true), HasSubstr("\033[31msilent"));
  EXPECT_THAT(printed(print_vipas, routed_vipa(), true), HasSubstr("\033[33mrouted"));
  EXPECT_THAT(printed(print_vipa, vipa()), Not(HasSubstr("\033")));
}

TEST(PrintInterfaces, ALineEach) {
  const json list = {{{"name", "eth0"},
                      {"index", 2},
                      {"mac", "02:00:00:00:00:01"},
                      {"mode", "native"},
                      {"attach", "link"},
                      {"admin", "enabled"},
                      {"state", "suspect"},
                      {"reason", "10.1.1.1 did not answer"},
                      {"since_s", 61},
                      {"hold_factor", 1},
                      {"reach", {{{"target", "10.1.1.1"}, {"missed", 2}}, {{"target", "10.1.1.2"}, {"missed", 0}}}},
                      {"loaded", true},
                      {"vipas", {"10.1.1.7", "10.1.1.9"}}},
                     {{"name", "eth1"},
                      {"mac", nullptr},
                      {"mode", nullptr},
                      {"attach", nullptr},
                      {"state", "absent"},
                      {"reason", "there is no such interface"},
                      {"since_s", 5},
                      {"reach", json::array()},
                      {"loaded", false},
                      {"vipas", json::array()}}};
  EXPECT_EQ(printed(print_interface_list, list),
            "INTERFACE  HEALTH   SINCE      LOADED  MODE    ATTACHED BY  MAC                REACH"
            "                          VIPAS              REASON\n"
            "eth0       suspect  1 min 1 s  yes     native  pinned link  02:00:00:00:00:01  10.1.1.1 (missed 2), "
            "10.1.1.2  10.1.1.7 10.1.1.9  10.1.1.1 did not answer\n"
            "eth1       absent   5 s        no                           -"
            "                                                                    there is no such interface\n");
  EXPECT_EQ(printed(print_interface_list, json::array()), "no interface is loaded or may own a VIPA\n");
}

TEST(PrintServer, AdaptersHaveATableOfTheirOwn) {
  const json one = {{"path", "web/80/alpha"}, {"address", "10.1.1.4"}, {"carried_by", "10.1.1.4"}};
  EXPECT_EQ(printed(print_server, one), printed(print_servers, one));
  EXPECT_THAT(printed(print_server, one), Not(HasSubstr("->")));
  json several = one;
  several["carried_by"] = "10.1.1.5";
  several["adapters"] = {{{"address", "10.1.1.4"},
                          {"mac", nullptr},
                          {"interface", nullptr},
                          {"healthy", false},
                          {"reason", "did not answer 3 times"},
                          {"carries", false}},
                         {{"address", "10.1.1.5"},
                          {"mac", "02:00:00:00:00:05"},
                          {"interface", "eth0"},
                          {"healthy", true},
                          {"reason", ""},
                          {"carries", true}}};
  EXPECT_THAT(printed(print_server, several), HasSubstr("10.1.1.4 -> 10.1.1.5"));
  EXPECT_THAT(printed(print_server, several),
              HasSubstr("\n\n"
                        "ADAPTER   MAC                INTERFACE  HEALTH   CARRIES    REASON\n"
                        "10.1.1.4  -                  -          failed              did not answer 3 times\n"
                        "10.1.1.5  02:00:00:00:00:05  eth0       healthy  its flows\n"));
}

}  // namespace
}  // namespace xdplb
