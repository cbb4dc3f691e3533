// SPDX-License-Identifier: GPL-2.0-only
// Golden frames whose transport header is not where it usually is, or is elsewhere altogether: IPv6 extension headers
// and fragments.
#include "golden_cases.h"

#include <array>

namespace xdplb::test {
namespace {

const Tcp kTcp443{.destination_port = 443};
const Udp kUdp53{.destination_port = 53};
const Ipv6 kV6{.source = kClient6, .destination = kWeb6};
constexpr std::array kKinds{kHopByHop, kRouting, kDestinationOptions, kAuthentication};

Packet chain(std::size_t headers, std::uint8_t type = kDestinationOptions) {
  Packet packet{.layers = {kV6}};
  for (std::size_t i = 0; i < headers; ++i) packet.layers.emplace_back(Ipv6Extension{.type = type});
  return packet;
}

void add_extension_headers(std::vector<GoldenCase>& cases) {
  for (const std::uint8_t kind : kKinds) {
    const std::string number = std::to_string(kind);
    const auto header = [kind](std::size_t size) { return Ipv6Extension{.type = kind, .body = Frame(size, 1)}; };
    cases.push_back(forwarded("header " + number + " before TCP", kV6 / header(6) / kTcp443 / payload(5), 1));
    cases.push_back(forwarded("header " + number + " before UDP", kV6 / header(6) / kUdp53 / payload(5), 2));
    cases.push_back(forwarded("long header " + number, kV6 / header(54) / kTcp443, 1));
    cases.push_back(forwarded("header " + number + " counts a SYN",
                              kV6 / header(6) / Tcp{.destination_port = 443, .flags = kSyn}, 1, Flow::kNew));
    cases.push_back(
        forwarded("header " + number + " before any port", kV6 / header(14) / Tcp{.destination_port = 9}, 9));
    cases.push_back(redirected("header " + number + " through another interface",
                               kV6 / header(6) / Udp{.destination_port = 8443}, 3));
    cases.push_back(
        passed("header " + number + " before nothing", kIn / kV6 / header(6), XDPLB_OUTCOME_OTHER_PROTOCOL));
    cases.push_back(passed("header " + number + " before half a TCP header",
                           cut(kIn / kV6 / header(6) / kTcp443, 14 + 40 + 8 + 19), XDPLB_OUTCOME_TRUNCATED));
    cases.push_back(
        passed("half a header " + number, cut(kIn / kV6 / header(6) / kTcp443, 14 + 40 + 7), XDPLB_OUTCOME_TRUNCATED));
    cases.push_back(passed("header " + number + " to a port nobody has",
                           kIn / kV6 / header(6) / Udp{.destination_port = 9}, XDPLB_OUTCOME_NO_PORT));
  }
  cases.push_back(forwarded("all kinds of headers in QinQ",
                            Vlan{.tag = kTypeServiceVlan} / Vlan{} / kV6 / Ipv6Extension{.type = kHopByHop} /
                                Ipv6Extension{.type = kDestinationOptions} / Ipv6Extension{.type = kRouting} /
                                Ipv6Fragment{} / Ipv6Extension{.type = kAuthentication} / kTcp443,
                            1));
  for (const std::uint8_t kind : kKinds) {
    const std::string number = std::to_string(kind);
    cases.push_back(forwarded("eight headers " + number, chain(8, kind) / kTcp443, 1));
    cases.push_back(dropped("nine headers " + number, kIn / chain(9, kind) / kTcp443, XDPLB_OUTCOME_HEADERS_TOO_LONG));
    cases.push_back(dropped("nine headers " + number + ", the ninth cut off",
                            cut(kIn / chain(9, kind) / kTcp443, 14 + 40 + 64), XDPLB_OUTCOME_HEADERS_TOO_LONG));
  }
  cases.push_back(forwarded("seven headers and that of a whole packet", chain(7) / Ipv6Fragment{} / kTcp443, 1));
  cases.push_back(dropped("eight headers and that of a whole packet", kIn / chain(8) / Ipv6Fragment{} / kTcp443,
                          XDPLB_OUTCOME_HEADERS_TOO_LONG));
  cases.push_back(passed("encrypted payload is another protocol",
                         kIn / Ipv6{.source = kClient6, .destination = kWeb6, .next_header = 50} / payload(40),
                         XDPLB_OUTCOME_OTHER_PROTOCOL));
}

// One packet in pieces: UDP to port 53, or TCP to `port`.
struct Pieces {
  Packet first;
  Packet later;
  Packet last;
};

Pieces pieces(const IpAddress& destination, std::uint8_t protocol, std::uint16_t port, std::uint32_t id = 77) {
  const auto network = [&](bool more, std::uint16_t offset) -> Packet {
    if (destination.is_v4()) {
      return {.layers = {Ipv4{.source = kClient4,
                              .destination = destination,
                              .more_fragments = more,
                              .fragment_offset = offset,
                              .protocol = protocol,
                              .identification = static_cast<std::uint16_t>(id)}}};
    }
    return Ipv6{.source = kClient6, .destination = destination} /
           Ipv6Fragment{.offset = offset, .more_fragments = more, .next_header = protocol, .identification = id};
  };
  const Packet start = network(true, 0);
  return {.first = protocol == kTcp ? start / Tcp{.destination_port = port} / payload(12)
                                    : start / Udp{.destination_port = port} / payload(16),
          .later = network(true, 4) / payload(32),
          .last = network(false, 8) / payload(3)};
}

void add_fragments(std::vector<GoldenCase>& cases) {
  const xdplb_outcome unplaced = XDPLB_OUTCOME_FRAGMENT_UNPLACED;
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    const Pieces udp = pieces(address, kUdp, 53);
    const Pieces tcp = pieces(address, kTcp, 443);
    cases.push_back(forwarded("first fragment of UDP" + family, udp.first, 2));
    cases.push_back(forwarded("first fragment of TCP" + family, tcp.first, 1));
    cases.push_back(dropped("middle fragment before the first" + family, kIn / udp.later, unplaced));
    cases.push_back(dropped("last fragment before the first" + family, kIn / tcp.last, unplaced));
    cases.push_back(behind({kIn / udp.first}, forwarded("middle fragment follows the first" + family, udp.later, 2)));
    cases.push_back(
        behind({kIn / tcp.first, kIn / tcp.later}, forwarded("last fragment follows the first" + family, tcp.last, 1)));
    cases.push_back(
        behind({kIn / tcp.last, kIn / tcp.first}, forwarded("middle fragment behind the last" + family, tcp.later, 1)));
    cases.push_back(
        behind({kIn / udp.first}, dropped("fragment of another protocol" + family, kIn / tcp.later, unplaced)));
    cases.push_back(behind({kIn / pieces(address, kUdp, 53, 78).first},
                           dropped("fragment of another packet" + family, kIn / udp.later, unplaced)));
    cases.push_back(behind({kIn / pieces(address, kTcp, 443).first, kIn / pieces(address, kTcp, 22).first},
                           forwarded("the later first fragment counts" + family, tcp.later, 9)));
    cases.push_back(behind({kIn / pieces(address, kTcp, 8443).first},
                           redirected("fragment through another interface" + family, tcp.last, 3)));
    cases.push_back(behind({kIn / pieces(address, kTcp, 82).first},
                           dropped("fragment of a server that is gone" + family, kIn / tcp.last, unplaced)));
    cases.push_back(behind({kIn / pieces(address, kTcp, 81).first},
                           dropped("fragment of a port without servers" + family, kIn / tcp.last, unplaced)));
    cases.push_back(behind({kIn / Vlan{.id = 4} / udp.first},
                           forwarded("fragment in a tag" + family, Vlan{.id = 5} / udp.last, 2)));
  }
  const auto v4 = [](std::uint16_t offset, int protocol, Frame options = {}) {
    return Ipv4{.source = kClient4,
                .destination = kWeb4,
                .options = std::move(options),
                .fragment_offset = offset,
                .protocol = protocol,
                .identification = 77};
  };
  cases.push_back(dropped("IPv4 fragment at the highest offset", kIn / v4(0x1fff, kUdp) / payload(8), unplaced));
  cases.push_back(dropped("IPv4 fragment at offset 256", kIn / v4(0x100, kTcp) / kTcp443, unplaced));
  cases.push_back(dropped("later fragment of GRE", kIn / v4(1, kGre) / payload(8), unplaced));
  cases.push_back(dropped("later fragment of ICMP", kIn / v4(1, kIcmp) / payload(8), unplaced));
  cases.push_back(dropped("later fragment with options", kIn / v4(2, kUdp, {1}) / payload(8), unplaced));
  cases.push_back(dropped("later fragment without data", kIn / v4(2, kUdp), unplaced));
  // What follows is not looked at, so it need not be there.
  const Packet options = v4(2, kUdp, Frame(8, 1)) / payload(8);
  const Ethernet out{.destination = server_mac(2), .source = kIngressMac};
  cases.push_back(behind(
      {kIn / pieces(kWeb4, kUdp, 53).first},
      changed("later fragment cut within its options", cut(kIn / options, 14 + 24), 2, cut(out / options, 14 + 24))));
}

void add_ipv6_fragments(std::vector<GoldenCase>& cases) {
  const xdplb_outcome unplaced = XDPLB_OUTCOME_FRAGMENT_UNPLACED;
  const Ipv6Extension options{.type = kDestinationOptions};
  const auto fragment = [](std::uint16_t offset, bool more, int next = -1) {
    return Ipv6Fragment{.offset = offset, .more_fragments = more, .next_header = next, .identification = 5};
  };
  cases.push_back(forwarded("a fragment header on a whole packet", kV6 / fragment(0, false) / kTcp443, 1));
  cases.push_back(forwarded("hop-by-hop options before a first fragment",
                            kV6 / Ipv6Extension{} / fragment(0, true) / kTcp443 / payload(9), 1));
  cases.push_back(behind({kIn / kV6 / fragment(0, true) / kTcp443},
                         forwarded("a later fragment behind hop-by-hop options",
                                   kV6 / Ipv6Extension{} / fragment(3, false, kTcp) / payload(9), 1)));
  // RFC 8200 4.5: what follows the fragment header belongs to the first fragment only.
  cases.push_back(behind({kIn / kV6 / fragment(0, true) / options / kTcp443},
                         forwarded("a later fragment of a packet with options in its fragmentable part",
                                   kV6 / fragment(4, false, kDestinationOptions) / payload(9), 1)));
  cases.push_back(dropped("a later fragment that looks like a header chain",
                          kIn / kV6 / fragment(4, false, kDestinationOptions) / Payload{Frame(8, kRouting)}, unplaced));
  cases.push_back(dropped("a later fragment and nothing else", kIn / kV6 / fragment(1, false, kTcp), unplaced));
  cases.push_back(
      forwarded("the last fragment header counts: whole", kV6 / fragment(0, true) / fragment(0, false) / kTcp443, 1));
  cases.push_back(
      behind({kIn / kV6 / fragment(0, false) / fragment(0, true) / kTcp443},
             forwarded("the last fragment header counts: first", kV6 / fragment(7, false, kTcp) / payload(9), 1)));
  cases.push_back(passed("half a fragment header", cut(kIn / kV6 / fragment(4, true, kTcp) / payload(9), 14 + 40 + 7),
                         XDPLB_OUTCOME_TRUNCATED));
}

void add_sticky_fragments(std::vector<GoldenCase>& cases) {
  for (const IpAddress& address : {kSticky4, kSticky6}) {
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    cases.push_back(
        forwarded("a later fragment follows the client's network" + family, pieces(address, kTcp, 80).later, 1));
    cases.push_back(forwarded("a later fragment follows base" + family, pieces(address, kUdp, 80).last, 1));
    cases.push_back(
        behind({kIn / pieces(address, kTcp, 80).first},
               forwarded("a later fragment follows the first one" + family, pieces(address, kTcp, 80).later, 1)));
    cases.push_back(dropped("a later fragment of another protocol" + family, kIn / pieces(address, kGre, 0).later,
                            XDPLB_OUTCOME_FRAGMENT_UNPLACED));
  }
}

}  // namespace

std::vector<GoldenCase> header_cases() {
  std::vector<GoldenCase> cases;
  add_extension_headers(cases);
  add_fragments(cases);
  add_ipv6_fragments(cases);
  add_sticky_fragments(cases);
  return cases;
}

}  // namespace xdplb::test
