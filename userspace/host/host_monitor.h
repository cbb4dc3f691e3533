// SPDX-License-Identifier: GPL-2.0-only
// HostMonitor: the kernel's links, addresses and neighbours as they are now, and a call for each change.
#pragma once

#include "base/result.h"
#include "host/host_state.h"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace xdplb {

// Watches the network namespace of the thread that opened it. Not thread-safe: everything runs on the thread of the
// io_context, handlers included.
class HostMonitor {
 public:
  using ChangeHandler = std::function<void(const HostChange&)>;

  // Opens the netlink sockets and reads the whole state once, so every accessor answers at return. The io_context must
  // outlive the monitor. Errors: os_error of the socket call or the dump.
  static Result<std::unique_ptr<HostMonitor>> open(boost::asio::io_context& io);
  ~HostMonitor();
  HostMonitor(const HostMonitor&) = delete;
  HostMonitor& operator=(const HostMonitor&) = delete;

  // Called after the tables hold the new state, one call a change, never from within keep_neighbor or
  // release_neighbor; it may call both. A neighbour that only moves between two valid kernel states with the same MAC
  // is no change. A lost event is made up for by a full dump: at once when the kernel reports the loss (ENOBUFS), and
  // every 5 s anyway.
  void on_change(ChangeHandler handler);

  // Reads the whole state now, for what the caller itself changed a moment ago. Changes are published as always.
  // Errors: of the dump.
  Result<void> refresh();

  const std::map<std::uint32_t, Link>& links() const;  // by index
  // nullptr when there is none. Valid until the next event.
  const Link* find_link(std::string_view name) const;
  const Link* find_link(std::uint32_t index) const;
  // Ordered by interface index, then address.
  const std::vector<InterfaceAddress>& addresses() const;
  // nullptr when the kernel has told of no entry: it tells of a new one only once it is resolved or has failed, and
  // keeps saying kFailed while it asks again. Valid until the next event.
  const Neighbor* find_neighbor(std::uint32_t ifindex, const IpAddress& address) const;

  // Keeps `address` resolved on `ifindex` until released: a managed entry of the kernel (5.16 and newer), else a probe
  // every 15 s. An entry the kernel lost or flushed with the carrier is made again; one that failed is asked again
  // every second, so a server that boots is found within 3 s. A permanent entry is left as it is. Only queues the
  // request (10,000 take milliseconds); the outcome arrives as NeighborChanged, a refusal is told by keep_failure.
  // Twice is once. Errors: kNotFound when there is no such interface.
  Result<void> keep_neighbor(std::uint32_t ifindex, const IpAddress& address);
  // Undoes keep_neighbor: the kernel forgets the entry we made. Unknown or permanent entries are left alone.
  void release_neighbor(std::uint32_t ifindex, const IpAddress& address);
  // Why the kernel refused to keep this neighbour at the last attempt; nullopt when it did not or it is not kept. It is
  // tried again.
  std::optional<Error> keep_failure(std::uint32_t ifindex, const IpAddress& address) const;

 private:
  class Impl;
  explicit HostMonitor(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
