// SPDX-License-Identifier: GPL-2.0-only
// What the texts of advisors and user exits may hold. Errors: kUsage, naming the text.
#pragma once

#include "model/advisor_config.h"

#include <cstddef>
#include <string>

namespace xdplb {

inline constexpr std::size_t kMaxSentBytes = 4096;     // of a step
inline constexpr std::size_t kMaxPayload = 1200;       // fits the smallest MTU of IPv6
inline constexpr std::size_t kMaxMatchText = 1024;     // literal or regular expression
inline constexpr std::size_t kMaxHttpText = 2048;      // path, value of a header
inline constexpr std::size_t kMaxHttpHeaders = 32;     // beside ours
inline constexpr std::size_t kMaxStatuses = 32;        // ranges
inline constexpr std::size_t kMaxAlpn = 8;             // protocols
inline constexpr std::size_t kMaxArguments = 32;       // of a command, with its name
inline constexpr std::size_t kMaxArgument = 1024;      // bytes
inline constexpr unsigned kMaxBodyBytes = 1U << 20U;   // HttpOptions::max_bytes
inline constexpr unsigned kMaxContradicting = 100;     // AdvisorConfig::fall and rise
inline constexpr long long kMaxRegexMemory = 1 << 20;  // bytes that a compiled expression may take

// What goes into a request holds no byte that would end its line or begin another field (RFC 9110 5.5, 9112 3).
Result<void> check_http_method(const std::string& text);
Result<void> check_http_path(const std::string& text);
Result<void> check_http_host(const std::string& text);
// Also refuses the fields that the probe writes itself.
Result<void> check_http_header(const std::string& name);
Result<void> check_http_value(const std::string& text);
// Whether RE2 takes it, within kMaxRegexMemory. Bytes beyond ASCII are written \xHH, as it sees bytes.
Result<void> check_regex(const std::string& text);
Result<void> check_match_text(const std::string& bytes);
Result<void> check_server_name(const std::string& text);
Result<void> check_alpn(const std::string& text);
Result<void> check_file_path(const std::string& text);
Result<void> check_dns_name(const std::string& text);
Result<void> check_dns_type(const std::string& text);
Result<void> check_dns_rcode(const std::string& text);
Result<void> check_dns_answer(const std::string& text);
Result<void> check_user(const std::string& text);
// One argument of a command, and the program itself.
Result<void> check_argument(const std::string& text);
Result<void> check_program(const std::string& text);

}  // namespace xdplb
