// SPDX-License-Identifier: GPL-2.0-only
// What an nftables ruleset does to a packet, as far as can be told from its text. Pure.
#pragma once

#include "server/nft_packet.h"
#include "server/server_judge.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {

struct NftRule {
  int handle = 0;
  nlohmann::json statements{};  // "expr": matches and statements in their order
};

struct NftChain {
  std::string family{};  // "ip", "ip6", "inet", "netdev"; others concern no packet of ours
  std::string table{};
  std::string name{};
  std::string hook{};  // empty: only jumped to
  std::string type{};  // "filter", "nat", "route"
  int priority = 0;
  bool drops_by_policy = false;
  std::vector<std::string> devices{};  // of "netdev" and of ingress and egress
  std::vector<NftRule> rules{};

  std::string key() const { return family + " " + table + " " + name; }
};

// What becomes of a packet.
struct NftVerdict {
  bool is_dropped = false;  // by every way through the rules that is possible
  bool is_answer = false;   // it was an answer
  std::string chain{};      // "inet filter input": the base chain that drops it
  std::string place{};      // "nftables: inet filter input: rule 7", "nftables: inet filter input: its policy"

  // A command that lets it through: a rule before all others of the chain.
  std::string remedy(const IpAddress& vipa, const std::optional<ServerPort>& port) const;
};

class NftRules {
 public:
  // `document`: what `nft -j list ruleset` writes. nullopt when it is no such document.
  static std::optional<NftRules> parse(const std::string& document);

  // A new packet from somewhere to the VIPA, and an answer with the VIPA as source.
  NftVerdict judge_incoming(const NftPacket& packet) const;
  NftVerdict judge_outgoing(const NftPacket& packet) const;

  // Packets for a VIPA that no interface has get another destination (redirect, dnat): those to each of the ports, or
  // any when there are none.
  bool redirects(const IpAddress& vipa, const std::vector<ServerPort>& ports) const;
  // The port they get, which may be the same; nullopt: they are not redirected.
  std::optional<std::uint16_t> redirected_port(const IpAddress& vipa, const ServerPort& port) const;

 private:
  struct Outcome;
  struct Step;
  void read_chain(const nlohmann::json& object);
  void read_rule(const nlohmann::json& object);
  std::vector<const NftChain*> base_chains(const NftPacket& packet,
                                           std::initializer_list<std::string_view> hooks) const;
  Outcome walk(const NftChain& chain, const NftPacket& packet, int depth) const;
  void take_rule(const NftChain& chain, const NftRule& rule, const NftPacket& packet, int depth,
                 Outcome& outcome) const;
  bool take_statement(const Step& step, const std::string& name, const nlohmann::json& value, Outcome& outcome) const;
  void take_verdict_map(const Step& step, const nlohmann::json& map, Outcome& outcome) const;
  void take_jump(const Step& step, const nlohmann::json& target, Outcome& outcome) const;
  NftVerdict judge(const NftPacket& packet, std::initializer_list<std::string_view> hooks) const;

  std::map<std::string, NftChain> chains_{};  // by key()
  NftSets sets_{};
};

}  // namespace xdplb
