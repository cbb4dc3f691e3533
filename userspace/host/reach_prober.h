// SPDX-License-Identifier: GPL-2.0-only
// ReachProber: asks machines again and again through given interfaces, and tells how often in a row they were silent.
#pragma once

#include "base/result.h"
#include "host/host_state.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// Who is asked through which interface.
struct ReachQuestion {
  std::uint32_t ifindex = 0;
  IpAddress target;
  auto operator<=>(const ReachQuestion&) const = default;
};

// An interface that questions go through.
struct ReachInterface {
  std::uint32_t ifindex = 0;
  std::string name;  // for messages and SO_BINDTODEVICE
  MacAddress mac;
  std::vector<IpPrefix> prefixes{};  // its own addresses with their networks, no VIPA
  bool operator==(const ReachInterface&) const = default;
};

// A target on a network of the interface is asked by ARP or a neighbour solicitation from the interface's own address
// of that network (a link-local one will do for IPv6), any other by an ICMP echo request bound to the interface: it
// needs a route through that interface, and rp_filter other than 1 where the best route is another's. The answer must
// come from the target to us on that interface. The first question to a machine is broadcast (multicast), further ones
// go to the MAC that answered last, as long as it answers. Never a question from a VIPA. Not thread-safe: everything
// runs on the io_context's thread. Needs CAP_NET_RAW.
class ReachProber {
 public:
  struct Outcome {
    ReachQuestion question;
    unsigned missed = 0;              // rounds in a row without an answer; 0: it answered
    std::optional<MacAddress> mac{};  // that answered, for ARP and ND
  };
  // After an answer that ends a silence, the first answer ever, one from another MAC, and after every round without
  // one. Called from the io_context; it may call the prober.
  using Handler = std::function<void(const Outcome&)>;

  // The io_context must outlive the prober.
  explicit ReachProber(boost::asio::io_context& io);
  ~ReachProber();
  ReachProber(const ReachProber&) = delete;
  ReachProber& operator=(const ReachProber&) = delete;

  void on_outcome(Handler handler);

  // The whole list of questions and of the interfaces they go through; questions that stay keep their count. A new one
  // is asked at once, at most 500 in 10 ms; each then has a round of its own, so that they spread over the interval.
  // Idempotent. Questions through an interface that is not listed wait. Returns the first socket that
  // could not be opened; tried again at the next round.
  Result<void> set(const std::vector<ReachInterface>& interfaces, const std::vector<ReachQuestion>& questions,
                   std::chrono::milliseconds interval);

  // Asks now, and every 100 ms until it answered or missed 3 in a row: somebody has reason to doubt. Unknown questions
  // and those in a hurry already are left alone.
  void hurry(const ReachQuestion& question);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
