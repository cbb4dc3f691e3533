// SPDX-License-Identifier: GPL-2.0-only
// Golden frames of ICMP and ICMPv6: errors go to the server whose packet they tell of, echo requests as the cluster
// says.
#include "golden_cases.h"

#include <initializer_list>

namespace xdplb::test {
namespace {

const IpAddress kHop4 = ip("203.0.113.250");  // a router on the way, not the client
const IpAddress kHop6 = ip("2001:db8:ffff::1");

// What a server sent from the VIPA to the client: the packet that an error tells of.
Packet sent(const IpAddress& vipa) {
  if (vipa.is_v4()) return {.layers = {Ipv4{.source = vipa, .destination = kClient4}}};
  return {.layers = {Ipv6{.source = vipa, .destination = kClient6}}};
}

Packet tcp_from(const IpAddress& vipa, std::uint16_t port) {
  return sent(vipa) / Tcp{.source_port = port, .destination_port = 40000} / payload(20);
}

// An error of the router about `inner`, of which `size` bytes are quoted.
Packet error(const IpAddress& vipa, std::uint8_t type, const Packet& inner, std::size_t size = 1000) {
  const Icmp icmp{.type = type, .code = 1, .rest = 1400};
  if (vipa.is_v4()) return Ipv4{.source = kHop4, .destination = vipa} / icmp / quoted(inner, size);
  return Ipv6{.source = kHop6, .destination = vipa} / icmp / quoted(inner, size);
}

std::uint8_t too_big(const IpAddress& vipa) { return vipa.is_v4() ? 3 : 2; }

void add_errors(std::vector<GoldenCase>& cases) {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{3, 4, 5, 11, 12}) {
    cases.push_back(forwarded("ICMP error " + std::to_string(type), error(kWeb4, type, tcp_from(kWeb4, 443)), 1));
  }
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{1, 2, 3, 4}) {
    cases.push_back(forwarded("ICMPv6 error " + std::to_string(type), error(kWeb6, type, tcp_from(kWeb6, 443)), 1));
  }
  for (const IpAddress& vipa : {kWeb4, kWeb6}) {
    const std::string family = vipa.is_v4() ? ", v4" : ", v6";
    const std::uint8_t type = too_big(vipa);
    const std::size_t ip_bytes = vipa.is_v4() ? 20 : 40;
    const auto about = [&](const Packet& inner, std::size_t size = 1000) { return error(vipa, type, inner, size); };
    cases.push_back(forwarded("error about UDP" + family, about(sent(vipa) / Udp{.source_port = 53}), 2));
    cases.push_back(forwarded("error about any port" + family, about(tcp_from(vipa, 22)), 9));
    cases.push_back(redirected("error through another interface" + family, about(tcp_from(vipa, 8443)), 3));
    cases.push_back(forwarded("error with eight bytes of TCP" + family, about(tcp_from(vipa, 443), ip_bytes + 8), 1));
    cases.push_back(forwarded("error with both ports" + family, about(tcp_from(vipa, 443), ip_bytes + 4), 1));
    cases.push_back(dropped("error with one port and a half" + family, kIn / about(tcp_from(vipa, 443), ip_bytes + 3),
                            XDPLB_OUTCOME_ICMP_UNPLACED));
    cases.push_back(dropped("error with half a header" + family, kIn / about(tcp_from(vipa, 443), ip_bytes - 1),
                            XDPLB_OUTCOME_ICMP_UNPLACED));
    cases.push_back(dropped("error about nothing" + family, kIn / about({}), XDPLB_OUTCOME_ICMP_UNPLACED));
    cases.push_back(dropped("error about a port nobody has" + family, kIn / about(sent(vipa) / Udp{.source_port = 99}),
                            XDPLB_OUTCOME_ICMP_UNPLACED));
    cases.push_back(dropped("error about another protocol" + family, kIn / about(sent(vipa) / payload(8)),
                            XDPLB_OUTCOME_ICMP_UNPLACED));
    cases.push_back(dropped("error about another VIPA's packet" + family,
                            kIn / about(tcp_from(vipa.is_v4() ? kDns4 : kDns6, 53)), XDPLB_OUTCOME_ICMP_UNPLACED));
    cases.push_back(dropped("error about a client's packet" + family,
                            kIn / about(from_client(vipa) / Tcp{.destination_port = 443}),
                            XDPLB_OUTCOME_ICMP_UNPLACED));
    cases.push_back(
        dropped("error about a port without rows" + family, kIn / about(tcp_from(vipa, 81)), XDPLB_OUTCOME_NO_SERVER));
    cases.push_back(
        dropped("error to a server that is gone" + family, kIn / about(tcp_from(vipa, 82)), XDPLB_OUTCOME_SERVER_GONE));
    cases.push_back(forwarded("error about an old flow" + family, about(tcp_from(vipa, 86)), 1));
    const Frame syn = kIn / from_client(vipa) / Tcp{.destination_port = 86, .flags = kSyn};
    cases.push_back(
        behind({syn}, forwarded("error about a flow that is written down" + family, about(tcp_from(vipa, 86)), 2)));
    cases.push_back(forwarded("error about an echo reply" + family,
                              about(sent(vipa) / Icmp{.type = vipa.is_v4() ? kEchoReply : kEchoReply6}), 2));
    cases.push_back(
        forwarded("error in QinQ" + family, Vlan{.tag = kTypeServiceVlan} / Vlan{} / about(tcp_from(vipa, 443)), 1));
    cases.push_back(dropped("error about the other family" + family,
                            kIn / about(tcp_from(vipa.is_v4() ? kWeb6 : kWeb4, 443)), XDPLB_OUTCOME_ICMP_UNPLACED));
  }
}

void add_inner_headers(std::vector<GoldenCase>& cases) {
  const Tcp tcp{.source_port = 443, .destination_port = 40000};
  const auto v4 = [](Frame options, bool more, std::uint16_t offset) {
    return Ipv4{.source = kWeb4,
                .destination = kClient4,
                .options = std::move(options),
                .more_fragments = more,
                .fragment_offset = offset,
                .protocol = kTcp};
  };
  const auto about4 = [](const Packet& inner) { return error(kWeb4, 3, inner); };
  cases.push_back(forwarded("error about IPv4 options", about4(v4({1, 1, 1, 1, 1}, false, 0) / tcp), 1));
  cases.push_back(forwarded("error about 40 bytes of options", about4(v4(Frame(40, 1), false, 0) / tcp), 1));
  cases.push_back(forwarded("error about a first fragment", about4(v4({}, true, 0) / tcp), 1));
  cases.push_back(
      dropped("error about a later fragment", kIn / about4(v4({}, false, 3) / tcp), XDPLB_OUTCOME_ICMP_UNPLACED));
  Frame sane = kIn / about4(v4({}, false, 0) / tcp);
  for (const std::uint8_t first : std::initializer_list<std::uint8_t>{0x44, 0x65, 0x05}) {
    sane[14 + 20 + 8] = first;
    cases.push_back(
        dropped("error about a header that starts with " + std::to_string(first), sane, XDPLB_OUTCOME_ICMP_UNPLACED));
  }
  const Ipv6 v6{.source = kWeb6, .destination = kClient6};
  const auto about6 = [](const Packet& inner) { return error(kWeb6, 2, inner); };
  Packet headers{.layers = {v6}};
  for (int i = 0; i < 8; ++i) headers.layers.emplace_back(Ipv6Extension{.type = kDestinationOptions});
  cases.push_back(forwarded("error about extension headers",
                            about6(v6 / Ipv6Extension{} / Ipv6Extension{.type = kRouting} /
                                   Ipv6Extension{.type = kAuthentication, .body = Frame(10)} / tcp),
                            1));
  cases.push_back(forwarded("error about eight headers", about6(headers / tcp), 1));
  cases.push_back(dropped("error about nine headers",
                          kIn / about6(headers / Ipv6Extension{.type = kDestinationOptions} / tcp),
                          XDPLB_OUTCOME_ICMP_UNPLACED));
  cases.push_back(
      forwarded("error about a first IPv6 fragment", about6(v6 / Ipv6Fragment{.more_fragments = true} / tcp), 1));
  cases.push_back(dropped("error about a later IPv6 fragment", kIn / about6(v6 / Ipv6Fragment{.offset = 1} / tcp),
                          XDPLB_OUTCOME_ICMP_UNPLACED));
  cases.push_back(forwarded(
      "error behind its own headers",
      Ipv6{.source = kHop6, .destination = kWeb6} / Ipv6Extension{} / Icmp{.type = 3} / quoted(tcp_from(kWeb6, 443)),
      1));
  cases.push_back(forwarded("error behind its own options",
                            Ipv4{.source = kHop4, .destination = kWeb4, .options = {1, 1, 1}} / Icmp{.type = 11} /
                                quoted(tcp_from(kWeb4, 443)),
                            1));
  const Ipv4 first{.source = kHop4, .destination = kWeb4, .more_fragments = true, .protocol = kIcmp};
  const Ipv4 last{.source = kHop4, .destination = kWeb4, .fragment_offset = 7, .protocol = kIcmp};
  cases.push_back(behind({kIn / first / Icmp{.type = 3} / quoted(tcp_from(kWeb4, 443), 48)},
                         forwarded("the rest of an error in fragments", last / payload(12), 1)));
  Frame half = kIn / first / Icmp{.type = 3};
  cases.push_back(passed("half an ICMP header", cut(half, 14 + 20 + 7), XDPLB_OUTCOME_TRUNCATED));
  half = kIn / from_client(kWeb6) / Icmp{.type = 128};
  cases.push_back(passed("half an ICMPv6 header", cut(half, 14 + 40 + 7), XDPLB_OUTCOME_TRUNCATED));
}

// The echo request of a client, and the answer of the dispatcher.
GoldenCase echo(std::string description, const IpAddress& vipa, std::uint8_t ttl, const Packet& tags,
                const Packet& rest) {
  const bool is_v4 = vipa.is_v4();
  const auto ip_header = [&](bool is_answer) -> Packet {
    const IpAddress client = is_v4 ? kClient4 : kClient6;
    const IpAddress from = is_answer ? vipa : client;
    const IpAddress to = is_answer ? client : vipa;
    const auto hops = static_cast<std::uint8_t>(is_answer ? 64 : ttl);
    if (is_v4) return {.layers = {Ipv4{.source = from, .destination = to, .ttl = hops, .type_of_service = 0x28}}};
    return {.layers = {Ipv6{.source = from, .destination = to, .hop_limit = hops}}};
  };
  const Icmp request{.type = is_v4 ? kEchoRequest : kEchoRequest6, .code = 0, .rest = 0x00070003};
  const Icmp reply{.type = is_v4 ? kEchoReply : kEchoReply6, .code = 0, .rest = 0x00070003};
  const Ethernet back{.destination = kRouterMac, .source = kDispatcherMac};
  return answered(std::move(description), kIn / tags / ip_header(false) / request / rest,
                  back / tags / ip_header(true) / reply / rest, XDPLB_OUTCOME_ECHO_ANSWERED);
}

void add_echo(std::vector<GoldenCase>& cases) {
  for (const IpAddress& vipa : {kDns4, kDns6}) {
    const std::string family = vipa.is_v4() ? ", v4" : ", v6";
    for (const std::uint8_t ttl : std::initializer_list<std::uint8_t>{0, 1, 64, 255}) {
      cases.push_back(echo("echo of TTL " + std::to_string(ttl) + family, vipa, ttl, {}, {}));
    }
    cases.push_back(echo("echo with data" + family, vipa, 50, {}, {.layers = {payload(56)}}));
    cases.push_back(echo("echo with odd data" + family, vipa, 50, {}, {.layers = {payload(57)}}));
    cases.push_back(echo("echo in QinQ" + family, vipa, 50,
                         Vlan{.id = 9, .priority = 5, .tag = kTypeServiceVlan} / Vlan{.id = 8},
                         {.layers = {payload(3)}}));
  }
  const Icmp request4{.type = kEchoRequest};
  const Icmp request6{.type = kEchoRequest6};
  cases.push_back(
      dropped("first fragment of an echo request",
              kIn / Ipv4{.source = kClient4, .destination = kDns4, .more_fragments = true} / request4 / payload(16),
              XDPLB_OUTCOME_FRAGMENT_UNPLACED));
  cases.push_back(forwarded("echo to a server", from_client(kWeb4) / request4 / payload(8), 2));
  cases.push_back(forwarded("echo to a server, v6", from_client(kWeb6) / request6 / payload(8), 2));
  const Ipv4 first{.source = kClient4, .destination = kWeb4, .more_fragments = true, .protocol = kIcmp};
  const Ipv4 last{.source = kClient4, .destination = kWeb4, .fragment_offset = 2, .protocol = kIcmp};
  cases.push_back(
      behind({kIn / first / request4 / payload(8)}, forwarded("the rest of an echo request", last / payload(9), 2)));
  cases.push_back(dropped("echo, off", kIn / from_client(kBare4) / request4, XDPLB_OUTCOME_ECHO_OFF));
  cases.push_back(dropped("echo without a server up", kIn / from_client(kDead4) / request4, XDPLB_OUTCOME_NO_SERVER));
  cases.push_back(
      dropped("echo without a server up, v6", kIn / from_client(kDead6) / request6, XDPLB_OUTCOME_NO_SERVER));
  cases.push_back(dropped("echo to nobody", kIn / from_client(kSticky4) / request4, XDPLB_OUTCOME_NO_SERVER));
  cases.push_back(forwarded("echo to a network", from_client(kRouted4) / request4, 1));
  cases.push_back(dropped("error about an answer of the dispatcher",
                          kIn / error(kDns4, 3, sent(kDns4) / Icmp{.type = kEchoReply}), XDPLB_OUTCOME_ICMP_UNPLACED));
}

}  // namespace

std::vector<GoldenCase> icmp_cases() {
  std::vector<GoldenCase> cases;
  add_errors(cases);
  add_inner_headers(cases);
  add_echo(cases);
  return cases;
}

}  // namespace xdplb::test
