// SPDX-License-Identifier: GPL-2.0-only
// Golden frames that xdplb does not send to a server: left to the kernel, or dropped.
#include "golden_cases.h"

namespace xdplb::test {
namespace {

const Tcp kTcp443{.destination_port = 443};
const Udp kUdp53{.destination_port = 53};

Ethernet of_type(std::uint16_t type) { return {.destination = kDispatcherMac, .source = kRouterMac, .type = type}; }

void add_not_ip(std::vector<GoldenCase>& cases) {
  const xdplb_outcome outcome = XDPLB_OUTCOME_NOT_IP;
  const Packet tcp = from_client(kWeb4) / kTcp443;
  const Vlan service{.id = 1, .tag = kTypeServiceVlan};
  // Who has 192.0.2.10, asked by 192.0.2.1; RFC 826.
  const Frame arp{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0xfe, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 10};
  cases.push_back(passed("ARP for a VIPA", of_type(kTypeArp) / Payload{arp}, outcome));
  cases.push_back(passed("ARP in a tag", kIn / Vlan{.id = 9, .type = kTypeArp} / Payload{arp}, outcome));
  cases.push_back(passed("three 802.1Q tags", kIn / Vlan{} / Vlan{} / Vlan{} / tcp, outcome));
  cases.push_back(passed("802.1ad before two 802.1Q tags", kIn / service / Vlan{} / Vlan{} / tcp, outcome));
  cases.push_back(passed("three 802.1ad tags", kIn / service / service / service / tcp, outcome));
  cases.push_back(passed("four tags", kIn / service / Vlan{} / Vlan{} / Vlan{} / tcp, outcome));
  cases.push_back(passed("LLDP", of_type(0x88cc) / payload(30), outcome));
  cases.push_back(passed("IEEE 802.3 length instead of a type", of_type(46) / payload(46), outcome));
  cases.push_back(passed("MPLS with a VIPA's packet inside", of_type(0x8847) / Payload{{0, 0, 1, 64}} / tcp, outcome));
  cases.push_back(passed("an old QinQ type", of_type(0x9100) / payload(40), outcome));
  cases.push_back(passed("Ethernet header only", of_type(0x88b5) / Payload{}, outcome));
}

void add_not_for_vipa(std::vector<GoldenCase>& cases) {
  const xdplb_outcome outcome = XDPLB_OUTCOME_NOT_FOR_VIPA;
  for (const IpAddress& address : {kForeign4, kForeign6}) {
    const Packet client = from_client(address);
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    cases.push_back(passed("TCP" + family, kIn / client / kTcp443, outcome));
    cases.push_back(passed("UDP" + family, kIn / client / kUdp53, outcome));
    cases.push_back(passed("SYN" + family, kIn / client / Tcp{.destination_port = 443, .flags = kSyn}, outcome));
    cases.push_back(passed("tagged" + family, kIn / Vlan{} / client / kTcp443, outcome));
    cases.push_back(passed("echo" + family, kIn / client / Icmp{.type = 128} / payload(16), outcome));
    cases.push_back(passed("frame cut within the transport header" + family,
                           cut(kIn / client / kTcp443, address.is_v4() ? 14 + 20 + 7 : 14 + 40 + 7), outcome));
  }
  const auto v4 = [](IpAddress source, Frame options, bool more, std::uint16_t offset) {
    return Ipv4{.source = source,
                .destination = kForeign4,
                .options = std::move(options),
                .more_fragments = more,
                .fragment_offset = offset};
  };
  cases.push_back(passed("first fragment", kIn / v4(kClient4, {}, true, 0) / kUdp53 / payload(16), outcome));
  cases.push_back(passed("last fragment", kIn / v4(kClient4, {}, false, 9) / payload(16), outcome));
  cases.push_back(passed("IPv4 options", kIn / v4(kClient4, {1, 1, 1, 0}, false, 0) / kTcp443, outcome));
  cases.push_back(
      passed("GRE", kIn / Ipv4{.source = kClient4, .destination = kForeign4, .protocol = kGre} / payload(8), outcome));
  cases.push_back(passed("no payload at all", kIn / Ipv4{.source = kClient4, .destination = kForeign4}, outcome));
  const Ipv6 v6{.source = kClient6, .destination = kForeign6};
  cases.push_back(passed("IPv6 fragment", kIn / v6 / Ipv6Fragment{.more_fragments = true} / kUdp53, outcome));
  cases.push_back(passed("hop-by-hop options", kIn / v6 / Ipv6Extension{} / kUdp53, outcome));
  cases.push_back(passed("broadcast", kIn / from_client(ip("255.255.255.255")) / Udp{.destination_port = 67}, outcome));
  // Neighbour solicitation for a VIPA goes to a group, not to the VIPA; RFC 4861 7.2.2.
  cases.push_back(passed("neighbour solicitation for a VIPA",
                         kIn / Ipv6{.source = kClient6, .destination = ip("ff02::1:ff00:10"), .hop_limit = 255} /
                             Icmp{.type = 135} / Payload{Frame(kWeb6.bytes().begin(), kWeb6.bytes().end())},
                         outcome));
  // One bit from a VIPA, in each word of the key.
  for (const char* text :
       {"2001:db9::10", "2001:db8:1::10", "2001:db8:0:1::10", "2001:db8::1:0:10", "2001:db8::1:10"}) {
    cases.push_back(passed(text, kIn / from_client(ip(text)) / kTcp443, outcome));
  }
  // The other family's bytes of a VIPA.
  cases.push_back(
      passed("v4 address with the first bytes of a v6 VIPA", kIn / from_client(ip("32.1.13.184")) / kTcp443, outcome));
  cases.push_back(
      passed("v6 address with the bytes of a v4 VIPA", kIn / from_client(ip("c000:20a::")) / kTcp443, outcome));
}

void add_from_vipa(std::vector<GoldenCase>& cases) {
  const xdplb_outcome outcome = XDPLB_OUTCOME_FROM_VIPA;
  const Ipv4 v4{.source = kWeb4, .destination = kClient4};
  const Ipv6 v6{.source = kWeb6, .destination = kClient6};
  cases.push_back(passed("answer, TCP v4", kIn / v4 / Tcp{.source_port = 443, .flags = kSyn | kAck}, outcome));
  cases.push_back(passed("answer, UDP v4", kIn / v4 / Udp{.source_port = 53} / payload(20), outcome));
  cases.push_back(passed("answer, TCP v6", kIn / v6 / Tcp{.source_port = 443}, outcome));
  cases.push_back(passed("answer, UDP v6", kIn / Vlan{} / v6 / Udp{.source_port = 53}, outcome));
  cases.push_back(passed("answer, ICMP", kIn / v4 / Icmp{.type = 0} / payload(8), outcome));
  cases.push_back(passed("answer of a port nobody has", kIn / v6 / Tcp{.source_port = 1}, outcome));
  cases.push_back(passed("answer of a cluster without ports",
                         kIn / Ipv4{.source = kBare4, .destination = kClient4} / Tcp{}, outcome));
  cases.push_back(passed("fragment of an answer",
                         kIn / Ipv4{.source = kWeb4, .destination = kClient4, .fragment_offset = 2} / payload(8),
                         outcome));
  cases.push_back(
      passed("answer with extension headers", kIn / v6 / Ipv6Extension{.type = kDestinationOptions} / Tcp{}, outcome));
}

void add_for_vipa(std::vector<GoldenCase>& cases) {
  const Ipv4 v4{.source = kClient4, .destination = kWeb4};
  const Ipv6 v6{.source = kClient6, .destination = kWeb6};
  const xdplb_outcome other = XDPLB_OUTCOME_OTHER_PROTOCOL;
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 1, 2, 6, 7, 9, 10, 13, 14, 17, 128, 255}) {
    cases.push_back(passed("ICMP type " + std::to_string(type), kIn / v4 / Icmp{.type = type} / payload(28), other));
  }
  for (const std::uint8_t type :
       std::initializer_list<std::uint8_t>{0, 5, 8, 127, 129, 130, 131, 132, 133, 134, 136, 143, 255}) {
    cases.push_back(passed("ICMPv6 type " + std::to_string(type), kIn / v6 / Icmp{.type = type} / payload(48), other));
  }
  cases.push_back(passed("neighbour solicitation to a VIPA itself",
                         kIn / v6 / Icmp{.type = 135} / Payload{Frame(kWeb6.bytes().begin(), kWeb6.bytes().end())},
                         other));
  cases.push_back(passed(
      "timestamp request behind options",
      kIn / Ipv4{.source = kClient4, .destination = kWeb4, .options = {1, 1, 1, 0}} / Icmp{.type = 13} / payload(8),
      other));
  for (const std::uint8_t protocol : {kGre, std::uint8_t{132}, std::uint8_t{50}, std::uint8_t{136}}) {
    cases.push_back(passed("protocol " + std::to_string(protocol) + ", v4",
                           kIn / Ipv4{.source = kClient4, .destination = kWeb4, .protocol = protocol} / payload(24),
                           other));
    cases.push_back(passed("protocol " + std::to_string(protocol) + ", v6",
                           kIn / Ipv6{.source = kClient6, .destination = kWeb6, .next_header = protocol} / payload(24),
                           other));
  }
  // An IPv6 packet may hold another family's protocol number; neither is ours.
  cases.push_back(passed("ICMP number over IPv6",
                         kIn / Ipv6{.source = kClient6, .destination = kWeb6, .next_header = kIcmp} / payload(12),
                         other));
  cases.push_back(passed("ICMPv6 number over IPv4",
                         kIn / Ipv4{.source = kClient4, .destination = kWeb4, .protocol = kIcmpv6} / payload(12),
                         other));
}

void add_no_port(std::vector<GoldenCase>& cases) {
  const xdplb_outcome outcome = XDPLB_OUTCOME_NO_PORT;
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const Packet client = from_client(address);
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    cases.push_back(
        passed("UDP port, only TCP has port 0" + family, kIn / client / Udp{.destination_port = 443}, outcome));
    cases.push_back(passed("UDP to port 0" + family, kIn / client / Udp{.destination_port = 0}, outcome));
  }
  for (const IpAddress& address : {kDns4, kDns6}) {
    const Packet client = from_client(address);
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    cases.push_back(passed("TCP port, only UDP has port 0" + family,
                           kIn / client / Tcp{.destination_port = 443, .flags = kSyn}, outcome));
    cases.push_back(passed("TCP to port 0" + family, kIn / client / Tcp{.destination_port = 0}, outcome));
  }
  cases.push_back(passed("cluster without ports", kIn / from_client(kBare4) / Tcp{}, outcome));
  cases.push_back(passed("behind IPv4 options",
                         kIn / Ipv4{.source = kClient4, .destination = kBare4, .options = {1}} / Udp{}, outcome));
}

void add_truncated(std::vector<GoldenCase>& cases) {
  const xdplb_outcome outcome = XDPLB_OUTCOME_TRUNCATED;
  const Frame tcp4 = kIn / from_client(kWeb4) / kTcp443;
  const Frame tcp6 = kIn / from_client(kWeb6) / kTcp443;
  const Frame udp4 = kIn / from_client(kWeb4) / kUdp53;
  const Frame udp6 = kIn / from_client(kWeb6) / kUdp53;
  cases.push_back(passed("nothing behind Ethernet, IPv4", cut(tcp4, 14), outcome));
  cases.push_back(passed("nothing behind Ethernet, IPv6", cut(tcp6, 14), outcome));
  cases.push_back(passed("one byte less than an IPv4 header", cut(tcp4, 14 + 19), outcome));
  cases.push_back(passed("one byte less than an IPv6 header", cut(tcp6, 14 + 39), outcome));
  cases.push_back(passed("one byte less than a TCP header, v4", cut(tcp4, 14 + 20 + 19), outcome));
  cases.push_back(passed("one byte less than a TCP header, v6", cut(tcp6, 14 + 40 + 19), outcome));
  cases.push_back(passed("one byte less than a UDP header, v4", cut(udp4, 14 + 20 + 7), outcome));
  cases.push_back(passed("one byte less than a UDP header, v6", cut(udp6, 14 + 40 + 7), outcome));
  cases.push_back(passed("IP header only, v4", cut(tcp4, 14 + 20), outcome));
  cases.push_back(passed("IP header only, v6", cut(udp6, 14 + 40), outcome));
  cases.push_back(passed("within the first tag", cut(kIn / Vlan{} / from_client(kWeb4) / kTcp443, 17), outcome));
  cases.push_back(
      passed("within the second tag", cut(kIn / Vlan{} / Vlan{} / from_client(kWeb4) / kTcp443, 21), outcome));
  const Frame options = kIn / Ipv4{.source = kClient4, .destination = kWeb4, .options = Frame(8, 1)} / kTcp443;
  cases.push_back(passed("within IPv4 options", cut(options, 14 + 25), outcome));
  cases.push_back(passed("one byte less than options and TCP header", cut(options, 14 + 28 + 19), outcome));
  Frame short_header = tcp4;
  short_header[14] = 0x44;
  cases.push_back(passed("IPv4 header of four words", short_header, outcome));
  Frame version = tcp4;
  version[14] = 0x65;
  cases.push_back(passed("IPv4 header of version 6", version, outcome));
}

}  // namespace

std::vector<GoldenCase> passed_cases() {
  std::vector<GoldenCase> cases;
  add_not_ip(cases);
  add_not_for_vipa(cases);
  add_from_vipa(cases);
  add_for_vipa(cases);
  add_no_port(cases);
  add_truncated(cases);
  return cases;
}

std::vector<GoldenCase> dropped_cases() {
  std::vector<GoldenCase> cases;
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    const auto to = [&address](std::uint16_t port) -> Frame {
      return kIn / from_client(address) / Tcp{.destination_port = port, .flags = kSyn};
    };
    cases.push_back(dropped("port without rows" + family, to(81), XDPLB_OUTCOME_NO_SERVER));
    cases.push_back(dropped("row of nobody" + family, to(85), XDPLB_OUTCOME_NO_SERVER));
    cases.push_back(dropped("row whose cur is nobody" + family, to(89), XDPLB_OUTCOME_NO_SERVER));
    cases.push_back(forwarded("old flow of a row whose cur is nobody" + family,
                              from_client(address) / Tcp{.destination_port = 89}, 1));
    cases.push_back(dropped("server all zero" + family, to(82), XDPLB_OUTCOME_SERVER_GONE));
    cases.push_back(dropped("server without a way out" + family, to(87), XDPLB_OUTCOME_SERVER_GONE));
    cases.push_back(dropped("slot without a device" + family, to(83), XDPLB_OUTCOME_NO_EGRESS));
    cases.push_back(dropped("free slot" + family, to(84), XDPLB_OUTCOME_NO_EGRESS));
  }
  cases.push_back(dropped("a family without rows beside one with",
                          kIn / from_client(kWeb6) / Tcp{.destination_port = 91}, XDPLB_OUTCOME_NO_SERVER));
  cases.push_back(
      dropped("behind IPv4 options",
              kIn / Ipv4{.source = kClient4, .destination = kWeb4, .options = {1}} / Tcp{.destination_port = 83},
              XDPLB_OUTCOME_NO_EGRESS));
  cases.push_back(dropped(
      "in QinQ", kIn / Vlan{.tag = kTypeServiceVlan} / Vlan{} / from_client(kWeb6) / Tcp{.destination_port = 82},
      XDPLB_OUTCOME_SERVER_GONE));
  return cases;
}

}  // namespace xdplb::test
