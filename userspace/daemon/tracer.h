// SPDX-License-Identifier: GPL-2.0-only
// Tracer: verdicts of single packets, for as long as somebody asks for them.
#pragma once

#include "control/request.h"
#include "daemon/explain.h"
#include "daemon/forwarding.h"
#include "dataplane/trace_ring.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>

namespace xdplb {

class Tracer {
 public:
  static constexpr std::size_t kKept = 8192;  // records; older ones are forgotten
  static constexpr auto kLease = std::chrono::seconds(5);

  explicit Tracer(boost::asio::io_context& io) : timer_(io) {}

  // Begins, or goes on, to trace what the request names, until nobody has asked for kLease. One trace at a time: what
  // is asked for last counts. Returns the records after the one the request names.
  //
  // Errors: kUsage for an outcome that is none; os_error.
  Reply poll(const TraceRequest& request, Forwarding& forwarding, const InterfaceName& name);
  // Ends it. To be called before the forwarding goes.
  void stop();

 private:
  struct Record {
    std::uint64_t id;
    xdplb_trace_record record;
  };
  Result<void> start(std::uint64_t outcomes, std::uint32_t sample, Forwarding& forwarding);
  void read_soon();
  void read();

  boost::asio::steady_timer timer_;
  Forwarding* forwarding_ = nullptr;  // while tracing
  std::unique_ptr<TraceRing> ring_;
  std::deque<Record> records_;
  std::uint64_t last_id_ = 0;
  std::uint64_t outcomes_ = 0;
  std::uint32_t sample_ = 1;
  std::chrono::steady_clock::time_point asked_;
};

}  // namespace xdplb
