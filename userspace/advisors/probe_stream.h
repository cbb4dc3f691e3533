// SPDX-License-Identifier: GPL-2.0-only
// ProbeStream: one TCP connection of a probe, with or without TLS, whose time limits hold whatever the server does.
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
#include <string_view>

namespace xdplb {

enum class StreamStatus : std::uint8_t {
  kDone,
  kEnded,     // the server said its last byte (FIN, close_notify)
  kTimedOut,  // the limit has passed; the connection is gone
  kBroken,    // reset, or TLS that is none any more; why() tells
};

// One operation at a time. Destroyed it ends the connection by RST, which leaves no TIME_WAIT here.
class ProbeStream {
 public:
  // Nothing happens yet, but the probe's clock starts. `tools` and `log` must outlive it.
  ProbeStream(ProbeTools& tools, const ProbeTarget& target, ProbeLog* log);
  ~ProbeStream();
  ProbeStream(const ProbeStream&) = delete;
  ProbeStream& operator=(const ProbeStream&) = delete;

  // Connects within advisor.connect_timeout_ms and from then on gives the whole exchange advisor.receive_timeout_ms.
  // nullopt: connected. Else what was found: kL4Refused (also unreachable, the text tells), kL4Timeout, kSocketError.
  boost::asio::awaitable<std::optional<CheckResult>> connect(const AdvisorConfig& advisor);

  // Shakes hands on a connected stream.
  //
  // host  for SNI and the verified name when options.server_name is empty; may be empty, may hold a port
  //
  // nullopt: done. Else kL6Timeout, kL6Response, or kSocketError when our own files do not do.
  boost::asio::awaitable<std::optional<CheckResult>> start_tls(TlsOptions options, std::string host);

  // All of `bytes`.
  boost::asio::awaitable<StreamStatus> send(std::string bytes);
  // Appends to `bytes` at least one and at most `most` more; nothing unless kDone. Call it again to wait for more.
  boost::asio::awaitable<StreamStatus> read_some(std::string& bytes, std::size_t most);

  // Another limit from now on; nullopt: none.
  void set_limit(std::optional<std::chrono::milliseconds> limit);

  // Says goodbye (close_notify, FIN) without waiting for an answer, then RST. The stream is of no use after that.
  void end();

  // Says goodbye (FIN) and waits, within the limit there is, until the server has done so, too. Then end().
  boost::asio::awaitable<void> part();

  // In words, after kBroken: "connection reset".
  const std::string& why() const;

  void add_step(const std::string& text) const { xdplb::add_step(log_, began_, text); }
  // Found now: with the time since the start and the certificate's end.
  CheckResult result(CheckCode code, const std::string& text = {}) const;
  // What a status other than kDone makes of a probe: kL7Timeout, kL7Response, kL6Response when TLS broke.
  //
  // doing  "waiting for the greeting"; the text is "timed out waiting for the greeting"
  CheckResult failure(StreamStatus status, const std::string& doing) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
  ProbeLog* log_;
  ProbeClock::time_point began_;
};

}  // namespace xdplb
