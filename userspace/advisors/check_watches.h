// SPDX-License-Identifier: GPL-2.0-only
// CheckWatches: which checks that are up have an idle connection to their service.
#pragma once

#include "advisors/check_scheduler.h"
#include "advisors/watch_connection.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace xdplb {

// Not thread-safe: everything runs on the io_context's thread.
class CheckWatches {
 public:
  using Clock = std::chrono::steady_clock;
  // The server ended a connection: reason to doubt.
  using Doubt = std::function<void(const std::string& key)>;
  // A server that ends idle connections after less than this...
  static constexpr std::chrono::seconds kTooShort{5};
  // ...is left alone for that long.
  static constexpr std::chrono::seconds kPause{60};

  CheckWatches(boost::asio::io_context& io, Doubt doubt);

  // The check's advisor watches, and its probe succeeded while it is up: opens a connection unless there is one.
  void open(const std::string& key, const AdvisorConfig& advisor, const ProbeTarget& target);
  // It is down.
  void close(const std::string& key);
  // Those for which `is_known` is false end.
  void keep(const std::function<bool(const std::string&)>& is_known);
  void clear() { watches_.clear(); }
  bool is_connected(const std::string& key) const;

 private:
  struct Watch {
    std::unique_ptr<WatchConnection> connection{};
    Clock::time_point not_before{};
  };
  void take_end(const std::string& key, Clock::duration lived);

  boost::asio::io_context& io_;
  Doubt doubt_;
  std::unordered_map<std::string, Watch> watches_{};
};

}  // namespace xdplb
