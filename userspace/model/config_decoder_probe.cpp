// SPDX-License-Identifier: GPL-2.0-only
// What the types of advisors have of their own.
#include "model/advisor_rules.h"
#include "model/config_decoder.h"
#include "model/option_text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace xdplb {

using nlohmann::json;

bool ConfigDecoder::bytes(const json& value, const std::string& path, std::string& field) {
  std::string written;
  if (!text(value, path, written)) return false;
  auto unescaped = unescape_bytes(written);
  if (!unescaped) return reject(path, unescaped.error().message);
  field = std::move(*unescaped);
  return true;
}

bool ConfigDecoder::match_text(const json& value, const std::string& path, ReplyMatch& match) {
  if (!bytes(value, path, match.text)) return false;
  const auto good = check_match_text(match.text);
  return good || reject(path, good.error().message);
}

bool ConfigDecoder::match_regex(const json& value, const std::string& path, ReplyMatch& match) {
  match.is_regex = true;
  return ruled<check_regex>(value, path, match.text);
}

// "text", or {"regex": "..."}.
bool ConfigDecoder::match(const json& value, const std::string& path, std::optional<ReplyMatch>& field) {
  constexpr std::array<std::string_view, 1> kKeys = {"regex"};
  if (value.is_string()) return match_text(value, path, field.emplace());
  if (!value.is_object()) {
    return reject(path, fmt::format("expected a string or {{\"regex\": ...}}, got {}", json_type_text(value)));
  }
  return keys(value, path, kKeys) && required(value, path, "regex", field.emplace(), &ConfigDecoder::match_regex);
}

// Sorted by name, as JSON objects have no order.
bool ConfigDecoder::http_headers(const json& value, const std::string& path, HttpOptions& http) {
  if (!value.is_object()) return reject(path, fmt::format("expected an object, got {}", json_type_text(value)));
  if (value.size() > kMaxHttpHeaders) {
    return reject(path, fmt::format("there are {}, at most {} are possible", value.size(), kMaxHttpHeaders));
  }
  for (const auto& item : value.items()) {
    const std::string header_at = child_path(path, item.key());
    if (const auto good = check_http_header(item.key()); !good) return reject(header_at, good.error().message);
    auto& [name, content] = http.headers.emplace_back();
    name = item.key();
    if (!ruled<check_http_value>(item.value(), header_at, content)) return false;
  }
  return true;
}

bool ConfigDecoder::status(const json& value, const std::string& path, StatusRange& field) {
  if (value.is_string()) return word<parse_status_range>(value, path, field);
  unsigned wide = 0;
  if (!number(value, path, {.min = 100, .max = 599}, wide)) return false;
  field.first = static_cast<std::uint16_t>(wide);
  field.last = field.first;
  return true;
}

bool ConfigDecoder::statuses(const json& value, const std::string& path, std::vector<StatusRange>& field) {
  field.clear();
  if (!list<StatusRange, &ConfigDecoder::status>(value, path, field)) return false;
  if (field.empty()) return reject(path, "it is empty, name at least one");
  if (field.size() <= kMaxStatuses) return true;
  return reject(path, fmt::format("there are {}, at most {} are possible", field.size(), kMaxStatuses));
}

bool ConfigDecoder::http(const json& value, const std::string& path, HttpOptions& http) {
  using Decoder = ConfigDecoder;
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  // The words of ways are "via" and read already.
  const auto written = value.find("path");
  const bool is_way =
      written != value.end() && written->is_string() && parse_probe_way(written->get_ref<const std::string&>());
  return take("method", http.method, &Decoder::ruled<check_http_method>) &&
         (is_way || take("path", http.path, &Decoder::ruled<check_http_path>)) &&
         take("host", http.host, &Decoder::ruled<check_http_host>) && take("headers", http, &Decoder::http_headers) &&
         take("statuses", http.statuses, &Decoder::statuses) && take("body", http.body, &Decoder::match) &&
         take("max_bytes", http.max_bytes, &Decoder::count<1, kMaxBodyBytes>);
}

bool ConfigDecoder::tls(const json& value, const std::string& path, TlsOptions& tls) {
  using Decoder = ConfigDecoder;
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  if (!take("verify", tls.verify, &Decoder::truth) || !take("ca_file", tls.ca_file, &Decoder::ruled<check_file_path>) ||
      !take("server_name", tls.server_name, &Decoder::ruled<check_server_name>) ||
      !take("alpn", tls.alpn, &Decoder::list<std::string, &Decoder::ruled<check_alpn>>)) {
    return false;
  }
  if (tls.alpn.size() <= kMaxAlpn) return true;
  return reject(child_path(path, "alpn"),
                fmt::format("there are {}, at most {} are possible", tls.alpn.size(), kMaxAlpn));
}

bool ConfigDecoder::tcp_step(const json& value, const std::string& path, TcpStep& field) {
  constexpr std::array<std::string_view, 3> kKeys = {"send", "expect", "expect_regex"};
  if (!keys(value, path, kKeys)) return false;
  if (value.size() != 1) return reject(path, "say one of \"send\", \"expect\" and \"expect_regex\"");
  const bool is_send = value.contains("send");
  field.kind = is_send ? TcpStep::Kind::kSend : TcpStep::Kind::kExpect;
  if (!is_send) {
    return optional(value, path, "expect", field.match, &ConfigDecoder::match_text) &&
           optional(value, path, "expect_regex", field.match, &ConfigDecoder::match_regex);
  }
  if (!optional(value, path, "send", field.bytes, &ConfigDecoder::bytes)) return false;
  if (!field.bytes.empty() && field.bytes.size() <= kMaxSentBytes) return true;
  return reject(child_path(path, "send"),
                fmt::format("it has {} bytes, 1 to {} are possible", field.bytes.size(), kMaxSentBytes));
}

bool ConfigDecoder::tcp_steps(const json& value, const std::string& path, std::vector<TcpStep>& field) {
  if (!list<TcpStep, &ConfigDecoder::tcp_step>(value, path, field)) return false;
  if (field.empty()) return reject(path, "it is empty, name at least one");
  if (field.size() <= kMaxSteps) return true;
  return reject(path, fmt::format("there are {}, at most {} are possible", field.size(), kMaxSteps));
}

bool ConfigDecoder::dns(const json& value, const std::string& path, DnsOptions& dns) {
  using Decoder = ConfigDecoder;
  const auto take = [&](const char* key, auto& field, auto step) { return optional(value, path, key, field, step); };
  std::vector<std::string> rcodes;
  if (!take("name", dns.name, &Decoder::ruled<check_dns_name>) ||
      !take("query_type", dns.type, &Decoder::ruled<check_dns_type>) ||
      !take("rcodes", rcodes, &Decoder::list<std::string, &Decoder::ruled<check_dns_rcode>>) ||
      !take("answer", dns.answer, &Decoder::ruled<check_dns_answer>) ||
      !take("over_tcp", dns.over_tcp, &Decoder::truth)) {
    return false;
  }
  if (!value.contains("rcodes")) return true;
  const std::string rcodes_at = child_path(path, "rcodes");
  if (rcodes.empty()) return reject(rcodes_at, "it is empty, name at least one");
  auto sorted = rcodes;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    return reject(rcodes_at, fmt::format("{} is listed twice", *twice));
  }
  dns.rcodes = std::move(rcodes);
  return true;
}

bool ConfigDecoder::payload(const json& value, const std::string& path, std::string& field) {
  if (!bytes(value, path, field)) return false;
  if (field.size() <= kMaxPayload) return true;
  return reject(path, fmt::format("it has {} bytes, at most {} are possible", field.size(), kMaxPayload));
}

bool ConfigDecoder::udp(const json& value, const std::string& path, UdpOptions& udp) {
  using Decoder = ConfigDecoder;
  return optional(value, path, "payload", udp.payload, &Decoder::payload) &&
         optional(value, path, "answer", udp.answer, &Decoder::match) &&
         optional(value, path, "silence", udp.silence, &Decoder::word<parse_on_silence, std::optional<OnSilence>>);
}

bool ConfigDecoder::exec(const json& value, const std::string& path, ExecOptions& exec) {
  return optional(value, path, "command", exec.command, &ConfigDecoder::command) &&
         optional(value, path, "user", exec.user, &ConfigDecoder::ruled<check_user>);
}

}  // namespace xdplb
