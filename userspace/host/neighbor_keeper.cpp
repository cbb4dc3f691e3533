// SPDX-License-Identifier: GPL-2.0-only
#include "host/neighbor_keeper.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace xdplb {
namespace {

constexpr std::uint64_t kSlowRounds = 15;  // seconds between probes the kernel does not make by itself
// The kernel does not tell of a new entry before it is resolved or has failed after three requests a second apart.
constexpr std::uint64_t kResolveRounds = 5;
// ARP requests of one tick: a rack that lost power must not flood the LAN.
constexpr std::size_t kMaxRequestsATick = 2000;

}  // namespace

void NeighborKeeper::keep(const NeighborKey& key) {
  if (kept_.contains(key)) return;
  const Neighbor* present = tables_.find_neighbor(key);
  // A managed entry was left by an earlier run of ours: nobody else makes them for our servers.
  Kept kept{.is_ours = present == nullptr || present->is_managed};
  request(key, kept_.emplace(key, kept).first->second);
}

void NeighborKeeper::release(const NeighborKey& key) {
  auto entry = kept_.find(key);
  if (entry == kept_.end()) return;
  bool is_ours = entry->second.is_ours;
  kept_.erase(entry);
  const Neighbor* present = tables_.find_neighbor(key);
  if (present != nullptr && present->is_permanent) return;
  // Somebody else's entry goes back to an ordinary one that ages.
  requests_.push_back({.kind = is_ours ? NeighborRequestKind::kForget : NeighborRequestKind::kLetGo, .key = key});
}

void NeighborKeeper::request(const NeighborKey& key, Kept& kept) {
  const Link* link = tables_.find_link(key.ifindex);
  // Without carrier the kernel flushes the entry anyway; note() asks when the link is back.
  if (link == nullptr || !link->is_usable()) return;
  const Neighbor* present = tables_.find_neighbor(key);
  // NTF_USE and NTF_EXT_MANAGED take NUD_PERMANENT off an entry (net/core/neighbour.c, __neigh_update).
  if (present != nullptr && present->is_permanent) return;
  kept.ask_again_round = round_ + kResolveRounds;
  requests_.push_back({.kind = kept.is_plain ? NeighborRequestKind::kProbe : NeighborRequestKind::kManage, .key = key});
}

void NeighborKeeper::note(const HostChange& change) {
  if (const auto* neighbor = std::get_if<NeighborChanged>(&change)) {
    NeighborKey key{.ifindex = neighbor->neighbor.ifindex, .address = neighbor->neighbor.address};
    auto entry = kept_.find(key);
    if (entry == kept_.end()) return;
    if (neighbor->neighbor.state != NeighborState::kGone) {
      entry->second.refused = 0;
      return;
    }
    entry->second.is_ours = true;
    entry->second.ask_again_round = 0;  // the next tick makes it again
    return;
  }
  const auto* changed = std::get_if<LinkChanged>(&change);
  if (changed == nullptr) return;
  const Link* link = tables_.find_link(changed->index);
  if (link == nullptr || !link->is_usable()) return;
  for (auto& [key, kept] : kept_) {
    if (key.ifindex != changed->index) continue;
    const Neighbor* present = tables_.find_neighbor(key);
    if (present == nullptr || present->state == NeighborState::kFailed) request(key, kept);
  }
}

void NeighborKeeper::note_refusal(const NeighborKey& key, int error_number) {
  auto entry = kept_.find(key);
  if (entry == kept_.end()) return;  // ENOENT of a forgotten entry
  Kept& kept = entry->second;
  kept.refused = error_number;
  if (error_number != EINVAL || kept.is_plain) return;
  kept.is_plain = true;
  kept.refused = 0;
  request(key, kept);
}

bool NeighborKeeper::needs_request(const NeighborKey& key, const Kept& kept, bool is_slow_round) const {
  // A full neighbour table searches for a victim at each attempt: not every second.
  if (kept.refused != 0) return is_slow_round;
  const Neighbor* present = tables_.find_neighbor(key);
  if (present == nullptr) return round_ >= kept.ask_again_round;
  if (present->state == NeighborState::kFailed) return true;
  return is_slow_round && !present->is_managed;
}

void NeighborKeeper::tick() {
  bool is_slow_round = ++round_ % kSlowRounds == 0;
  std::vector<std::pair<const NeighborKey, Kept>*> wanting;
  for (auto& entry : kept_) {
    if (needs_request(entry.first, entry.second, is_slow_round)) wanting.push_back(&entry);
  }
  // Another part of a long list each time.
  std::size_t start = wanting.size() > kMaxRequestsATick ? (round_ * kMaxRequestsATick) % wanting.size() : 0;
  std::size_t count = std::min(wanting.size(), kMaxRequestsATick);
  for (std::size_t i = 0; i < count; ++i) {
    auto* entry = wanting[(start + i) % wanting.size()];
    request(entry->first, entry->second);
  }
}

std::optional<Error> NeighborKeeper::failure(const NeighborKey& key) const {
  auto entry = kept_.find(key);
  if (entry == kept_.end() || entry->second.refused == 0) return std::nullopt;
  std::string what = "neighbour " + key.address.to_string() + ": keep it resolved";
  if (entry->second.refused == ENOBUFS) what += " (raise net.ipv4.neigh.default.gc_thresh3 or its ipv6 twin)";
  return os_error(what, entry->second.refused);
}

std::vector<NeighborRequest> NeighborKeeper::take_requests(std::size_t limit) {
  auto end = requests_.begin() + static_cast<std::ptrdiff_t>(std::min(limit, requests_.size()));
  std::vector<NeighborRequest> taken(requests_.begin(), end);
  requests_.erase(requests_.begin(), end);
  return taken;
}

}  // namespace xdplb
