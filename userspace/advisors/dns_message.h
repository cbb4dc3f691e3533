// SPDX-License-Identifier: GPL-2.0-only
// DNS messages of a probe: one question, and what a stranger answers to it (RFC 1035, 2782, 3596). Pure.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

inline constexpr std::size_t kMaxDnsAnswers = 64;  // of a reply that are looked at

struct DnsQuestion {
  std::string name{};      // "www.example.com", with or without the dot at the end; "." is the root
  std::uint16_t type = 1;  // dns_type()
};

// The number of "A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", either case; nullopt for others.
std::optional<std::uint16_t> dns_type(std::string_view name);
// "NOERROR", "NXDOMAIN", ...; "RCODE12" for a number without a name.
std::string dns_rcode_name(unsigned rcode);

// The bytes of a query that asks for recursion, class IN. Errors: kUsage, naming the name: an empty label, one above 63
// bytes, more than 255 bytes, a space, a backslash or what is not printable ASCII.
Result<std::string> encode_dns_query(std::uint16_t id, const DnsQuestion& question);

struct DnsReply {
  bool is_truncated = false;
  unsigned rcode = 0;  // 0..15
  // The records of the answer section whose type dns_type() knows, at most kMaxDnsAnswers, as text:
  // A, AAAA   the address ("2001:db8::1")
  // CNAME, NS, PTR   a name without the dot at its end; "." for the root; others than printable bytes as \DDD
  // MX "10 mail.example.com", SRV "0 5 443 www.example.com" (priority, weight, port, target)
  // SOA "ns.example.com hostmaster.example.com 2026112801 7200 3600 1209600 300"
  // TXT       its strings joined
  std::vector<std::string> answers{};
};

// A reply to the query with this id and question: `message` without the length that TCP puts before it. Errors:
// kFailed, one line without bytes of the stranger: "no reply: another id". A reply without a question section is
// accepted when its rcode is not NOERROR. Every name is read in bounded time, whatever its pointers say.
Result<DnsReply> decode_dns_reply(std::string_view message, std::uint16_t id, const DnsQuestion& question);

// Whether `answer` of a DnsReply is what the operator wrote as `wanted`: equal text; addresses by value; names without
// regard to case and the dot at the end.
bool is_dns_answer(std::string_view answer, std::string_view wanted);

}  // namespace xdplb
