// SPDX-License-Identifier: GPL-2.0-only
// What the commands for VIPAs, interfaces, adapters and settings ask the daemon, and what each mistake ends with.
#include "cli_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace xdplb {
namespace {

using nlohmann::json;
using test::CliTest;
using test::Outcome;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Preferred = std::optional<std::vector<std::string>>;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const json kChanged = {{"changed", true}, {"object", json::object()}};
const json kUnchanged = {{"changed", false}, {"object", json::object()}};

struct Case {
  std::vector<std::string> words;
  Request request;
};

VipaSetRequest set_vipa(VipaChanges changes) { return {.address = ip("192.0.2.7"), .changes = std::move(changes)}; }

std::vector<Case> vipa_cases() {
  const std::optional<std::optional<std::string>> proxy{std::in_place, "alpha"};
  return {
      {{"vipa", "set", "192.0.2.7"}, set_vipa({})},
      {{"vipa", "set", "192.0.2.7", "--prefer", "eth1,192.0.2.5"},
       set_vipa({.preferred = Preferred({"eth1", "192.0.2.5"})})},
      {{"vipa", "set", "192.0.2.7", "--prefer", "auto"},
       set_vipa({.preferred = std::optional<Preferred>(std::in_place)})},
      {{"vipa", "set", "192.0.2.7", "--prefer", "none", "--proxy", "alpha"},
       set_vipa({.preferred = Preferred(std::in_place), .proxy = proxy})},
      {{"vipa", "set", "192.0.2.7", "--prefer", "eth0", "--proxy", "none"},
       set_vipa({.preferred = Preferred({"eth0"}), .proxy = std::optional<std::optional<std::string>>(std::in_place)})},
      {{"vipa", "set", "192.0.2.7", "--proxy", "alpha"}, set_vipa({.proxy = proxy})},
      {{"vipa", "set", "192.0.2.7", "--local", "on", "--backup", "off", "--failback", "manual", "--hold", "1h"},
       set_vipa({.is_local = true, .is_backup = false, .failback = Failback::kManual, .hold_s = 3600})},
      {{"vipa", "set", "192.0.2.7", "--on-conflict", "yield", "--probe", "rfc", "--refresh", "0"},
       set_vipa({.on_conflict = OnConflict::kYield, .probe = DuplicateProbe::kRfc, .refresh_s = 0})},
      {{"vipa", "list"}, VipaListRequest{}},
      {{"vipa", "show", "2001:DB8:0::7"}, VipaListRequest{.address = ip("2001:db8::7")}},
      {{"vipa", "move", "192.0.2.7", "192.0.2.5"}, VipaMoveRequest{.address = ip("192.0.2.7"), .entry = "192.0.2.5"}},
      {{"vipa", "resume", "2001:db8::7"}, VipaResumeRequest{.address = ip("2001:db8::7")}},
      {{"vipa", "deactivate", "192.0.2.7"}, VipaAdminRequest{.address = ip("192.0.2.7"), .is_disabled = true}},
      {{"vipa", "reactivate", "192.0.2.7"}, VipaAdminRequest{.address = ip("192.0.2.7"), .is_disabled = false}},
      {{"vipa", "remove", "2001:db8::7"}, VipaRemoveRequest{.address = ip("2001:db8::7")}},
      {{"interface", "list"}, InterfaceListRequest{}},
      {{"interface", "disable", "eth0"}, InterfaceAdminRequest{.name = "eth0", .is_disabled = true}},
      {{"interface", "enable", "eth0.100"}, InterfaceAdminRequest{.name = "eth0.100", .is_disabled = false}},
  };
}

std::vector<Case> other_cases() {
  const PortPath web{.cluster = "web", .port = 80};
  const ServerPath alpha{.port = web, .server = "alpha"};
  return {
      {{"server", "add", "web/80", "192.0.2.4,2001:db8::5", "--name", "alpha"},
       ServerAddRequest{
           .port = web,
           .server = {.name = "alpha", .address = ip("192.0.2.4"), .further_addresses = {ip("2001:db8::5")}}}},
      {{"server", "add", "web/80", "192.0.2.4,192.0.2.5"},
       ServerAddRequest{
           .port = web,
           .server = {.name = "192.0.2.4", .address = ip("192.0.2.4"), .further_addresses = {ip("192.0.2.5")}}}},
      {{"server", "set", "web/80/alpha", "--address", "192.0.2.4,192.0.2.5"},
       ServerSetRequest{.path = alpha, .weight = {}, .addresses = {ip("192.0.2.4"), ip("192.0.2.5")}}},
      {{"server", "set", "web/80/alpha", "--address", "192.0.2.4"},
       ServerSetRequest{.path = alpha, .weight = {}, .addresses = {ip("192.0.2.4")}}},
      {{"set", "--fix-host", "on"}, SettingsSetRequest{.fix_host = true}},
      {{"set", "--reach", "none"}, SettingsSetRequest{.reach_targets = std::vector<IpAddress>{}}},
      {{"set", "--reach", "192.0.2.1,2001:db8::1", "--reach-policy", "all", "--reach-interval", "1m", "--reach-missed",
        "10"},
       SettingsSetRequest{.reach_targets = std::vector{ip("192.0.2.1"), ip("2001:db8::1")},
                          .needs_all_targets = true,
                          .reach_interval_s = 60,
                          .reach_missed = 10}},
      {{"set", "--reach-policy", "any", "--up-delay", "255", "--down-delay", "0s"},
       SettingsSetRequest{.needs_all_targets = false, .up_delay_s = 255, .down_delay_s = 0}},
  };
}

class VipaCommands : public CliTest {
 protected:
  void expect_requests(const std::vector<Case>& cases) {
    serve(json::object());
    for (const Case& entry : cases) {
      const std::size_t before = requests().size();
      const Outcome outcome = run(entry.words);
      EXPECT_EQ(outcome.code, 0) << entry.words[0] << ": " << outcome.err;
      ASSERT_EQ(requests().size(), before + 1) << testing::PrintToString(entry.words);
      EXPECT_TRUE(requests().back() == entry.request) << testing::PrintToString(entry.words);
    }
  }
};

TEST_F(VipaCommands, AskForWhatTheySay) { expect_requests(vipa_cases()); }

TEST_F(VipaCommands, AdaptersAndSettingsAreSent) { expect_requests(other_cases()); }

TEST_F(VipaCommands, LoadSaysWhetherTheHostMayBeSetUp) {
  const json reply = {{"interfaces", json::array()}, {"warnings", json::array()}};
  serve(reply);
  EXPECT_EQ(run({"load", "eth0", "--fix-host"}).code, 0);
  EXPECT_TRUE(requests().back() == Request(LoadRequest{.interfaces = {"eth0"}, .fix_host = true}));
  EXPECT_EQ(run({"load", "eth0"}).code, 0);
  EXPECT_TRUE(requests().back() == Request(LoadRequest{.interfaces = {"eth0"}}));
}

TEST_F(VipaCommands, TellWhatHappened) {
  struct Told {
    std::vector<std::string> words;
    const char* changed;
    const char* unchanged;
  };
  const std::vector<Told> all = {
      {{"vipa", "set", "192.0.2.7", "--local", "on"}, "changed", "is so already, unchanged"},
      {{"vipa", "move", "192.0.2.7", "eth1"}, "moved to eth1", "stays there already, unchanged"},
      {{"vipa", "resume", "192.0.2.7"}, "follows its list again", "follows its list already, unchanged"},
      {{"vipa", "deactivate", "192.0.2.7"}, "deactivated", "is so already, unchanged"},
      {{"vipa", "reactivate", "192.0.2.7"}, "reactivated", "is active already, unchanged"},
      {{"vipa", "remove", "192.0.2.7"}, "removed", "was absent"},
  };
  bool is_changed = true;
  serve([&](const Request&) { return make_reply(is_changed ? kChanged : kUnchanged); });
  for (const Told& each : all) {
    is_changed = true;
    EXPECT_EQ(run(each.words).out, "vipa 192.0.2.7 " + std::string(each.changed) + "\n");
    is_changed = false;
    EXPECT_EQ(run(each.words).out, "vipa 192.0.2.7 " + std::string(each.unchanged) + "\n");
  }
  EXPECT_EQ(run({"interface", "disable", "eth0"}).out, "interface eth0 is so already, unchanged\n");
  is_changed = true;
  EXPECT_EQ(run({"interface", "disable", "eth0"}).out, "interface eth0 disabled: it owns no VIPA\n");
  EXPECT_EQ(run({"interface", "enable", "eth0"}).out, "interface eth0 enabled\n");
  EXPECT_EQ(run({"-j", "vipa", "remove", "192.0.2.7"}).out, "{\"changed\":true,\"object\":{}}\n");
}

struct Mistake {
  std::vector<std::string> words;
  const char* text;
};

class VipaMistakes : public CliTest, public testing::WithParamInterface<Mistake> {};

// Nothing of these reaches the daemon.
TEST_P(VipaMistakes, AreUsageAndOneLine) {
  serve(kChanged);
  const Outcome outcome = run(GetParam().words);
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("xdplb: "), EndsWith("\n"), HasSubstr(GetParam().text)));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(requests(), IsEmpty());
}

// `vipa set 192.0.2.7` with one bad option.
Mistake bad(const char* option, const char* value, const char* text) {
  return {{"vipa", "set", "192.0.2.7", option, value}, text};
}

INSTANTIATE_TEST_SUITE_P(
    Vipas, VipaMistakes,
    testing::Values(Mistake{{"vipa"}, "one of set, list, show, move, resume, deactivate, reactivate, remove"},
                    Mistake{{"vipa", "add", "192.0.2.7"}, "add"}, Mistake{{"vipa", "set"}, "ADDRESS"},
                    Mistake{{"vipa", "set", "eth0"}, "vipa: address \"eth0\""},
                    Mistake{{"vipa", "set", "192.0.2.0/24"}, "\"192.0.2.0/24\""}, Mistake{{"vipa", "show"}, "ADDRESS"},
                    Mistake{{"vipa", "show", "192.0.2.300"}, "\"192.0.2.300\""}, Mistake{{"vipa", "list", "x"}, "x"},
                    bad("--prefer", "", "vipa 192.0.2.7: --prefer: \"\" is neither"),
                    bad("--prefer", "eth0,", "--prefer: \"\" is neither"), bad("--prefer", "a/b", "--prefer: \"a/b\""),
                    bad("--prefer", "eth0 eth1", "--prefer: \"eth0 eth1\""),
                    bad("--prefer", "192.0.2.300",
                        "--prefer: \"192.0.2.300\" is neither the name of an interface nor an address"),
                    bad("--prefer", "eth0,eth0", "--prefer: eth0 is named twice"),
                    bad("--proxy", "a/b", "--proxy: \"a/b\" is neither the name nor the path"),
                    bad("--local", "yes", "--local: \"yes\" is neither on nor off"),
                    bad("--backup", "1", "--backup: \"1\""),
                    bad("--failback", "never", "--failback: \"never\" is not one of delayed, immediate, manual"),
                    bad("--hold", "3601", "--hold: \"3601\" is no time from 0 to 3600"),
                    bad("--hold", "1d", "--hold: \"1d\""), bad("--on-conflict", "fight", "--on-conflict: \"fight\""),
                    bad("--probe", "on", "--probe: \"on\""), bad("--refresh", "1s", "--refresh: \"1s\" is neither 0"),
                    Mistake{{"vipa", "set", "192.0.2.7", "--prefer", "eth0", "--proxy", "alpha"}, "say --prefer none"},
                    Mistake{{"vipa", "set", "192.0.2.7", "--prefer", "auto", "--proxy", "alpha"}, "say --prefer none"},
                    Mistake{{"vipa", "move", "192.0.2.7"}, "ENTRY"}, Mistake{{"vipa", "move", "x", "eth0"}, "\"x\""},
                    Mistake{{"vipa", "move", "192.0.2.7", "a/b"}, "vipa 192.0.2.7: \"a/b\""},
                    Mistake{{"vipa", "resume", "x"}, "\"x\""}, Mistake{{"vipa", "deactivate", "x"}, "\"x\""},
                    Mistake{{"vipa", "reactivate", "x"}, "\"x\""}, Mistake{{"vipa", "remove", "x"}, "\"x\""},
                    Mistake{{"interface"}, "one of list, disable, enable"}, Mistake{{"interface", "disable"}, "NAME"},
                    Mistake{{"interface", "disable", "a/b"}, "interface \"a/b\""},
                    Mistake{{"interface", "enable", "abcdefghijklmnop"}, "interface \"abcdefghijklmnop\""}));

INSTANTIATE_TEST_SUITE_P(
    Settings, VipaMistakes,
    testing::Values(Mistake{{"set"}, "say what to set"},
                    Mistake{{"set", "--fix-host", "yes"}, "--fix-host yes: it is on or off"},
                    Mistake{{"set", "--reach", "eth0"}, "--reach: address \"eth0\""},
                    Mistake{{"set", "--reach", ""}, "--reach: address \"\""},
                    Mistake{{"set", "--reach", "192.0.2.1,192.0.2.1"}, "--reach: address 192.0.2.1: is named twice"},
                    Mistake{{"set", "--reach-policy", "some"}, "--reach-policy: \"some\" is not one of any, all"},
                    Mistake{{"set", "--reach-interval", "0"}, "--reach-interval: \"0\" is no time from 1 to 60"},
                    Mistake{{"set", "--reach-interval", "61s"}, "--reach-interval: \"61s\""},
                    Mistake{{"set", "--reach-missed", "0"},
                            "--reach-missed: number 0: it is a whole number from 1 to 10"},
                    Mistake{{"set", "--reach-missed", "11"}, "--reach-missed: number \"11\""},
                    Mistake{{"set", "--up-delay", "256"}, "--up-delay: \"256\" is no time from 0 to 255"},
                    Mistake{{"set", "--down-delay", "x"}, "--down-delay: \"x\""}));

std::string addresses(int count, char separator) {
  std::string text = "192.0.2.1";
  for (int i = 2; i <= count; ++i) text += separator + ("192.0.2." + std::to_string(i));
  return text;
}

TEST_F(VipaCommands, ListsEndAt32) {
  serve(kChanged);
  EXPECT_EQ(run({"server", "add", "web/80", addresses(32, ',')}).code, 0);
  EXPECT_EQ(run({"vipa", "set", "192.0.2.99", "--prefer", addresses(32, ',')}).code, 0);
  EXPECT_EQ(run({"set", "--reach", addresses(16, ',')}).code, 0);
  EXPECT_THAT(run({"server", "add", "web/80", addresses(33, ',')}).err, HasSubstr("at most 32 are possible"));
  EXPECT_THAT(run({"vipa", "set", "192.0.2.99", "--prefer", addresses(33, ',')}).err,
              HasSubstr("--prefer: there are 33 entries, at most 32 are possible"));
  EXPECT_THAT(run({"set", "--reach", addresses(17, ',')}).err, HasSubstr("at most 16 are possible"));
  EXPECT_EQ(requests().size(), 3U);
}

}  // namespace
}  // namespace xdplb
