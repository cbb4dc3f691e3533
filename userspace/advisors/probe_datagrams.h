// SPDX-License-Identifier: GPL-2.0-only
// ProbeDatagrams: the UDP socket of one probe, whose time limit holds whatever the server does.
#pragma once

#include "advisors/probe.h"
#include "advisors/probe_kinds.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace xdplb {

inline constexpr std::size_t kMaxDatagram = 4096;  // bytes of a datagram that are read

enum class DatagramStatus : std::uint8_t { kDone, kTimedOut, kRefused, kUnreachable, kBroken };

// Connected: the kernel takes only what comes from the destination, and tells when its port is closed (ICMP).
class ProbeDatagrams {
 public:
  // Nothing happens yet, but the probe's clock starts. `tools` and `log` must outlive it.
  ProbeDatagrams(ProbeTools& tools, const ProbeTarget& target, ProbeLog* log);
  ~ProbeDatagrams();
  ProbeDatagrams(const ProbeDatagrams&) = delete;
  ProbeDatagrams& operator=(const ProbeDatagrams&) = delete;

  // Opens and sends one datagram. nullopt: the kernel took it. Else kSocketError, kL4Refused, kL3Unreachable.
  std::optional<CheckResult> send(const std::string& bytes, std::chrono::milliseconds limit);
  // The next datagram, within the limit that runs from send() on. `bytes` holds what was read when kDone.
  boost::asio::awaitable<DatagramStatus> receive(std::string& bytes);

  void add_step(const std::string& text) const { xdplb::add_step(log_, began_, text); }
  CheckResult result(CheckCode code, const std::string& text = {}) const { return make_result(code, began_, text); }
  // What a status other than kDone and kTimedOut makes of a probe: kL4Refused, kL3Unreachable, kSocketError.
  CheckResult failure(DatagramStatus status) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
  ProbeLog* log_;
  ProbeClock::time_point began_;
};

}  // namespace xdplb
