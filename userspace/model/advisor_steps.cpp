// SPDX-License-Identifier: GPL-2.0-only
// The conversations of the presets. A line is expected whole, so that the next step begins behind it; `^` matches at
// every line.
#include "model/advisor_config.h"

namespace xdplb {
namespace {

using Steps = std::vector<TcpStep>;
using namespace std::string_view_literals;

TcpStep send(std::string_view bytes) {
  return {.kind = TcpStep::Kind::kSend, .bytes = std::string(bytes), .match = {}};
}

TcpStep expect(std::string_view regex) {
  return {.kind = TcpStep::Kind::kExpect, .bytes = {}, .match = {.text = std::string(regex), .is_regex = true}};
}

// "250-..." goes on, "250 ..." and a bare "250" are the last line (RFC 5321 4.2.1).
Steps smtp_steps() {
  return {expect(R"((?m)^220(?: [^\n]*)?\r?\n)"), send("EHLO localhost\r\n"), expect(R"((?m)^250(?: [^\n]*)?\r?\n)"),
          send("QUIT\r\n"), expect(R"((?m)^221[^\n]*\n)")};
}

Steps imap_steps() {
  return {expect(R"((?mi)^\* (?:OK|PREAUTH)[^\n]*\n)"), send("a1 NOOP\r\n"), expect(R"((?mi)^a1 OK[^\n]*\n)"),
          send("a2 LOGOUT\r\n"), expect(R"((?mi)^a2 OK[^\n]*\n)")};
}

Steps pop3_steps() { return {expect(R"((?m)^\+OK[^\n]*\n)"), send("QUIT\r\n"), expect(R"((?m)^\+OK[^\n]*\n)")}; }

// The last line of a reply, as in SMTP (RFC 959 4.2). 120 ("ready in nnn minutes") comes before the 220.
Steps ftp_steps() { return {expect(R"((?m)^220(?: [^\n]*)?\r?\n)"), send("QUIT\r\n"), expect(R"((?m)^221[^\n]*\n)")}; }

// A server that wants a password serves; one that is loading its data (-LOADING) or has lost its master does not.
Steps redis_steps() {
  return {send("PING\r\n"), expect(R"((?m)^(?:\+PONG|-NOAUTH)[^\n]*\n)"), send("QUIT\r\n"),
          expect(R"((?m)^\+OK[^\n]*\n)")};
}

// An anonymous bind (RFC 4511 4.2) and its result: success, or strongerAuthRequired (8), confidentialityRequired (13)
// or inappropriateAuthentication (48) of a server that serves, only not everybody. Lengths may have the long form
// (Active Directory). Then an unbind, which has no answer.
Steps ldap_steps() {
  constexpr auto kBind = "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"sv;
  constexpr auto kUnbind = "\x30\x05\x02\x01\x02\x42\x00"sv;
  const std::string length = R"((?:[\x00-\x7f]|\x81.|\x82..|\x83...|\x84....))";
  return {send(kBind),
          expect(R"((?s)^\x30)" + length + R"(\x02\x01\x01\x61)" + length + R"(\x0a\x01[\x00\x08\x0d\x30])"),
          send(kUnbind)};
}

// Protocol 10's greeting, whole. Then a login that nobody has: a server counts a connection that ends in its handshake
// and refuses the host after 100 of them (max_connect_errors), but not one whose login failed. Without
// CLIENT_PLUGIN_AUTH the server answers at once: access denied (1045, 1698), a method that the client lacks (1251), TLS
// wanted (3159), or lets in. An error instead of the greeting, and any other than these (1040, too many connections),
// are failures.
Steps mysql_steps() {
  // CLIENT_LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION; packets up to 16 MiB; utf8; user "xdplb", empty password.
  constexpr auto kLogin =
      "\x27\x00\x00\x01"
      "\x01\x82\x00\x00"
      "\x00\x00\x00\x01"
      "\x21"
      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
      "xdplb\0"
      "\0"sv;
  static_assert(kLogin.size() == 4 + 0x27);
  constexpr auto kQuit = "\x01\x00\x00\x00\x01"sv;
  // Version, thread, half of the salt, a zero; capabilities to the reserved bytes; the other half; the plugin's name.
  return {expect(R"((?s)^..\x00\x00\x0a[^\x00]+\x00.{12}\x00.{18}[^\x00]{12,}\x00(?:[a-z0-9_]+\x00)?)"), send(kLogin),
          expect(R"((?s)\x00\x00\x02(?:[\x00\xfe]|\xff(?:\x15\x04|\xa2\x06|\xe3\x04|\x57\x0c)))"), send(kQuit)};
}

// SSLRequest, to which a server answers with one byte before anything else; ending then is silent in its log.
Steps pgsql_steps() { return {send("\x00\x00\x00\x08\x04\xd2\x16\x2f"sv), expect(R"(^[SN])")}; }

// A proxy answers itself what may not be forwarded any more (RFC 3261 11). 5xx and 6xx are failures, but for 501 of a
// server that does not know OPTIONS.
Steps sip_steps() {
  return {send("OPTIONS sip:localhost SIP/2.0\r\n"
               "Via: SIP/2.0/TCP localhost;branch=z9hG4bKxdplb;rport\r\n"
               "Max-Forwards: 0\r\n"
               "From: <sip:xdplb@localhost>;tag=xdplb\r\n"
               "To: <sip:localhost>\r\n"
               "Call-ID: xdplb@localhost\r\n"
               "CSeq: 1 OPTIONS\r\n"
               "Contact: <sip:xdplb@localhost;transport=tcp>\r\n"
               "Accept: application/sdp\r\n"
               "Content-Length: 0\r\n"
               "\r\n"),
          expect(R"((?m)^SIP/2\.0 (?:[2-4][0-9][0-9]|501) )")};
}

Steps nntp_steps() { return {expect(R"((?m)^20[01][^\n]*\n)"), send("QUIT\r\n"), expect(R"((?m)^205[^\n]*\n)")}; }

Steps telnet_steps() { return {expect(R"((?s).)")}; }

}  // namespace

std::vector<TcpStep> advisor_steps(const AdvisorConfig& advisor) {
  switch (advisor.type) {
    case AdvisorType::kTcp:
      return advisor.steps;
    case AdvisorType::kSmtp:
      return smtp_steps();
    case AdvisorType::kImap:
      return imap_steps();
    case AdvisorType::kPop3:
      return pop3_steps();
    case AdvisorType::kFtp:
      return ftp_steps();
    case AdvisorType::kRedis:
      return redis_steps();
    case AdvisorType::kLdap:
      return ldap_steps();
    case AdvisorType::kMysql:
      return mysql_steps();
    case AdvisorType::kPgsql:
      return pgsql_steps();
    case AdvisorType::kSip:
      return sip_steps();
    case AdvisorType::kNntp:
      return nntp_steps();
    case AdvisorType::kTelnet:
      return telnet_steps();
    default:
      return {};
  }
}

}  // namespace xdplb
