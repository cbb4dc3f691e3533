// SPDX-License-Identifier: GPL-2.0-only
// WatchConnection: an idle TCP connection to a service, which tells at once when the server ends it.
#pragma once

#include "advisors/probe.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace xdplb {

// Says nothing; what the server says is read and forgotten, at most 64 KiB, more ends it. Destroyed it ends by RST and
// tells nothing. Not thread-safe: everything runs on the io_context's thread.
class WatchConnection {
 public:
  // It has ended, or never came about. Called once, from the io_context; it may destroy the connection.
  //
  // lived  from the connect on; 0 when there was none
  using EndHandler = std::function<void(std::chrono::steady_clock::duration lived)>;

  // Begins to connect. The io_context must outlive it.
  WatchConnection(boost::asio::io_context& io, const ProbeTarget& target, std::chrono::milliseconds connect_timeout,
                  EndHandler on_end);
  ~WatchConnection();
  WatchConnection(const WatchConnection&) = delete;
  WatchConnection& operator=(const WatchConnection&) = delete;

  bool is_connected() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
