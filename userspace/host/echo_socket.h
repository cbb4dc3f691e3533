// SPDX-License-Identifier: GPL-2.0-only
// EchoSocket: ICMP and ICMPv6 echo through one interface (RFC 792, RFC 4443 4.1).
#pragma once

#include "base/result.h"
#include "net/address.h"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace xdplb {

// Needs CAP_NET_RAW. Not thread-safe.
class EchoSocket {
 public:
  // The machine `from` answered our request with this sequence number.
  using AnswerHandler = std::function<void(const IpAddress& from, std::uint16_t sequence)>;

  // identifier  of our requests; answers to others are not told
  // The io_context must outlive the socket. Errors: os_error naming the interface.
  static Result<std::unique_ptr<EchoSocket>> open(boost::asio::io_context& io, std::uint32_t ifindex,
                                                  const std::string& name, Family family, std::uint16_t identifier);
  ~EchoSocket();
  EchoSocket(const EchoSocket&) = delete;
  EchoSocket& operator=(const EchoSocket&) = delete;

  // Starts hearing. The handler may destroy the socket.
  void on_answer(AnswerHandler handler);

  // source  one of the interface's own addresses, never left to the kernel: it may choose a VIPA
  // Success says the kernel took it. Errors: os_error naming the target (ENETUNREACH: no route through the interface).
  Result<void> send(const IpAddress& source, const IpAddress& target, std::uint16_t sequence);

 private:
  class Impl;
  explicit EchoSocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
