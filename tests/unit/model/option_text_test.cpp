// SPDX-License-Identifier: GPL-2.0-only
#include "model/option_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace xdplb {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <typename T>
std::string problem_of(const Result<T>& parsed) {
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
  return parsed.error().message;
}

TEST(OptionText, NamesAreReadAgain) {
  for (const Pick pick : {Pick::kHash, Pick::kRoundRobin, Pick::kLeastConnections}) {
    EXPECT_EQ(parse_pick(pick_name(pick)).value(), pick);
  }
  for (const OnStale on_stale : {OnStale::kRepick, OnStale::kReset, OnStale::kDrop}) {
    EXPECT_EQ(parse_on_stale(on_stale_name(on_stale)).value(), on_stale);
  }
  for (const NoServer no_server : {NoServer::kDrop, NoServer::kPass, NoServer::kReset}) {
    EXPECT_EQ(parse_no_server(no_server_name(no_server)).value(), no_server);
  }
  for (const Echo echo : {Echo::kServer, Echo::kDispatcher, Echo::kOff}) {
    EXPECT_EQ(parse_echo(echo_name(echo)).value(), echo);
  }
  for (const Admin admin : {Admin::kReady, Admin::kDrain, Admin::kDrainNow, Admin::kDown}) {
    EXPECT_EQ(parse_admin(admin_name(admin)).value(), admin);
  }
  for (const Failback failback : {Failback::kDelayed, Failback::kImmediate, Failback::kManual}) {
    EXPECT_EQ(parse_failback(failback_name(failback)).value(), failback);
  }
  for (const OnConflict on_conflict : {OnConflict::kDefend, OnConflict::kYield}) {
    EXPECT_EQ(parse_on_conflict(on_conflict_name(on_conflict)).value(), on_conflict);
  }
  for (const DuplicateProbe probe : {DuplicateProbe::kFast, DuplicateProbe::kRfc, DuplicateProbe::kOff}) {
    EXPECT_EQ(parse_duplicate_probe(duplicate_probe_name(probe)).value(), probe);
  }
  for (const bool needs_all : {false, true}) {
    EXPECT_EQ(parse_reach_policy(reach_policy_name(needs_all)).value(), needs_all);
  }
}

TEST(OptionText, NamesAreThoseOfTheDocumentation) {
  EXPECT_EQ(pick_name(Pick::kHash), "hash");
  EXPECT_EQ(pick_name(Pick::kRoundRobin), "wrr");
  EXPECT_EQ(pick_name(Pick::kLeastConnections), "least-connections");
  EXPECT_EQ(on_stale_name(OnStale::kRepick), "repick");
  EXPECT_EQ(no_server_name(NoServer::kPass), "pass");
  EXPECT_EQ(echo_name(Echo::kDispatcher), "dispatcher");
  EXPECT_EQ(admin_name(Admin::kDrainNow), "drain-now");
  EXPECT_EQ(failback_name(Failback::kImmediate), "immediate");
  EXPECT_EQ(on_conflict_name(OnConflict::kYield), "yield");
  EXPECT_EQ(duplicate_probe_name(DuplicateProbe::kRfc), "rfc");
  EXPECT_EQ(reach_policy_name(true), "all");
}

TEST(OptionText, OtherWordsAreRefusedWithThoseThereAre) {
  EXPECT_EQ(problem_of(parse_pick("Hash")), "\"Hash\" is not one of hash, wrr, least-connections");
  EXPECT_EQ(problem_of(parse_on_stale("")), "\"\" is not one of repick, reset, drop");
  EXPECT_EQ(problem_of(parse_no_server("repick")), "\"repick\" is not one of drop, pass, reset");
  EXPECT_EQ(problem_of(parse_echo("on")), "\"on\" is not one of server, dispatcher, off");
  EXPECT_EQ(problem_of(parse_admin("up")), "\"up\" is not one of ready, drain, drain-now, down");
  EXPECT_EQ(problem_of(parse_failback("auto")), "\"auto\" is not one of delayed, immediate, manual");
  EXPECT_EQ(problem_of(parse_on_conflict("")), "\"\" is not one of defend, yield");
  EXPECT_EQ(problem_of(parse_duplicate_probe("on")), "\"on\" is not one of fast, rfc, off");
  EXPECT_EQ(problem_of(parse_reach_policy("Any")), "\"Any\" is not one of any, all");
}

TEST(OptionText, DurationsHaveUnitsAndARange) {
  EXPECT_EQ(parse_duration("90", 1, 43200).value(), 90U);
  EXPECT_EQ(parse_duration("90s", 1, 43200).value(), 90U);
  EXPECT_EQ(parse_duration("5m", 1, 43200).value(), 300U);
  EXPECT_EQ(parse_duration("12h", 1, 43200).value(), 43200U);
  EXPECT_EQ(parse_duration("720m", 1, 43200).value(), 43200U);
  EXPECT_EQ(parse_duration("1", 1, 43200).value(), 1U);
  EXPECT_EQ(parse_duration("0s", 0, 43200).value(), 0U);
  for (const char* text : {"0", "0s", "43201", "43201s", "721m", "13h", "4294967296h", "", "s", "m", "-1s", "+1",
                           "1.5s", " 1s", "1 s", "1d", "1ms", "1S", "s1"}) {
    EXPECT_EQ(problem_of(parse_duration(text, 1, 43200)),
              "\"" + std::string(text) + "\" is no time from 1 to 43200 seconds, written like 90, 90s, 5m or 2h");
  }
  EXPECT_EQ(duration_text(300), "300s");
  EXPECT_EQ(parse_duration(duration_text(43200), 1, 43200).value(), 43200U);
}

TEST(OptionText, TagsOfServers) {
  EXPECT_EQ(parse_vlan("keep").value(), std::nullopt);
  EXPECT_EQ(parse_vlan("none").value(), 0);
  EXPECT_EQ(parse_vlan("1").value(), 1);
  EXPECT_EQ(parse_vlan("4094").value(), 4094);
  for (const char* text : {"0", "4095", "", "-1", "all"}) {
    EXPECT_EQ(problem_of(parse_vlan(text)),
              "\"" + std::string(text) + "\" is neither keep nor none nor a VLAN from 1 to 4094");
  }
  for (const char* text : {"keep", "none", "100"}) EXPECT_EQ(vlan_text(parse_vlan(text).value()), text);
}

Result<StickyMasks> masks(const std::vector<std::string>& texts) { return parse_sticky_masks(texts); }

TEST(OptionText, OneMaskIsOfTheFamilyItFits) {
  EXPECT_EQ(masks({"/1"}).value(), (StickyMasks{.v4 = 1, .v6 = {}}));
  EXPECT_EQ(masks({"/32"}).value(), (StickyMasks{.v4 = 32, .v6 = {}}));
  EXPECT_EQ(masks({"/33"}).value(), (StickyMasks{.v4 = {}, .v6 = 33}));
  EXPECT_EQ(masks({"/128"}).value(), (StickyMasks{.v4 = {}, .v6 = 128}));
}

TEST(OptionText, OfTwoMasksTheFirstIsThatOfIpv4) {
  EXPECT_EQ(masks({"/24", "/64"}).value(), (StickyMasks{.v4 = 24, .v6 = 64}));
  EXPECT_EQ(masks({"/24", "/32"}).value(), (StickyMasks{.v4 = 24, .v6 = 32}));
  EXPECT_EQ(problem_of(masks({"/64", "/24"})), "\"/64\" is no mask from /1 to /32, as the first of two is IPv4's");
}

TEST(OptionText, WhatIsNoMaskIsRefused) {
  for (const char* text : {"/0", "/129", "24", "/", "", "/-1", "255.255.255.0", "//24"}) {
    EXPECT_EQ(problem_of(masks({text})), "\"" + std::string(text) + "\" is no mask from /1 to /128");
  }
  const std::string needed = "a mask is needed, or two: that of IPv4 and that of IPv6, like /24 and /64";
  EXPECT_EQ(problem_of(masks({})), needed);
  EXPECT_EQ(problem_of(masks({"/24", "/64", "/64"})), needed);
}

struct Added {
  std::vector<std::string> addresses;
  std::vector<std::string> prefixes;
};

Added added(std::string_view text) {
  std::vector<IpAddress> addresses;
  std::vector<IpPrefix> prefixes;
  EXPECT_TRUE(add_cluster_address(text, addresses, prefixes)) << text;
  return {.addresses = address_texts(addresses, {}), .prefixes = address_texts({}, prefixes)};
}

TEST(OptionText, AddressesAndNetworksOfAClusterAreToldApart) {
  for (const char* text : {"192.0.2.10", "192.0.2.10/32"}) {
    EXPECT_THAT(added(text).addresses, ElementsAre("192.0.2.10"));
    EXPECT_THAT(added(text).prefixes, IsEmpty());
  }
  EXPECT_THAT(added("2001:db8::10/128").addresses, ElementsAre("2001:db8::10"));
  EXPECT_THAT(added("198.51.100.0/24").prefixes, ElementsAre("198.51.100.0/24"));
  EXPECT_THAT(added("198.51.100.0/24").addresses, IsEmpty());
  EXPECT_THAT(added("2001:db8::/32").prefixes, ElementsAre("2001:db8::/32"));
  for (const char* text : {"0.0.0.0", "0.0.0.0/0"}) EXPECT_THAT(added(text).prefixes, ElementsAre("0.0.0.0/0"));
  for (const char* text : {"::", "::/0"}) EXPECT_THAT(added(text).prefixes, ElementsAre("::/0"));
}

TEST(OptionText, AnAddressWithinANetworkIsRefusedWithWhatWasMeant) {
  std::vector<IpAddress> addresses;
  std::vector<IpPrefix> prefixes;
  const auto problem = [&](std::string_view text) {
    return problem_of(add_cluster_address(text, addresses, prefixes));
  };
  EXPECT_EQ(problem("198.51.100.7/24"),
            "\"198.51.100.7/24\" is an address within a network: write 198.51.100.0/24 or 198.51.100.7");
  EXPECT_EQ(problem("2001:db8::1/32"),
            "\"2001:db8::1/32\" is an address within a network: write 2001:db8::/32 or 2001:db8::1");
  EXPECT_EQ(problem("192.0.2.300"), "\"192.0.2.300\" is not an IPv4 or IPv6 address");
  EXPECT_EQ(problem("192.0.2.0/33"), "network \"192.0.2.0/33\": length \"33\" is not in 0..32");
  EXPECT_THAT(addresses, IsEmpty());
  EXPECT_THAT(prefixes, IsEmpty());
}

TEST(OptionText, AddressesOfOneServerHaveCommasBetweenThem) {
  const auto one = parse_address_list("192.0.2.4").value();
  EXPECT_THAT(address_texts(one, {}), ElementsAre("192.0.2.4"));
  const auto three = parse_address_list("192.0.2.4,2001:DB8::5,192.0.2.6").value();
  EXPECT_THAT(address_texts(three, {}), ElementsAre("192.0.2.4", "2001:db8::5", "192.0.2.6"));
  EXPECT_EQ(list_text(three), "192.0.2.4,2001:db8::5,192.0.2.6");
  EXPECT_EQ(list_text({}), "");
  EXPECT_EQ(problem_of(parse_address_list("192.0.2.4,192.0.2.4")), "address 192.0.2.4: is named twice");
  for (const char* text : {"", ",", "192.0.2.4,", ",192.0.2.4", "192.0.2.4 192.0.2.5", "192.0.2.4, 192.0.2.5"}) {
    EXPECT_FALSE(parse_address_list(text)) << text;
  }
}

TEST(OptionText, EntriesOfAListAreNamesOrAddressesOfInterfaces) {
  for (const char* text :
       {"eth0", "a", "br-lan.10@x", "abcdefghijklmno", "192.0.2.4", "2001:db8::4", "eth0.100", "1.2"}) {
    EXPECT_TRUE(check_list_entry(text)) << text;
  }
  for (const char* text :
       {"", "abcdefghijklmnop", "a/b", "a b", "a:b", ".", "..", "192.0.2.300", "192.0.2.4/24", "\xC3\xA4"}) {
    EXPECT_FALSE(check_list_entry(text)) << text;
  }
  EXPECT_EQ(check_list_entry("a\n").error().message,
            "\"a\\x0a\" is neither the name of an interface nor an address of one");
}

TEST(OptionText, ListsOfInterfacesHaveWordsForAllAndNobody) {
  using Preferred = std::optional<std::vector<std::string>>;
  EXPECT_EQ(parse_preferred("auto").value(), Preferred());
  EXPECT_EQ(parse_preferred("none").value(), Preferred(std::in_place));
  EXPECT_EQ(parse_preferred("eth1,192.0.2.5").value(), Preferred({"eth1", "192.0.2.5"}));
  EXPECT_EQ(preferred_text(Preferred()), "auto");
  EXPECT_EQ(preferred_text(Preferred(std::in_place)), "none");
  EXPECT_EQ(preferred_text(Preferred({"eth1", "eth0"})), "eth1 eth0");
  EXPECT_EQ(problem_of(parse_preferred("eth0,eth1,eth0")), "eth0 is named twice");
  EXPECT_EQ(problem_of(parse_preferred("eth0,")), "\"\" is neither the name of an interface nor an address of one");
  EXPECT_FALSE(parse_preferred(""));
}

TEST(OptionText, RefreshIsNeverOrATime) {
  EXPECT_EQ(parse_refresh("0").value(), 0U);
  EXPECT_EQ(parse_refresh("2s").value(), 2U);
  EXPECT_EQ(parse_refresh("1h").value(), 3600U);
  for (const char* text : {"1", "3601", "", "off", "2h"}) {
    EXPECT_EQ(problem_of(parse_refresh(text)),
              "\"" + std::string(text) + "\" is neither 0, for never, nor a time from 2 to 3600 seconds");
  }
}

}  // namespace
}  // namespace xdplb
