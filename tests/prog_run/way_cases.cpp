// SPDX-License-Identifier: GPL-2.0-only
// Golden frames on ways that change more than the MACs, and of clusters that are networks.
#include "golden_cases.h"

namespace xdplb::test {
namespace {

const Vlan kSeven{.id = 7, .priority = 3};
const Vlan kService{.id = 4000, .priority = 6, .tag = kTypeServiceVlan};

Ethernet out(std::uint16_t server, const MacAddress& source) {
  return {.destination = server_mac(server), .source = source};
}

Vlan with_id(Vlan tag, std::uint16_t id) {
  tag.id = id;
  return tag;
}

void add_tags(std::vector<GoldenCase>& cases) {
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    const Packet set = from_client(address) / Tcp{.destination_port = 100, .flags = kSyn} / payload(3);
    const Packet none = from_client(address) / Udp{.destination_port = 101} / payload(3);
    const Ethernet to_set = out(10, kIngressMac);
    const Ethernet to_none = out(11, kIngressMac);
    const xdplb_outcome forwarded_too = XDPLB_OUTCOME_FORWARDED;
    cases.push_back(
        changed("a tag is put in" + family, kIn / set, 10, to_set / Vlan{.id = 100} / set, forwarded_too, Flow::kNew));
    cases.push_back(changed("a tag gets another VLAN" + family, kIn / kSeven / set, 10,
                            to_set / with_id(kSeven, 100) / set, forwarded_too, Flow::kNew));
    cases.push_back(changed("the outer tag gets another VLAN" + family, kIn / kService / kSeven / set, 10,
                            to_set / with_id(kService, 100) / kSeven / set, forwarded_too, Flow::kNew));
    cases.push_back(changed("nothing to take out" + family, kIn / none, 11, to_none / none));
    cases.push_back(changed("a tag is taken out" + family, kIn / kSeven / none, 11, to_none / none));
    cases.push_back(
        changed("the outer tag is taken out" + family, kIn / kService / kSeven / none, 11, to_none / kSeven / none));
    cases.push_back(changed("a tag is taken out through another interface" + family,
                            kIn / kSeven / from_client(address) / Tcp{.destination_port = 105}, 15,
                            out(15, kOtherMac) / from_client(address) / Tcp{.destination_port = 105},
                            XDPLB_OUTCOME_REDIRECTED));
  }
  // Drop eligible, the bit between priority and VLAN, stays.
  const Packet packet = from_client(kWeb4) / Tcp{.destination_port = 100};
  Frame in = kIn / kSeven / packet;
  Frame leaves = out(10, kIngressMac) / with_id(kSeven, 100) / packet;
  in[14] |= 0x10;
  leaves[14] |= 0x10;
  cases.push_back(changed("the drop bit of a tag stays", in, 10, leaves));
}

Packet with_ttl(const IpAddress& destination, std::uint8_t ttl, Frame options = {}) {
  if (destination.is_v4()) {
    return {
        .layers = {Ipv4{.source = kClient4, .destination = destination, .ttl = ttl, .options = std::move(options)}}};
  }
  return {.layers = {Ipv6{.source = kClient6, .destination = destination, .hop_limit = ttl}}};
}

void add_ttl(std::vector<GoldenCase>& cases) {
  const Tcp tcp{.destination_port = 102};
  const Tcp tagged{.destination_port = 104};
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    for (const std::uint8_t ttl : std::initializer_list<std::uint8_t>{2, 64, 255}) {
      const auto less = static_cast<std::uint8_t>(ttl - 1);
      cases.push_back(changed("TTL " + std::to_string(ttl) + " less one" + family, kIn / with_ttl(address, ttl) / tcp,
                              12, out(12, kIngressMac) / with_ttl(address, less) / tcp));
    }
    for (const std::uint8_t ttl : std::initializer_list<std::uint8_t>{0, 1}) {
      cases.push_back(dropped("TTL " + std::to_string(ttl) + " ran out" + family, kIn / with_ttl(address, ttl) / tcp,
                              XDPLB_OUTCOME_TTL_EXPIRED));
    }
    cases.push_back(changed("another interface, tag and TTL" + family, kIn / with_ttl(address, 9) / tagged, 14,
                            out(14, kOtherMac) / Vlan{.id = 4094} / with_ttl(address, 8) / tagged,
                            XDPLB_OUTCOME_REDIRECTED));
  }
  cases.push_back(changed("TTL behind options", kIn / with_ttl(kWeb4, 9, {1, 1, 1, 1}) / tcp, 12,
                          out(12, kIngressMac) / with_ttl(kWeb4, 8, {1, 1, 1, 1}) / tcp));
}

void add_local(std::vector<GoldenCase>& cases) {
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    const auto frame = [&](std::uint8_t flags) -> Frame {
      return kIn / kSeven / from_client(address) / Tcp{.destination_port = 103, .flags = flags};
    };
    cases.push_back(changed("for this host" + family, frame(kAck), 13, frame(kAck), XDPLB_OUTCOME_LOCAL));
    cases.push_back(
        changed("SYN for this host" + family, frame(kSyn), 13, frame(kSyn), XDPLB_OUTCOME_LOCAL, Flow::kNew));
  }
}

void add_loops(std::vector<GoldenCase>& cases) {
  const auto from = [](const MacAddress& source) { return Ethernet{.destination = kDispatcherMac, .source = source}; };
  // Same last byte modulo 64 as a peer: the filter alone must not decide.
  const MacAddress like_peer = mac("02:00:00:00:be:2f");
  for (const IpAddress& address : {kWeb4, kWeb6}) {
    const std::string family = address.is_v4() ? ", v4" : ", v6";
    const Packet packet = from_client(address) / Tcp{.destination_port = 443};
    const Packet far = from_client(address) / Tcp{.destination_port = 8443};
    const xdplb_outcome loop = XDPLB_OUTCOME_LOOP;
    cases.push_back(dropped("from its own server" + family, from(server_mac(1)) / packet, loop));
    cases.push_back(dropped("from its own server on another interface" + family, from(server_mac(3)) / far, loop));
    cases.push_back(dropped("from another dispatcher" + family, from(kPeerMac) / packet, loop));
    cases.push_back(dropped("from the first other dispatcher" + family, from(mac("02:00:00:00:00:af")) / packet, loop));
    cases.push_back(dropped("from another dispatcher to another interface" + family, from(kPeerMac) / far, loop));
    cases.push_back(dropped("from another dispatcher to this host" + family,
                            from(kPeerMac) / from_client(address) / Tcp{.destination_port = 103}, loop));
    cases.push_back(
        changed("from somebody like a dispatcher" + family, from(like_peer) / packet, 1, out(1, kIngressMac) / packet));
    cases.push_back(
        changed("from another server" + family, from(server_mac(2)) / packet, 1, out(1, kIngressMac) / packet));
    cases.push_back(passed("not for a VIPA, from another dispatcher" + family,
                           from(kPeerMac) / from_client(address.is_v4() ? kForeign4 : kForeign6) / Tcp{},
                           XDPLB_OUTCOME_NOT_FOR_VIPA));
  }
}

void add_networks(std::vector<GoldenCase>& cases) {
  const auto tcp = [](const char* to, std::uint16_t port) {
    return from_client(ip(to)) / Tcp{.destination_port = port};
  };
  cases.push_back(forwarded("first address of a network", tcp("198.18.0.0", 80), 1));
  cases.push_back(forwarded("last address of a network", tcp("198.19.255.255", 80), 1));
  cases.push_back(forwarded("first address of an IPv6 network", tcp("2001:db8:f000::", 80), 1));
  cases.push_back(forwarded("last address of an IPv6 network", tcp("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 80), 1));
  cases.push_back(forwarded("UDP to a network", from_client(kRouted4) / Udp{.destination_port = 53}, 2));
  cases.push_back(forwarded("any port of a network", from_client(kRouted6) / Tcp{.destination_port = 7}, 9));
  cases.push_back(forwarded("the longer network takes it", from_client(kLonger4) / Tcp{.destination_port = 80}, 2));
  cases.push_back(forwarded("the address itself takes it", from_client(kExact4) / Tcp{.destination_port = 81}, 9));
  for (const char* outside : {"198.17.255.255", "198.20.0.0", "2001:db8:efff::1", "2001:db9:f000::"}) {
    cases.push_back(passed(outside, kIn / tcp(outside, 80), XDPLB_OUTCOME_NOT_FOR_VIPA));
  }
  cases.push_back(passed("a port that only the shorter network has",
                         kIn / from_client(kLonger4) / Tcp{.destination_port = 7}, XDPLB_OUTCOME_NO_PORT));
  cases.push_back(passed("a port that only the network has", kIn / from_client(kExact4) / Tcp{.destination_port = 80},
                         XDPLB_OUTCOME_NO_PORT));
  cases.push_back(passed("from an address of a network",
                         kIn / Ipv4{.source = kRouted4, .destination = kClient4} / Tcp{}, XDPLB_OUTCOME_NOT_FOR_VIPA));
  cases.push_back(
      forwarded("a network's packet with options",
                Ipv4{.source = kClient4, .destination = kRouted4, .options = {1}} / Tcp{.destination_port = 80}, 1));
}

}  // namespace

std::vector<GoldenCase> way_cases() {
  std::vector<GoldenCase> cases;
  add_tags(cases);
  add_ttl(cases);
  add_local(cases);
  add_loops(cases);
  add_networks(cases);
  return cases;
}

}  // namespace xdplb::test
