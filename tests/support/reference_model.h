// SPDX-License-Identifier: GPL-2.0-only
// The packet path again, in plain C++ and slowly: what xdplb/outcomes.h and xdplb/maps.h promise of one frame. Written
// from those promises and not from bpf/, so that the two can be held against each other.
#pragma once

#include "flow_table.h"
#include "kernel_layout.h"
#include "packet.h"
#include "reading.h"
#include "setup.h"

#include "xdplb/maps.h"
#include "xdplb/outcomes.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace xdplb::test {

// "forwarded", "not_ip" ...; "none" for XDPLB_CONTINUE, "unknown" for what is no outcome.
std::string_view outcome_name(int outcome);
// XDP_TX, ... as outcomes.h says it.
int outcome_verdict(int outcome);
// "TX", "PASS", ... or the number.
std::string verdict_name(int verdict);

// What a frame's journey must come to.
struct Journey {
  xdplb_outcome outcome = XDPLB_CONTINUE;
  int verdict = 0;                         // XDP_*
  std::optional<Frame> frame{};            // as it leaves; nullopt: dropped, nobody sees it
  std::uint16_t server = 0;                // that counts the packet; 0: none
  xdplb_counters counters{};               // what is added to the server's
  std::optional<std::uint16_t> options{};  // whose outcomes count it; nullopt: not said
  unsigned how = 0;                        // XDPLB_HOW_* of a packet with a server
};

// What `mask` leaves of an address, shifted to the low end of each half.
FlowAddress masked_address(const IpAddress& address, const ClientMask& mask);
// Row of a client within a slice: the twin of the program's hash, with what `mask` leaves of the client.
std::uint32_t masked_row(const Endpoint& client, const HashSeeds& seeds, const ClientMask& mask,
                         std::uint32_t row_mask);

inline constexpr std::uint32_t kFlowBuckets = 1024;  // of tests that do not ask for another number
inline constexpr FlowSeeds kFlowSeeds{0x5851f42d4c957f2d, 0x14057b7ef767814f};
inline constexpr std::uint32_t kFirstStamp = 1000;   // the time at which tests begin
inline constexpr std::uint32_t kFragmentTicks = 30;  // a fragment's later ones come that soon, or never

class ReferenceModel {
 public:
  explicit ReferenceModel(DataplaneSetup setup, std::uint32_t flow_buckets = kFlowBuckets);

  // ingress  ifindex the frame comes in by
  Journey run(const Frame& frame, std::uint32_t ingress);

  void set_now(std::uint32_t stamp) { now_ = stamp; }
  std::uint32_t now() const { return now_; }
  void write_row(std::uint32_t row, std::uint32_t word) { rows_[row] = word; }
  std::uint32_t row(std::uint32_t row) const;
  void write_server(std::uint16_t index, const ServerSetup& server) { setup_.servers[index] = server; }
  // As the daemon does with an entry whose time is up.
  void erase_flow(std::uint64_t tag);
  // See FlowLocator: without one, of two buckets with room it is the first.
  void set_locator(FlowLocator locate) { locate_ = std::move(locate); }

  const DataplaneSetup& setup() const { return setup_; }
  const PortLayout& layout() const { return layout_; }
  const FlowTable& flows() const { return flows_; }
  // Low half of the stamp of the last touch; 0: none.
  std::uint16_t touch(std::uint32_t row) const;
  xdplb_state state(std::uint16_t options) const;
  std::uint32_t active(std::uint16_t server) const;

 private:
  // A line of `ports`: what it says and where its parts lie.
  struct Line {
    const PortSetup* port = nullptr;
    const LinePlace* place = nullptr;
  };
  struct Cluster {
    const ClusterSetup* setup = nullptr;
    const ClusterPlace* place = nullptr;
  };
  // One packet on its way.
  struct Trip {
    const Frame& frame;
    std::uint32_t ingress = 0;
    IpReading ip{};
    TransportReading transport{};
    bool is_tcp_or_udp = false;  // whose flags are counted
    bool is_new_udp = false;     // written down
    std::uint16_t options = 0;
    unsigned how = 0;
  };
  struct Owners {
    std::uint32_t row = 0;
    std::uint16_t base = 0;
    std::uint16_t cur = 0;
    bool is_settled = false;
  };
  // What choosing a server came to: a server, 0 for none, or the end of the journey.
  struct Choice {
    std::uint16_t server = 0;
    xdplb_outcome end = XDPLB_CONTINUE;
  };

  std::optional<Cluster> cluster_of(const IpAddress& address) const;
  bool is_vipa(const IpAddress& address) const { return by_address_.contains(address); }
  std::optional<Line> line_of(const Cluster& cluster, int protocol, std::uint16_t number, bool for_fragments) const;
  std::optional<Line> port_of(const Cluster& cluster, int protocol, std::uint16_t number) const;
  Owners owners_of(const Line& line, const Endpoint& client) const;
  bool is_usable(std::uint16_t index) const;
  std::uint16_t server_of_echo(const Cluster& cluster, const IpAddress& client) const;

  Journey run_for_vipa(Trip& trip, const Cluster& cluster);
  Journey run_later_fragment(Trip& trip, const Cluster& cluster);
  Journey run_icmp(Trip& trip, const Cluster& cluster);
  Journey run_echo(Trip& trip, const Cluster& cluster);
  Journey run_icmp_error(Trip& trip, const Cluster& cluster);
  Journey run_transport(Trip& trip, const Cluster& cluster);
  Journey forward_first(Trip& trip, std::uint16_t server, xdplb_no_server policy);
  Journey forward(Trip& trip, std::uint16_t index);
  static Journey refuse(Trip& trip, xdplb_no_server policy);
  static Journey reset_or(Trip& trip, xdplb_outcome otherwise);
  static xdplb_counters counters_of(const Trip& trip);

  Choice choose(Trip& trip, const Line& line);
  std::uint16_t follow(Trip& trip, FlowValue& entry);
  std::uint16_t open(Trip& trip, const Line& line, const Owners& owners, xdplb_flow_state state);
  Choice choose_unknown(Trip& trip, const Line& line, const Owners& owners);
  std::uint16_t pick(const Line& line, std::uint16_t cur);
  std::uint16_t pick_fewest(const PortSetup& port, std::size_t start) const;
  std::uint16_t wanted_by_client(Trip& trip, const Line& line, const Owners& owners);
  std::uint16_t own_server_like(const PortSetup& port, std::uint16_t server) const;
  bool is_within_limit(const Line& line);
  bool write_flow(std::uint64_t tag, const FlowValue& value);
  void touch_row(std::uint32_t row) { touches_[row] = static_cast<std::uint16_t>(now_); }

  static FlowKey flow_key(const Trip& trip);
  static FlowKey client_key(const Trip& trip, const Line& line);
  static FlowKey fragment_key(const IpReading& ip);

  DataplaneSetup setup_;
  PortLayout layout_;
  std::map<IpAddress, std::size_t> by_address_;  // index of the cluster
  std::map<std::uint32_t, std::uint32_t> rows_;
  std::map<std::uint32_t, std::uint16_t> touches_;
  std::map<std::uint16_t, xdplb_state> states_;
  std::map<std::uint16_t, std::uint32_t> active_;
  FlowTable flows_;
  std::set<std::uint64_t> client_tags_;  // entries of flows_ that are clients
  FragmentTable fragments_;
  FlowLocator locate_;
  std::uint32_t now_ = kFirstStamp;
};

// One frame against a setup in which nothing has happened yet.
Journey expected_journey(const DataplaneSetup& setup, const Frame& frame, std::uint32_t ingress);

}  // namespace xdplb::test
