// SPDX-License-Identifier: GPL-2.0-only
#include "dataplane/flow_sweep.h"

#include <algorithm>
#include <atomic>
#include <limits>

namespace xdplb {
namespace {

constexpr std::uint32_t kCrowdedQuarters = 3;

Family family_of(const xdplb_flow_detail& detail) { return detail.family == 6 ? Family::kV6 : Family::kV4; }

void count_flow(FlowCounts& counts, FlowPhase phase) {
  ++counts.flows;
  if (phase == FlowPhase::kHalfOpen) ++counts.half_open;
  if (phase == FlowPhase::kClosing) ++counts.closing;
}

}  // namespace

void FlowSweep::add_port(const std::shared_ptr<const PlannedPort>& plan,
                         std::map<std::pair<PortPath, Family>, std::size_t>& known) {
  const auto& tick = tables_->clock().length();
  Port port{.plan = plan,
            .limits = {.stale_ticks = tick.ticks(plan->config.stale_timeout_s),
                       .sticky_ticks = tick.ticks(plan->config.sticky_s)},
            .is_tracked = plan->config.is_tracked()};
  for (const auto& server : plan->servers) servers_[server.index].port = ports_.size();
  for (const Family family : kFamilies) {
    const auto& rows = plan->rows_of(family);
    if (!rows) continue;
    const auto [found, is_new] = known.try_emplace({lead_of(plan->path.cluster, plan->config), family}, groups_.size());
    if (is_new) groups_.push_back({.members = {}, .count = rows->count()});
    auto& group = groups_[found->second];
    group.members.push_back({.first_row = rows->first_row, .port = ports_.size()});
    // A client's affinity protects its base as long as the client itself.
    group.stale_ticks = std::max({group.stale_ticks, port.limits.stale_ticks, port.limits.sticky_ticks});
    port.groups[static_cast<std::size_t>(family)] = found->second;
    port.first_rows[static_cast<std::size_t>(family)] = rows->first_row;
    port.counts.rows += rows->count();
    group_of_slice_.emplace(rows->first_row, found->second);
  }
  ports_.push_back(std::move(port));
}

void FlowSweep::set_plan(const Plan& plan) {
  const auto old_groups = std::exchange(groups_, {});
  const auto old_slices = std::exchange(group_of_slice_, {});
  ports_.clear();
  servers_.assign(servers_.size(), Server{});
  for (const auto& [name, cluster] : plan.clusters) {
    std::map<std::pair<PortPath, Family>, std::size_t> known;
    for (const auto& [path, port] : cluster.ports) add_port(port, known);
  }
  // What was known of rows that are where they were.
  for (const auto& [first_row, number] : group_of_slice_) {
    const auto old = old_slices.find(first_row);
    if (old == old_slices.end()) continue;
    auto& group = groups_[number];
    const auto& before = old_groups[old->second];
    group.is_changing = group.is_changing || before.is_changing;
    if (group.calm_since.empty() && before.count == group.count) group.calm_since = before.calm_since;
  }
}

// Group and row within it of a row of the map; nullptr when it is in no slice.
std::pair<FlowSweep::Group*, std::uint32_t> FlowSweep::find_row(std::uint32_t row) {
  auto slice = group_of_slice_.upper_bound(row);
  if (slice == group_of_slice_.begin()) return {nullptr, 0};
  --slice;
  auto& group = groups_[slice->second];
  if (row - slice->first >= group.count) return {nullptr, 0};
  return {&group, row - slice->first};
}

// A row that was stored anew is calm from now on at the earliest: entries may be on their way.
void FlowSweep::note_stores(RowWriter& rows) {
  for (const auto first_row : rows.take_unsettled()) {
    const auto slice = group_of_slice_.find(first_row);
    if (slice != group_of_slice_.end()) groups_[slice->second].is_changing = true;
  }
  for (const auto number : rows.take_changed()) {
    const auto [group, row] = find_row(number);
    if (group != nullptr && row < group->calm_since.size()) group->calm_since[row] = 0;
  }
}

// What an entry tells of its row, and whether nobody needs it: its packets go to the same server without it.
//
// Entries of rows that change are kept: without its entry a flow would depend on the touch of its row, and that is
// older than the entry's stamp.
bool FlowSweep::visit_detail(std::size_t place, const FlowValue& value, Port& port, std::uint32_t now) {
  const auto& detail = tables_->flow_details()[place];
  const auto family = static_cast<std::size_t>(family_of(detail));
  if (!port.groups[family]) return false;
  auto& group = groups_[*port.groups[family]];
  auto row = detail.row - port.first_rows[family];
  if (row >= group.count) {
    // A client's entry that another port of the group wrote; or settle_flows() has yet to move it.
    const auto [found, theirs] = find_row(detail.row);
    if (found != &group) return false;
    row = theirs;
  }
  const auto state = decode_row(tables_->row(port.first_rows[family] + row));
  // Counted although it may be given up right now: a packet may have chosen its server by it a moment ago.
  if (value.server != state.base && group.is_changing) ++group.foreign[row];
  if (detail.kind != XDPLB_KIND_FLOW || port.is_tracked) return false;
  if (value.server != state.base || state.base != state.cur) return false;
  if (!state.lookup) return true;
  const auto calm_since = group.calm_since.empty() ? 0 : group.calm_since[row];
  return calm_since != 0 && calm_since != now;
}

void FlowSweep::visit(std::size_t place, xdplb_flow& flow, std::uint64_t value, SweepReport& report) {
  const auto decoded = FlowValue::decode(value);
  const auto number = servers_[decoded.server].port;
  if (!number) {
    if (give_up(*tables_, place, flow, value)) ++report.given_up;
    return;
  }
  auto& port = ports_[*number];
  const auto idle = age_of(report.now, decoded.stamp);
  const bool is_client = tables_->flow_details()[place].kind == XDPLB_KIND_CLIENT;
  const bool is_redundant = visit_detail(place, decoded, port, report.now);
  const bool is_over = is_client ? is_client_expired(idle, port.limits) : is_expired(decoded.phase, idle, port.limits);
  if ((is_redundant || is_over) && give_up(*tables_, place, flow, value)) {
    ++report.given_up;
    return;
  }
  ++report.used;
  auto& server = report.servers[decoded.server];
  if (is_client) {
    ++port.counts.clients;
    ++server.clients;
    return;
  }
  count_flow(port.counts, decoded.phase);
  // Its client has said FIN or RST and nothing since: nobody needs the server for it any more.
  if (decoded.phase != FlowPhase::kClosing || idle <= kQuietTicks) count_flow(server, decoded.phase);
}

// Claimants that died: what was claimed without a value at the last sweep, too.
void FlowSweep::clear_claims(std::vector<Claim> claims) {
  std::erase_if(claims, [this](const Claim& claim) {
    if (!std::binary_search(claims_.begin(), claims_.end(), claim)) return false;
    auto& flow = tables_->flows()[claim.first / XDPLB_FLOW_WAYS].ways[claim.first % XDPLB_FLOW_WAYS];
    __u64 expected = claim.second;
    if (std::atomic_ref<__u64>(flow.value).load(std::memory_order_acquire) == 0)
      std::atomic_ref<__u64>(flow.tag).compare_exchange_strong(expected, 0);
    return true;
  });
  claims_ = std::move(claims);
}

void FlowSweep::scan(SweepReport& report) {
  for (auto& group : groups_) {
    if (!group.is_changing) continue;
    group.foreign.assign(group.count, 0);
    group.calm_since.resize(group.count, 0);
  }
  for (auto& port : ports_) port.counts = {FlowCounts{}, port.counts.rows};
  std::vector<Claim> claims;
  scan_flows(tables_->flows(), [&](std::size_t place, xdplb_flow& flow, std::uint64_t tag, std::uint64_t value) {
    if (value == 0) {
      claims.emplace_back(place, tag);
      ++report.used;
    } else {
      visit(place, flow, value, report);
    }
  });
  clear_claims(std::move(claims));
}

void FlowSweep::count_row(const RowState& state, Port& port, SweepReport& report) const {
  if (state.base != state.cur) {
    ++port.counts.changing;
    ++report.servers[state.base].base_rows;
  } else if (state.lookup) {
    ++port.counts.lookups;
  }
}

void FlowSweep::sweep_one(Group& group, std::uint32_t row, SweepReport& report) {
  // Ports that share their affinity are promoted together: the last packet of any of them counts.
  RowFacts facts{.idle_ticks = std::numeric_limits<std::uint32_t>::max(), .foreign_flows = group.foreign[row]};
  bool is_calm = true;
  for (const auto& member : group.members) {
    const auto state = decode_row(tables_->row(member.first_row + row));
    if (state.base == state.cur) continue;
    is_calm = false;
    facts.idle_ticks = std::min(facts.idle_ticks, touch_age(report.now, tables_->touch(member.first_row + row)));
  }
  auto& calm_since = group.calm_since[row];
  if (is_calm && calm_since == 0) calm_since = report.now;
  facts.promoted_ticks = is_calm ? age_of(report.now, calm_since) : 0;
  bool stays_calm = true;
  for (const auto& member : group.members) {
    auto state = decode_row(tables_->row(member.first_row + row));
    if (const auto next = sweep_row(state, facts, group.stale_ticks)) {
      if (next->base != state.base) ++report.promoted;
      tables_->store_row(member.first_row + row, encode_row(*next));
      state = *next;
    }
    stays_calm = stays_calm && state.base == state.cur;
    group.is_changing = group.is_changing || !state.is_settled();
    count_row(state, ports_[member.port], report);
  }
  if (!is_calm) calm_since = stays_calm ? report.now : 0;
}

void FlowSweep::sweep_rows(Group& group, SweepReport& report) {
  group.is_changing = false;
  for (std::uint32_t row = 0; row < group.count; ++row) {
    const bool is_settled = std::all_of(group.members.begin(), group.members.end(), [&](const Group::Member& member) {
      return decode_row(tables_->row(member.first_row + row)).is_settled();
    });
    if (!is_settled) sweep_one(group, row, report);
  }
  if (group.is_changing) return;
  group.foreign = {};
  group.calm_since = {};
}

Result<SweepReport> FlowSweep::sweep(RowWriter& rows) {
  const auto begin = std::chrono::steady_clock::now();
  const auto now = tables_->now();
  if (!now) return now.error();
  SweepReport report{.now = *now};
  report.servers.resize(XDPLB_MAX_SERVERS);
  report.capacity = static_cast<std::uint32_t>(tables_->flow_details().size());
  note_stores(rows);
  // Entries first: one that a promotion makes needless is given up by the next sweep, when no packet knows the old row.
  scan(report);
  for (auto& group : groups_)
    if (group.is_changing) sweep_rows(group, report);
  for (const auto& port : ports_) report.ports.emplace(port.plan->path, port.counts);
  report.is_crowded = std::uint64_t{report.used} * 4 > std::uint64_t{report.capacity} * kCrowdedQuarters;
  report.duration = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  return report;
}

Result<void> FlowSweep::force(std::uint16_t server) {
  const auto now = tables_->now();
  if (!now) return now.error();
  const auto number = servers_[server].port;
  if (!number) return {};
  const auto name = ports_[*number].plan->server_at(server)->config.name;
  FlowChanges changes;
  changes.add_gone(server);
  for (const auto& place : ports_[*number].groups) {
    if (!place) continue;
    auto& group = groups_[*place];
    group.calm_since.resize(group.count, 0);
    for (const auto& member : group.members) {
      const auto* same = ports_[member.port].plan->server_named(name);
      if (same == nullptr) continue;
      changes.add_gone(same->index);
      for (std::uint32_t row = 0; row < group.count; ++row) {
        const auto state = decode_row(tables_->row(member.first_row + row));
        if (state.base != same->index || state.base == state.cur) continue;
        const auto next = sweep_row(state, {.is_forced = true}, 0);
        if (!next) continue;
        tables_->store_row(member.first_row + row, encode_row(*next));
        group.calm_since[row] = *now;
        group.is_changing = true;
      }
    }
  }
  settle_flows(*tables_, changes);
  return {};
}

}  // namespace xdplb
