// SPDX-License-Identifier: GPL-2.0-only
#include "reference_model.h"

#include <linux/bpf.h>

#include "rewrite.h"

#include <algorithm>
#include <array>
#include <utility>

namespace xdplb::test {
namespace {

Journey ended(xdplb_outcome outcome, const Frame& frame, std::uint16_t options) {
  Journey journey{.outcome = outcome, .verdict = outcome_verdict(outcome), .frame = frame, .options = options};
  if (journey.verdict == XDP_DROP) journey.frame.reset();
  return journey;
}

bool is_echo_request(const IpReading& ip, std::uint8_t type) { return type == (ip.is_v4() ? 8 : 128); }

bool is_icmp_error(const IpReading& ip, std::uint8_t type) {
  if (!ip.is_v4()) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

int icmp_protocol(const IpReading& ip) { return ip.is_v4() ? kIcmp : kIcmpv6; }

MacAddress source_mac(const Frame& frame) {
  MacAddress mac;
  std::copy_n(frame.begin() + 6, 6, mac.bytes.begin());
  return mac;
}

}  // namespace

std::string_view outcome_name(int outcome) {
  switch (outcome) {
    case XDPLB_CONTINUE:
      return "none";
#define XDPLB_NAME(NAME, name, VERDICT, meaning) \
  case XDPLB_OUTCOME_##NAME:                     \
    return #name;
      XDPLB_OUTCOMES(XDPLB_NAME)
#undef XDPLB_NAME
    default:
      return "unknown";
  }
}

int outcome_verdict(int outcome) {
  switch (outcome) {
#define XDPLB_VERDICT(NAME, name, VERDICT, meaning) \
  case XDPLB_OUTCOME_##NAME:                        \
    return XDP_##VERDICT;
    XDPLB_OUTCOMES(XDPLB_VERDICT)
#undef XDPLB_VERDICT
    default:
      return XDP_ABORTED;
  }
}

std::string verdict_name(int verdict) {
  static constexpr std::array kNames{"ABORTED", "DROP", "PASS", "TX", "REDIRECT"};
  const auto index = static_cast<std::size_t>(verdict);
  return index < kNames.size() ? kNames[index] : std::to_string(verdict);
}

FlowAddress masked_address(const IpAddress& address, const ClientMask& mask) {
  FlowAddress words = flow_address(address);
  if (address.is_v4()) {
    words.high >>= 32 - mask.v4_bits;
  } else if (mask.v6_bits > 64) {
    words.low >>= 128 - mask.v6_bits;
  } else {
    words = {.high = words.high >> (64 - mask.v6_bits), .low = 0};
  }
  return words;
}

std::uint32_t masked_row(const Endpoint& client, const HashSeeds& seeds, const ClientMask& mask,
                         std::uint32_t row_mask) {
  FlowAddress address = masked_address(client.address, mask);
  if (client.address.is_v6()) {
    address.high = (address.high + seeds[0]) * (address.low + seeds[2]);
    address.high ^= address.high >> 32;
  }
  std::uint64_t hash = (address.high + seeds[0]) * ((mask.has_port ? client.port : 0) + seeds[1]);
  hash = (hash ^ hash >> 32) * seeds[2];
  return static_cast<std::uint32_t>(hash >> 48) & row_mask;
}

ReferenceModel::ReferenceModel(DataplaneSetup setup, std::uint32_t flow_buckets)
    : setup_(std::move(setup)), layout_(layout_ports(setup_)), flows_(flow_buckets) {
  for (std::size_t i = 0; i < setup_.clusters.size(); ++i) {
    for (const IpAddress& address : setup_.clusters[i].addresses) by_address_[address] = i;
  }
  for (const RowSlice& slice : layout_.slices) {
    for (std::size_t i = 0; i < slice.rows.size(); ++i) {
      rows_[slice.first_row + static_cast<std::uint32_t>(i)] = slice.rows[i];
    }
  }
}

std::uint32_t ReferenceModel::row(std::uint32_t row) const {
  const auto word = rows_.find(row);
  return word == rows_.end() ? 0 : word->second;
}

std::uint16_t ReferenceModel::touch(std::uint32_t row) const {
  const auto stamp = touches_.find(row);
  return stamp == touches_.end() ? std::uint16_t{0} : stamp->second;
}

xdplb_state ReferenceModel::state(std::uint16_t options) const {
  const auto state = states_.find(options);
  return state == states_.end() ? xdplb_state{} : state->second;
}

std::uint32_t ReferenceModel::active(std::uint16_t server) const {
  const auto count = active_.find(server);
  return count == active_.end() ? 0 : count->second;
}

void ReferenceModel::erase_flow(std::uint64_t tag) {
  const FlowValue* entry = flows_.find(tag);
  if (entry == nullptr) return;
  if (entry->state != XDPLB_FLOW_CLOSING && !client_tags_.contains(tag)) --active_[entry->server];
  flows_.erase(tag);
}

// The address itself, else the longest network it lies in.
std::optional<ReferenceModel::Cluster> ReferenceModel::cluster_of(const IpAddress& address) const {
  const auto found = [this](std::size_t index) {
    return Cluster{.setup = &setup_.clusters[index], .place = &layout_.places[index]};
  };
  if (const auto exact = by_address_.find(address); exact != by_address_.end()) return found(exact->second);
  std::optional<Cluster> longest;
  int length = -1;
  for (std::size_t i = 0; i < setup_.clusters.size(); ++i) {
    for (const IpPrefix& prefix : setup_.clusters[i].prefixes) {
      if (!prefix.contains(address) || prefix.length <= length) continue;
      length = prefix.length;
      longest = found(i);
    }
  }
  return longest;
}

std::optional<ReferenceModel::Line> ReferenceModel::line_of(const Cluster& cluster, int protocol, std::uint16_t number,
                                                            bool for_fragments) const {
  for (std::size_t i = 0; i < cluster.setup->ports.size(); ++i) {
    const PortSetup& port = cluster.setup->ports[i];
    if (static_cast<int>(port.protocol) != protocol || port.port != number || port.is_for_fragments != for_fragments) {
      continue;
    }
    return Line{.port = &port, .place = &cluster.place->ports[i]};
  }
  return std::nullopt;
}

// The port's own line, else that of any port.
std::optional<ReferenceModel::Line> ReferenceModel::port_of(const Cluster& cluster, int protocol,
                                                            std::uint16_t number) const {
  const auto own = line_of(cluster, protocol, number, false);
  return own ? own : line_of(cluster, protocol, 0, false);
}

ReferenceModel::Owners ReferenceModel::owners_of(const Line& line, const Endpoint& client) const {
  const Family family = client.address.family();
  const auto& rows = line.port->rows_of(family);
  Owners owners;
  if (!rows.empty()) {
    owners.row = line.place->first_row[family == Family::kV4 ? 0 : 1] +
                 masked_row(client, line.port->seeds, line.port->mask, static_cast<std::uint32_t>(rows.size() - 1));
  }
  const std::uint32_t word = rows.empty() ? 0 : row(owners.row);
  owners.cur = static_cast<std::uint16_t>(word & XDPLB_ROW_SERVER_MASK);
  owners.base = static_cast<std::uint16_t>(word >> XDPLB_ROW_BASE_SHIFT & XDPLB_ROW_SERVER_MASK);
  owners.is_settled = word >> 16 == (word & 0xffff);
  // A row without an old owner: all its flows are the new one's.
  if (owners.base == 0) owners.base = owners.cur;
  return owners;
}

bool ReferenceModel::is_usable(std::uint16_t index) const {
  const auto server = setup_.servers.find(index);
  return index != 0 && server != setup_.servers.end() && server->second.egress != 0;
}

FlowKey ReferenceModel::fragment_key(const IpReading& ip) {
  return {.kind = XDPLB_KIND_FRAGMENT,
          .protocol = static_cast<std::uint8_t>(ip.fragment_protocol),
          .family = ip.source.family(),
          .number = ip.identification,
          .client = flow_address(ip.source),
          .vipa = flow_address(ip.destination)};
}

Journey ReferenceModel::run(const Frame& frame, std::uint32_t ingress) {
  const LinkReading link = read_link(frame);
  if (link.defect != XDPLB_CONTINUE) return ended(link.defect, frame, 0);
  const auto ip = read_ip(frame, link.network, link.family);
  if (!ip) return ended(XDPLB_OUTCOME_TRUNCATED, frame, 0);
  const auto cluster = cluster_of(ip->destination);
  if (!cluster) return ended(is_vipa(ip->source) ? XDPLB_OUTCOME_FROM_VIPA : XDPLB_OUTCOME_NOT_FOR_VIPA, frame, 0);
  Trip trip{.frame = frame, .ingress = ingress, .ip = *ip, .options = cluster->place->address.options};
  if (ip->defect != XDPLB_CONTINUE) return ended(ip->defect, frame, trip.options);
  return run_for_vipa(trip, *cluster);
}

Journey ReferenceModel::run_for_vipa(Trip& trip, const Cluster& cluster) {
  if (trip.ip.is_later_fragment) return run_later_fragment(trip, cluster);
  if (trip.ip.protocol == icmp_protocol(trip.ip)) return run_icmp(trip, cluster);
  if (trip.ip.protocol == kTcp || trip.ip.protocol == kUdp) return run_transport(trip, cluster);
  return ended(XDPLB_OUTCOME_OTHER_PROTOCOL, trip.frame, trip.options);
}

Journey ReferenceModel::run_later_fragment(Trip& trip, const Cluster& cluster) {
  const FlowValue* first = fragments_.find(flow_tag(fragment_key(trip.ip), kFlowSeeds));
  if (first != nullptr && now_ - first->stamp <= kFragmentTicks && is_usable(first->server)) {
    trip.how = XDPLB_HOW_FRAGMENT;
    return forward(trip, first->server);
  }
  const int protocol = trip.ip.fragment_protocol;
  if (protocol != kTcp && protocol != kUdp) return ended(XDPLB_OUTCOME_FRAGMENT_UNPLACED, trip.frame, trip.options);
  const auto line = line_of(cluster, protocol, 0, true);
  if (!line) return ended(XDPLB_OUTCOME_FRAGMENT_UNPLACED, trip.frame, trip.options);
  trip.options = line->place->options;
  trip.how = XDPLB_HOW_ROW;
  const Owners owners = owners_of(*line, {.address = trip.ip.source, .port = 0});
  if (owners.base != owners.cur) touch_row(owners.row);
  return owners.base != 0 ? forward(trip, owners.base) : refuse(trip, line->port->no_server);
}

Journey ReferenceModel::run_icmp(Trip& trip, const Cluster& cluster) {
  if (trip.ip.transport + 8 > trip.frame.size()) return ended(XDPLB_OUTCOME_TRUNCATED, trip.frame, trip.options);
  const std::uint8_t type = trip.frame[trip.ip.transport];
  if (is_echo_request(trip.ip, type)) return run_echo(trip, cluster);
  if (is_icmp_error(trip.ip, type)) return run_icmp_error(trip, cluster);
  return ended(XDPLB_OUTCOME_OTHER_PROTOCOL, trip.frame, trip.options);
}

std::uint16_t ReferenceModel::server_of_echo(const Cluster& cluster, const IpAddress& client) const {
  return owners_of({.port = &cluster.setup->echo_line, .place = &cluster.place->address},
                   {.address = client, .port = 0})
      .cur;
}

Journey ReferenceModel::run_echo(Trip& trip, const Cluster& cluster) {
  if (cluster.setup->echo == XDPLB_ECHO_OFF) return ended(XDPLB_OUTCOME_ECHO_OFF, trip.frame, trip.options);
  if (cluster.setup->echo == XDPLB_ECHO_SERVER) {
    trip.how = XDPLB_HOW_ROW;
    return forward_first(trip, server_of_echo(cluster, trip.ip.source), XDPLB_NO_SERVER_DROP);
  }
  if (trip.ip.is_first_fragment) return ended(XDPLB_OUTCOME_FRAGMENT_UNPLACED, trip.frame, trip.options);
  if (!cluster.setup->is_alive) return ended(XDPLB_OUTCOME_NO_SERVER, trip.frame, trip.options);
  return ended(XDPLB_OUTCOME_ECHO_ANSWERED, echo_answer(trip.frame, trip.ip), trip.options);
}

Journey ReferenceModel::run_icmp_error(Trip& trip, const Cluster& cluster) {
  const Journey unplaced = ended(XDPLB_OUTCOME_ICMP_UNPLACED, trip.frame, trip.options);
  const auto inner = read_ip(trip.frame, trip.ip.transport + 8, trip.ip.source.family());
  if (!inner || inner->defect != XDPLB_CONTINUE || inner->source != trip.ip.destination || inner->is_later_fragment) {
    return unplaced;
  }
  trip.how = XDPLB_HOW_INNER | XDPLB_HOW_ROW;
  if (inner->protocol == icmp_protocol(trip.ip)) {
    if (cluster.setup->echo != XDPLB_ECHO_SERVER) return unplaced;
    return forward_first(trip, server_of_echo(cluster, inner->destination), XDPLB_NO_SERVER_DROP);
  }
  const bool has_ports = inner->protocol == kTcp || inner->protocol == kUdp;
  if (!has_ports || inner->transport + 4 > trip.frame.size()) return unplaced;
  const std::uint16_t number = get16(trip.frame, inner->transport);
  const auto line = port_of(cluster, inner->protocol, number);
  if (!line) return unplaced;

  trip.options = line->place->options;
  const Endpoint client{.address = inner->destination, .port = get16(trip.frame, inner->transport + 2)};
  const Owners owners = owners_of(*line, client);
  std::uint16_t server = owners.base;
  if (!owners.is_settled || line->port->is_tracked) {
    const FlowKey key{.protocol = static_cast<std::uint8_t>(inner->protocol),
                      .family = client.address.family(),
                      .client = flow_address(client.address),
                      .vipa = flow_address(inner->source),
                      .client_port = client.port,
                      .port = number};
    const FlowValue* entry = flows_.find(flow_tag(key, kFlowSeeds));
    if (entry != nullptr && is_usable(entry->server)) {
      server = entry->server;
      trip.how = XDPLB_HOW_INNER | XDPLB_HOW_FLOW;
    }
  }
  return forward_first(trip, server, line->port->no_server);
}

Journey ReferenceModel::run_transport(Trip& trip, const Cluster& cluster) {
  const auto transport = read_transport(trip.frame, trip.ip);
  if (!transport) return ended(XDPLB_OUTCOME_TRUNCATED, trip.frame, trip.options);
  trip.transport = *transport;
  trip.is_tcp_or_udp = true;
  const auto line = port_of(cluster, trip.ip.protocol, transport->destination_port);
  if (!line) return ended(XDPLB_OUTCOME_NO_PORT, trip.frame, trip.options);
  trip.options = line->place->options;
  const Choice choice = choose(trip, *line);
  if (choice.end == XDPLB_OUTCOME_STALE) {
    return line->port->on_stale == XDPLB_STALE_RESET ? reset_or(trip, choice.end)
                                                     : ended(choice.end, trip.frame, trip.options);
  }
  return forward_first(trip, choice.server, line->port->no_server);
}

// A packet that is whole or the first fragment: `server` takes it, and the later ones that belong to it.
Journey ReferenceModel::forward_first(Trip& trip, std::uint16_t server, xdplb_no_server policy) {
  if (server == 0) return refuse(trip, policy);
  if (trip.ip.is_first_fragment) {
    fragments_.write(flow_tag(fragment_key(trip.ip), kFlowSeeds), {.server = server, .stamp = now_});
  }
  return forward(trip, server);
}

Journey ReferenceModel::refuse(Trip& trip, xdplb_no_server policy) {
  if (policy == XDPLB_NO_SERVER_PASS) return ended(XDPLB_OUTCOME_NO_SERVER_PASSED, trip.frame, trip.options);
  if (policy == XDPLB_NO_SERVER_RESET) return reset_or(trip, XDPLB_OUTCOME_NO_SERVER);
  return ended(XDPLB_OUTCOME_NO_SERVER, trip.frame, trip.options);
}

Journey ReferenceModel::reset_or(Trip& trip, xdplb_outcome otherwise) {
  const bool is_tcp = trip.is_tcp_or_udp && trip.ip.protocol == kTcp;
  const auto answer = is_tcp ? reset_answer(trip.frame, trip.ip) : std::nullopt;
  return answer ? ended(XDPLB_OUTCOME_RESET_SENT, *answer, trip.options) : ended(otherwise, trip.frame, trip.options);
}

Journey ReferenceModel::forward(Trip& trip, std::uint16_t index) {
  const auto end = [&trip](xdplb_outcome outcome) { return ended(outcome, trip.frame, trip.options); };
  if (!is_usable(index)) return end(XDPLB_OUTCOME_SERVER_GONE);
  const ServerSetup& server = setup_.servers.at(index);
  const auto egress = setup_.egresses.find(server.egress);
  if (egress == setup_.egresses.end() || egress->second.ifindex == 0) return end(XDPLB_OUTCOME_NO_EGRESS);
  const MacAddress from = source_mac(trip.frame);
  const bool is_peer = std::count(setup_.peers.begin(), setup_.peers.end(), from) != 0;
  if (from == server.mac || is_peer) return end(XDPLB_OUTCOME_LOOP);

  Journey journey = end(XDPLB_OUTCOME_LOCAL);
  if (!egress->second.is_local) {
    const bool is_ingress = egress->second.ifindex == trip.ingress;
    Frame frame = trip.frame;
    if (egress->second.decrements_ttl && !decrement_ttl(frame, trip.ip)) return end(XDPLB_OUTCOME_TTL_EXPIRED);
    if (!is_ingress && !egress->second.has_device) return end(XDPLB_OUTCOME_NO_EGRESS);
    set_tag(frame, egress->second.tag);
    std::copy_n(server.mac.bytes.begin(), 6, frame.begin());
    std::copy_n(egress->second.mac.bytes.begin(), 6, frame.begin() + 6);
    journey = ended(is_ingress ? XDPLB_OUTCOME_FORWARDED : XDPLB_OUTCOME_REDIRECTED, frame, trip.options);
  }
  journey.server = index;
  journey.counters = counters_of(trip);
  journey.how = trip.how;
  return journey;
}

xdplb_counters ReferenceModel::counters_of(const Trip& trip) {
  const std::uint8_t flags = trip.transport.tcp_flags;
  const bool is_new = trip.is_new_udp || ((flags & kSyn) != 0 && (flags & kAck) == 0);
  const bool is_closed = (flags & (kFin | kRst)) != 0;
  return {.packets = 1, .bytes = trip.frame.size(), .new_flows = is_new ? 1U : 0U, .closed_flows = is_closed ? 1U : 0U};
}

Journey expected_journey(const DataplaneSetup& setup, const Frame& frame, std::uint32_t ingress) {
  return ReferenceModel(setup).run(frame, ingress);
}

}  // namespace xdplb::test
