// SPDX-License-Identifier: GPL-2.0-only
#include "cli/advisor_options.h"

#include "cli/typed.h"
#include "control/request.h"
#include "model/advisor_config.h"
#include "model/option_text.h"
#include "model/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr std::string_view kSteps = "steps";
constexpr std::string_view kHeaders = "headers";

// A word as it stands, when `parse` knows it.
template <typename T>
Reply read_word(const std::string& text, Result<T> (*parse)(std::string_view)) {
  if (const auto known = parse(text); !known) return known.error();
  return make_reply(text);
}

Reply read_type(const std::string& text) { return read_word(text, parse_advisor_type); }
Reply read_via(const std::string& text) { return read_word(text, parse_probe_way); }
Reply read_silence(const std::string& text) { return read_word(text, parse_on_silence); }

Reply read_text_value(const std::string& text) { return make_reply(text); }

// What must occur in a reply; no text: nothing must.
Reply read_match(const std::string& text) { return make_reply(text.empty() ? json() : json(text)); }
Reply read_regex(const std::string& text) { return make_reply({{"regex", text}}); }

Reply read_bytes(const std::string& text) {
  if (const auto bytes = unescape_bytes(text); !bytes) return bytes.error();
  return make_reply(text);
}

Reply read_time(const std::string& text) {
  const auto time = parse_milliseconds(text, kMinProbeTime, kMaxProbeTime);
  if (!time) return time.error();
  return make_reply(text);
}

Reply read_time_or_none(const std::string& text) { return text == "none" ? make_reply(json()) : read_time(text); }

template <unsigned kMin, unsigned kMax>
Reply read_count(const std::string& text) {
  const auto number = typed_count("number", text, kMax, kMin);
  if (!number) return number.error();
  return make_reply(*number);
}

Reply read_port(const std::string& text) { return text == "none" ? make_reply(json()) : read_count<1, 65535>(text); }

Reply read_switch(const std::string& text) {
  if (text == "on" || text == "off") return make_reply(text == "on");
  return fail(ErrorCode::kUsage, fmt::format("{} is neither on nor off", quote(text)));
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const auto comma = std::min(text.find(','), text.size());
    words.emplace_back(text.substr(0, comma));
    if (comma == text.size()) return words;
    text.remove_prefix(comma + 1);
  }
}

Reply read_list(const std::string& text) {
  const auto words = split(text);
  if (std::find(words.begin(), words.end(), "") == words.end()) return make_reply(words);
  return fail(ErrorCode::kUsage, fmt::format("{}: write A,B", quote(text)));
}

// 200 is a number, 300-399 a text.
Reply read_statuses(const std::string& text) {
  json list = json::array();
  for (const std::string& word : split(text)) {
    const auto range = parse_status_range(word);
    if (!range) return range.error();
    list.push_back(range->first == range->last ? json(range->first) : json(word));
  }
  return make_reply(std::move(list));
}

Reply read_path(const std::string& text) {
  if (text.starts_with('/') || text == "*") return make_reply(text);
  if (auto via = read_via(text); via) return via;
  return fail(ErrorCode::kUsage,
              fmt::format("{}: a path begins with '/'; the ways of a probe are vip, own and both", quote(text)));
}

Reply read_header(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == 0 || colon == std::string::npos) {
    return fail(ErrorCode::kUsage, fmt::format("{}: write 'Name: value'", quote(text)));
  }
  const auto begin = std::min(text.find_first_not_of(' ', colon + 1), text.size());
  json header = json::object();
  header[text.substr(0, colon)] = text.substr(begin);
  return make_reply(std::move(header));
}

Reply read_step(const char* key, const std::string& text) {
  if (const auto bytes = unescape_bytes(text); !bytes) return bytes.error();
  json step = json::object();
  step[key] = text;
  return make_reply(std::move(step));
}
Reply read_send(const std::string& text) { return read_step("send", text); }
Reply read_expect(const std::string& text) { return read_step("expect", text); }
Reply read_expect_regex(const std::string& text) { return make_reply({{"expect_regex", text}}); }

constexpr const char* kPace = "When it is probed, and what it takes";
constexpr const char* kHttp = "http, https";
constexpr const char* kTls = "TLS: https, and others with --tls on";
constexpr const char* kTcp = "tcp: the conversation, in the order given";
constexpr const char* kDns = "dns";
constexpr const char* kUdp = "udp";
constexpr const char* kExec = "exec: the program stands behind --";

constexpr std::array kOptions = {
    AdvisorOption{"--type", "type", read_type, kPace,
                  "connect, ping, http, https, tcp, dns, udp, agent, exec, smtp, imap, pop3, ftp, redis, ldap, mysql, "
                  "pgsql, sip, nntp or telnet"},
    AdvisorOption{"--via", "via", read_via, kPace,
                  "vip (as it is): as a client's packet, to the virtual address; own: to the server's own; both"},
    AdvisorOption{"--port", "port", read_port, kPace, "Probe this port of the server; none: that of the cluster"},
    AdvisorOption{"--interval", "interval", read_time, kPace, "Between probes, like 2s or 300ms"},
    AdvisorOption{"--fast-interval", "fast_interval", read_time_or_none, kPace,
                  "While results contradict the state; none: as --interval"},
    AdvisorOption{"--down-interval", "down_interval", read_time_or_none, kPace,
                  "Of a server that is down; none: as --interval"},
    AdvisorOption{"--connect-timeout", "connect_timeout", read_time, kPace, "To connect, like 2s"},
    AdvisorOption{"--receive-timeout", "receive_timeout", read_time, kPace, "From the request to the whole reply"},
    AdvisorOption{"--fall", "fall", read_count<1, 100>, kPace, "1 to 100 failures in a row: down; 3"},
    AdvisorOption{"--rise", "rise", read_count<1, 100>, kPace, "1 to 100 successes in a row: up; 2"},
    AdvisorOption{"--watch", "watch", read_switch, kPace,
                  "on or off: keep a connection and probe at once when the server ends it"},
    AdvisorOption{"--path", "path", read_path, kHttp, "Of the request, like /healthz; vip, own or both is --via"},
    AdvisorOption{"--method", "method", read_text_value, kHttp, "GET as it is"},
    AdvisorOption{"--host", "host", read_text_value, kHttp, "Host field; the probed address as it is"},
    AdvisorOption{"--header", kHeaders.data(), read_header, kHttp, "'Name: value', a further field; may be repeated"},
    AdvisorOption{"--status", "statuses", read_statuses, kHttp, "What is accepted, like 200,300-399"},
    AdvisorOption{"--body", "body", read_match, kHttp, "Text that must occur in the body"},
    AdvisorOption{"--body-regex", "body", read_regex, kHttp, "Regular expression that must fit the body"},
    AdvisorOption{"--max-bytes", "max_bytes", read_count<1, 1U << 20>, kHttp, "Of the body that are read; 16384"},
    AdvisorOption{"--tls", "tls", read_switch, kTls, "on or off: TLS from the first byte"},
    AdvisorOption{"--verify", "verify", read_switch, kTls, "on or off: the certificate's chain, name and dates"},
    AdvisorOption{"--ca-file", "ca_file", read_text_value, kTls,
                  "Certificates that are trusted; the system's as it is"},
    AdvisorOption{"--server-name", "server_name", read_text_value, kTls, "SNI, and the name that is verified"},
    AdvisorOption{"--alpn", "alpn", read_list, kTls, "Protocols offered, like h2,http/1.1"},
    AdvisorOption{"--send", kSteps.data(), read_send, kTcp, "Send this; \\r \\n \\t \\0 \\\\ \\xHH are bytes"},
    AdvisorOption{"--expect", kSteps.data(), read_expect, kTcp, "This must come"},
    AdvisorOption{"--expect-regex", kSteps.data(), read_expect_regex, kTcp, "What fits this must come"},
    AdvisorOption{"--name", "name", read_text_value, kDns, "The name that is asked for"},
    AdvisorOption{"--query-type", "query_type", read_text_value, kDns, "A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT"},
    AdvisorOption{"--rcode", "rcodes", read_list, kDns, "What is accepted, like NOERROR,NXDOMAIN"},
    AdvisorOption{"--over-tcp", "over_tcp", read_switch, kDns, "on or off"},
    AdvisorOption{"--answer", "answer", read_match, "dns, udp", "What must be among the answers, or in the answer"},
    AdvisorOption{"--answer-regex", "answer", read_regex, kUdp, "Regular expression that must fit the answer"},
    AdvisorOption{"--payload", "payload", read_bytes, kUdp, "What is sent; escapes as in --send"},
    AdvisorOption{"--silence", "silence", read_silence, kUdp, "up or down: what it means that no answer comes"},
    AdvisorOption{"--user", "user", read_text_value, kExec, "Who runs it; nobody as it is"},
};

// Adds one value to the object.
Result<void> add_value(json& object, const AdvisorOption& option, const json& value) {
  if (option.key == kSteps) {
    object[option.key].push_back(value);
    return {};
  }
  json& headers = object[option.key];
  for (const auto& [name, text] : value.items()) {
    if (headers.contains(name))
      return fail(ErrorCode::kUsage, fmt::format("{} {}: is given twice", option.option, name));
    headers[name] = text;
  }
  return {};
}

Result<void> add_word(json& object, std::map<std::string, std::string>& said, const AdvisorWord& word) {
  const auto* option = std::find_if(kOptions.begin(), kOptions.end(),
                                    [&](const AdvisorOption& known) { return known.option == word.option; });
  if (option == kOptions.end()) return fail(ErrorCode::kUsage, word.option + ": there is no such option");
  const Reply value = of_option(word.option, option->read(word.text));
  if (!value) return value.error();
  if (option->key == kSteps || option->key == kHeaders) return add_value(object, *option, *value);
  // A path that is no path is the way of the probe.
  const bool is_way = option->key == std::string_view("path") && read_via(word.text);
  const std::string key = is_way ? "via" : option->key;
  const auto [before, is_new] = said.emplace(key, word.option);
  if (!is_new && before->second == word.option) return fail(ErrorCode::kUsage, word.option + ": is given twice");
  if (!is_new) return fail(ErrorCode::kUsage, fmt::format("say either {} or {}", before->second, word.option));
  object[key] = *value;
  return {};
}

}  // namespace

std::span<const AdvisorOption> advisor_options() { return kOptions; }

Reply advisor_changes(std::span<const AdvisorWord> words, const std::vector<std::string>& command) {
  json object = json::object();
  std::map<std::string, std::string> said;  // keys and the options that said them
  for (const AdvisorWord& word : words) {
    if (const auto added = add_word(object, said, word); !added) return added.error();
  }
  if (command.empty()) return make_reply(std::move(object));
  if (!command.front().starts_with('/')) {
    return fail(ErrorCode::kUsage,
                fmt::format("{}: the program of an exec advisor is an absolute path", quote(command.front())));
  }
  object["command"] = command;
  return make_reply(std::move(object));
}

}  // namespace xdplb
