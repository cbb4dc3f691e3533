// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/publisher.h"

#include "dataplane/option_records.h"

#include <linux/membarrier.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

namespace xdplb {
namespace {

template <typename T>
bool is_same_memory(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

template <typename T>
void store_word(T& place, T value) {
  if (std::atomic_ref<T>(place).load(std::memory_order_relaxed) != value)
    std::atomic_ref<T>(place).store(value, std::memory_order_release);
}

bool was_tracked(const KernelTables& tables, const PlannedPort& port, Family family) {
  const auto options = port.options_of(family);
  return options != 0 && (tables.options(options).flags & XDPLB_OPTION_TRACKED) != 0;
}

std::set<EgressKey> egress_keys(const Plan& plan) {
  std::set<EgressKey> keys;
  for (const auto& [name, cluster] : plan.clusters)
    for (const auto& [path, port] : cluster.ports)
      for (const auto& server : port->servers)
        if (server.target) keys.insert(egress_key(server));
  return keys;
}

std::vector<IpPrefix> prefixes_of(const Plan& plan) {
  std::vector<IpPrefix> prefixes;
  for (const auto& [name, cluster] : plan.clusters)
    prefixes.insert(prefixes.end(), cluster.prefixes.begin(), cluster.prefixes.end());
  return prefixes;
}

}  // namespace

Publisher Publisher::open(const KernelTables& tables) {
  Publisher publisher(tables);
  for (std::uint32_t index = 1; index < XDPLB_MAX_SERVERS; ++index)
    if (tables.server(static_cast<std::uint16_t>(index))) publisher.counted_[index] = true;
  // Whatever was ever published may have been counted.
  if (tables.settings().port_selector != 0) publisher.noted_.assign(XDPLB_MAX_OPTIONS, true);
  return publisher;
}

std::vector<Publisher::PortChange> Publisher::changes_of(const Plan& before, const Plan& after, Scope scope) {
  std::vector<PortChange> changes;
  for (const auto& [name, cluster] : after.clusters) {
    for (const auto& [path, port] : cluster.ports) {
      auto old = before.find(path);
      if (old != port || scope == Scope::kEverything) changes.push_back({.before = std::move(old), .after = port});
    }
  }
  for (const auto& [name, cluster] : before.clusters)
    for (const auto& [path, port] : cluster.ports)
      if (!after.find(path)) changes.push_back({.before = port, .after = nullptr});
  return changes;
}

Result<std::map<EgressKey, std::uint16_t>> Publisher::plan_egresses(const Plan& before, const Plan& after,
                                                                    const std::vector<PortChange>& changes) const {
  for (const auto& change : changes) {
    if (!change.after) continue;
    for (const auto& server : change.after->servers) {
      if (server.target && !server.target->is_local && !egresses_.has_interface(server.target->ifindex)) {
        return fail(ErrorCode::kFailed,
                    fmt::format("server {}/{}: interface {} is not loaded", change.after->path.to_string(),
                                server.config.name, server.target->ifindex));
      }
    }
  }
  return egresses_.plan(egress_keys(after), egress_keys(before));
}

Result<void> Publisher::zero_new_state(std::uint16_t options) {
  if (options == 0) return {};
  if (noted_[options]) {
    if (auto zeroed = tables_->zero_outcomes(options); !zeroed) return zeroed;
    std::memset(&tables_->state(options), 0, sizeof(xdplb_state));
  }
  noted_[options] = true;
  return {};
}

Result<void> Publisher::zero_new_counters(const Plan& before, const std::vector<PortChange>& changes,
                                          const Plan& after) {
  const auto zero_new = [this](const ByFamily<std::uint16_t>* old,
                               const ByFamily<std::uint16_t>& next) -> Result<void> {
    for (std::size_t place = 0; place < next.size(); ++place) {
      if (old != nullptr && (*old)[place] == next[place]) continue;
      if (auto zeroed = zero_new_state(next[place]); !zeroed) return zeroed;
    }
    return {};
  };
  for (const auto& change : changes) {
    if (!change.after) continue;
    const auto* old = change.before ? &change.before->options : nullptr;
    if (auto zeroed = zero_new(old, change.after->options); !zeroed) return zeroed;
    for (const auto& server : change.after->servers) {
      const bool is_new = !change.before || change.before->server_at(server.index) == nullptr;
      if (is_new && counted_[server.index])
        if (auto zeroed = tables_->zero_counters(server.index); !zeroed) return zeroed;
      if (is_new) tables_->active(server.index) = 0;
      counted_[server.index] = true;
    }
  }
  for (const auto& [name, cluster] : after.clusters) {
    const auto old = before.clusters.find(name);
    const auto* known = old != before.clusters.end() ? &old->second.options : nullptr;
    if (auto zeroed = zero_new(known, cluster.options); !zeroed) return zeroed;
  }
  return {};
}

// Adds what is new; without lines yet, packets to those networks go on as before. Returns what is to be removed.
Result<std::vector<xdplb_prefix_key>> Publisher::add_prefixes(const Plan& after) {
  const auto wanted = prefixes_of(after);
  if (wanted.size() > XDPLB_MAX_PREFIXES) {
    return fail(ErrorCode::kFailed, fmt::format("{} networks are too many, {} are possible; remove some of them",
                                                wanted.size(), +XDPLB_MAX_PREFIXES));
  }
  auto present = tables_->prefixes();
  std::vector<xdplb_prefix_key> added;
  for (const auto& prefix : wanted) {
    const auto key = prefix_key(prefix);
    const auto found = std::find_if(present.begin(), present.end(),
                                    [&key](const xdplb_prefix_key& other) { return is_same_memory(key, other); });
    if (found != present.end()) {
      present.erase(found);
      continue;
    }
    if (auto stored = tables_->store_prefix(key, prefix_line_key(prefix)); !stored) {
      for (const auto& undone : added) tables_->remove_prefix(undone);
      return stored.error();
    }
    added.push_back(key);
  }
  auto& flags = tables_->settings().flags;
  if (!wanted.empty()) store_word<__u32>(flags, flags | XDPLB_SETTING_PREFIXES);
  return present;
}

void Publisher::remove_prefixes(const std::vector<xdplb_prefix_key>& gone) {
  for (const auto& key : gone) tables_->remove_prefix(key);
  auto& flags = tables_->settings().flags;
  if (!gone.empty() && tables_->prefixes().empty()) store_word<__u32>(flags, flags & ~XDPLB_SETTING_PREFIXES);
}

void Publisher::store_peers(const std::vector<MacAddress>& peers) const {
  auto& settings = tables_->settings();
  std::uint64_t filter = 0;
  for (std::size_t i = 0; i < XDPLB_MAX_PEERS; ++i) {
    __u64 word = 0;
    if (i < peers.size()) {
      std::memcpy(&word, peers[i].bytes.data(), peers[i].bytes.size());
      filter |= std::uint64_t{1} << (peers[i].bytes.back() & 63);
    }
    store_word<__u64>(settings.peers[i], word);
  }
  store_word<__u64>(settings.peer_filter, filter);
}

void Publisher::store_servers(const PlannedPort& port) const {
  for (const auto& server : port.servers) {
    if (!server.target) continue;
    const unsigned forsaken = server.admin == Admin::kDrainNow ? XDPLB_SERVER_FORSAKEN : 0;
    tables_->store_server(server.index, static_cast<std::uint16_t>(egresses_.slot_of(egress_key(server)) | forsaken),
                          server.target->mac);
  }
}

// Before options and lines say so. The map itself tells what packets do now: the last change before a daemon died may
// have been published and not kept.
void Publisher::change_tracking(const std::vector<PortChange>& changes, std::uint32_t now) {
  for (const auto& change : changes) {
    if (!change.before || !change.after) continue;
    for (const Family family : kFamilies) {
      const bool before = was_tracked(*tables_, *change.before, family);
      const bool after = change.after->config.is_tracked();
      const auto options = change.after->options_of(family);
      // Flows so far are not written down: for as long as one may be silent, an unknown one belongs to base.
      if (!before && after && options != 0) store_word<__u32>(tables_->state(options).refused_stamp, now);
      // Flows so far are written down, with any server.
      const auto& rows = change.before->rows_of(family);
      if (before && !after && rows) rows_.look_everywhere(*rows);
    }
  }
}

void Publisher::store_rows(const std::vector<PortChange>& changes, std::uint32_t now) {
  for (const auto& change : changes)
    if (change.before && change.after && change.after->is_shared)
      for (const Family family : kFamilies) rows_.announce(*change.before, *change.after, family);
  for (const auto& change : changes)
    if (change.after)
      for (const Family family : kFamilies) rows_.store(change.before.get(), *change.after, family, now);
  // Who joins others finds clients that have their servers already, and not always those of the rows.
  for (const auto& change : changes) {
    if (!change.after || !change.after->is_shared || (change.before && change.before->is_shared)) continue;
    for (const Family family : kFamilies)
      if (const auto& rows = change.after->rows_of(family)) rows_.look_everywhere(*rows);
  }
}

void Publisher::store_members(const PlannedPort& port) const {
  for (const auto& members : port.members) {
    if (!members) continue;
    for (std::uint32_t i = 0; i < members->words.size(); ++i)
      if (tables_->row(members->first_row + i) != members->words[i])
        tables_->store_row(members->first_row + i, members->words[i]);
  }
}

void Publisher::store_options(const std::vector<PortChange>& changes, const Plan& after) const {
  const auto& tick = tables_->clock().length();
  for (const auto& change : changes) {
    if (!change.after) continue;
    store_members(*change.after);
    for (const Family family : kFamilies)
      if (const auto options = change.after->options_of(family); options != 0)
        tables_->store_options(options, port_options(*change.after, family, tick));
  }
  // A cluster is alive while one of its ports is.
  for (const auto& [name, cluster] : after.clusters)
    for (const Family family : kFamilies)
      if (const auto options = cluster.options_of(family); options != 0)
        tables_->store_options(options, cluster_options(cluster, family));
}

// Entries of ports whose slice is another one, or, when nothing is known of who wrote them, of all.
void Publisher::note_moves(const std::vector<PortChange>& changes, Scope scope) {
  for (const auto& change : changes) {
    if (!change.after) continue;
    bool has_moved = scope == Scope::kEverything;
    for (const Family family : kFamilies) {
      if (!change.before || !change.before->rows_of(family) || !change.after->rows_of(family)) continue;
      has_moved = has_moved || change.before->rows_of(family)->first_row != change.after->rows_of(family)->first_row ||
                  !has_same_rows(*change.before, *change.after, family);
    }
    if (!has_moved) continue;
    flow_changes_.add_moved(change.after);
    readers_may_linger_ = true;
  }
}

void Publisher::clear_server(std::uint16_t index) {
  if (tables_->server(index)) {
    tables_->clear_server(index);
    readers_may_linger_ = true;
  }
  flow_changes_.add_gone(index);
}

void Publisher::clear_servers(const std::vector<PortChange>& changes, Scope scope) {
  std::set<std::uint16_t> in_use;
  for (const auto& change : changes) {
    if (!change.after) continue;
    for (const auto& server : change.after->servers)
      if (server.target) in_use.insert(server.index);
  }
  if (scope == Scope::kEverything) {
    for (std::uint32_t index = 1; index < XDPLB_MAX_SERVERS; ++index)
      if (!in_use.contains(static_cast<std::uint16_t>(index))) clear_server(static_cast<std::uint16_t>(index));
    return;
  }
  for (const auto& change : changes) {
    if (!change.before) continue;
    for (const auto& server : change.before->servers)
      if (server.target && !in_use.contains(server.index)) clear_server(server.index);
  }
}

// Servers that serve one family only from now on. True when there is any.
bool Publisher::note_partial(const std::vector<PortChange>& changes) {
  bool any = false;
  for (const auto& change : changes) {
    if (!change.before || !change.after) continue;
    for (const auto& server : change.after->servers) {
      const auto* old = server.target ? change.before->server_at(server.index) : nullptr;
      if (old == nullptr) continue;
      for (const Family family : kFamilies) {
        if (!old->is_in(family) || server.is_in(family)) continue;
        flow_changes_.add_gone(server.index, family);
        any = true;
      }
    }
  }
  return any;
}

bool Publisher::lines_are_active(const Lines& lines) const {
  const auto half = tables_->half(tables_->active_half());
  const auto selector = tables_->settings().port_selector;
  const auto used = static_cast<std::size_t>(
      std::count_if(half.begin(), half.end(), [](const xdplb_port& line) { return line.key.family != 0; }));
  return used == lines.size() && std::all_of(lines.begin(), lines.end(), [&](const xdplb_port& line) {
           const auto [first, second] = slots_of(line.key, selector);
           return is_same_memory(half[first], line) || is_same_memory(half[second], line);
         });
}

void Publisher::wait_for_readers() {
  if (!readers_may_linger_) return;
  // The kernel implements this command as one RCU grace period, and programs run inside RCU read-side sections. It is
  // refused on nohz_full machines; no packet is on its way for as long as the pause there.
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  readers_may_linger_ = false;
}

void Publisher::settle() {
  wait_for_readers();
  if (flow_changes_.is_empty) return;
  settle_flows(*tables_, flow_changes_);
  flow_changes_ = {};
}

Result<void> Publisher::publish(const Plan& before, const Plan& after, Scope scope) {
  const auto changes = changes_of(before, after, scope);
  auto egresses = plan_egresses(before, after, changes);
  if (!egresses) return egresses.error();
  const auto lines = port_lines(after);
  const bool flips = !lines_are_active(lines);
  PlacedPorts placed;
  if (flips) {
    auto found = place_ports(lines, tables_->active_half() ^ 1);
    if (!found) return found.error();
    placed = std::move(*found);
  }
  const auto now = tables_->now();
  if (!now) return now.error();
  auto gone_prefixes = add_prefixes(after);
  if (!gone_prefixes) return gone_prefixes.error();

  settle();
  if (auto zeroed = zero_new_counters(before, changes, after); !zeroed) return zeroed;
  if (auto added = egresses_.add(*egresses); !added) return added;
  if (auto set = egresses_.set_flag(XDPLB_EGRESS_DECREMENT_TTL, after.decrement_ttl); !set) return set;
  store_peers(after.peers);
  for (const auto& change : changes)
    if (change.after) store_servers(*change.after);
  change_tracking(changes, *now);
  store_rows(changes, *now);
  store_options(changes, after);
  if (flips) flip_lines(lines, placed);
  remove_prefixes(*gone_prefixes);
  note_moves(changes, scope);
  clear_servers(changes, scope);
  // Its word stays in the map for the other family: only its entries can tell that it is gone.
  if (note_partial(changes)) {
    readers_may_linger_ = true;
    settle();
  }
  return {};
}

Result<void> Publisher::set_trace(std::uint64_t outcomes, std::uint32_t sample) {
  auto& settings = tables_->settings();
  store_word<__u32>(settings.trace_sample, sample);
  store_word<__u64>(settings.traced_outcomes, outcomes);
  // How packets end that take the short path: where one of these is asked for they must not take it.
  constexpr std::uint64_t kShort = std::uint64_t{1} << XDPLB_OUTCOME_FORWARDED |
                                   std::uint64_t{1} << XDPLB_OUTCOME_REDIRECTED |
                                   std::uint64_t{1} << XDPLB_OUTCOME_NO_EGRESS;
  return egresses_.set_flag(XDPLB_EGRESS_TRACED, (outcomes & kShort) != 0);
}

void Publisher::flip_lines(const Lines& lines, const PlacedPorts& placed) {
  const auto half = tables_->half(tables_->active_half() ^ 1);
  for (std::uint32_t slot = 0; slot < XDPLB_PORT_SLOTS; ++slot) {
    const auto line = placed.line_of_slot[slot];
    const xdplb_port value = line == 0 ? xdplb_port{} : lines[line - 1];
    if (!is_same_memory(half[slot], value)) half[slot] = value;
  }
  tables_->store_selector(placed.selector);
  readers_may_linger_ = true;
}

}  // namespace xdplb
