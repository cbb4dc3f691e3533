// SPDX-License-Identifier: GPL-2.0-only
#include "net/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace xdplb {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using namespace std::string_view_literals;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(MacAddress, ParsesEitherCaseAndPrintsLowerCase) {
  const auto mac = MacAddress::parse("02:aB:Cd:00:01:fF");
  ASSERT_TRUE(mac);
  EXPECT_THAT(mac->bytes, ElementsAreArray({0x02, 0xab, 0xcd, 0x00, 0x01, 0xff}));
  EXPECT_EQ(mac->to_string(), "02:ab:cd:00:01:ff");
}

TEST(MacAddress, RefusesOtherText) {
  for (const auto text : {""sv, "02:00:00:00:00"sv, "02:00:00:00:00:0"sv, "02:00:00:00:00:001"sv, "02-00-00-00-00-01"sv,
                          "0200.0000.0001"sv, "2:0:0:0:0:1"sv, "02:00:00:00:00:0g"sv, " 02:00:00:00:00:01"sv,
                          "02:00:00:00:00:01 "sv, "02:00:00:00:00:01:02"sv,
                          "02:00:00:00:00:\0"
                          "1"sv}) {
    const auto mac = MacAddress::parse(text);
    ASSERT_FALSE(mac) << text;
    EXPECT_EQ(mac.error().code, ErrorCode::kUsage);
    EXPECT_THAT(mac.error().message, HasSubstr("MAC address"));
  }
}

TEST(MacAddress, KnowsItsKind) {
  EXPECT_TRUE(MacAddress{}.is_zero());
  EXPECT_FALSE(kBroadcastMac.is_zero());
  EXPECT_TRUE(kBroadcastMac.is_multicast());
  EXPECT_TRUE((MacAddress{{0x33, 0x33, 0, 0, 0, 1}}).is_multicast());
  EXPECT_FALSE((MacAddress{{0x02, 0, 0, 0, 0, 1}}).is_multicast());
}

TEST(IpAddress, ParsesDottedQuads) {
  EXPECT_THAT(ip("192.0.2.10").bytes(), ElementsAreArray({192, 0, 2, 10}));
  EXPECT_TRUE(ip("0.0.0.0").is_v4());
  EXPECT_EQ(ip("255.255.255.255").to_string(), "255.255.255.255");
}

TEST(IpAddress, RefusesOtherTextForV4) {
  for (const auto text :
       {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.10.1"sv, "192.0.2.010"sv, "192.0.2.00"sv, "0xc0.0.2.1"sv,
        "3221225994"sv, " 192.0.2.10"sv, "192.0.2.10 "sv, "192.0.2.10\n"sv, "192.0.2.10/24"sv, "192.0.2.10:80"sv,
        "192.0.2.-1"sv, "192.0.2.+1"sv, "192..2.1"sv, "192.0.2.10\0"sv, "192.0.2.10\0x"sv, "localhost"sv}) {
    const auto address = IpAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::kUsage);
    EXPECT_THAT(address.error().message, HasSubstr("address \""));
  }
}

TEST(IpAddress, PrintsV6ByRfc5952) {
  struct Case {
    std::string_view text;
    std::string_view canonical;
  };
  for (const Case& each : {
           Case{"::", "::"},
           Case{"::1", "::1"},
           Case{"1::", "1::"},
           Case{"2001:DB8::10", "2001:db8::10"},
           Case{"2001:0db8:0000:0000:0000:0000:0000:0010", "2001:db8::10"},
           Case{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one group is not shortened
           Case{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longest run is
           Case{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // the first of equals
           Case{"fe80:0:0:0:1:2:3:0", "fe80::1:2:3:0"},
           Case{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
           Case{"1:2:3:4:5:6::", "1:2:3:4:5:6::"},
           Case{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
           Case{"::ffff:c000:201", "::ffff:192.0.2.1"},
           Case{"::1:2", "::1:2"},  // glibc's inet_ntop says ::0.1.0.2
           Case{"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
       }) {
    const auto address = IpAddress::parse(each.text);
    ASSERT_TRUE(address) << each.text;
    EXPECT_TRUE(address->is_v6());
    EXPECT_EQ(address->to_string(), each.canonical);
    EXPECT_EQ(ip(address->to_string()), *address);
  }
}

TEST(IpAddress, RefusesOtherTextForV6) {
  for (const auto text : {":"sv,
                          ":::"sv,
                          "1::2::3"sv,
                          "12345::"sv,
                          "g::"sv,
                          "1:2:3:4:5:6:7"sv,
                          "1:2:3:4:5:6:7:8:9"sv,
                          "1:2:3:4:5:6:7:8::"sv,
                          "1:2:3:4::5:6:7:8"sv,
                          "fe80::1%eth0"sv,
                          "fe80::1%1"sv,
                          "2001:db8::/32"sv,
                          "[2001:db8::1]"sv,
                          " ::1"sv,
                          "::1 "sv,
                          "::1\0"sv,
                          "::192.0.2"sv,
                          "::192.0.2.01"sv,
                          "::192.0.2.1:1"sv,
                          ":1:2:3:4:5:6:7"sv,
                          "1:2:3:4:5:6:7:"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, ErrorsStayOnOneLineWhateverTheText) {
  const std::string hostile = std::string("a\n\x1b[2J\0z", 8) + std::string(500, 'x');
  const std::string message = IpAddress::parse(hostile).error().message;
  EXPECT_THAT(message, HasSubstr("\"a\\x0a\\x1b[2J\\x00zx"));
  EXPECT_LT(message.size(), 300U);
  for (const char c : message) EXPECT_GE(c, 0x20);
}

TEST(IpAddress, KnowsItsKind) {
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
  EXPECT_FALSE(ip("::1").is_unspecified());

  EXPECT_TRUE(ip("127.0.0.1").is_loopback());
  EXPECT_TRUE(ip("127.255.255.255").is_loopback());
  EXPECT_FALSE(ip("128.0.0.1").is_loopback());
  EXPECT_FALSE(ip("126.255.255.255").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_FALSE(ip("::2").is_loopback());
  EXPECT_FALSE(ip("1::1").is_loopback());

  EXPECT_FALSE(ip("223.255.255.255").is_multicast());
  EXPECT_TRUE(ip("224.0.0.0").is_multicast());
  EXPECT_TRUE(ip("239.255.255.255").is_multicast());
  EXPECT_FALSE(ip("240.0.0.0").is_multicast());
  EXPECT_TRUE(ip("ff00::").is_multicast());
  EXPECT_FALSE(ip("feff::").is_multicast());

  EXPECT_TRUE(ip("169.254.0.0").is_link_local());
  EXPECT_TRUE(ip("169.254.255.255").is_link_local());
  EXPECT_FALSE(ip("169.253.255.255").is_link_local());
  EXPECT_FALSE(ip("169.255.0.0").is_link_local());
  EXPECT_TRUE(ip("fe80::").is_link_local());
  EXPECT_TRUE(ip("febf:ffff::").is_link_local());
  EXPECT_FALSE(ip("fec0::").is_link_local());
  EXPECT_FALSE(ip("fe7f::").is_link_local());

  EXPECT_TRUE(ip("255.255.255.255").is_broadcast());
  EXPECT_FALSE(ip("255.255.255.254").is_broadcast());
  EXPECT_FALSE(ip("ffff:ffff::").is_broadcast());
}

TEST(IpAddress, FamiliesAreNeverEqual) {
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_LT(ip("255.255.255.255"), ip("::"));
  EXPECT_LT(ip("192.0.2.9"), ip("192.0.2.10"));
  EXPECT_EQ(family_name(ip("192.0.2.9").family()), "v4");
  EXPECT_EQ(family_name(ip("::").family()), "v6");
}

TEST(SolicitedNodeGroup, TakesTheLast24Bits) {
  EXPECT_EQ(solicited_node_group(ip("2001:db8::12:3456:789a")), ip("ff02::1:ff56:789a"));
  EXPECT_EQ(solicited_node_group(ip("2001:db8::10")), ip("ff02::1:ff00:10"));
}

TEST(IpPrefix, ContainsItsRangeOnly) {
  const IpPrefix v4{.address = ip("192.0.2.77"), .length = 26};  // 192.0.2.64 to 192.0.2.127
  EXPECT_FALSE(v4.contains(ip("192.0.2.63")));
  EXPECT_TRUE(v4.contains(ip("192.0.2.64")));
  EXPECT_TRUE(v4.contains(ip("192.0.2.127")));
  EXPECT_FALSE(v4.contains(ip("192.0.2.128")));
  EXPECT_FALSE(v4.contains(ip("2001:db8::1")));
  const IpPrefix v6{.address = ip("2001:db8::1"), .length = 33};
  EXPECT_TRUE(v6.contains(ip("2001:db8:7fff::")));
  EXPECT_FALSE(v6.contains(ip("2001:db8:8000::")));
  EXPECT_FALSE(v6.contains(ip("192.0.2.1")));
}

TEST(IpPrefix, OfLengthZeroAndFull) {
  EXPECT_TRUE((IpPrefix{.address = ip("192.0.2.1"), .length = 0}).contains(ip("255.255.255.255")));
  EXPECT_TRUE((IpPrefix{.address = ip("192.0.2.1"), .length = 32}).contains(ip("192.0.2.1")));
  EXPECT_FALSE((IpPrefix{.address = ip("192.0.2.1"), .length = 32}).contains(ip("192.0.2.0")));
  EXPECT_FALSE((IpPrefix{.address = ip("192.0.2.1"), .length = 33}).contains(ip("192.0.2.1"))) << "no such length";
  EXPECT_TRUE((IpPrefix{.address = ip("::"), .length = 0}).contains(ip("ffff::")));
  EXPECT_TRUE((IpPrefix{.address = ip("2001:db8::1"), .length = 128}).contains(ip("2001:db8::1")));
  EXPECT_FALSE((IpPrefix{.address = ip("2001:db8::1"), .length = 128}).contains(ip("2001:db8::")));
}

TEST(IpPrefix, PrintsAddressAndLength) {
  EXPECT_EQ((IpPrefix{.address = ip("192.0.2.1"), .length = 24}).to_string(), "192.0.2.1/24");
  EXPECT_EQ((IpPrefix{.address = ip("2001:db8::1"), .length = 64}).to_string(), "2001:db8::1/64");
}

TEST(IpPrefix, ParsesAddressesAndNetworks) {
  struct Case {
    std::string_view text;
    IpPrefix prefix;
  };
  for (const Case& each : {
           Case{"192.0.2.0/24", {.address = ip("192.0.2.0"), .length = 24}},
           Case{"192.0.2.1/24", {.address = ip("192.0.2.1"), .length = 24}},
           Case{"0.0.0.0/0", {.address = ip("0.0.0.0"), .length = 0}},
           Case{"192.0.2.1/32", {.address = ip("192.0.2.1"), .length = 32}},
           Case{"192.0.2.1", {.address = ip("192.0.2.1"), .length = 32}},
           Case{"2001:db8::/32", {.address = ip("2001:db8::"), .length = 32}},
           Case{"::/0", {.address = ip("::"), .length = 0}},
           Case{"2001:db8::1/128", {.address = ip("2001:db8::1"), .length = 128}},
           Case{"2001:db8::1", {.address = ip("2001:db8::1"), .length = 128}},
       }) {
    const auto prefix = IpPrefix::parse(each.text);
    ASSERT_TRUE(prefix) << prefix.error().message;
    EXPECT_EQ(*prefix, each.prefix) << each.text;
  }
}

TEST(IpPrefix, RefusesAnythingElse) {
  for (const auto text : {""sv, "/"sv, "/24"sv, "192.0.2.0/"sv, "192.0.2.0/33"sv, "192.0.2.0/-1"sv, "192.0.2.0/ 8"sv,
                          "192.0.2.0/24/24"sv, "192.0.2/24"sv, "2001:db8::/129"sv, "192.0.2.0/255.255.255.0"sv}) {
    const auto prefix = IpPrefix::parse(text);
    ASSERT_FALSE(prefix) << text;
    EXPECT_EQ(prefix.error().code, ErrorCode::kUsage);
    EXPECT_THAT(prefix.error().message, HasSubstr("network \"" + std::string(text) + "\": "));
  }
}

TEST(IpPrefix, NetworkHasNoHostBits) {
  const auto network = [](std::string_view text) { return IpPrefix::parse(text).value().network().to_string(); };
  EXPECT_EQ(network("192.0.2.255/24"), "192.0.2.0/24");
  EXPECT_EQ(network("192.0.2.255/25"), "192.0.2.128/25");
  EXPECT_EQ(network("192.0.2.255/31"), "192.0.2.254/31");
  EXPECT_EQ(network("192.0.2.255/32"), "192.0.2.255/32");
  EXPECT_EQ(network("192.0.2.255/0"), "0.0.0.0/0");
  EXPECT_EQ(network("2001:db8:ffff::1/33"), "2001:db8:8000::/33");
  EXPECT_EQ(network("2001:db8::1/128"), "2001:db8::1/128");
  EXPECT_EQ(network("2001:db8::1/0"), "::/0");
}

TEST(IpPrefix, OfFullLengthIsAHost) {
  EXPECT_TRUE(IpPrefix::parse("192.0.2.1/32").value().is_host());
  EXPECT_FALSE(IpPrefix::parse("192.0.2.0/31").value().is_host());
  EXPECT_TRUE(IpPrefix::parse("2001:db8::1").value().is_host());
  EXPECT_FALSE(IpPrefix::parse("2001:db8::/32").value().is_host());
}

TEST(Protocol, HasTwoNames) {
  EXPECT_EQ(parse_protocol("tcp").value(), Protocol::kTcp);
  EXPECT_EQ(parse_protocol("udp").value(), Protocol::kUdp);
  EXPECT_EQ(protocol_name(Protocol::kTcp), "tcp");
  EXPECT_EQ(protocol_name(Protocol::kUdp), "udp");
  for (const auto text : {""sv, "TCP"sv, "tcp "sv, "sctp"sv, "6"sv}) EXPECT_FALSE(parse_protocol(text)) << text;
}

TEST(Endpoint, ParsesBothFamilies) {
  EXPECT_EQ(Endpoint::parse("192.0.2.10:443").value(), (Endpoint{.address = ip("192.0.2.10"), .port = 443}));
  EXPECT_EQ(Endpoint::parse("[2001:db8::10]:443").value(), (Endpoint{.address = ip("2001:db8::10"), .port = 443}));
  EXPECT_EQ(Endpoint::parse("192.0.2.10:0").value().port, 0);
  EXPECT_EQ(Endpoint::parse("192.0.2.10:65535").value().port, 65535);
}

TEST(Endpoint, PrintsWhatItParses) {
  for (const auto text : {"192.0.2.10:443"sv, "[2001:db8::10]:443"sv, "[::]:0"sv}) {
    EXPECT_EQ(Endpoint::parse(text).value().to_string(), text);
  }
}

TEST(Endpoint, SaysWhatIsWrong) {
  struct Case {
    std::string_view text;
    std::string_view reason;
  };
  for (const Case& each : {
           Case{"", "the port is missing"},
           Case{"192.0.2.10", "the port is missing"},
           Case{"192.0.2.10:", "the port is missing"},
           Case{"[2001:db8::10]", "the port is missing"},
           Case{"[2001:db8::10]:", "the port is missing"},
           Case{"2001:db8::10:443", "needs [ ]"},
           Case{"2001:db8::10", "needs [ ]"},
           Case{"[2001:db8::10:443", "needs [ ]"},
           Case{"[2001:db8::10]x:443", "between ] and :PORT"},
           Case{"192.0.2.256:443", "\"192.0.2.256\" is no IPv4 address"},
           Case{":443", "\"\" is no IPv4 address"},
           Case{"[192.0.2.10]:443", "\"192.0.2.10\" is no IPv6 address"},
           Case{"[2001:db8::g]:443", "\"2001:db8::g\" is no IPv6 address"},
           Case{"[fe80::1%eth0]:443", "is no IPv6 address"},
           Case{"192.0.2.10:65536", "port \"65536\" is not in 0..65535"},
           Case{"192.0.2.10:-1", "port \"-1\" is not a whole number"},
           Case{"192.0.2.10:https", "port \"https\" is not a whole number"},
       }) {
    const auto endpoint = Endpoint::parse(each.text);
    ASSERT_FALSE(endpoint) << each.text;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kUsage);
    EXPECT_THAT(endpoint.error().message, HasSubstr(each.reason));
    EXPECT_THAT(endpoint.error().message, HasSubstr("endpoint \""));
  }
}

TEST(ParseNumber, KeepsItsRange) {
  EXPECT_EQ(parse_number("0", 100, "weight").value(), 0U);
  EXPECT_EQ(parse_number("100", 100, "weight").value(), 100U);
  EXPECT_EQ(parse_number("101", 100, "weight").error().message, "weight \"101\" is not in 0..100");
  EXPECT_EQ(parse_number("4294967295", 0xffffffff, "number").value(), 0xffffffffU);
  EXPECT_FALSE(parse_number("4294967296", 0xffffffff, "number"));
  EXPECT_EQ(parse_number("99999999999999999999", 100, "weight").error().message,
            "weight \"99999999999999999999\" is not in 0..100");
}

TEST(ParseNumber, TakesDigitsOnly) {
  for (const auto text : {""sv, "-1"sv, "+1"sv, " 1"sv, "1 "sv, "1.0"sv, "1e1"sv, "0x1"sv, "ten"sv, "1\0"sv}) {
    const auto number = parse_number(text, 100, "weight");
    ASSERT_FALSE(number) << text;
    EXPECT_THAT(number.error().message, HasSubstr("is not a whole number in 0..100"));
  }
}

}  // namespace
}  // namespace xdplb
