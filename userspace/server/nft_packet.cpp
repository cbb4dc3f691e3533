// SPDX-License-Identifier: GPL-2.0-only
#include "server/nft_packet.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <variant>

namespace xdplb {
namespace {

using nlohmann::json;

// A field of the packet.
struct Field {
  enum class State : std::uint8_t { kUnknown, kAbsent, kKnown };
  using Value = std::variant<IpAddress, std::int64_t, std::string>;
  State state = State::kUnknown;
  std::vector<Value> values{};  // kKnown: one of these
};

Field unknown() { return {}; }
Field absent() { return {.state = Field::State::kAbsent, .values = {}}; }
Field known(Field::Value value) { return {.state = Field::State::kKnown, .values = {std::move(value)}}; }

Field address_field(const std::optional<IpAddress>& address) { return address ? known(*address) : unknown(); }

Field port_field(const std::optional<std::uint16_t>& port) {
  return port ? known(static_cast<std::int64_t>(*port)) : unknown();
}

Field interface_field(const std::vector<std::string>& names) {
  if (names.empty()) return unknown();
  return {.state = Field::State::kKnown, .values = {names.begin(), names.end()}};
}

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Field protocol_field(const NftPacket& packet) {
  return packet.protocol ? known(std::string(protocol_name(*packet.protocol))) : unknown();
}

Field network_field(const NftPacket& packet, const std::string& protocol, const std::string& name) {
  if ((protocol == "ip") != (packet.family == Family::kV4)) return absent();
  if (name == "saddr") return address_field(packet.source);
  if (name == "daddr") return address_field(packet.destination);
  if (name == "protocol" || name == "nexthdr") return protocol_field(packet);
  return unknown();
}

Field transport_field(const NftPacket& packet, const std::string& protocol, const std::string& name) {
  if (protocol != "th" && packet.protocol && protocol != protocol_name(*packet.protocol)) return absent();
  // Whether it is TCP is not known: the header may be another.
  if (protocol != "th" && !packet.protocol) return unknown();
  if (name == "sport") return port_field(packet.source_port);
  if (name == "dport") return port_field(packet.destination_port);
  return unknown();
}

Field payload_field(const NftPacket& packet, const json& payload) {
  const std::string protocol = text_at(payload, "protocol");
  const std::string name = text_at(payload, "field");
  if (protocol == "ip" || protocol == "ip6") return network_field(packet, protocol, name);
  if (protocol == "tcp" || protocol == "udp" || protocol == "th") return transport_field(packet, protocol, name);
  for (const char* other : {"icmp", "icmpv6", "igmp", "sctp", "dccp", "udplite", "esp", "ah", "comp"}) {
    if (protocol == other && packet.protocol) return absent();
  }
  return protocol == "arp" ? absent() : unknown();
}

Field meta_field(const NftPacket& packet, const std::string& key) {
  const bool is_v4 = packet.family == Family::kV4;
  if (key == "nfproto") return known(std::string(is_v4 ? "ipv4" : "ipv6"));
  if (key == "protocol") return known(std::string(is_v4 ? "ip" : "ip6"));
  if (key == "l4proto") return protocol_field(packet);
  if (key == "iif" || key == "iifname") return packet.is_answer ? unknown() : interface_field(packet.incoming);
  if (key == "oif" || key == "oifname") return packet.is_answer ? interface_field(packet.outgoing) : unknown();
  return unknown();
}

bool has_flag(const json& fib, std::string_view flag) {
  const auto flags = fib.find("flags");
  if (flags == fib.end()) return false;
  if (flags->is_string()) return *flags == std::string(flag);
  return std::find(flags->begin(), flags->end(), std::string(flag)) != flags->end();
}

// "local" is what the address is to this host; with an interface to that one alone, which does not have the VIPA. The
// outgoing interface of the source is "0" (or false) where it is not the one the packet came by.
Field fib_field(const NftPacket& packet, const json& fib) {
  const std::string result = text_at(fib, "result");
  const bool has_interface = has_flag(fib, "iif") || has_flag(fib, "oif");
  if (result == "type" && has_flag(fib, "daddr") && !packet.is_answer && packet.destination) {
    return known(std::string(has_interface || !packet.is_destination_own ? "unicast" : "local"));
  }
  const bool is_way_back = has_flag(fib, "saddr") && has_flag(fib, "iif") && !packet.is_answer;
  if (is_way_back && (result == "oif" || result == "oifname" || result == "check oif")) {
    return known(std::int64_t{packet.is_source_elsewhere ? 0 : 1});
  }
  return unknown();
}

Field read_field(const json& left, const NftPacket& packet) {
  if (!left.is_object() || left.empty()) return unknown();
  const std::string& kind = left.begin().key();
  const json& about = left.begin().value();
  if (!about.is_object()) return unknown();
  if (kind == "payload") return payload_field(packet, about);
  if (kind == "meta") return meta_field(packet, text_at(about, "key"));
  if (kind == "fib") return fib_field(packet, about);
  if (kind != "ct") return unknown();
  const std::string key = text_at(about, "key");
  if (key == "state") return known(std::string(packet.is_answer ? "established" : "new"));
  if (key == "direction") return known(std::string(packet.is_answer ? "reply" : "original"));
  return unknown();
}

std::optional<std::int64_t> number_of(const json& right) {
  static constexpr std::array kNames = {std::pair("tcp", 6), std::pair("udp", 17), std::pair("icmp", 1),
                                        std::pair("ipv6-icmp", 58)};
  if (right.is_boolean()) return right.get<bool>() ? 1 : 0;
  if (right.is_number_integer()) return right.get<std::int64_t>();
  if (!right.is_string()) return std::nullopt;
  const auto text = right.get<std::string>();
  for (const auto& [name, number] : kNames) {
    if (text == name) return number;
  }
  const auto number = parse_number(text, 0xffffffffU, "number");
  return number ? std::optional<std::int64_t>(*number) : std::nullopt;
}

Match truth(bool holds) { return holds ? Match::kYes : Match::kNo; }

Match equal_address(const IpAddress& value, const json& right) {
  if (!right.is_string()) return Match::kMaybe;
  const auto address = IpAddress::parse(right.get<std::string>());
  return address ? truth(*address == value) : Match::kMaybe;
}

// Interface names may end in '*'.
Match equal_text(const std::string& value, const json& right) {
  if (!right.is_string()) {
    const auto number = number_of(right);
    const auto own = number_of(value);
    return number && own ? truth(*number == *own) : Match::kMaybe;
  }
  auto text = right.get<std::string>();
  if (text.empty() || text.back() != '*') return truth(text == value);
  text.pop_back();
  return truth(value.starts_with(text));
}

Match equal_value(const Field::Value& value, const json& right) {
  if (const auto* address = std::get_if<IpAddress>(&value)) return equal_address(*address, right);
  if (const auto* text = std::get_if<std::string>(&value)) return equal_text(*text, right);
  const auto number = number_of(right);
  return number ? truth(*number == std::get<std::int64_t>(value)) : Match::kMaybe;
}

Match in_prefix(const Field::Value& value, const json& prefix) {
  const auto* address = std::get_if<IpAddress>(&value);
  const auto network = IpPrefix::parse(text_at(prefix, "addr"));
  const auto length = prefix.find("len");
  if (address == nullptr || !network || length == prefix.end() || !length->is_number_unsigned()) return Match::kMaybe;
  return truth(IpPrefix{.address = network->address, .length = length->get<std::uint8_t>()}.contains(*address));
}

Match in_range(const Field::Value& value, const json& range) {
  if (!range.is_array() || range.size() != 2) return Match::kMaybe;
  if (const auto* address = std::get_if<IpAddress>(&value)) {
    if (!range[0].is_string() || !range[1].is_string()) return Match::kMaybe;
    const auto first = IpAddress::parse(range[0].get<std::string>());
    const auto last = IpAddress::parse(range[1].get<std::string>());
    return first && last ? truth(*first <= *address && *address <= *last) : Match::kMaybe;
  }
  const auto* number = std::get_if<std::int64_t>(&value);
  const auto first = number_of(range[0]);
  const auto last = number_of(range[1]);
  return number != nullptr && first && last ? truth(*first <= *number && *number <= *last) : Match::kMaybe;
}

Match any_of(const json& elements, const std::function<Match(const json&)>& test) {
  Match best = Match::kNo;
  for (const json& element : elements) best = std::max(best, test(element));
  return best;
}

const json* find_set(const std::string& name, const NftContext& context) {
  const auto found = context.sets.find(context.table + " " + name);
  return found == context.sets.end() ? nullptr : &found->second;
}

Match holds(const Field::Value& value, const json& right, const NftContext& context);

Match holds_object(const Field::Value& value, const json& right, const NftContext& context) {
  auto test = [&](const json& element) { return holds(value, element, context); };
  if (auto set = right.find("set"); set != right.end()) return any_of(*set, test);
  if (auto prefix = right.find("prefix"); prefix != right.end()) return in_prefix(value, *prefix);
  if (auto range = right.find("range"); range != right.end()) return in_range(value, *range);
  if (auto element = right.find("elem"); element != right.end() && element->contains("val")) {
    return test(element->at("val"));
  }
  return Match::kMaybe;
}

Match holds(const Field::Value& value, const json& right, const NftContext& context) {
  if (right.is_object()) return holds_object(value, right, context);
  auto test = [&](const json& element) { return holds(value, element, context); };
  if (right.is_array()) return any_of(right, test);
  const bool is_name = right.is_string() && right.get<std::string>().starts_with('@');
  if (!is_name) return equal_value(value, right);
  const json* elements = find_set(right.get<std::string>().substr(1), context);
  return elements == nullptr ? Match::kMaybe : any_of(*elements, test);
}

// One of the values is the packet's, so only what holds for all is certain.
Match holds_for(const Field& field, const json& right, const NftContext& context) {
  if (field.state != Field::State::kKnown) return Match::kMaybe;
  std::vector<Match> each;
  for (const auto& value : field.values) each.push_back(holds(value, right, context));
  const auto [low, high] = std::minmax_element(each.begin(), each.end());
  return *low == *high ? *low : Match::kMaybe;
}

// {"concat": [left, ...]} against {"concat": [right, ...]}, or sets of such.
Match holds_concat(const json& parts, const json& right, const NftContext& context) {
  auto test = [&](const json& element) { return holds_concat(parts, element, context); };
  if (right.is_string() && right.get<std::string>().starts_with('@')) {
    const json* elements = find_set(right.get<std::string>().substr(1), context);
    return elements == nullptr ? Match::kMaybe : any_of(*elements, test);
  }
  if (!right.is_object()) return Match::kMaybe;
  if (auto set = right.find("set"); set != right.end()) return any_of(*set, test);
  if (auto element = right.find("elem"); element != right.end() && element->contains("val")) {
    return test(element->at("val"));
  }
  const auto values = right.find("concat");
  if (values == right.end() || values->size() != parts.size()) return Match::kMaybe;
  Match all = Match::kYes;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    all = std::min(all, holds_for(read_field(parts[part], context.packet), (*values)[part], context));
  }
  return all;
}

Match compare(const Field& field, const std::string& op, const json& right) {
  const auto* value = field.values.size() == 1 ? std::get_if<std::int64_t>(&field.values.front()) : nullptr;
  const auto limit = number_of(right);
  if (value == nullptr || !limit) return Match::kMaybe;
  if (op == "<") return truth(*value < *limit);
  if (op == "<=") return truth(*value <= *limit);
  if (op == ">") return truth(*value > *limit);
  return op == ">=" ? truth(*value >= *limit) : Match::kMaybe;
}

Match negate(Match match) {
  if (match == Match::kMaybe) return match;
  return match == Match::kYes ? Match::kNo : Match::kYes;
}

// A field or a concatenation against the right side. kNo also for != when the packet does not have the field.
Match holds_left(const json& left, const std::string& op, const json& right, const NftContext& context) {
  const bool is_negated = op == "!=";
  if (left.is_object() && left.contains("concat")) {
    const json& parts = left.at("concat");
    for (const json& part : parts) {
      if (read_field(part, context.packet).state == Field::State::kAbsent) return Match::kNo;
    }
    const Match match = holds_concat(parts, right, context);
    return is_negated ? negate(match) : match;
  }
  const Field field = read_field(left, context.packet);
  if (field.state == Field::State::kAbsent) return Match::kNo;
  if (field.state == Field::State::kUnknown) return Match::kMaybe;
  if (op == "==" || op == "in" || op.empty()) return holds_for(field, right, context);
  return is_negated ? negate(holds_for(field, right, context)) : compare(field, op, right);
}

}  // namespace

Match match_nft(const json& match, const NftContext& context) {
  const auto left = match.find("left");
  const auto right = match.find("right");
  if (left == match.end() || right == match.end()) return Match::kMaybe;
  return holds_left(*left, text_at(match, "op"), *right, context);
}

bool match_nft_map(const json& key, const json& data, const NftContext& context,
                   std::vector<std::pair<Match, json>>& out) {
  const json* entries = nullptr;
  if (data.is_string()) entries = find_set(data.get<std::string>().substr(1), context);
  if (data.is_object() && data.contains("set")) entries = &data.at("set");
  if (entries == nullptr) return false;
  for (const json& entry : *entries) {
    if (!entry.is_array() || entry.size() != 2) return false;
    const Match match = holds_left(key, "==", entry[0], context);
    if (match != Match::kNo) out.emplace_back(match, entry[1]);
    if (match == Match::kYes) return true;
  }
  return true;
}

}  // namespace xdplb
