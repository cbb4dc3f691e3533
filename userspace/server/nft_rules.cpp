// SPDX-License-Identifier: GPL-2.0-only
#include "server/nft_rules.h"

#include <algorithm>
#include <array>
#include <set>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;  // of jumps, as in the kernel

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int number_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int>() : 0;
}

std::vector<std::string> texts_at(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return {found->get<std::string>()};
  std::vector<std::string> texts;
  for (const json& one : *found) {
    if (one.is_string()) texts.push_back(one.get<std::string>());
  }
  return texts;
}

bool contains(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Statements that change nothing of what becomes of a packet.
bool is_side_effect(std::string_view name) {
  return contains({"counter", "log", "comment", "notrack", "ct helper", "ct timeout", "ct expectation", "flow", "dup",
                   "mangle", "set", "map", "last", "secmark", "tproxy"},
                  name);
}

// It asks for a destination address, alone or with others.
bool is_about_destination(const json& match) {
  const auto left = match.find("left");
  if (left == match.end() || match.value("op", "") == "!=") return false;
  auto is_destination = [](const json& part) {
    return part.is_object() && part.contains("payload") && text_at(part.at("payload"), "field") == "daddr";
  };
  if (!left->is_object() || !left->contains("concat")) return is_destination(*left);
  return std::any_of(left->at("concat").begin(), left->at("concat").end(), is_destination);
}

bool is_for_family(const NftChain& chain, Family family) {
  if (chain.family == "ip") return family == Family::kV4;
  if (chain.family == "ip6") return family == Family::kV6;
  return chain.family == "inet" || chain.family == "netdev";
}

bool is_for_devices(const NftChain& chain, const NftPacket& packet) {
  // nft 1.0.6 does not tell the devices of an ingress chain: it may be about others.
  if (chain.devices.empty()) return !contains({"ingress", "egress"}, chain.hook);
  const auto& interfaces = packet.is_answer ? packet.outgoing : packet.incoming;
  return !interfaces.empty() && std::all_of(interfaces.begin(), interfaces.end(), [&](const std::string& name) {
    return std::find(chain.devices.begin(), chain.devices.end(), name) != chain.devices.end();
  });
}

// Where a packet that a nat chain takes goes on to; nothing is known of it but that it is not what it was.
void change_destination(NftPacket& packet, const std::optional<std::uint16_t>& port, bool has_port) {
  packet.destination.reset();
  if (has_port) packet.destination_port = port;
}

}  // namespace

// What may become of a packet in one chain.
struct NftRules::Outcome {
  bool may_accept = false;
  bool may_drop = false;
  bool may_fall = true;     // gets to the end
  bool may_return = false;  // goes back to where the jump was
  int dropper = 0;          // handle of the first rule that drops
  Match redirect = Match::kNo;
  bool names_redirected = false;        // by its address
  bool has_port = false;                // the redirection names a port
  std::optional<std::uint16_t> port{};  // which; nullopt: not a plain number

  bool is_over() const { return !may_fall; }
  // Not by a rule that may be about other packets.
  bool is_redirected() const { return redirect == Match::kYes || (redirect == Match::kMaybe && names_redirected); }
};

struct NftRules::Step {
  const NftChain& chain;
  const NftRule& rule;
  const NftPacket& packet;
  NftContext context;
  int depth = 0;
  Match match = Match::kYes;  // the rule so far
  bool names_destination = false;
};

std::string NftVerdict::remedy(const IpAddress& vipa, const std::optional<ServerPort>& port) const {
  const std::string way = is_answer ? "s" : "d";
  std::string text = "nft insert rule " + chain + (vipa.is_v4() ? " ip " : " ip6 ") + way + "addr " + vipa.to_string();
  if (port) {
    text += " " + std::string(protocol_name(port->protocol)) + " " + way + "port " + std::to_string(port->port);
  }
  return text + " accept";
}

std::optional<NftRules> NftRules::parse(const std::string& document) {
  const json parsed = json::parse(document, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("nftables") || !parsed.at("nftables").is_array()) return std::nullopt;
  NftRules rules;
  std::set<std::string> dormant;
  for (const json& item : parsed.at("nftables")) {
    if (!item.is_object() || item.empty() || !item.begin().value().is_object()) continue;
    const std::string& kind = item.begin().key();
    const json& object = item.begin().value();
    const std::string table = text_at(object, "family") + " " + text_at(object, kind == "table" ? "name" : "table");
    if (kind == "table") {
      const auto flags = texts_at(object, "flags");
      if (std::find(flags.begin(), flags.end(), "dormant") != flags.end()) dormant.insert(table);
    }
    if (dormant.contains(table)) continue;
    if (kind == "chain") rules.read_chain(object);
    if (kind == "rule") rules.read_rule(object);
    if (kind == "set" || kind == "map") {
      rules.sets_[table + " " + text_at(object, "name")] = object.contains("elem") ? object.at("elem") : json::array();
    }
  }
  return rules;
}

void NftRules::read_chain(const json& object) {
  NftChain chain;
  chain.family = text_at(object, "family");
  chain.table = text_at(object, "table");
  chain.name = text_at(object, "name");
  chain.hook = text_at(object, "hook");
  chain.type = text_at(object, "type");
  chain.priority = number_at(object, "prio");
  chain.drops_by_policy = text_at(object, "policy") == "drop";
  chain.devices = texts_at(object, "dev");
  auto key = chain.key();
  chains_[std::move(key)] = std::move(chain);
}

void NftRules::read_rule(const json& object) {
  const std::string key = text_at(object, "family") + " " + text_at(object, "table") + " " + text_at(object, "chain");
  const auto chain = chains_.find(key);
  if (chain == chains_.end() || !object.contains("expr") || !object.at("expr").is_array()) return;
  chain->second.rules.push_back({.handle = number_at(object, "handle"), .statements = object.at("expr")});
}

std::vector<const NftChain*> NftRules::base_chains(const NftPacket& packet,
                                                   std::initializer_list<std::string_view> hooks) const {
  std::vector<const NftChain*> found;
  for (const std::string_view hook : hooks) {
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    for (const auto& [key, chain] : chains_) {
      const bool is_here = chain.hook == hook && is_for_family(chain, packet.family) && is_for_devices(chain, packet);
      if (is_here) found.push_back(&chain);
    }
    std::stable_sort(found.begin() + first, found.end(), [](auto* a, auto* b) { return a->priority < b->priority; });
  }
  return found;
}

NftRules::Outcome NftRules::walk(const NftChain& chain, const NftPacket& packet, int depth) const {
  Outcome outcome;
  for (const NftRule& rule : chain.rules) {
    if (outcome.is_over()) break;
    take_rule(chain, rule, packet, depth, outcome);
  }
  return outcome;
}

void NftRules::take_rule(const NftChain& chain, const NftRule& rule, const NftPacket& packet, int depth,
                         Outcome& outcome) const {
  Step step{.chain = chain,
            .rule = rule,
            .packet = packet,
            .context = {.packet = packet, .sets = sets_, .table = chain.family + " " + chain.table},
            .depth = depth};
  for (const json& item : rule.statements) {
    if (!item.is_object() || item.empty()) {
      step.match = std::min(step.match, Match::kMaybe);
      continue;
    }
    const std::string& name = item.begin().key();
    const json& value = item.begin().value();
    if (name == "match" && value.is_object()) {
      const Match match = match_nft(value, step.context);
      step.match = std::min(step.match, match);
      step.names_destination = step.names_destination || (match == Match::kYes && is_about_destination(value));
    } else if (take_statement(step, name, value, outcome)) {
      return;
    } else if (!is_side_effect(name) && name != "vmap" && name != "continue") {
      step.match = std::min(step.match, Match::kMaybe);  // limits, matches of iptables, what is not known here
    }
    if (step.match == Match::kNo) return;
  }
}

// Returns whether the rule ends with it.
bool NftRules::take_statement(const Step& step, const std::string& name, const json& value, Outcome& outcome) const {
  const bool is_certain = step.match == Match::kYes;
  if (name == "accept" || name == "queue") {
    outcome.may_accept = true;
  } else if (name == "drop" || name == "reject") {
    if (!outcome.may_drop || is_certain) outcome.dropper = step.rule.handle;
    outcome.may_drop = true;
  } else if (name == "return") {
    outcome.may_return = true;
  } else if (name == "redirect" || name == "dnat") {
    outcome.may_accept = true;
    outcome.redirect = std::max(outcome.redirect, step.match);
    outcome.names_redirected = outcome.names_redirected || step.names_destination;
    const bool has_port = value.is_object() && value.contains("port");
    outcome.has_port = has_port;
    if (has_port && value.at("port").is_number_unsigned()) outcome.port = value.at("port").get<std::uint16_t>();
  } else if (name == "jump" || name == "goto") {
    take_jump(step, value, outcome);
    if (name == "goto" && is_certain && outcome.may_fall) {
      outcome.may_fall = false;
      outcome.may_return = true;
    }
    return true;
  } else if (name == "vmap" && value.is_object()) {
    take_verdict_map(step, value, outcome);
    return outcome.is_over();
  } else {
    return name == "snat" || name == "masquerade";
  }
  if (is_certain) outcome.may_fall = false;
  return true;
}

void NftRules::take_verdict_map(const Step& step, const json& map, Outcome& outcome) const {
  std::vector<std::pair<Match, json>> verdicts;
  const bool is_known = map.contains("key") && map.contains("data") &&
                        match_nft_map(map.at("key"), map.at("data"), step.context, verdicts);
  if (!is_known) {  // anything may come of it
    outcome.may_accept = true;
    return;
  }
  for (const auto& [match, verdict] : verdicts) {
    if (!verdict.is_object() || verdict.empty()) continue;
    Step one = step;
    one.match = std::min(step.match, match);
    take_statement(one, verdict.begin().key(), verdict.begin().value(), outcome);
  }
}

void NftRules::take_jump(const Step& step, const json& target, Outcome& outcome) const {
  const auto chain = target.is_object()
                         ? chains_.find(step.chain.family + " " + step.chain.table + " " + text_at(target, "target"))
                         : chains_.end();
  if (chain == chains_.end() || step.depth >= kMaxDepth) {
    outcome.may_accept = true;
    return;
  }
  const Outcome there = walk(chain->second, step.packet, step.depth + 1);
  if (there.may_drop && (!outcome.may_drop || step.match == Match::kYes)) outcome.dropper = there.dropper;
  outcome.may_accept = outcome.may_accept || there.may_accept;
  outcome.may_drop = outcome.may_drop || there.may_drop;
  if (const Match match = std::min(step.match, there.redirect); match > outcome.redirect) {
    outcome.redirect = match;
    outcome.names_redirected = there.names_redirected || step.names_destination;
    outcome.has_port = there.has_port;
    outcome.port = there.port;
  }
  if (step.match == Match::kYes && !there.may_fall && !there.may_return) outcome.may_fall = false;
}

NftVerdict NftRules::judge(const NftPacket& packet, std::initializer_list<std::string_view> hooks) const {
  NftPacket now = packet;
  for (const NftChain* chain : base_chains(packet, hooks)) {
    const Outcome outcome = walk(*chain, now, 0);
    const bool may_end = outcome.may_fall || outcome.may_return;
    const bool may_pass = outcome.may_accept || (may_end && !chain->drops_by_policy);
    if (!may_pass) {
      const std::string place =
          may_end ? std::string("the policy") : "a rule (handle " + std::to_string(outcome.dropper) + ")";
      return {.is_dropped = true,
              .is_answer = packet.is_answer,
              .chain = chain->key(),
              .place = place + " of nftables chain " + chain->key()};
    }
    if (outcome.redirect != Match::kNo) change_destination(now, outcome.port, outcome.has_port);
  }
  return {};
}

NftVerdict NftRules::judge_incoming(const NftPacket& packet) const {
  NftPacket request = packet;
  request.is_answer = false;
  return judge(request, {"ingress", "prerouting", "input"});
}

NftVerdict NftRules::judge_outgoing(const NftPacket& packet) const {
  NftPacket answer = packet;
  answer.is_answer = true;
  return judge(answer, {"output", "postrouting", "egress"});
}

std::optional<std::uint16_t> NftRules::redirected_port(const IpAddress& vipa, const ServerPort& port) const {
  NftPacket packet;
  packet.family = vipa.family();
  packet.destination = vipa;
  packet.is_destination_own = false;
  packet.protocol = port.protocol;
  packet.destination_port = port.port;
  for (const NftChain* chain : base_chains(packet, {"prerouting"})) {
    const Outcome outcome = walk(*chain, packet, 0);
    if (outcome.is_redirected()) return outcome.port.value_or(port.port);
  }
  return std::nullopt;
}

bool NftRules::redirects(const IpAddress& vipa, const std::vector<ServerPort>& ports) const {
  if (!ports.empty()) {
    return std::all_of(ports.begin(), ports.end(),
                       [&](const ServerPort& port) { return redirected_port(vipa, port).has_value(); });
  }
  NftPacket packet;
  packet.family = vipa.family();
  packet.destination = vipa;
  packet.is_destination_own = false;
  const auto chains = base_chains(packet, {"prerouting"});
  return std::any_of(chains.begin(), chains.end(),
                     [&](const NftChain* chain) { return walk(*chain, packet, 0).is_redirected(); });
}

}  // namespace xdplb
