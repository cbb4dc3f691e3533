// SPDX-License-Identifier: GPL-2.0-only
// The conversations of the presets with what servers of these protocols really say.
#include "advisors/tcp_dialogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace xdplb {
namespace {

using namespace std::string_literals;

struct Talk {
  std::string description;
  AdvisorType type;
  std::vector<std::string> says;  // before our first word, then one after each of ours
  bool is_up;
};

// MySQL 8.0's greeting as a packet.
std::string mysql_greeting() {
  const std::string body = "\x0a"s + "8.0.36\0"s + "\x08\0\0\0"s + "abcdefgh\0"s + "\xff\xff\xff\x02\0\xff\xdf\x15"s +
                           std::string(10, '\0') + "ijklmnopqrst\0"s + "caching_sha2_password\0"s;
  return std::string(1, static_cast<char>(body.size())) + "\0\0\0"s + body;
}

std::vector<Talk> talks() {
  return {
      {"Postfix",
       AdvisorType::kSmtp,
       {"220 mx.example ESMTP Postfix\r\n", "250-mx.example\r\n250-SIZE 10240000\r\n250 CHUNKING\r\n",
        "221 2.0.0 Bye\r\n"},
       true},
      {"a greeting of several lines",
       AdvisorType::kSmtp,
       {"220-mx.example\r\n220 ready\r\n", "250 mx.example\r\n", "221 Bye\r\n"},
       true},
      {"a server that does not serve", AdvisorType::kSmtp, {"554 no SMTP service here\r\n"}, false},
      {"no EHLO", AdvisorType::kSmtp, {"220 mx.example\r\n", "421 4.3.2 shutting down\r\n"}, false},
      {"Dovecot",
       AdvisorType::kImap,
       {"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", "a1 OK NOOP completed.\r\n",
        "* BYE Logging out\r\na2 OK Logout completed.\r\n"},
       true},
      {"IMAP says BYE", AdvisorType::kImap, {"* BYE too many connections\r\n"}, false},
      {"POP3", AdvisorType::kPop3, {"+OK Dovecot ready.\r\n", "+OK Logging out\r\n"}, true},
      {"POP3 in trouble", AdvisorType::kPop3, {"-ERR sorry\r\n"}, false},
      {"vsFTPd", AdvisorType::kFtp, {"220 (vsFTPd 3.0.3)\r\n", "221 Goodbye.\r\n"}, true},
      {"FTP of several lines",
       AdvisorType::kFtp,
       {"220-Welcome\r\n  221 is no code here\r\n220 ready\r\n", "221 Goodbye.\r\n"},
       true},
      {"FTP full", AdvisorType::kFtp, {"421 Too many users\r\n"}, false},
      {"Redis", AdvisorType::kRedis, {"", "+PONG\r\n", "+OK\r\n"}, true},
      {"Redis with a password", AdvisorType::kRedis, {"", "-NOAUTH Authentication required.\r\n", "+OK\r\n"}, true},
      {"Redis that loads", AdvisorType::kRedis, {"", "-LOADING Redis is loading the dataset in memory\r\n"}, false},
      {"OpenLDAP", AdvisorType::kLdap, {"", "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"s}, true},
      {"Active Directory",
       AdvisorType::kLdap,
       {"", "\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"s},
       true},
      {"LDAP busy", AdvisorType::kLdap, {"", "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x33\x04\x00\x04\x00"s}, false},
      {"MySQL", AdvisorType::kMysql, {mysql_greeting(), "\x47\x00\x00\x02\xff\x15\x04#28000Access denied"s, ""}, true},
      {"MySQL full", AdvisorType::kMysql, {"\x17\x00\x00\x00\xff\x10\x04Too many connections"s}, false},
      {"PostgreSQL with TLS", AdvisorType::kPgsql, {"", "S"}, true},
      {"PostgreSQL without", AdvisorType::kPgsql, {"", "N"}, true},
      {"PostgreSQL in trouble", AdvisorType::kPgsql, {"", "E\x00\x00\x00\x10SFATAL\0"s}, false},
      {"SIP", AdvisorType::kSip, {"", "SIP/2.0 483 Too Many Hops\r\n\r\n"}, true},
      {"SIP overloaded", AdvisorType::kSip, {"", "SIP/2.0 503 Service Unavailable\r\n\r\n"}, false},
      {"INN", AdvisorType::kNntp, {"200 news.example InterNetNews ready\r\n", "205 Bye!\r\n"}, true},
      {"NNTP closed", AdvisorType::kNntp, {"400 server paused\r\n"}, false},
      {"telnet", AdvisorType::kTelnet, {"\xff\xfd\x18"}, true},
      {"telnet that is silent", AdvisorType::kTelnet, {""}, false},
  };
}

// The server ends the connection when it has nothing more to say.
Verdict hold(TcpDialogue& dialogue, const Talk& talk, std::size_t size) {
  std::size_t words = 0;
  std::string coming = talk.says.front();
  while (dialogue.need() != TcpDialogue::Need::kNothing) {
    if (dialogue.need() == TcpDialogue::Need::kSend) {
      dialogue.sent();
      if (++words < talk.says.size()) coming += talk.says[words];
    } else if (coming.empty()) {
      dialogue.end();
    } else {
      dialogue.take(std::string_view(coming).substr(0, size));
      coming.erase(0, size);
    }
  }
  return dialogue.verdict();
}

TEST(PresetDialogue, TellsServersThatServeFromThoseThatDoNot) {
  for (const Talk& talk : talks()) {
    for (const std::size_t size : {1U, 5U, 100000U}) {
      SCOPED_TRACE(talk.description + " in pieces of " + std::to_string(size));
      AdvisorConfig advisor;
      advisor.type = talk.type;
      auto dialogue = TcpDialogue::make(advisor_steps(advisor));
      ASSERT_TRUE(dialogue) << dialogue.error().message;
      const Verdict verdict = hold(*dialogue, talk, size);
      EXPECT_EQ(verdict.code, talk.is_up ? CheckCode::kL7Ok : CheckCode::kL7Response) << verdict.text;
    }
  }
}

}  // namespace
}  // namespace xdplb
