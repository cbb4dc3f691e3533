// SPDX-License-Identifier: GPL-2.0-only
#include "model/advisor_json.h"
#include "model/config.h"
#include "model/option_text.h"
#include "model/optional_fields.h"

#include <nlohmann/json.hpp>

#include <string_view>

namespace xdplb {
namespace {

using nlohmann::json;

// Writes what is not as usual.
template <typename T>
void note(json& object, const char* key, const T& value, const T& usual) {
  if (value != usual) object[key] = value;
}

void note_time(json& object, const char* key, unsigned value, unsigned usual) {
  if (value != usual) object[key] = milliseconds_text(value);
}

json encode_match(const ReplyMatch& match) {
  return match.is_regex ? json{{"regex", match.text}} : json(escape_bytes(match.text));
}

void encode_http(const HttpOptions& http, json& object) {
  const HttpOptions usual;
  note(object, "method", http.method, usual.method);
  note(object, "path", http.path, usual.path);
  note(object, "host", http.host, usual.host);
  for (const auto& [name, value] : http.headers) object["headers"][name] = value;
  if (http.statuses != usual.statuses) {
    json& statuses = object["statuses"] = json::array();
    for (const StatusRange& range : http.statuses) {
      statuses.push_back(range.first == range.last ? json(range.first) : json(status_range_text(range)));
    }
  }
  if (http.body) object["body"] = encode_match(*http.body);
  note(object, "max_bytes", http.max_bytes, usual.max_bytes);
}

void encode_tls(const AdvisorConfig& advisor, json& object) {
  const TlsOptions usual;
  note(object, "tls", advisor.use_tls, false);
  note(object, "verify", advisor.tls.verify, usual.verify);
  note(object, "ca_file", advisor.tls.ca_file, usual.ca_file);
  note(object, "server_name", advisor.tls.server_name, usual.server_name);
  note(object, "alpn", advisor.tls.alpn, usual.alpn);
}

json encode_step(const TcpStep& step) {
  if (step.kind == TcpStep::Kind::kSend) return {{"send", escape_bytes(step.bytes)}};
  if (step.match.is_regex) return {{"expect_regex", step.match.text}};
  return {{"expect", escape_bytes(step.match.text)}};
}

void encode_dns(const AdvisorConfig& advisor, json& object) {
  const DnsOptions& dns = advisor.dns;
  const DnsOptions usual;
  note(object, "name", dns.name, usual.name);
  note(object, "query_type", dns.type, usual.type);
  note(object, "rcodes", dns.rcodes, usual.rcodes);
  note(object, "answer", dns.answer, usual.answer);
  // The default is that of the port.
  if (advisor.type == AdvisorType::kDns || dns.over_tcp) object["over_tcp"] = dns.over_tcp;
}

void encode_udp(const UdpOptions& udp, json& object) {
  if (!udp.payload.empty()) object["payload"] = escape_bytes(udp.payload);
  if (udp.answer) object["answer"] = encode_match(*udp.answer);
  if (udp.silence) object["silence"] = on_silence_name(*udp.silence);
}

void encode_times(const AdvisorConfig& advisor, json& object) {
  const AdvisorConfig usual;
  note_time(object, "interval", advisor.interval_ms, usual.interval_ms);
  if (advisor.fast_interval_ms) object["fast_interval"] = milliseconds_text(*advisor.fast_interval_ms);
  if (advisor.down_interval_ms) object["down_interval"] = milliseconds_text(*advisor.down_interval_ms);
  note_time(object, "connect_timeout", advisor.connect_timeout_ms, usual.connect_timeout_ms);
  note_time(object, "receive_timeout", advisor.receive_timeout_ms, usual.receive_timeout_ms);
  note(object, "fall", advisor.fall, usual.fall);
  note(object, "rise", advisor.rise, usual.rise);
  note(object, "watch", advisor.watches, usual.watches);
}

}  // namespace

// Keys of other types are written, too, when they have been set: decode_advisor() refuses them rather than lose them.
json encode_advisor(const AdvisorConfig& advisor) {
  const AdvisorConfig usual;
  json object = {{"type", advisor_type_name(advisor.type)}};
  if (advisor.way != usual.way) object["via"] = probe_way_name(advisor.way);
  if (advisor.port) object["port"] = *advisor.port;
  encode_times(advisor, object);
  encode_http(advisor.http, object);
  encode_tls(advisor, object);
  for (const TcpStep& step : advisor.steps) object["steps"].push_back(encode_step(step));
  encode_dns(advisor, object);
  encode_udp(advisor.udp, object);
  if (!advisor.exec.command.empty()) object["command"] = advisor.exec.command;
  note(object, "user", advisor.exec.user, usual.exec.user);
  for (const AdvisorConfig& check : advisor.checks) object["checks"].push_back(encode_advisor(check));
  if (advisor.combine != usual.combine) object["combine"] = combine_name(advisor.combine);
  note(object, "at_least", advisor.at_least, usual.at_least);
  return object;
}

json encode_manager_changes(const ManagerChanges& changes) {
  json object = json::object();
  if (changes.is_on) object["enabled"] = *changes.is_on;
  if (changes.proportions) object["proportions"] = *changes.proportions ? json(**changes.proportions) : json(nullptr);
  if (changes.interval_s) object["interval"] = duration_text(*changes.interval_s);
  if (changes.refresh) object["refresh"] = *changes.refresh;
  if (changes.sensitivity) object["sensitivity"] = *changes.sensitivity;
  if (changes.smoothing_tenths) object["smoothing"] = *changes.smoothing_tenths / 10.0;
  if (changes.weight_bound) object["weight_bound"] = *changes.weight_bound;
  return object;
}

json encode_manager(const ManagerConfig& manager) {
  const ManagerConfig usual;
  ManagerChanges changes;
  changes.is_on = manager.is_on;
  note_field(changes.proportions, manager.proportions, usual.proportions);
  note_field(changes.interval_s, manager.interval_s, usual.interval_s);
  note_field(changes.refresh, manager.refresh, usual.refresh);
  note_field(changes.sensitivity, manager.sensitivity, usual.sensitivity);
  note_field(changes.smoothing_tenths, manager.smoothing_tenths, usual.smoothing_tenths);
  note_field(changes.weight_bound, manager.weight_bound, usual.weight_bound);
  return encode_manager_changes(changes);
}

json encode_exits(std::span<const ExitConfig> exits) {
  const ExitConfig usual;
  json object = json::object();
  for (const ExitConfig& exit : exits) {
    json& entry = object[std::string(exit_event_name(exit.event))] = {{"command", exit.command}};
    note(entry, "user", exit.user, usual.user);
    if (exit.timeout_s != usual.timeout_s) entry["timeout"] = duration_text(exit.timeout_s);
  }
  return object;
}

}  // namespace xdplb
