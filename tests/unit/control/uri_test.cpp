// SPDX-License-Identifier: GPL-2.0-only
#include "control/uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Uri, SplitsPathAndQuery) {
  const auto target = parse_target("/v1/clusters/web?name=eth0&name=eth1");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("v1", "clusters", "web"));
  EXPECT_THAT(target->query, ElementsAre(Pair("name", "eth0"), Pair("name", "eth1")));
}

TEST(Uri, DecodesEscapesInEitherCase) {
  const auto target = parse_target("/%76%31/a%2Fb?k%3D=%5b%5D");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("v1", "a/b"));
  EXPECT_THAT(target->query, ElementsAre(Pair("k=", "[]")));
}

TEST(Uri, KeepsPlusAndEmptyParts) {
  const auto target = parse_target("/v1/?a=b+c&d=");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("v1", ""));
  EXPECT_THAT(target->query, ElementsAre(Pair("a", "b+c"), Pair("d", "")));
}

TEST(Uri, AllowsBracketsOnlyInAQuery) {
  EXPECT_TRUE(parse_target("/x?source=[2001:db8::1]:443"));
  EXPECT_FALSE(parse_target("/[2001:db8::1]"));
}

TEST(Uri, RefusesWhatIsMalformed) {
  struct Case {
    const char* description;
    std::string target;
  };
  const std::vector<Case> cases = {
      {.description = "empty", .target = ""},
      {.description = "no slash in front", .target = "v1/status"},
      {.description = "'%' at the end", .target = "/v1/%"},
      {.description = "one digit", .target = "/v1/%4"},
      {.description = "no hexadecimal digit", .target = "/v1/%4g"},
      {.description = "sign instead of a digit", .target = "/v1/%+1"},
      {.description = "NUL", .target = "/v1/%00"},
      {.description = "below space", .target = "/v1/%1F"},
      {.description = "DEL", .target = "/v1/%7f"},
      {.description = "raw space", .target = "/v1/a b"},
      {.description = "raw byte of UTF-8", .target = "/v1/\xc3\xa4"},
      {.description = "fragment", .target = "/v1/status#x"},
      {.description = "key without a value", .target = "/v1/ports?path"},
      {.description = "empty part", .target = "/v1/ports?a=b&&c=d"},
  };
  for (const Case& entry : cases) {
    const auto target = parse_target(entry.target);
    ASSERT_FALSE(target) << entry.description;
    EXPECT_EQ(target.error().code, ErrorCode::kUsage) << entry.description;
    EXPECT_THAT(target.error().message, HasSubstr("request target")) << entry.description;
  }
}

TEST(Uri, TakesTheBytesBesideTheForbiddenOnes) {
  EXPECT_TRUE(parse_target("/%20"));
  EXPECT_TRUE(parse_target("/%7e"));
  EXPECT_TRUE(parse_target("/%80"));
}

TEST(Uri, EncodesSoThatDecodingGivesTheTextAgain) {
  std::string text;
  for (int byte = 0x20; byte < 0x100; ++byte) {
    if (byte != 0x7f) text.push_back(static_cast<char>(byte));
  }
  const auto target = parse_target("/" + encode_segment(text) + "?k=" + encode_query_value(text));
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre(text));
  EXPECT_THAT(target->query, ElementsAre(Pair("k", text)));
}

TEST(Uri, LeavesPathsAndAddressesReadable) {
  EXPECT_EQ(encode_query_value("web/443/2001:db8::21"), "web/443/2001:db8::21");
  EXPECT_EQ(encode_segment("a/b"), "a%2Fb");
}

}  // namespace
}  // namespace xdplb
