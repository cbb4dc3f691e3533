// SPDX-License-Identifier: GPL-2.0-only
#include "model/vipa_election.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

bool is_on_subnet(const ElectionCandidate& candidate, const IpAddress& vipa) {
  return std::any_of(candidate.prefixes.begin(), candidate.prefixes.end(),
                     [&](const IpPrefix& prefix) { return prefix.contains(vipa); });
}

// Why the candidates ahead of the winner were passed over: "; eth0 is down, eth1 is not on its subnet" or nothing.
std::string passed_over(const IpAddress& vipa, std::span<const ElectionCandidate> ahead) {
  std::string text;
  for (const auto& candidate : ahead) {
    text += text.empty() ? "; " : ", ";
    text += candidate.name;
    if (!candidate.is_up) text += " is down";
    if (candidate.is_up && !is_on_subnet(candidate, vipa)) text += " is not on its subnet";
  }
  return text;
}

std::string silent_reason(std::span<const ElectionCandidate> candidates) {
  if (candidates.empty()) return "silent: no interface is listed";
  std::string text = "silent: no listed interface is up (";
  for (const auto& candidate : candidates) {
    if (&candidate != &candidates.front()) text += ", ";
    text += candidate.name;
  }
  return text + ")";
}

}  // namespace

Election elect_interface(const IpAddress& vipa, std::span<const ElectionCandidate> candidates) {
  auto owner = std::find_if(candidates.begin(), candidates.end(), [&](const ElectionCandidate& candidate) {
    return candidate.is_up && is_on_subnet(candidate, vipa);
  });
  if (owner != candidates.end()) {
    auto ahead = candidates.first(static_cast<std::size_t>(owner - candidates.begin()));
    return {.kind = ElectionKind::kOwner,
            .owner = owner->ifindex,
            .owner_name = owner->name,
            .reason = fmt::format("{}: first listed interface that is up and on its subnet{}", owner->name,
                                  passed_over(vipa, ahead))};
  }
  auto first_up = std::find_if(candidates.begin(), candidates.end(),
                               [](const ElectionCandidate& candidate) { return candidate.is_up; });
  if (first_up != candidates.end()) {
    return {
        .kind = ElectionKind::kAnswerWhereAsked,
        .owner = first_up->ifindex,
        .owner_name = first_up->name,
        .reason = fmt::format("answered where it is asked for: no interface that is up is on its subnet; {} announces",
                              first_up->name)};
  }
  return {.kind = ElectionKind::kSilent, .owner = 0, .owner_name = {}, .reason = silent_reason(candidates)};
}

}  // namespace xdplb
