// SPDX-License-Identifier: GPL-2.0-only
#include "model/round_robin.h"

#include <algorithm>
#include <numeric>

namespace xdplb {
namespace {

struct Candidate {
  const RowServer* server;
  std::int64_t weight;
  std::int64_t credit;
};

}  // namespace

std::vector<std::uint16_t> round_robin(std::span<const RowServer> servers) {
  std::vector<Candidate> candidates;
  unsigned divisor = 0;
  for (const auto& server : servers) {
    if (server.weight == 0) continue;
    divisor = std::gcd(divisor, server.weight);
    candidates.push_back({.server = &server, .weight = 0, .credit = 0});
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.server->name < b.server->name; });
  std::int64_t sum = 0;
  for (auto& candidate : candidates) {
    candidate.weight = candidate.server->weight / divisor;
    sum += candidate.weight;
  }
  std::vector<std::uint16_t> order;
  order.reserve(static_cast<std::size_t>(std::min<std::int64_t>(sum, kMaxRows)));
  while (static_cast<std::int64_t>(order.size()) < std::min<std::int64_t>(sum, kMaxRows)) {
    Candidate* next = nullptr;
    for (auto& candidate : candidates) {
      candidate.credit += candidate.weight;
      if (next == nullptr || candidate.credit > next->credit) next = &candidate;
    }
    next->credit -= sum;
    order.push_back(next->server->index);
  }
  return order;
}

}  // namespace xdplb
