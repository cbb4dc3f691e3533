// SPDX-License-Identifier: GPL-2.0-only
#include "model/advisor_config.h"

#include "model/option_text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace xdplb {
namespace {

using namespace std::string_literals;

TEST(EscapedBytes, KnowEveryEscape) {
  EXPECT_EQ(unescape_bytes(R"(PING\r\n)").value(), "PING\r\n");
  EXPECT_EQ(unescape_bytes(R"(\t\0\\\x00\xfF\x7e)").value(), "\t\0\\\0\xff~"s);
  EXPECT_EQ(unescape_bytes("").value(), "");
  EXPECT_EQ(unescape_bytes(R"(\01)").value(), "\0001"s);
  EXPECT_EQ(unescape_bytes(R"(\x411)").value(), "A1");
}

TEST(EscapedBytes, OthersAreRefusedWithTheirText) {
  for (const char* const text : {R"(a\qb)", R"(\)", R"(\x)", R"(\x1)", R"(\x1g)", R"(\X41)"}) {
    const auto bytes = unescape_bytes(text);
    ASSERT_FALSE(bytes) << text;
    EXPECT_EQ(bytes.error().code, ErrorCode::kUsage);
    EXPECT_NE(bytes.error().message.find("unknown escape"), std::string::npos) << bytes.error().message;
  }
  EXPECT_EQ(unescape_bytes(R"(a\qb)").error().message,
            R"("a\\qb" has an unknown escape, there are \r \n \t \0 \\ and \xHH)");
}

TEST(EscapedBytes, AreAsciiAndGiveTheBytesAgain) {
  EXPECT_EQ(escape_bytes("a\\b\r\n\t\0\x1\x7f\xff"s), R"(a\\b\r\n\t\0\x01\x7f\xff)");
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (auto length = random() % 12; length > 0; --length) bytes += static_cast<char>(random());
    const std::string text = escape_bytes(bytes);
    for (const char letter : text) EXPECT_TRUE(letter >= ' ' && letter <= '~');
    EXPECT_EQ(unescape_bytes(text).value(), bytes) << text;
  }
}

TEST(AdvisorTypes, PresetsAreTheConversations) {
  for (unsigned i = 0; i <= static_cast<unsigned>(AdvisorType::kTelnet); ++i) {
    const auto type = static_cast<AdvisorType>(i);
    EXPECT_EQ(parse_advisor_type(advisor_type_name(type)).value(), type);
    EXPECT_EQ(is_preset(type), !advisor_steps({.type = type}).empty()) << advisor_type_name(type);
  }
  EXPECT_EQ(parse_advisor_type("smtps").error().message,
            "\"smtps\" is not one of connect, ping, http, https, tcp, dns, udp, agent, exec, composite, smtp, imap, "
            "pop3, ftp, redis, ldap, mysql, pgsql, sip, nntp, telnet");
}

TEST(AdvisorTexts, WordsAreReadAgain) {
  for (const ProbeWay way : {ProbeWay::kVip, ProbeWay::kOwn, ProbeWay::kBoth}) {
    EXPECT_EQ(parse_probe_way(probe_way_name(way)).value(), way);
  }
  for (const Combine combine : {Combine::kAll, Combine::kAny, Combine::kAtLeast}) {
    EXPECT_EQ(parse_combine(combine_name(combine)).value(), combine);
  }
  for (const OnSilence silence : {OnSilence::kDown, OnSilence::kUp}) {
    EXPECT_EQ(parse_on_silence(on_silence_name(silence)).value(), silence);
  }
  for (const ExitEvent event : kExitEvents) EXPECT_EQ(parse_exit_event(exit_event_name(event)).value(), event);
  for (const OnAllDown word : {OnAllDown::kRowsStay, OnAllDown::kDrop, OnAllDown::kReset}) {
    EXPECT_EQ(parse_on_all_down(on_all_down_name(word)).value(), word);
  }
}

TEST(Milliseconds, HaveUnits) {
  EXPECT_EQ(parse_milliseconds("300ms", 20, 3600000).value(), 300U);
  EXPECT_EQ(parse_milliseconds("2s", 20, 3600000).value(), 2000U);
  EXPECT_EQ(parse_milliseconds("2", 20, 3600000).value(), 2000U);
  EXPECT_EQ(parse_milliseconds("5m", 20, 3600000).value(), 300000U);
  EXPECT_EQ(parse_milliseconds("1h", 20, 3600000).value(), 3600000U);
  EXPECT_EQ(parse_milliseconds("20ms", 20, 3600000).value(), 20U);
  for (const char* const text : {"19ms", "3600001ms", "2h", "0", "", "ms", "s", "-1s", "1.5s", "5 s", "99999999999s"}) {
    const auto time = parse_milliseconds(text, 20, 3600000);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().message, "\""s + text + "\" is no time from 20ms to 3600s, written like 500ms, 2, 2s or 5m");
  }
}

TEST(Milliseconds, TextIsReadAgain) {
  EXPECT_EQ(milliseconds_text(300), "300ms");
  EXPECT_EQ(milliseconds_text(1500), "1500ms");
  EXPECT_EQ(milliseconds_text(300000), "300s");
  for (const unsigned time : {20U, 999U, 1000U, 1001U, 3600000U}) {
    EXPECT_EQ(parse_milliseconds(milliseconds_text(time), 20, 3600000).value(), time);
  }
}

TEST(MinUpText, IsANumberOrPercent) {
  EXPECT_EQ(parse_min_up("1").value(), MinUp{});
  EXPECT_EQ(parse_min_up("1000").value(), (MinUp{.value = 1000}));
  EXPECT_EQ(parse_min_up("1%").value(), (MinUp{.value = 1, .is_percent = true}));
  EXPECT_EQ(parse_min_up("100%").value(), (MinUp{.value = 100, .is_percent = true}));
  for (const char* const text : {"0", "1001", "0%", "101%", "%", "", "1%%", "-1"}) {
    EXPECT_EQ(parse_min_up(text).error().message,
              "\""s + text + "\" is neither a number of servers from 1 to 1000 nor percent of them, 1% to 100%");
  }
  EXPECT_EQ(min_up_text({.value = 2}), "2");
  EXPECT_EQ(min_up_text({.value = 50, .is_percent = true}), "50%");
}

TEST(StatusRangeText, IsOneOrARange) {
  EXPECT_EQ(parse_status_range("200").value(), (StatusRange{200, 200}));
  EXPECT_EQ(parse_status_range("100-599").value(), (StatusRange{100, 599}));
  for (const char* const text : {"99", "600", "300-299", "200-600", "99-200", "-", "200-", "-200", "2xx", ""}) {
    EXPECT_FALSE(parse_status_range(text)) << text;
  }
  EXPECT_EQ(status_range_text({200, 200}), "200");
  EXPECT_EQ(status_range_text({300, 399}), "300-399");
}

}  // namespace
}  // namespace xdplb
