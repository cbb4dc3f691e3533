// SPDX-License-Identifier: GPL-2.0-only
// Golden frames that no server takes, or that belong to no known connection: passed, dropped or reset as the port asks.
#include "golden_cases.h"

#include <optional>

namespace xdplb::test {
namespace {

struct Segment {
  std::string description;
  std::uint8_t flags;
  std::size_t data = 0;
};

// The reset that RFC 9293 3.10.7.1 wants for a segment with sequence number 1000 and acknowledgment 5000.
std::optional<Tcp> reset_for(const Segment& segment, std::uint16_t port) {
  if ((segment.flags & kRst) != 0) return std::nullopt;
  Tcp reset{.source_port = port, .destination_port = 40000, .window = 0};
  if ((segment.flags & kAck) != 0) {
    reset.flags = kRst;
    reset.sequence = 5000;
    reset.acknowledgment = 0;
    return reset;
  }
  reset.flags = kRst | kAck;
  reset.sequence = 0;
  const int numbers = ((segment.flags & kSyn) != 0 ? 1 : 0) + ((segment.flags & kFin) != 0 ? 1 : 0);
  reset.acknowledgment = static_cast<std::uint32_t>(1000 + static_cast<int>(segment.data) + numbers);
  return reset;
}

// A segment to `port`, answered with a reset or, where none may be, ended as `otherwise`.
GoldenCase reset_case(const Segment& segment, const IpAddress& vipa, std::uint16_t port, const Packet& tags,
                      xdplb_outcome otherwise) {
  const Tcp tcp{.destination_port = port,
                .flags = segment.flags,
                .options = Frame(segment.data % 3 * 4, 1),
                .sequence = 1000,
                .acknowledgment = 5000};
  const std::string description =
      segment.description + " to port " + std::to_string(port) + (vipa.is_v4() ? ", v4" : ", v6");
  Packet rest = tags / from_client(vipa) / tcp;
  if (segment.data != 0) rest = rest / payload(segment.data);
  const auto reset = reset_for(segment, port);
  if (!reset) return dropped(description, kIn / rest, otherwise);
  const Ethernet back{.destination = kRouterMac, .source = kDispatcherMac};
  const Packet network =
      vipa.is_v4() ? Packet{.layers = {Ipv4{
                                .source = vipa, .destination = kClient4, .dont_fragment = true, .identification = 0}}}
                   : Packet{.layers = {Ipv6{.source = vipa, .destination = kClient6}}};
  return answered(description, kIn / rest, back / tags / network / *reset, XDPLB_OUTCOME_RESET_SENT);
}

void add_resets(std::vector<GoldenCase>& cases) {
  const std::vector<Segment> segments{{.description = "SYN", .flags = kSyn},
                                      {.description = "SYN with data", .flags = kSyn, .data = 11},
                                      {.description = "SYN and FIN", .flags = kSyn | kFin, .data = 5},
                                      {.description = "ACK", .flags = kAck},
                                      {.description = "data", .flags = kAck | kPsh, .data = 700},
                                      {.description = "FIN", .flags = kFin | kAck},
                                      {.description = "FIN without ACK", .flags = kFin},
                                      {.description = "no flag", .flags = 0, .data = 3},
                                      {.description = "RST", .flags = kRst},
                                      {.description = "RST and ACK", .flags = kRst | kAck}};
  for (const IpAddress& vipa : {kWeb4, kWeb6}) {
    for (const Segment& segment : segments) {
      cases.push_back(reset_case(segment, vipa, 111, {}, XDPLB_OUTCOME_NO_SERVER));
      const bool opens = (segment.flags & (kSyn | kFin)) == kSyn;
      if (!opens) cases.push_back(reset_case(segment, vipa, 121, {}, XDPLB_OUTCOME_STALE));
    }
    cases.push_back(reset_case(segments[0], vipa, 111, Vlan{.id = 9, .tag = kTypeServiceVlan} / Vlan{.id = 3},
                               XDPLB_OUTCOME_NO_SERVER));
  }
}

void add_no_resets(std::vector<GoldenCase>& cases) {
  const xdplb_outcome none = XDPLB_OUTCOME_NO_SERVER;
  const Tcp syn{.destination_port = 111, .flags = kSyn};
  const auto v4 = [](Frame options, bool more) {
    return Ipv4{.source = kClient4, .destination = kWeb4, .options = std::move(options), .more_fragments = more};
  };
  cases.push_back(dropped("no reset behind options", kIn / v4({1}, false) / syn, none));
  cases.push_back(dropped("no reset for a fragment", kIn / v4({}, true) / syn, none));
  cases.push_back(dropped("no reset behind extension headers",
                          kIn / Ipv6{.source = kClient6, .destination = kWeb6} / Ipv6Extension{} / syn, none));
  cases.push_back(dropped("no reset behind a fragment header",
                          kIn / Ipv6{.source = kClient6, .destination = kWeb6} / Ipv6Fragment{} / syn, none));
  cases.push_back(dropped("no reset for UDP", kIn / from_client(kWeb4) / Udp{.destination_port = 111}, none));
  for (const IpAddress& vipa : {kWeb4, kWeb6}) {
    const std::string family = vipa.is_v4() ? ", v4" : ", v6";
    const std::size_t tcp = vipa.is_v4() ? 34 : 54;
    Frame short_header = kIn / from_client(vipa) / syn;
    short_header[tcp + 12] = 0x40;
    cases.push_back(dropped("no reset for a header of four words" + family, short_header, none));
    Frame long_header = kIn / from_client(vipa) / syn;
    long_header[tcp + 12] = 0x60;
    cases.push_back(dropped("no reset for a header longer than the packet" + family, long_header, none));
    Frame padded = kIn / from_client(vipa) / syn;
    padded.resize(padded.size() + 6);
    GoldenCase answer = reset_case({.description = "SYN with Ethernet padding", .flags = kSyn}, vipa, 111, {}, none);
    answer.frame.resize(answer.frame.size() + 6);
    cases.push_back(answer);
  }
}

void add_policies(std::vector<GoldenCase>& cases) {
  for (const IpAddress& vipa : {kWeb4, kWeb6}) {
    const std::string family = vipa.is_v4() ? ", v4" : ", v6";
    const Packet client = from_client(vipa);
    const xdplb_outcome left = XDPLB_OUTCOME_NO_SERVER_PASSED;
    cases.push_back(
        passed("TCP left to the kernel" + family, kIn / client / Tcp{.destination_port = 110, .flags = kSyn}, left));
    cases.push_back(passed("UDP left to the kernel" + family, kIn / client / Udp{.destination_port = 110}, left));
    cases.push_back(
        dropped("stale and dropped" + family, kIn / client / Tcp{.destination_port = 122}, XDPLB_OUTCOME_STALE));
    cases.push_back(dropped("a stale RST is dropped" + family,
                            kIn / client / Tcp{.destination_port = 122, .flags = kRst}, XDPLB_OUTCOME_STALE));
    cases.push_back(forwarded("stale and picked anew" + family, client / Tcp{.destination_port = 120}, 1));
    cases.push_back(
        forwarded("picked by turns" + family, client / Tcp{.destination_port = 122, .flags = kSyn}, 1, Flow::kNew));
    const Frame syn = kIn / client / Tcp{.destination_port = 122, .flags = kSyn};
    cases.push_back(
        behind({syn}, forwarded("not stale behind a SYN" + family, client / Tcp{.destination_port = 122}, 1)));
    cases.push_back(
        forwarded("tracked UDP is a new flow" + family, client / Udp{.destination_port = 120}, 1, Flow::kNew));
    const Frame datagram = kIn / client / Udp{.destination_port = 120};
    cases.push_back(
        behind({datagram}, forwarded("tracked UDP is new once" + family, client / Udp{.destination_port = 120}, 1)));
    cases.push_back(
        forwarded("affinity" + family, client / Tcp{.destination_port = 130, .flags = kSyn}, 1, Flow::kNew));
  }
}

}  // namespace

std::vector<GoldenCase> refusal_cases() {
  std::vector<GoldenCase> cases;
  add_resets(cases);
  add_no_resets(cases);
  add_policies(cases);
  return cases;
}

}  // namespace xdplb::test
