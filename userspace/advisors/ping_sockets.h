// SPDX-License-Identifier: GPL-2.0-only
// PingSockets: ICMP and ICMPv6 echo for all ping probes of a process (RFC 792, RFC 4443 4.1).
#pragma once

#include "base/file_descriptor.h"
#include "base/result.h"
#include "net/address.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

namespace xdplb {

// One raw socket a family, opened when the first request needs it. Needs CAP_NET_RAW, and CAP_NET_ADMIN for marks. Not
// thread-safe: everything runs on the io_context's thread. Owned by a shared_ptr.
class PingSockets : public std::enable_shared_from_this<PingSockets> {
 public:
  // Called once, from the io_context. 0: the destination itself answered. Else the errno of an ICMP error about the
  // request (EHOSTUNREACH).
  using Handler = std::function<void(int number)>;

  // The io_context must outlive it.
  explicit PingSockets(boost::asio::io_context& io);
  ~PingSockets();
  PingSockets(const PingSockets&) = delete;
  PingSockets& operator=(const PingSockets&) = delete;

  // Sends one request with the mark (0: none). Its number, for forget(). Errors: os_error naming the destination.
  Result<std::uint16_t> ask(const IpAddress& destination, std::uint32_t mark, Handler handler);
  // Nobody waits any more; its handler is not called.
  void forget(std::uint16_t sequence);

 private:
  struct Asked {
    IpAddress destination{};
    std::uint64_t token =
        0;  // in the request and its answer: a late answer to an earlier use of the number has another
    Handler handler{};
  };
  struct Port {
    bool is_v4 = true;
    FileDescriptor fd{};
    std::optional<boost::asio::posix::stream_descriptor> ready{};
    std::uint32_t mark = 0;   // set on the socket
    bool is_waiting = false;  // for packets; only while somebody waits for one
  };

  Port& port_of(const IpAddress& address) { return address.is_v4() ? v4_ : v6_; }
  Result<void> open(Port& port);
  void wait(Port& port);
  void read(Port& port);
  void read_errors(Port& port);
  void take_answer(bool is_v4, std::span<const std::uint8_t> packet, const IpAddress& from);
  void take_error(bool is_v4, std::span<const std::uint8_t> request, const IpAddress& destination, int number);
  void tell(std::uint16_t sequence, int number);
  void rest();

  boost::asio::io_context& io_;
  Port v4_{};
  Port v6_{};
  std::uint16_t identifier_;
  std::uint16_t last_sequence_ = 0;
  std::uint64_t last_token_;
  std::unordered_map<std::uint16_t, Asked> asked_{};  // by sequence number
};

}  // namespace xdplb
