// SPDX-License-Identifier: GPL-2.0-only
#include "cli/print.h"

#include "cli/context.h"
#include "cli/table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace xdplb {
namespace {

using nlohmann::json;

std::string printed(void (*print)(const Page&, const json&), const json& document, bool has_colour = false) {
  std::ostringstream out;
  print({.out = out, .has_colour = has_colour}, document);
  return out.str();
}

json server(const char* name, const char* address) {
  return {{"path", std::string("web/443/") + name},
          {"name", name},
          {"address", address},
          {"mac", "02:00:00:00:00:21"},
          {"interface", "eth0"},
          {"weight", 10},
          {"effective_weight", 10},
          {"admin", "ready"},
          {"health", "up"},
          {"reason", ""},
          {"packets", 1234567},
          {"bytes", 1610612736},
          {"new_flows", 1000},
          {"rows", {{"v4", 683}, {"v6", 512}}}};
}

json silent_server() {
  json object = server("s2", "192.0.2.22");
  object["mac"] = nullptr;
  object["interface"] = nullptr;
  object["effective_weight"] = 0;
  object["health"] = "unknown";
  object["reason"] = "no MAC address";
  object["rows"] = {{"v4", 0}, {"v6", 0}};
  object["packets"] = object["bytes"] = object["new_flows"] = 0;
  return object;
}

json cluster() {
  return {{"name", "web"},
          {"addresses", {"192.0.2.10", "2001:db8::10"}},
          {"ports",
           {{{"path", "web/443"},
             {"pick", "hash"},
             {"rows", {{"v4", 1024}, {"v6", 1024}}},
             {"servers", {server("s1", "192.0.2.21"), silent_server()}}},
            {{"path", "web/53/udp"}, {"pick", "hash"}, {"servers", json::array()}}}}};
}

constexpr const char* kCluster =
    "cluster web  192.0.2.10  2001:db8::10\n"
    "  PORT        SERVER      ADDRESS     MAC                INTERFACE   WEIGHT  HEALTH   ROWS V4  ROWS V6  NEW FLOWS"
    "    PACKETS    BYTES  REASON\n"
    "  web/443     s1          192.0.2.21  02:00:00:00:00:21  eth0            10  up           683      512      1,000"
    "  1,234,567  1.5 GiB\n"
    "  web/443     s2          192.0.2.22  -                  -          10 -> 0  unknown        0        0          0"
    "          0      0 B  no MAC address\n"
    "  web/53/udp  no servers\n";

TEST(Print, ClusterWithItsPortsAndServers) { EXPECT_EQ(printed(print_cluster, cluster()), kCluster); }

TEST(Print, StatusSaysTheProblemsFirst) {
  const json status = {
      {"instance", "default"},
      {"pid", 123},
      {"version", "0.1.0"},
      {"started_s", 3723},
      {"interfaces",
       {{{"name", "eth0"}, {"mode", "native"}, {"attach", "link"}, {"prog_id", 42}, {"up", true}},
        {{"name", "eth1"},
         {"mode", "generic"},
         {"attach", "dispatcher"},
         {"prog_id", 7},
         {"up", false},
         {"state", "down"},
         {"reason", "no carrier"}}}},
      {"clusters", {cluster()}},
      {"vipas",
       {{{"address", "192.0.2.10"},
         {"clusters", {"web"}},
         {"state", "owned"},
         {"owner", "eth0"},
         {"since_s", 59.5},
         {"preferred", {{{"name", "eth0"}, {"healthy", true}}, {{"name", "eth1"}, {"healthy", false}}}},
         {"reason", "eth0 answers"}},
        {{"address", "2001:db8::10"}, {"state", "silent"}, {"owner", nullptr}, {"since_s", 60}}}},
      {"problems",
       {{{"code", "server-unresolved"}, {"object", "server web/443/s2"}, {"text", "no MAC address\nyet"}}}}};
  EXPECT_EQ(printed(print_status, status),
            "PROBLEM            OBJECT             WHAT TO KNOW\n"
            "server-unresolved  server web/443/s2  no MAC address yet\n"
            "\n"
            "instance default: xdplbd 0.1.0, pid 123, running for 1 h 2 min, degraded\n"
            "\n"
            "INTERFACE  MODE     ATTACHED BY        PROGRAM  LINK  HEALTH  REASON\n"
            "eth0       native   pinned link             42  up\n"
            "eth1       generic  libxdp dispatcher        7  down  down    no carrier\n"
            "\n"
            "VIPA          CLUSTER  STATE   OWNER  SINCE      LIST        REASON\n"
            "192.0.2.10    web      owned   eth0   59 s       eth0 eth1*  eth0 answers\n"
            "2001:db8::10           silent  -      1 min 0 s  none\n"
            "\n" +
                std::string(kCluster));
}

TEST(Print, StatusOfAnIdleDaemon) {
  EXPECT_EQ(printed(print_status, {{"instance", "default"}, {"pid", 1}, {"version", "0.1.0"}, {"started_s", 0}}),
            "instance default: xdplbd 0.1.0, pid 1, running for 0 s, no problems\n\nno interface is loaded\n");
}

TEST(Print, ListsOfClustersPortsAndServers) {
  EXPECT_EQ(printed(print_clusters, json::array({cluster(), {{"name", "b"}, {"addresses", {"192.0.2.11"}}}})),
            "CLUSTER  ADDRESSES                PORTS\n"
            "web      192.0.2.10 2001:db8::10  web/443 web/53/udp\n"
            "b        192.0.2.11               -\n");
  EXPECT_EQ(printed(print_ports, cluster()["ports"]),
            "PORT        PICK  ROWS V4  ROWS V6  SERVERS\n"
            "web/443     hash    1,024    1,024        2\n"
            "web/53/udp  hash                          0\n");
  EXPECT_EQ(
      printed(print_servers, json::array({server("s1", "192.0.2.21")})),
      "SERVER      ADDRESS     MAC                INTERFACE  WEIGHT  HEALTH  ROWS V4  ROWS V6  NEW FLOWS    PACKETS"
      "    BYTES\n"
      "web/443/s1  192.0.2.21  02:00:00:00:00:21  eth0           10  up          683      512      1,000  1,234,567"
      "  1.5 GiB\n");
}

TEST(Print, OneObjectIsAListOfOne) {
  EXPECT_EQ(printed(print_servers, server("s1", "192.0.2.21")),
            printed(print_servers, json::array({server("s1", "192.0.2.21")})));
}

TEST(Print, DropsAndStats) {
  const json outcomes = {
      {{"outcome", "forwarded"}, {"verdict", "tx"}, {"packets", 1000}, {"meaning", "sent to a server"}},
      {{"outcome", "no_server"}, {"verdict", "drop"}, {"packets", 7}, {"meaning", "nobody has rows"}}};
  const std::string table =
      "OUTCOME    VERDICT  PACKETS  MEANING\n"
      "forwarded  tx         1,000  sent to a server\n"
      "no_server  drop           7  nobody has rows\n";
  EXPECT_EQ(printed(print_drops, outcomes), table);
  EXPECT_EQ(
      printed(print_stats,
              {{"packets", 1007},
               {"bytes", 1023},
               {"new_flows", 3},
               {"closed_flows", 2},
               {"servers",
                {{{"path", "web/443/s1"}, {"packets", 1000}, {"bytes", 1024}, {"new_flows", 3}, {"closed_flows", 2}}}},
               {"outcomes", outcomes}}),
      "1,007 packets, 1023 B, 3 new flows, 2 closed flows\n"
      "\n"
      "SERVER      PACKETS    BYTES  NEW FLOWS  CLOSED FLOWS\n"
      "web/443/s1    1,000  1.0 KiB          3             2\n"
      "\n" +
          table);
}

TEST(Print, PortsShowTheirOptionsAndWhatIsWrittenDown) {
  const json port = {{"path", "web/443"},
                     {"pick", "wrr"},
                     {"sticky_s", 60},
                     {"sticky_masks", {"/24", "/128"}},
                     {"stale_timeout_s", 60},
                     {"on_stale", "reset"},
                     {"no_server", "pass"},
                     {"crossport", 80},
                     {"udp_tracking", true},
                     {"new_flow_limit", 1000},
                     {"half_open_limit", 500},
                     {"rows",
                      {{"v4", {{"rows", 1024}, {"changing", 5}, {"lookup", 7}}},
                       {"v6", {{"rows", 2048}, {"changing", 1}, {"lookup", 7}}}}},
                     {"flows", 1034},
                     {"half_open", 12},
                     {"recorded", 2000},
                     {"refused", 3}};
  EXPECT_EQ(printed(print_ports, port),
            "PORT     PICK  STICKY              ROWS V4  ROWS V6  CHANGING  FLOWS  HALF-OPEN  REFUSED  SERVERS  "
            "OPTIONS\n"
            "web/443  wrr   1 min 0 s /24 /128    1,024    2,048         6  1,034         12        3        0  "
            "crossport 80, udp-tracking, stale-timeout 60s, on-stale reset, no-server pass, new-flow-limit 1000, "
            "half-open-limit 500\n");
}

TEST(Print, DefaultsOfAPortAreNotShown) {
  const json port = {
      {"path", "web/443"},      {"pick", "hash"},       {"sticky_s", 0},        {"sticky_masks", {"/32", "/128"}},
      {"stale_timeout_s", 300}, {"on_stale", "repick"}, {"no_server", "drop"},  {"crossport", nullptr},
      {"udp_tracking", false},  {"new_flow_limit", 0},  {"half_open_limit", 0}, {"flows", 0}};
  EXPECT_EQ(printed(print_ports, port), "PORT     PICK  SERVERS\nweb/443  hash        0\n");
  json sticky = port;
  sticky["sticky_s"] = 30;
  EXPECT_EQ(printed(print_ports, sticky), "PORT     PICK  STICKY  SERVERS\nweb/443  hash  30 s          0\n");
}

TEST(Print, ServersOnTheirWayOutShowWhatIsLeft) {
  json leaving = server("s1", "192.0.2.21");
  leaving["admin"] = "drain";
  leaving["base_rows"] = {{"v4", 500}, {"v6", 12}};
  leaving["flows"] = 1034;
  const auto lines = [](const json& object) { return printed(print_servers, object); };
  EXPECT_NE(lines(leaving).find("up, drain  512 rows, 1,034 flows  "), std::string::npos) << lines(leaving);
  leaving["deadline_s"] = 61;
  EXPECT_NE(lines(leaving).find("512 rows, 1,034 flows, 1 min 1 s to go"), std::string::npos) << lines(leaving);
  leaving["admin"] = "ready";
  EXPECT_EQ(lines(leaving).find("LEFT"), std::string::npos) << lines(leaving);
  EXPECT_NE(lines(leaving).find("FLOWS"), std::string::npos);
}

TEST(Print, ClusterSaysWhoAnswersEcho) {
  json object = {{"name", "web"}, {"addresses", {"198.51.100.0/24"}}, {"echo", "off"}};
  EXPECT_EQ(printed(print_cluster, object), "cluster web  198.51.100.0/24  echo off\n  no ports\n");
  object["echo"] = "server";
  EXPECT_EQ(printed(print_cluster, object), "cluster web  198.51.100.0/24\n  no ports\n");
}

TEST(Print, FlowsWithTheirTotals) {
  const json flows = {{"total", 1034},
                      {"capacity", 1048576},
                      {"half_open", 12},
                      {"closing", 3},
                      {"flows",
                       {{{"kind", "flow"},
                         {"client", "198.51.100.1:1234"},
                         {"vipa", "192.0.2.10:443"},
                         {"protocol", "tcp"},
                         {"server", "web/443/s1"},
                         {"state", "open"},
                         {"idle_s", 3},
                         {"age_s", 61},
                         {"row", 17}},
                        {{"kind", "client"},
                         {"client", "198.51.100.0"},
                         {"vipa", nullptr},
                         {"protocol", "tcp"},
                         {"server", "web/443/s2"},
                         {"state", "open"},
                         {"idle_s", 0},
                         {"age_s", 0},
                         {"row", 0}}}}};
  EXPECT_EQ(printed(print_flows, flows),
            "1,034 of 1,048,576 flows, 12 half-open, 3 closing\n"
            "\n"
            "KIND    CLIENT             VIPA            PROTOCOL  SERVER      STATE  IDLE        AGE  ROW\n"
            "flow    198.51.100.1:1234  192.0.2.10:443  tcp       web/443/s1  open    3 s  1 min 1 s   17\n"
            "client  198.51.100.0       -               tcp       web/443/s2  open    0 s        0 s    0\n");
  EXPECT_EQ(printed(print_flows, {{"total", 0}, {"capacity", 4096}}), "0 of 4,096 flows, 0 half-open, 0 closing\n");
}

TEST(Print, ExplainSaysTheEntryOfAFlow) {
  const std::string text = printed(
      print_explain,
      {{"cluster", "web"},
       {"how", "flow"},
       {"wildcard", true},
       {"flow",
        {{"kind", "flow"}, {"server", "web/443/s1"}, {"state", "open"}, {"idle_s", 3}, {"age_s", 61}, {"row", 17}}}});
  EXPECT_NE(text.find("how        flow\n"
                      "flow       flow of web/443/s1, open, idle for 3 s, since 1 min 1 s\n"
                      "wildcard   yes\n"),
            std::string::npos)
      << text;
}

TEST(Print, ExplainSaysTheWayOfAFlow) {
  EXPECT_EQ(printed(print_explain, {{"cluster", "web"},
                                    {"port", "web/443"},
                                    {"matched", "row"},
                                    {"row", 517},
                                    {"base", "s1"},
                                    {"cur", "s1"},
                                    {"server", "web/443/s1"},
                                    {"mac", "02:00:00:00:00:21"},
                                    {"interface", "eth0"},
                                    {"verdict", "tx"},
                                    {"outcome", "forwarded"},
                                    {"text", "row 517 belongs to s1"}}),
            "cluster    web\n"
            "port       web/443\n"
            "matched    row 517\n"
            "base, cur  s1, s1\n"
            "server     web/443/s1\n"
            "MAC        02:00:00:00:00:21\n"
            "interface  eth0\n"
            "verdict    tx\n"
            "outcome    forwarded\n"
            "row 517 belongs to s1\n");
}

TEST(Print, ForeignDocumentsDoNotBreakIt) {
  for (const json& document :
       {json(), json(7), json("x"), json::array(), json::array({1, nullptr, "x"}), json::object(),
        json{{"problems", 1}, {"interfaces", "x"}, {"clusters", {1}}, {"vipas", {json::array()}}},
        json{{"packets", -5}, {"bytes", 1e300}, {"servers", {nullptr}}, {"outcomes", {1.5}}}}) {
    for (auto* print : {print_status, print_clusters, print_cluster, print_ports, print_servers, print_drops,
                        print_stats, print_explain, print_flows, print_server, print_vipas, print_interface_list}) {
      EXPECT_FALSE(printed(print, document).empty()) << document;
    }
    EXPECT_EQ(printed(print_vipa, document).empty(), document == json::array()) << document;
  }
}

TEST(Print, ColourOnlyWhereItIsWanted) {
  const json one = json::array({server("s1", "192.0.2.21")});
  EXPECT_EQ(printed(print_servers, one).find('\033'), std::string::npos);
  EXPECT_NE(printed(print_servers, one, true).find("\033[32mup\033[0m"), std::string::npos);
}

TEST(Print, TextCannotSteerTheTerminal) {
  EXPECT_EQ(one_line("a\nb\tc\x1b[2J\x7f \n"), "a b c?[2J?");
  json hostile = server("s1", "192.0.2.21");
  hostile["reason"] = "\033]0;title\a";
  EXPECT_EQ(printed(print_servers, hostile).find('\033'), std::string::npos);
}

TEST(Table, NumbersForPeople) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1234567), "1,234,567");
  EXPECT_EQ(human_count(UINT64_MAX), "18,446,744,073,709,551,615");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes((1U << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(human_seconds(59), "59 s");
  EXPECT_EQ(human_seconds(60), "1 min 0 s");
  EXPECT_EQ(human_seconds(3599), "59 min 59 s");
  EXPECT_EQ(human_seconds(3600), "1 h 0 min");
  EXPECT_EQ(human_seconds(86399), "23 h 59 min");
  EXPECT_EQ(human_seconds(86400), "1 d 0 h");
}

}  // namespace
}  // namespace xdplb
