// SPDX-License-Identifier: GPL-2.0-only
#include "golden_cases.h"

namespace xdplb::test {
namespace {

Packet tagged(std::initializer_list<Vlan> tags, const Packet& rest) {
  Packet packet;
  for (const Vlan& tag : tags) packet.layers.emplace_back(tag);
  packet.layers.insert(packet.layers.end(), rest.layers.begin(), rest.layers.end());
  return packet;
}

void add_tags(std::vector<GoldenCase>& cases) {
  const Vlan customer{.id = 7, .priority = 3};
  const Vlan service{.id = 4094, .priority = 6, .tag = kTypeServiceVlan};
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const std::string family = address.is_v4() ? "v4" : "v6";
    const Packet tcp = from_client(address) / Tcp{.destination_port = 443} / payload(11);
    const Packet udp = from_client(address) / Udp{.destination_port = 53} / payload(12);
    cases.push_back(forwarded("TCP " + family, tcp, 1));
    cases.push_back(forwarded("UDP " + family, udp, 2));
    cases.push_back(forwarded("TCP in a 802.1Q tag, " + family, tagged({customer}, tcp), 1));
    cases.push_back(forwarded("UDP in a 802.1Q tag, " + family, tagged({customer}, udp), 2));
    cases.push_back(forwarded("TCP in a 802.1ad tag, " + family, tagged({service}, tcp), 1));
    cases.push_back(forwarded("TCP in QinQ, " + family, tagged({service, customer}, tcp), 1));
    cases.push_back(forwarded("UDP in two 802.1Q tags, " + family, tagged({customer, customer}, udp), 2));
    cases.push_back(forwarded("UDP in two 802.1ad tags, " + family, tagged({service, service}, udp), 2));
    cases.push_back(forwarded("port 0 in QinQ, " + family,
                              tagged({service, customer}, from_client(address) / Tcp{.destination_port = 1}), 9));
  }
}

void add_ports(std::vector<GoldenCase>& cases) {
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const Packet client = from_client(address);
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    cases.push_back(forwarded("port 0 takes what no entry names" + family, client / Tcp{.destination_port = 22}, 9));
    cases.push_back(
        forwarded("port 0 takes TCP where only UDP has an entry" + family, client / Tcp{.destination_port = 53}, 9));
    cases.push_back(forwarded("port 0 takes a packet to port 0" + family, client / Tcp{.destination_port = 0}, 9));
    cases.push_back(forwarded("port 0 takes port 65535" + family, client / Tcp{.destination_port = 65535}, 9));
    cases.push_back(
        forwarded("port 0 counts a SYN" + family, client / Tcp{.destination_port = 22, .flags = kSyn}, 9, Flow::kNew));
    cases.push_back(forwarded("port 65535" + family, client / Udp{.destination_port = 65535}, 2));
    cases.push_back(forwarded("client port 0" + family, client / Tcp{.source_port = 0, .destination_port = 443}, 1));
    const Frame syn = kIn / client / Tcp{.destination_port = 86, .flags = kSyn};
    cases.push_back(forwarded("cur takes the SYN of a moving row" + family,
                              client / Tcp{.destination_port = 86, .flags = kSyn}, 2, Flow::kNew));
    cases.push_back(behind({syn}, forwarded("cur keeps what was written down" + family,
                                            client / Tcp{.destination_port = 86, .flags = kAck}, 2)));
    cases.push_back(forwarded("base takes what is not written down" + family,
                              client / Tcp{.destination_port = 86, .flags = kAck}, 1));
    cases.push_back(forwarded("egress in the last slot" + family, client / Tcp{.destination_port = 88}, 7));
    cases.push_back(forwarded("each family has its own rows" + family, client / Tcp{.destination_port = 90},
                              address.is_v4() ? 1 : 2));
  }
  cases.push_back(
      forwarded("a family with rows beside one without", from_client(kWeb4) / Tcp{.destination_port = 91}, 1));
  for (const IpAddress& address : {kDns4, kDns6}) {
    const Packet client = from_client(address);
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    cases.push_back(forwarded("one port number, UDP" + family, client / Udp{.destination_port = 53}, 1));
    cases.push_back(forwarded("one port number, TCP" + family, client / Tcp{.destination_port = 53}, 2));
    cases.push_back(forwarded("port 0 of UDP" + family, client / Udp{.destination_port = 54}, 9));
  }
}

void add_headers(std::vector<GoldenCase>& cases) {
  const Tcp tcp{.destination_port = 443};
  const Udp udp{.destination_port = 53};
  const auto v4 = [](Frame options, std::uint8_t ttl, bool dont_fragment) {
    return Ipv4{.source = kClient4,
                .destination = kWeb4,
                .ttl = ttl,
                .options = std::move(options),
                .dont_fragment = dont_fragment};
  };
  cases.push_back(forwarded("don't-fragment is no fragment", v4({}, 64, true) / tcp / payload(3), 1));
  cases.push_back(forwarded("TTL 1 stays 1", v4({}, 1, false) / tcp, 1));
  cases.push_back(forwarded("4 bytes of IPv4 options, TCP", v4({0x94, 4, 0, 0}, 64, true) / tcp, 1));
  cases.push_back(forwarded("4 bytes of IPv4 options, UDP", v4({0x94, 4, 0, 0}, 64, true) / udp / payload(9), 2));
  cases.push_back(forwarded("40 bytes of IPv4 options, TCP", v4(Frame(40, 1), 64, false) / tcp / payload(1), 1));
  cases.push_back(forwarded("40 bytes of IPv4 options, UDP", v4(Frame(40, 1), 64, false) / udp, 2));
  cases.push_back(forwarded("IPv4 options count a SYN",
                            v4({1, 1, 1, 0}, 64, false) / Tcp{.destination_port = 443, .flags = kSyn}, 1, Flow::kNew));
  cases.push_back(forwarded("IPv4 options to port 0", v4({1, 1, 1, 0}, 64, false) / Tcp{.destination_port = 22}, 9));
  cases.push_back(redirected("IPv4 options through another interface",
                             v4({1, 1, 1, 0}, 64, false) / Udp{.destination_port = 8443}, 3));
  cases.push_back(forwarded("IPv4 options in QinQ",
                            Vlan{.id = 2, .tag = kTypeServiceVlan} / Vlan{.id = 3} / v4({1, 1, 1, 0}, 64, false) / udp,
                            2));
  cases.push_back(forwarded("hop limit 1 stays 1",
                            Ipv6{.source = kClient6, .destination = kWeb6, .hop_limit = 1} / tcp / payload(2), 1));
  cases.push_back(
      forwarded("TCP options", from_client(kWeb4) / Tcp{.destination_port = 443, .options = {2, 4, 5, 0xb4, 4, 2}}, 1));
  cases.push_back(forwarded("empty UDP", from_client(kWeb6) / udp, 2));
  cases.push_back(forwarded("1460 bytes of data", from_client(kWeb4) / tcp / payload(1460), 1));
  cases.push_back(forwarded("from a VIPA to a VIPA",
                            Ipv4{.source = kDns4, .destination = kWeb4} / Tcp{.destination_port = 443}, 1));
}

void add_flags(std::vector<GoldenCase>& cases) {
  const auto with = [](std::uint8_t flags) {
    return from_client(kWeb4) / Tcp{.destination_port = 443, .flags = flags};
  };
  cases.push_back(forwarded("SYN is a new flow", with(kSyn), 1, Flow::kNew));
  cases.push_back(forwarded("SYN with ECN is a new flow", with(kSyn | 0xc0), 1, Flow::kNew));
  cases.push_back(forwarded("SYN+ACK is no new flow", with(kSyn | kAck), 1));
  cases.push_back(forwarded("ACK is neither", with(kAck), 1));
  cases.push_back(forwarded("PSH+ACK+URG is neither", with(kPsh | kAck | 0x20), 1));
  cases.push_back(forwarded("no flag is neither", with(0), 1));
  cases.push_back(forwarded("FIN+ACK closes", with(kFin | kAck), 1, Flow::kClosed));
  cases.push_back(forwarded("FIN closes", with(kFin), 1, Flow::kClosed));
  cases.push_back(forwarded("RST closes", with(kRst), 1, Flow::kClosed));
  cases.push_back(forwarded("RST+ACK closes", with(kRst | kAck), 1, Flow::kClosed));
  cases.push_back(forwarded("FIN+RST closes once", with(kFin | kRst), 1, Flow::kClosed));
  cases.push_back(forwarded("SYN+ACK+FIN closes", with(kSyn | kAck | kFin), 1, Flow::kClosed));
  cases.push_back(
      forwarded("SYN, v6", from_client(kWeb6) / Tcp{.destination_port = 443, .flags = kSyn}, 1, Flow::kNew));
  cases.push_back(
      forwarded("FIN, v6", from_client(kWeb6) / Tcp{.destination_port = 443, .flags = kFin | kAck}, 1, Flow::kClosed));
  // The byte where TCP has its flags is data here.
  cases.push_back(
      forwarded("UDP has no flags", from_client(kWeb4) / Udp{.destination_port = 53} / Payload{Frame(20, 2)}, 2));
}

void add_redirects(std::vector<GoldenCase>& cases) {
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const Packet client = from_client(address);
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    cases.push_back(redirected("TCP through another interface" + family, client / Tcp{.destination_port = 8443}, 3));
    cases.push_back(
        redirected("UDP through another interface" + family, client / Udp{.destination_port = 8443} / payload(30), 3));
    cases.push_back(redirected("SYN through another interface" + family,
                               client / Tcp{.destination_port = 8443, .flags = kSyn}, 3, Flow::kNew));
    cases.push_back(redirected("RST through another interface" + family,
                               client / Tcp{.destination_port = 8443, .flags = kRst}, 3, Flow::kClosed));
    cases.push_back(redirected("a tag stays through another interface" + family,
                               Vlan{.id = 5} / client / Tcp{.destination_port = 8443}, 3));
  }
}

}  // namespace

std::vector<GoldenCase> forwarded_cases() {
  std::vector<GoldenCase> cases;
  add_tags(cases);
  add_ports(cases);
  add_headers(cases);
  add_flags(cases);
  add_redirects(cases);
  return cases;
}

}  // namespace xdplb::test
