// SPDX-License-Identifier: GPL-2.0-only
// The table of frames: what comes in, what must leave, how it is counted. Written out by hand, without the reference
// model, so that the model is held against it as well as the program.
#pragma once

#include "support/packet.h"
#include "support/reference_model.h"
#include "support/setup.h"

#include <cstdint>
#include <string>
#include <vector>

namespace xdplb::test {

inline const MacAddress kDispatcherMac = mac("02:00:00:00:d1:01");
inline const MacAddress kRouterMac = mac("02:00:00:00:00:fe");
inline const MacAddress kIngressMac = mac("02:00:00:00:e1:01");  // source of frames that leave as they came
inline const MacAddress kOtherMac = mac("02:00:00:00:e2:02");    // source of redirected frames

// Where the golden frames come from and go to.
inline const IpAddress kClient4 = ip("198.51.100.77");
inline const IpAddress kClient6 = ip("2001:db8:77::1");
inline const IpAddress kWeb4 = ip("192.0.2.10");
inline const IpAddress kWeb6 = ip("2001:db8::10");
inline const IpAddress kDns4 = ip("192.0.2.53");
inline const IpAddress kDns6 = ip("2001:db8::53");
inline const IpAddress kBare4 = ip("203.0.113.9");  // a cluster without ports
inline const IpAddress kForeign4 = ip("192.0.2.11");
inline const IpAddress kForeign6 = ip("2001:db8::11");

inline const IpAddress kDead4 = ip("203.0.113.10");  // a cluster whose servers are all down
inline const IpAddress kDead6 = ip("2001:db8::dead");
inline const IpAddress kSticky4 = ip("192.0.2.30");  // a cluster whose ports hash the client's network
inline const IpAddress kSticky6 = ip("2001:db8::30");
inline const IpAddress kRouted4 = ip("198.18.77.1");  // in the network of a cluster
inline const IpAddress kRouted6 = ip("2001:db8:f123::1");
inline const IpAddress kLonger4 = ip("198.18.5.1");  // in a longer network, of another cluster
inline const IpAddress kExact4 = ip("198.18.5.7");   // within that one, an address of a third cluster

inline const MacAddress kPeerMac = mac("02:00:00:00:be:ef");  // another dispatcher

inline const Ethernet kIn{.destination = kDispatcherMac, .source = kRouterMac};

// MAC of a server of the golden setup.
MacAddress server_mac(std::uint16_t index);

// Clusters web, dns and one without ports; a port for each way a journey can end.
//
// ingress, other  interfaces: egress slots 1 and 63 are the first, 2 the second, 3 the second without a device
DataplaneSetup golden_setup(std::uint32_t ingress, std::uint32_t other);

struct GoldenCase {
  std::string description;
  Frame frame;
  Journey expected;
  std::vector<Frame> before{};  // come first; what becomes of them is another case's matter
};

// What a packet is counted as beside packets and bytes.
enum class Flow { kNone, kNew, kClosed, kNewAndClosed };

// `rest`, behind kIn, leaves with the MACs of server and egress and is counted.
GoldenCase forwarded(std::string description, const Packet& rest, std::uint16_t server, Flow flow = Flow::kNone);
GoldenCase redirected(std::string description, const Packet& rest, std::uint16_t server, Flow flow = Flow::kNone);
// `rest` leaves as `leaves`, through the interface it came from unless `outcome` says otherwise.
GoldenCase changed(std::string description, const Frame& frame, std::uint16_t server, const Frame& leaves,
                   xdplb_outcome outcome = XDPLB_OUTCOME_FORWARDED, Flow flow = Flow::kNone);
GoldenCase passed(std::string description, const Frame& frame, xdplb_outcome outcome);
GoldenCase dropped(std::string description, const Frame& frame, xdplb_outcome outcome);
// Answered by the dispatcher with the frame `answer`.
GoldenCase answered(std::string description, const Frame& frame, const Frame& answer, xdplb_outcome outcome);
GoldenCase behind(std::vector<Frame> before, GoldenCase golden);

Frame cut(Frame frame, std::size_t size);

std::vector<GoldenCase> forwarded_cases();
std::vector<GoldenCase> passed_cases();
std::vector<GoldenCase> dropped_cases();
std::vector<GoldenCase> header_cases();
std::vector<GoldenCase> icmp_cases();
std::vector<GoldenCase> way_cases();
std::vector<GoldenCase> refusal_cases();
// All of the above.
std::vector<GoldenCase> golden_cases();

// Headers of a client's packet to `destination`, of its family.
Packet from_client(const IpAddress& destination);

}  // namespace xdplb::test
