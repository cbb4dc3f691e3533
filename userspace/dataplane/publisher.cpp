// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/publisher.h"

#include <linux/membarrier.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

namespace xdplb {
namespace {

constexpr std::uint16_t kFirstEgress = 1;  // slot 0 is none

std::uint32_t settled_row(std::uint16_t server) {
  return static_cast<std::uint32_t>(server) << XDPLB_ROW_BASE_SHIFT | server;
}

bool is_same_line(const xdplb_port& a, const xdplb_port& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

}  // namespace

Publisher Publisher::open(const KernelTables& tables) {
  Publisher publisher(tables);
  for (std::uint16_t slot = kFirstEgress; slot < XDPLB_MAX_EGRESSES; ++slot) {
    const auto& egress = tables.egress(slot);
    if (egress.ifindex == 0) continue;
    MacAddress mac;
    std::copy(std::begin(egress.mac), std::end(egress.mac), mac.bytes.begin());
    publisher.egresses_.emplace(egress.ifindex, Egress{.slot = slot, .mac = mac});
  }
  for (std::uint32_t index = 1; index < XDPLB_MAX_SERVERS; ++index)
    if (tables.server(static_cast<std::uint16_t>(index))) publisher.counted_[index] = true;
  return publisher;
}

Result<void> Publisher::set_egress(std::uint32_t ifindex, const MacAddress& mac) {
  const auto known = egresses_.find(ifindex);
  if (known != egresses_.end() && known->second.mac == mac) return {};
  const std::uint16_t slot = known != egresses_.end() ? known->second.slot : free_slot();
  if (slot == 0) {
    return fail(ErrorCode::kFailed, fmt::format("interface {}: all {} ways out are in use; unload an interface first",
                                                ifindex, XDPLB_MAX_EGRESSES - kFirstEgress));
  }
  if (auto stored = tables_->store_egress(slot, ifindex, mac); !stored) return stored;
  egresses_[ifindex] = {.slot = slot, .mac = mac};
  return {};
}

void Publisher::remove_egress(std::uint32_t ifindex) {
  const auto known = egresses_.find(ifindex);
  if (known == egresses_.end()) return;
  tables_->clear_egress(known->second.slot);
  egresses_.erase(known);
}

// 0 when all are taken.
std::uint16_t Publisher::free_slot() const {
  for (std::uint16_t slot = kFirstEgress; slot < XDPLB_MAX_EGRESSES; ++slot)
    if (ifindex_of(slot) == 0) return slot;
  return 0;
}

std::set<std::uint32_t> Publisher::egress_interfaces() const {
  std::set<std::uint32_t> interfaces;
  for (const auto& [ifindex, egress] : egresses_) interfaces.insert(ifindex);
  return interfaces;
}

std::uint32_t Publisher::ifindex_of(std::uint16_t slot) const {
  for (const auto& [ifindex, egress] : egresses_)
    if (egress.slot == slot) return ifindex;
  return 0;
}

std::uint16_t Publisher::slot_of(std::uint32_t ifindex) const {
  const auto known = egresses_.find(ifindex);
  return known == egresses_.end() ? 0 : known->second.slot;
}

std::vector<Publisher::PortChange> Publisher::changes_of(const Plan& before, const Plan& after, Scope scope) {
  std::vector<PortChange> changes;
  for (const auto& [name, cluster] : after.clusters) {
    for (const auto& [path, port] : cluster.ports) {
      const auto old = before.find(path);
      if (old != port || scope == Scope::kEverything) changes.push_back({.before = old.get(), .after = port.get()});
    }
  }
  for (const auto& [name, cluster] : before.clusters)
    for (const auto& [path, port] : cluster.ports)
      if (!after.find(path)) changes.push_back({.before = port.get(), .after = nullptr});
  return changes;
}

Result<void> Publisher::check_egresses(const std::vector<PortChange>& changes) const {
  for (const auto& change : changes) {
    if (change.after == nullptr) continue;
    for (const auto& server : change.after->servers) {
      if (server.target && slot_of(server.target->ifindex) == 0) {
        return fail(ErrorCode::kFailed,
                    fmt::format("server {}/{}: interface {} is not loaded", change.after->path.to_string(),
                                server.config.name, server.target->ifindex));
      }
    }
  }
  return {};
}

Result<void> Publisher::zero_new_counters(const std::vector<PortChange>& changes) {
  for (const auto& change : changes) {
    if (change.after == nullptr) continue;
    for (const auto& server : change.after->servers) {
      const bool is_new = change.before == nullptr || change.before->server_at(server.index) == nullptr;
      if (is_new && counted_[server.index])
        if (auto zeroed = tables_->zero_counters(server.index); !zeroed) return zeroed.error();
      counted_[server.index] = true;
    }
  }
  return {};
}

void Publisher::store_servers(const PlannedPort& port) const {
  for (const auto& server : port.servers)
    if (server.target) tables_->store_server(server.index, slot_of(server.target->ifindex), server.target->mac);
}

void Publisher::store_rows(const PlannedRows& rows) const {
  for (std::uint32_t i = 0; i < rows.table.owners.size(); ++i) {
    const std::uint32_t word = settled_row(rows.table.owners[i]);
    if (tables_->row(rows.first_row + i) != word) tables_->store_row(rows.first_row + i, word);
  }
}

void Publisher::clear_servers(const std::vector<PortChange>& changes, Scope scope) {
  std::set<std::uint16_t> in_use;
  for (const auto& change : changes) {
    if (change.after == nullptr) continue;
    for (const auto& server : change.after->servers)
      if (server.target) in_use.insert(server.index);
  }
  if (scope == Scope::kEverything) {
    for (std::uint32_t index = 1; index < XDPLB_MAX_SERVERS; ++index) {
      const auto number = static_cast<std::uint16_t>(index);
      if (tables_->server(number) && !in_use.contains(number)) tables_->clear_server(number);
    }
    return;
  }
  for (const auto& change : changes) {
    if (change.before == nullptr) continue;
    for (const auto& server : change.before->servers) {
      if (in_use.contains(server.index)) continue;
      tables_->clear_server(server.index);
      readers_may_linger_ = true;
    }
  }
}

bool Publisher::lines_are_active(const std::vector<xdplb_port>& lines) const {
  const auto half = tables_->half(tables_->active_half());
  const auto selector = tables_->settings().port_selector;
  const auto used = static_cast<std::size_t>(
      std::count_if(half.begin(), half.end(), [](const xdplb_port& line) { return line.key.family != 0; }));
  return used == lines.size() && std::all_of(lines.begin(), lines.end(), [&](const xdplb_port& line) {
           const auto [first, second] = slots_of(line.key, selector);
           return is_same_line(half[first], line) || is_same_line(half[second], line);
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

Result<void> Publisher::publish(const Plan& before, const Plan& after, Scope scope) {
  const auto changes = changes_of(before, after, scope);
  if (auto checked = check_egresses(changes); !checked) return checked;
  const auto lines = port_lines(after);
  const bool flips = !lines_are_active(lines);
  PlacedPorts placed;
  if (flips) {
    auto found = place_ports(lines, tables_->active_half() ^ 1);
    if (!found) return found.error();
    placed = std::move(*found);
  }
  if (auto zeroed = zero_new_counters(changes); !zeroed) return zeroed;

  wait_for_readers();
  for (const auto& change : changes)
    if (change.after != nullptr) store_servers(*change.after);
  for (const auto& change : changes) {
    if (change.after == nullptr) continue;
    for (const auto& rows : change.after->rows)
      if (rows) store_rows(*rows);
  }
  if (flips) flip_lines(lines, placed);
  clear_servers(changes, scope);
  return {};
}

void Publisher::flip_lines(const std::vector<xdplb_port>& lines, const PlacedPorts& placed) {
  const auto half = tables_->half(tables_->active_half() ^ 1);
  for (std::uint32_t slot = 0; slot < XDPLB_PORT_SLOTS; ++slot) {
    const auto line = placed.line_of_slot[slot];
    const xdplb_port value = line == 0 ? xdplb_port{} : lines[line - 1];
    if (!is_same_line(half[slot], value)) half[slot] = value;
  }
  tables_->store_selector(placed.selector);
  readers_may_linger_ = true;
}

}  // namespace xdplb
