// SPDX-License-Identifier: GPL-2.0-only
// The conversations of the presets with what servers really say.
#include "model/advisor_config.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <string>
#include <string_view>
#include <vector>

namespace xdplb {
namespace {

using namespace std::string_literals;
using enum AdvisorType;

// Talks to a server that says `replies` one after the other, each after the next thing that was sent to it; the first
// before anything is sent. Returns the index of the step that found nothing, -1 when all went well.
int failed_step(AdvisorType type, const std::vector<std::string>& replies) {
  const auto steps = advisor_steps({.type = type});
  auto reply = replies.begin();
  std::string heard = reply == replies.end() ? "" : *reply++;
  std::size_t from = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const TcpStep& step = steps[i];
    if (step.kind == TcpStep::Kind::kSend) {
      EXPECT_FALSE(step.bytes.empty());
      if (reply != replies.end()) heard += *reply++;
      continue;
    }
    RE2::Options options(RE2::Latin1);
    const RE2 regex(step.match.text, options);
    EXPECT_TRUE(step.match.is_regex && regex.ok()) << step.match.text;
    re2::StringPiece match;
    if (!regex.Match(heard, from, heard.size(), RE2::UNANCHORED, &match, 1)) return static_cast<int>(i);
    from = static_cast<std::size_t>(match.end() - heard.data());
  }
  return -1;
}

struct Talk {
  const char* description;
  AdvisorType type;
  std::vector<std::string> replies;
  int failed;  // as failed_step()
};

// A greeting of MySQL with a salt, capabilities that hold `\xff`, and the rest of the packet as servers send it.
std::string mysql_greeting(const std::string& version, const std::string& plugin) {
  const std::string payload = "\x0a"s + version + "\0\x2a\x00\x00\x00"s + "abcdefgh"s +
                              "\0\xff\xff\xff\x02\x00\xff\xdf\x15"s + std::string(10, '\0') + "ijklmnopqrst\0"s +
                              plugin + "\0"s;
  return std::string{static_cast<char>(payload.size())} + "\0\0\0"s + payload;
}

std::string mysql_error(int number, char sequence) {
  const std::string payload =
      "\xff"s + static_cast<char>(number & 0xff) + static_cast<char>(number >> 8) + "#28000Access denied";
  return std::string{static_cast<char>(payload.size())} + "\0\0"s + sequence + payload;
}

std::vector<Talk> talks() {
  const std::string ldap_long =
      "\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"s;
  const auto ldap = [](char result) { return "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01"s + result + "\x04\x00\x04\x00"s; };
  const std::string greeting = mysql_greeting("8.0.36", "caching_sha2_password");
  return {
      {"postfix", kSmtp, {"220 mx ESMTP\r\n", "250-mx\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n", "221 Bye\r\n"}, -1},
      {"banner of several lines", kSmtp, {"220-mx\r\n220-no spam\r\n220 ready\r\n", "250 mx\r\n", "221 Bye\r\n"}, -1},
      {"bare codes", kSmtp, {"220\r\n", "250\r\n", "221\r\n"}, -1},
      {"refuses service", kSmtp, {"554 no\r\n"}, 0},
      {"only the first line of the banner", kSmtp, {"220-mx\r\n"}, 0},
      {"refuses EHLO", kSmtp, {"220 mx\r\n", "421 overloaded\r\n"}, 2},
      {"another service", kSmtp, {"SSH-2.0-OpenSSH_9.2\r\n"}, 0},
      {"dovecot",
       kImap,
       {"* OK [CAPABILITY IMAP4rev1] ready.\r\n", "a1 OK NOOP done.\r\n", "* BYE\r\na2 OK done\r\n"},
       -1},
      {"imap overloaded", kImap, {"* BYE too many connections\r\n"}, 0},
      {"imap that answers no commands", kImap, {"* OK ready\r\n", "a1 BAD\r\n"}, 2},
      {"pop3", kPop3, {"+OK Dovecot ready.\r\n", "+OK Logging out\r\n"}, -1},
      {"pop3 refuses", kPop3, {"-ERR no\r\n"}, 0},
      {"vsftpd", kFtp, {"220 (vsFTPd 3.0.3)\r\n", "221 Goodbye.\r\n"}, -1},
      {"proftpd", kFtp, {"220-Welcome\r\n  to 220\r\n220 ready\r\n", "221 Goodbye.\r\n"}, -1},
      {"ftp too many users", kFtp, {"421 too many\r\n"}, 0},
      {"redis", kRedis, {"", "+PONG\r\n", "+OK\r\n"}, -1},
      {"redis with a password", kRedis, {"", "-NOAUTH Authentication required.\r\n", "+OK\r\n"}, -1},
      {"redis that loads", kRedis, {"", "-LOADING Redis is loading the dataset in memory\r\n"}, 1},
      {"redis without its master", kRedis, {"", "-MASTERDOWN Link with MASTER is down\r\n"}, 1},
      {"openldap", kLdap, {"", ldap(0)}, -1},
      {"active directory's long lengths", kLdap, {"", ldap_long}, -1},
      {"ldap without anonymous binds", kLdap, {"", ldap(48)}, -1},
      {"ldap wants TLS", kLdap, {"", ldap(13)}, -1},
      {"ldap busy", kLdap, {"", ldap(51)}, 1},
      {"ldap unavailable", kLdap, {"", ldap(52)}, 1},
      {"mysql denies access", kMysql, {greeting, mysql_error(1045, 2)}, -1},
      {"mysql wants another method", kMysql, {greeting, mysql_error(1251, 2)}, -1},
      {"mysql lets in", kMysql, {greeting, "\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"s}, -1},
      {"mysql asks for another method", kMysql, {greeting, "\x02\x00\x00\x02\xfe\x00"s}, -1},
      {"mariadb", kMysql, {mysql_greeting("5.5.5-10.11.6-MariaDB", "mysql_native_password"), mysql_error(1698, 2)}, -1},
      {"mysql has blocked the host", kMysql, {mysql_error(1129, 0)}, 0},
      {"mysql has too many connections", kMysql, {greeting, mysql_error(1040, 2)}, 2},
      {"mysql that ends after its greeting", kMysql, {greeting}, 2},
      {"an old protocol", kMysql, {"\x20\x00\x00\x00\x09"s + "3.20\0 and so on and on and on and on"s}, 0},
      {"postgresql with TLS", kPgsql, {"", "S"}, -1},
      {"postgresql without", kPgsql, {"", "N"}, -1},
      {"postgresql error", kPgsql, {"", "E\0\0\0\x10"s}, 1},
      {"sip", kSip, {"", "SIP/2.0 200 OK\r\nVia: x\r\n\r\n"}, -1},
      {"sip wants authentication", kSip, {"", "SIP/2.0 401 Unauthorized\r\n\r\n"}, -1},
      {"sip proxy has no hops left", kSip, {"", "SIP/2.0 483 Too Many Hops\r\n\r\n"}, -1},
      {"sip without OPTIONS", kSip, {"", "SIP/2.0 501 Not Implemented\r\n\r\n"}, -1},
      {"sip tries first", kSip, {"", "SIP/2.0 100 Trying\r\n\r\nSIP/2.0 503 Service Unavailable\r\n\r\n"}, 1},
      {"no sip", kSip, {"", "HTTP/1.1 200 OK\r\n\r\n"}, 1},
      {"nntp", kNntp, {"200 news\r\n", "205 bye\r\n"}, -1},
      {"nntp read only", kNntp, {"201 news\r\n", "205 bye\r\n"}, -1},
      {"nntp unavailable", kNntp, {"400 later\r\n"}, 0},
      {"telnet", kTelnet, {"\xff\xfd\x18"}, -1},
      {"telnet newline", kTelnet, {"\n"}, -1},
      {"telnet silence", kTelnet, {""}, 0},
  };
}

TEST(AdvisorSteps, PresetsJudgeWhatServersSay) {
  for (const Talk& talk : talks()) EXPECT_EQ(failed_step(talk.type, talk.replies), talk.failed) << talk.description;
}

TEST(AdvisorSteps, RequestsAreThoseOfTheProtocols) {
  EXPECT_EQ(advisor_steps({.type = kRedis}).front().bytes, "PING\r\n");
  EXPECT_EQ(advisor_steps({.type = kLdap}).front().bytes, "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"s);
  EXPECT_EQ(advisor_steps({.type = kLdap}).back().bytes, "\x30\x05\x02\x01\x02\x42\x00"s);
  EXPECT_EQ(advisor_steps({.type = kPgsql}).front().bytes, "\x00\x00\x00\x08\x04\xd2\x16\x2f"s);
  const std::string login = advisor_steps({.type = kMysql})[1].bytes;
  EXPECT_EQ(login.size(), 4U + static_cast<unsigned char>(login[0]));
  EXPECT_EQ(login.substr(36), "xdplb\0\0"s);
  const std::string options = advisor_steps({.type = kSip}).front().bytes;
  EXPECT_TRUE(options.starts_with("OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/TCP "));
  EXPECT_TRUE(options.ends_with("Content-Length: 0\r\n\r\n"));
}

TEST(AdvisorSteps, OfTcpAreItsOwn) {
  const AdvisorConfig advisor{.type = kTcp, .steps = {{.bytes = "HELLO\n"}}};
  EXPECT_EQ(advisor_steps(advisor), advisor.steps);
  EXPECT_TRUE(advisor_steps({.type = kHttp}).empty());
}

}  // namespace
}  // namespace xdplb
