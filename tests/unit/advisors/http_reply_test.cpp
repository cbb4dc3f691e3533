// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/http_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace xdplb {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

struct ReplyCase {
  std::string description;
  std::string reply;
  CheckCode code;
  std::string text;    // is in the verdict's
  std::string body{};  // to match; empty: none
  bool is_regex = false;
  std::string method = "GET";
  bool is_ended = true;  // the server ends the connection behind the reply
  std::uint32_t max_bytes = 64;
  std::vector<StatusRange> statuses{{200, 399}};
};

HttpOptions options_of(const ReplyCase& test) {
  HttpOptions options;
  options.method = test.method;
  options.statuses = test.statuses;
  options.max_bytes = test.max_bytes;
  if (!test.body.empty()) options.body = ReplyMatch{.text = test.body, .is_regex = test.is_regex};
  return options;
}

// In pieces of `size` bytes, as the network may cut it.
Verdict judge(const ReplyCase& test, std::size_t size) {
  auto reply = HttpReply::make(options_of(test));
  EXPECT_TRUE(reply) << reply.error().message;
  std::string_view rest = test.reply;
  bool wants_more = true;
  while (wants_more && !rest.empty()) {
    wants_more = reply->take(rest.substr(0, size));
    rest.remove_prefix(std::min(size, rest.size()));
  }
  if (wants_more && test.is_ended) reply->end();
  return reply->verdict();
}

void expect_verdicts(const std::vector<ReplyCase>& cases) {
  for (const ReplyCase& test : cases) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, test.reply.size() + 1}) {
      SCOPED_TRACE(test.description + " in pieces of " + std::to_string(size));
      const Verdict verdict = judge(test, size);
      EXPECT_EQ(check_code_name(verdict.code), check_code_name(test.code)) << verdict.text;
      EXPECT_THAT(verdict.text, HasSubstr(test.text));
    }
  }
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";

TEST(HttpReply, JudgesTheStatus) {
  expect_verdicts({
      {"a good one", kOk + "Content-Length: 2\r\n\r\nok", CheckCode::kL7Ok, "HTTP 200"},
      {"the body need not come", kOk + "Content-Length: 200\r\n\r\n", CheckCode::kL7Ok, "HTTP 200"},
      {"HTTP/1.0 without any field", "HTTP/1.0 204 No Content\r\n\r\n", CheckCode::kL7Ok, "HTTP 204"},
      {"no reason phrase", "HTTP/1.1 200 \r\n\r\n", CheckCode::kL7Ok, "HTTP 200"},
      {"the last that is accepted", "HTTP/1.1 399 x\r\n\r\n", CheckCode::kL7Ok, "HTTP 399"},
      {"the first that is not", "HTTP/1.1 400 x\r\n\r\n", CheckCode::kL7Status, "HTTP 400"},
      {"a server in trouble", "HTTP/1.1 503 Service Unavailable\r\n\r\nsorry", CheckCode::kL7Status, "HTTP 503"},
      {"wanted trouble",
       "HTTP/1.1 503 x\r\n\r\n",
       CheckCode::kL7Ok,
       "HTTP 503",
       "",
       false,
       "GET",
       true,
       64,
       {{200, 200}, {503, 503}}},
      {"no status that there is", "HTTP/1.1 999 x\r\n\r\n", CheckCode::kL7Status, "HTTP 999"},
  });
}

TEST(HttpReply, SkipsInterimReplies) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  std::string endless;
  for (int i = 0; i < 17; ++i) endless += interim;
  expect_verdicts({
      {"two of them", interim + "HTTP/1.1 100 Continue\r\n\r\n" + kOk + "\r\n", CheckCode::kL7Ok, "HTTP 200"},
      {"and a bad one behind", interim + "HTTP/1.1 500 x\r\n\r\n", CheckCode::kL7Status, "HTTP 500"},
      {"nothing behind", interim, CheckCode::kL7Response, "connection ended"},
      {"101 is no interim one", "HTTP/1.1 101 Switching Protocols\r\n\r\n", CheckCode::kL7Status, "HTTP 101"},
      {"101 as asked for",
       "HTTP/1.1 101 x\r\n\r\n",
       CheckCode::kL7Ok,
       "HTTP 101",
       "",
       false,
       "GET",
       false,
       64,
       {{101, 101}}},
      {"16 are a lot", endless.substr(0, endless.size() - interim.size()) + kOk + "\r\n", CheckCode::kL7Ok, "HTTP 200"},
      {"17 are too many", endless, CheckCode::kL7Response, "interim"},
  });
}

TEST(HttpReply, MatchesTheBody) {
  const std::string chunked = kOk + "Transfer-Encoding: chunked\r\n\r\n";
  expect_verdicts({
      {"by length", kOk + "Content-Length: 7\r\n\r\nall ok.", CheckCode::kL7Ok, "HTTP 200", "ok"},
      {"to the end of the connection", kOk + "\r\nall ok.", CheckCode::kL7Ok, "HTTP 200", "ok"},
      {"chunked, across chunks", chunked + "3\r\nall\r\n4;x=y\r\n ok.\r\n0\r\nTrailer: 1\r\n\r\n", CheckCode::kL7Ok,
       "HTTP 200", "all ok", false, "GET", false},
      {"not in it", kOk + "Content-Length: 4\r\n\r\nfail", CheckCode::kL7Response,
       "HTTP 200, no \"ok\" in 4 bytes: \"fail\"", "ok"},
      {"no body at all", "HTTP/1.1 204 No Content\r\n\r\n", CheckCode::kL7Response, "in 0 bytes", "ok", false, "GET",
       false},
      {"an empty body", kOk + "Content-Length: 0\r\n\r\n", CheckCode::kL7Response, "in 0 bytes", "ok", false, "GET",
       false},
      {"a status comes first", "HTTP/1.1 500 x\r\n\r\nok", CheckCode::kL7Status, "HTTP 500", "ok"},
      {"a HEAD has none", kOk + "Content-Length: 2\r\n\r\n", CheckCode::kL7Response, "in 0 bytes", "ok", false, "HEAD",
       false},
      {"a HEAD without a match", kOk + "Content-Length: 2\r\n\r\n", CheckCode::kL7Ok, "HTTP 200", "", false, "HEAD",
       false},
      {"a regular expression", kOk + "Content-Length: 8\r\n\r\nload 12\n", CheckCode::kL7Ok, "HTTP 200",
       "^load [0-9]+$", true},
      {"at the second line", kOk + "Content-Length: 6\r\n\r\na\nok\nb", CheckCode::kL7Ok, "HTTP 200", "^ok$", true},
      {"bytes beyond ASCII", kOk + "Content-Length: 3\r\n\r\n\xff\xfeK", CheckCode::kL7Ok, "HTTP 200", "\\xff.K", true},
      {"cut short, though the match was there", kOk + "Content-Length: 9\r\n\r\nok", CheckCode::kL7Response,
       "in the body after 2 of 9 bytes", "ok"},
      {"chunks cut short", chunked + "9\r\nok", CheckCode::kL7Response, "in the body after 2 bytes", "ok"},
      {"no chunk but the last", chunked + "0\r\n\r\n", CheckCode::kL7Response, "in 0 bytes", "ok", false, "GET", false},
      {"the last chunk with a trailer", chunked + "0\r\nA: b\r\n\r\n", CheckCode::kL7Response, "in 0 bytes", "ok",
       false, "GET", false},
      {"half of the only chunk", chunked + "0\r\n", CheckCode::kL7Response, "connection ended", "ok"},
      {"no last chunk", chunked + "2\r\nok\r\n", CheckCode::kL7Response, "connection ended", "ok"},
  });
}

TEST(HttpReply, ReadsNoMoreThanItMay) {
  const std::string long_body(64, 'a');
  const std::string endless = kOk + "\r\n" + long_body;
  expect_verdicts({
      {"the match ends with the last byte", kOk + "\r\n" + std::string(62, 'a') + "okxxxx", CheckCode::kL7Ok,
       "HTTP 200", "ok", false, "GET", false},
      {"the match ends one behind it", kOk + "\r\n" + std::string(63, 'a') + "okxxx", CheckCode::kL7Response,
       "in 64 bytes", "ok", false, "GET", false},
      {"no end comes", endless, CheckCode::kL7Response, "in 64 bytes", "ok", false, "GET", false},
      {"a gigabyte is told", kOk + "Content-Length: 1073741824\r\n\r\n" + long_body, CheckCode::kL7Response,
       "in 64 bytes", "ok", false, "GET", false},
      {"one byte less is read on", endless.substr(0, endless.size() - 1), CheckCode::kNone, "", "ok", false, "GET",
       false},
  });
}

TEST(HttpReply, RefusesWhatIsNoHttp) {
  expect_verdicts({
      {"nothing", "", CheckCode::kL7Response, "connection ended waiting for a reply"},
      {"another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n", CheckCode::kL7Response, "no HTTP reply: \"S"},
      {"bytes", std::string("\x15\x03\x01\x00\x02\x02\x46\x00\x00", 9), CheckCode::kL7Response, "no HTTP reply"},
      {"cut in the status line", "HTTP/1.1 20", CheckCode::kL7Response, "connection ended in the header"},
      {"cut in the header", kOk + "Server: x\r\n", CheckCode::kL7Response, "connection ended in the header"},
      {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", CheckCode::kL7Response, "version"},
      {"no number", "HTTP/1.1 abc OK\r\n\r\n", CheckCode::kL7Response, "status"},
      {"two lengths", kOk + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", CheckCode::kL7Response,
       "no HTTP reply"},
      {"a bad length", kOk + "Content-Length: -1\r\n\r\n", CheckCode::kL7Response, "no HTTP reply"},
      {"a bad chunk", kOk + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", CheckCode::kL7Response, "chunk", "ok"},
      {"a chunk without its end", kOk + "Transfer-Encoding: chunked\r\n\r\n2\r\nokX\r\n0\r\n\r\n",
       CheckCode::kL7Response, "chunk", "ok"},
      {"a chunk line without end", kOk + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20000, 'a'),
       CheckCode::kL7Response, "", "ok"},
      {"a header without end", kOk + "X: " + std::string(20000, 'a'), CheckCode::kL7Response, "header limit", "", false,
       "GET", false},
      {"many fields",
       kOk +
           [] {
             std::string all;
             for (int i = 0; i < 4000; ++i) all += "A: b\r\n";
             return all;
           }(),
       CheckCode::kL7Response, "header limit", "", false, "GET", false},
  });
}

TEST(HttpReply, TellsWhereItStands) {
  HttpOptions options;
  options.body = ReplyMatch{.text = "ok"};
  auto reply = HttpReply::make(options);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->doing(), "waiting for a reply");
  EXPECT_EQ(reply->summary(), "");
  EXPECT_TRUE(reply->take("HTTP/1.1 2"));
  EXPECT_EQ(reply->doing(), "in the header of the reply, got \"HTTP/1.1 2\"");
  EXPECT_TRUE(reply->take("00 OK\r\nContent-Length: 15\r\n\r\nall"));
  EXPECT_EQ(reply->doing(), "in the body after 3 of 15 bytes");
  EXPECT_FALSE(reply->take(" is ok, truly"));
  EXPECT_EQ(reply->summary(), "HTTP 200, 15 bytes");
}

TEST(HttpReply, RefusesABadExpression) {
  HttpOptions options;
  options.body = ReplyMatch{.text = "(", .is_regex = true};
  const auto reply = HttpReply::make(options);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUsage);
}

TEST(HttpRequest, NamesTheServerWhenNoHostIsSaid) {
  const IpAddress v4 = *IpAddress::parse("192.0.2.10");
  const IpAddress v6 = *IpAddress::parse("2001:db8::10");
  HttpOptions options;
  EXPECT_THAT(http_request(options, v4, 80, 80), HasSubstr("\r\nHost: 192.0.2.10\r\n"));
  EXPECT_THAT(http_request(options, v4, 8080, 80), HasSubstr("\r\nHost: 192.0.2.10:8080\r\n"));
  EXPECT_THAT(http_request(options, v6, 443, 443), HasSubstr("\r\nHost: [2001:db8::10]\r\n"));
  options.host = "web.example";
  EXPECT_THAT(http_request(options, v4, 8080, 80), HasSubstr("\r\nHost: web.example\r\n"));
}

TEST(HttpRequest, TheOperatorsFieldsReplaceOurs) {
  HttpOptions options;
  options.method = "POST";
  options.path = "/check?x=1";
  options.headers = {{"user-agent", "me"}, {"X-A", "b"}};
  const std::string request = http_request(options, IpAddress{}, 80, 80);
  EXPECT_THAT(request, ::testing::StartsWith("POST /check?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(request, EndsWith("Content-Length: 0\r\nuser-agent: me\r\nX-A: b\r\n\r\n"));
  EXPECT_THAT(request, ::testing::Not(HasSubstr("User-Agent")));
  EXPECT_THAT(request, HasSubstr("\r\nConnection: close\r\n"));
}

}  // namespace
}  // namespace xdplb
