// SPDX-License-Identifier: GPL-2.0-only
#include "server/server_judge.h"

#include "server/scene.h"

#include <algorithm>

namespace xdplb {
namespace {

void judge_vipa(const Scene& scene, Faults& faults) {
  judge_silence(scene, faults);
  judge_ipv6(scene, faults);  // without it there is no alias
  judge_alias(scene, faults);
  judge_routes(scene, faults);
  judge_rules(scene, faults);
  judge_way_in(scene, faults);
  judge_service(scene, faults);
  judge_firewall(scene, faults);
  judge_way_out(scene, faults);
}

// Each fault once, though several VIPAs find it.
void add_new(Faults& all, const Faults& found) {
  for (const Fault& fault : found) {
    if (std::find(all.begin(), all.end(), fault) == all.end()) all.push_back(fault);
  }
}

}  // namespace

Faults judge_server(const ServerFacts& facts, const ServerWish& wish) {
  std::optional<NftRules> nft;
  if (facts.ruleset) nft = NftRules::parse(*facts.ruleset);
  Faults all;
  for (const IpAddress& vipa : wish.vipas) {
    Faults found;
    judge_vipa(Scene::make(facts, wish, nft ? &*nft : nullptr, vipa), found);
    add_new(all, found);
  }
  return all;
}

}  // namespace xdplb
