// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace xdplb {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint16_t kId = 0x1234;
const DnsQuestion kWww{.name = "www.example.com", .type = 1};
// 12 bytes of header, then the question: the name is at 12, "example.com" at 16.
const std::string kQuestion = "\3www\7example\3com\0\0\1\0\1"s;
const std::string kPointerToWww = "\xc0\x0c"s;
const std::string kPointerToExample = "\xc0\x10"s;

std::string be16(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)}; }

std::string header(unsigned flags, unsigned questions, unsigned answers) {
  return be16(kId) + be16(flags) + be16(questions) + be16(answers) + be16(0) + be16(0);
}

std::string record(const std::string& name, unsigned type, const std::string& data, unsigned record_class = 1) {
  return name + be16(type) + be16(record_class) + "\0\0\0\x3c"s + be16(static_cast<unsigned>(data.size())) + data;
}

// A reply to kWww with these records.
std::string reply(const std::string& records, unsigned count = 1, unsigned flags = 0x8180) {
  return header(flags, 1, count) + kQuestion + records;
}

std::vector<std::string> answers_of(const std::string& message) {
  const auto decoded = decode_dns_reply(message, kId, kWww);
  if (!decoded) return {"error: " + decoded.error().message};
  return decoded->answers;
}

std::string error_of(const std::string& message) {
  const auto decoded = decode_dns_reply(message, kId, kWww);
  return decoded ? "none" : decoded.error().message;
}

TEST(DnsQuery, IsThatOfRfc1035) {
  const auto bytes = encode_dns_query(kId, kWww);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, header(0x0100, 1, 0) + kQuestion);
  EXPECT_EQ(*encode_dns_query(kId, {.name = "www.example.com.", .type = 1}), *bytes);
  EXPECT_EQ(*encode_dns_query(kId, {.name = ".", .type = 6}), header(0x0100, 1, 0) + "\0\0\6\0\1"s);
}

TEST(DnsQuery, RefusesWhatIsNoName) {
  EXPECT_THAT(encode_dns_query(1, {.name = ""}).error().message, HasSubstr("is empty"));
  EXPECT_THAT(encode_dns_query(1, {.name = "a..b"}).error().message, HasSubstr("empty label"));
  EXPECT_THAT(encode_dns_query(1, {.name = ".a"}).error().message, HasSubstr("empty label"));
  EXPECT_THAT(encode_dns_query(1, {.name = "a b"}).error().message, HasSubstr("a byte that no name has"));
  const std::string label(63, 'a');
  EXPECT_TRUE(encode_dns_query(1, {.name = label}));
  EXPECT_THAT(encode_dns_query(1, {.name = label + "a"}).error().message, HasSubstr("more than 63 bytes"));
  // 3 x 64 + 62 + 1 = 255 bytes on the wire.
  const std::string three = label + "." + label + "." + label + ".";
  EXPECT_TRUE(encode_dns_query(1, {.name = three + std::string(61, 'a')}));
  EXPECT_THAT(encode_dns_query(1, {.name = three + std::string(62, 'a')}).error().message, HasSubstr("255 bytes"));
}

TEST(DnsReply, TellsRecordsAsText) {
  struct Case {
    const char* description;
    unsigned type;
    std::string data;
    const char* text;
  };
  const Case cases[] = {
      {"A", 1, "\xc0\0\2\x50"s, "192.0.2.80"},
      {"AAAA", 28, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s, "2001:db8::1"},
      {"CNAME, compressed", 5, "\3web"s + kPointerToExample, "web.example.com"},
      {"NS", 2, "\2ns"s + kPointerToExample, "ns.example.com"},
      {"PTR of the root", 12, "\0"s, "."},
      {"MX", 15, "\0\x0a\4mail"s + kPointerToExample, "10 mail.example.com"},
      {"SRV", 33, "\0\0\0\5\1\xbb\3www"s + kPointerToExample, "0 5 443 www.example.com"},
      {"SOA", 6,
       "\2ns"s + kPointerToExample + "\4root"s + kPointerToExample + "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"s,
       "ns.example.com root.example.com 1 2 3 4 5"},
      {"TXT of two strings", 16, "\5hello\6 world"s, "hello world"},
      {"a name with bytes of its own", 5, "\4a.\\\1\0"s, "a\\.\\\\\\001"},
  };
  for (const Case& one : cases) {
    EXPECT_THAT(answers_of(reply(record(kPointerToWww, one.type, one.data))), ElementsAre(one.text)) << one.description;
  }
}

TEST(DnsReply, PassesOverTypesAndClassesItDoesNotKnow) {
  const std::string records = record(kPointerToWww, 46, "signature") + record(kPointerToWww, 1, "1234", 3) +
                              record(kPointerToWww, 1, "\xc0\0\2\x50"s);
  EXPECT_THAT(answers_of(reply(records, 3)), ElementsAre("192.0.2.80"));
}

TEST(DnsReply, TellsRcodeAndTruncation) {
  const auto cut = decode_dns_reply(reply("", 0, 0x8383), kId, kWww);
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->is_truncated);
  EXPECT_EQ(dns_rcode_name(cut->rcode), "NXDOMAIN");
  EXPECT_EQ(dns_rcode_name(2), "SERVFAIL");
  EXPECT_EQ(dns_rcode_name(10), "NOTZONE");
  EXPECT_EQ(dns_rcode_name(11), "RCODE11");
}

TEST(DnsReply, AcceptsARefusalWithoutTheQuestion) {
  const auto refused = decode_dns_reply(header(0x8001, 0, 0), kId, kWww);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->rcode, 1U);
  EXPECT_EQ(error_of(header(0x8000, 0, 0)), "no reply: not one question");
}

TEST(DnsReply, MustBelongToTheQuery) {
  EXPECT_EQ(error_of(""), "no reply: shorter than a DNS header");
  EXPECT_EQ(error_of(header(0x8000, 1, 0).substr(0, 11)), "no reply: shorter than a DNS header");
  EXPECT_EQ(error_of(reply("", 0, 0x0100)), "no reply: a query");
  EXPECT_EQ(error_of("\x12\x35"s + reply("", 0).substr(2)), "no reply: another id");
  EXPECT_EQ(error_of(reply("", 0, 0xa800)), "no reply: another opcode");
  EXPECT_EQ(error_of(header(0x8000, 2, 0) + kQuestion + kQuestion), "no reply: not one question");
  EXPECT_EQ(error_of(header(0x8000, 1, 0) + "\3ww2\7example\3com\0\0\1\0\1"s), "no reply: to another question");
  EXPECT_EQ(error_of(header(0x8000, 1, 0) + "\3www\7example\3com\0\0\2\0\1"s), "no reply: to another question");
  EXPECT_EQ(error_of(header(0x8000, 1, 0) + "\3WWW\7eXample\3com\0\0\1\0\1"s), "none") << "case does not count";
}

TEST(DnsReply, HostilePointersEnd) {
  struct Case {
    const char* description;
    std::string name;
  };
  // The first record's name begins at 12 + 21 = 33.
  const Case cases[] = {
      {"to itself", "\xc0\x21"s},
      {"forward", "\xc0\x30"s},
      {"beyond the message", "\xff\xff"s},
      {"into the label before it", "\1a\xc0\x21"s},
      {"cut in half", "\xc0"s},
      {"a reserved kind of label", "\x40zzz"s},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(error_of(reply(record(one.name, 1, "1234"))), "no reply: a broken record") << one.description;
  }
}

TEST(DnsReply, NamesOfMoreThan255BytesAreNone) {
  // Each record's data is a label of 63 bytes and a pointer to the one before it.
  std::string records;
  std::size_t before = 12;
  for (int i = 0; i < 5; ++i) {
    const std::size_t data_at = 12 + kQuestion.size() + records.size() + 2 + 10;
    records += record(kPointerToWww, 5, "\x3f"s + std::string(63, 'x') + be16(0xc000U | static_cast<unsigned>(before)));
    before = data_at;
    const bool fits = 17U + 64U * static_cast<unsigned>(i + 1) <= 255;
    EXPECT_EQ(error_of(reply(records, static_cast<unsigned>(i + 1))), fits ? "none" : "no reply: a broken record") << i;
  }
}

TEST(DnsReply, CutAtAnyByteItIsBrokenAndNothingElse) {
  const std::string whole = reply(record(kPointerToWww, 15, "\0\x0a\4mail"s + kPointerToExample) +
                                      record(kPointerToWww, 16, "\5hello"s) + record(kPointerToWww, 1, "1234"),
                                  3);
  ASSERT_EQ(error_of(whole), "none");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("no reply: ")) << size;
  }
}

TEST(DnsReply, DataMustFillItsLength) {
  EXPECT_EQ(error_of(reply(record(kPointerToWww, 1, "12345"))), "no reply: a broken record");
  EXPECT_EQ(error_of(reply(record(kPointerToWww, 1, "123"))), "no reply: a broken record");
  EXPECT_EQ(error_of(reply(record(kPointerToWww, 16, "\6hello"s))), "no reply: a broken record");
  EXPECT_EQ(error_of(reply(record(kPointerToWww, 5, "\1a\0z"s))), "no reply: a broken record");
}

TEST(DnsReply, CountsOfRecordsThatAreNotThereEnd) {
  EXPECT_EQ(error_of(reply("", 65535)), "no reply: a broken record");
  std::string many;
  for (std::size_t i = 0; i < kMaxDnsAnswers + 1; ++i) many += record(kPointerToWww, 1, "1234");
  EXPECT_EQ(answers_of(reply(many, kMaxDnsAnswers + 1)).size(), kMaxDnsAnswers);
}

TEST(DnsAnswer, IsWhatTheOperatorWroteByValue) {
  EXPECT_TRUE(is_dns_answer("192.0.2.80", "192.0.2.80"));
  EXPECT_TRUE(is_dns_answer("2001:db8::1", "2001:0DB8:0::1"));
  EXPECT_TRUE(is_dns_answer("mail.example.com", "Mail.example.com."));
  EXPECT_TRUE(is_dns_answer(".", "."));
  EXPECT_FALSE(is_dns_answer("mail.example.com", "example.com"));
  EXPECT_FALSE(is_dns_answer("192.0.2.80", "192.0.2.8"));
}

TEST(DnsType, IsKnownInEitherCase) {
  EXPECT_EQ(dns_type("AAAA"), 28);
  EXPECT_EQ(dns_type("srv"), 33);
  EXPECT_FALSE(dns_type("ANY"));
  EXPECT_FALSE(dns_type(""));
}

}  // namespace
}  // namespace xdplb
