// SPDX-License-Identifier: GPL-2.0-only
// How the reference model chooses a server: rows, flows that are written down, ways to pick, affinity.
#include "reference_model.h"

#include <algorithm>

namespace xdplb::test {
namespace {

bool is_opening(std::uint8_t flags) { return (flags & (kSyn | kAck | kFin | kRst)) == kSyn; }

xdplb_flow_state next_state(xdplb_flow_state state, const TransportReading& packet) {
  if ((packet.tcp_flags & (kFin | kRst)) != 0) return XDPLB_FLOW_CLOSING;
  if (state == XDPLB_FLOW_HALF_OPEN && is_opening(packet.tcp_flags)) return XDPLB_FLOW_HALF_OPEN;
  if (state == XDPLB_FLOW_CLOSING && !packet.has_payload) return XDPLB_FLOW_CLOSING;
  return XDPLB_FLOW_OPEN;
}

}  // namespace

FlowKey ReferenceModel::flow_key(const Trip& trip) {
  return {.protocol = static_cast<std::uint8_t>(trip.ip.protocol),
          .family = trip.ip.source.family(),
          .client = flow_address(trip.ip.source),
          .vipa = flow_address(trip.ip.destination),
          .client_port = trip.transport.source_port,
          .port = trip.transport.destination_port};
}

FlowKey ReferenceModel::client_key(const Trip& trip, const Line& line) {
  return {.kind = XDPLB_KIND_CLIENT,
          .protocol = static_cast<std::uint8_t>(trip.ip.protocol),
          .family = trip.ip.source.family(),
          .number = line.port->affinity,
          .client = masked_address(trip.ip.source, line.port->mask)};
}

ReferenceModel::Choice ReferenceModel::choose(Trip& trip, const Line& line) {
  const PortSetup& port = *line.port;
  const bool is_tcp = trip.ip.protocol == kTcp;
  const bool is_syn = is_tcp && is_opening(trip.transport.tcp_flags);
  const Owners owners = owners_of(line, {.address = trip.ip.source, .port = trip.transport.source_port});
  if (owners.is_settled && !port.is_tracked && !(port.affinity != 0 && is_syn)) {
    trip.how = XDPLB_HOW_ROW;
    return {.server = owners.cur};
  }
  FlowValue* entry = flows_.find(flow_tag(flow_key(trip), kFlowSeeds));
  if (entry != nullptr && is_usable(entry->server) && !(is_syn && entry->state == XDPLB_FLOW_CLOSING)) {
    return {.server = follow(trip, *entry)};
  }
  if (is_syn) return {.server = open(trip, line, owners, XDPLB_FLOW_HALF_OPEN)};
  return choose_unknown(trip, line, owners);
}

// A flow that is written down: where its entry says; the entry notes that it lives.
std::uint16_t ReferenceModel::follow(Trip& trip, FlowValue& entry) {
  trip.how = XDPLB_HOW_FLOW;
  const xdplb_flow_state before = entry.state;
  entry.state = next_state(before, trip.transport);
  entry.stamp = now_;
  if (before != XDPLB_FLOW_CLOSING && entry.state == XDPLB_FLOW_CLOSING) --active_[entry.server];
  if (before == XDPLB_FLOW_CLOSING && entry.state != XDPLB_FLOW_CLOSING) ++active_[entry.server];
  return entry.server;
}

// A new flow.
std::uint16_t ReferenceModel::open(Trip& trip, const Line& line, const Owners& owners, xdplb_flow_state state) {
  const PortSetup& port = *line.port;
  std::uint16_t wanted = port.affinity != 0 ? wanted_by_client(trip, line, owners) : pick(line, owners.cur);
  if (wanted == 0) return 0;
  // On a settled row nobody would look for what is written down: packets behind this one go to its owner.
  if (owners.is_settled && !port.is_tracked) wanted = owners.base;
  const std::uint64_t tag = flow_tag(flow_key(trip), kFlowSeeds);
  const FlowValue value{.server = wanted, .state = state, .stamp = now_};
  const bool has_entry = flows_.find(tag) != nullptr;
  if (wanted == owners.base && !port.is_tracked) {
    trip.how |= XDPLB_HOW_ROW;
    if (has_entry) static_cast<void>(write_flow(tag, value));
    return wanted;
  }
  xdplb_state& counts = states_[trip.options];
  if ((has_entry || is_within_limit(line)) && write_flow(tag, value)) {
    trip.how |= XDPLB_HOW_RECORDED;
    trip.is_new_udp = trip.ip.protocol == kUdp;
    ++counts.recorded;
    return wanted;
  }
  trip.how |= XDPLB_HOW_REFUSED;
  ++counts.refused;
  counts.refused_stamp = now_;
  if (owners.base == 0) return wanted;
  touch_row(owners.row);
  return owners.base;
}

// A packet in the midst of a flow that is not written down.
ReferenceModel::Choice ReferenceModel::choose_unknown(Trip& trip, const Line& line, const Owners& owners) {
  const PortSetup& port = *line.port;
  trip.how = owners.base == owners.cur ? XDPLB_HOW_ROW : XDPLB_HOW_BASE;
  if (!port.is_tracked) {
    if (owners.base != owners.cur) touch_row(owners.row);
    return {.server = owners.base};
  }
  xdplb_state& counts = states_[trip.options];
  if (counts.refused_stamp != 0 && now_ - counts.refused_stamp <= port.stale_ticks) {
    trip.how = XDPLB_HOW_BASE;
    const FlowValue value{.server = owners.base, .state = XDPLB_FLOW_OPEN, .stamp = now_};
    if (owners.base != 0 && !write_flow(flow_tag(flow_key(trip), kFlowSeeds), value)) {
      // It stays unknown, and must not be taken for stale when it comes again.
      counts.refused_stamp = now_;
      touch_row(owners.row);
    }
    return {.server = owners.base};
  }
  // UDP has no SYN: what is unknown is new.
  if (port.on_stale != XDPLB_STALE_REPICK && trip.ip.protocol == kTcp) return {.end = XDPLB_OUTCOME_STALE};
  trip.how = 0;
  return {.server = open(trip, line, owners, XDPLB_FLOW_OPEN)};
}

// Writes an entry of a connection, or points the one it has elsewhere.
bool ReferenceModel::write_flow(std::uint64_t tag, const FlowValue& value) {
  if (FlowValue* entry = flows_.find(tag)) {
    if (entry->state != XDPLB_FLOW_CLOSING) --active_[entry->server];
    *entry = value;
  } else if (!flows_.insert(tag, value, locate_)) {
    return false;
  }
  ++active_[value.server];
  return true;
}

bool ReferenceModel::is_within_limit(const Line& line) {
  const std::uint32_t limit = line.port->new_flow_limit;
  xdplb_state& counts = states_[line.place->options];
  if (limit == 0) return true;
  if (counts.window_stamp != now_) counts.window_count = 0;
  counts.window_stamp = now_;
  return counts.window_count++ < limit;
}

std::uint16_t ReferenceModel::pick(const Line& line, std::uint16_t cur) {
  const PortSetup& port = *line.port;
  if (port.members.empty() || port.pick == XDPLB_PICK_HASH) return cur;
  const std::size_t start = states_[line.place->options].cursor++ % port.members.size();
  std::uint16_t picked = 0;
  if (port.pick == XDPLB_PICK_ROUND_ROBIN) {
    picked = static_cast<std::uint16_t>(port.members[start] & XDPLB_ROW_SERVER_MASK);
  } else {
    picked = pick_fewest(port, start);
  }
  return is_usable(picked) ? picked : cur;
}

// The fewest flows for its weight; of equal ones the first from `start` on.
std::uint16_t ReferenceModel::pick_fewest(const PortSetup& port, std::size_t start) const {
  std::uint16_t best = 0;
  std::uint64_t best_weight = 0;
  for (std::size_t i = 0; i < port.members.size(); ++i) {
    const std::uint32_t word = port.members[(start + i) % port.members.size()];
    const auto server = static_cast<std::uint16_t>(word & XDPLB_ROW_SERVER_MASK);
    const std::uint64_t weight = word >> 16;
    if (weight == 0 || !is_usable(server)) continue;
    if (best != 0 && active(server) * best_weight >= active(best) * weight) continue;
    best = server;
    best_weight = weight;
  }
  return best;
}

// Affinity: the server of the client's earlier connections, as long as it keeps its clients; else one is picked.
std::uint16_t ReferenceModel::wanted_by_client(Trip& trip, const Line& line, const Owners& owners) {
  const std::uint64_t tag = flow_tag(client_key(trip, line), kFlowSeeds);
  FlowValue* entry = flows_.find(tag);
  std::uint16_t wanted = 0;
  if (entry != nullptr && is_usable(entry->server) && !setup_.servers.at(entry->server).is_forsaken) {
    wanted = own_server_like(*line.port, entry->server);
  }
  if (wanted != 0) {
    trip.how |= XDPLB_HOW_CLIENT;
  } else {
    wanted = pick(line, owners.cur);
  }
  if (wanted == 0) return 0;
  const FlowValue value{.server = wanted, .state = XDPLB_FLOW_OPEN, .stamp = now_};
  if (entry != nullptr) {
    *entry = value;
  } else if (flows_.insert(tag, value, locate_)) {
    client_tags_.insert(tag);
  }
  return wanted;
}

// Where affinity is shared an entry may name another port's index: ours is the one whose frames go the same way.
std::uint16_t ReferenceModel::own_server_like(const PortSetup& port, std::uint16_t server) const {
  if (!port.shares_affinity) return server;
  const auto way = make_server(setup_.servers.at(server));
  for (const std::uint32_t word : port.members) {
    const auto index = static_cast<std::uint16_t>(word & XDPLB_ROW_SERVER_MASK);
    if (index == server) return index;
    const auto member = setup_.servers.find(index);
    if (member == setup_.servers.end()) continue;
    const auto own = make_server(member->second);
    if (own.egress == way.egress && std::equal(std::begin(own.mac), std::end(own.mac), std::begin(way.mac))) {
      return index;
    }
  }
  return 0;
}

}  // namespace xdplb::test
