// SPDX-License-Identifier: GPL-2.0-only
// EventLog: what happened lately, for who asks for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

struct Event {
  std::uint64_t id = 0;  // grows, over restarts of the daemon, too
  std::chrono::system_clock::time_point time;
  std::string code;    // "half_open_high"
  std::string object;  // "port web/80"
  std::string text;
};

class EventLog {
 public:
  static constexpr std::size_t kKept = 1000;

  EventLog();

  // Also one line of the daemon's log.
  void add(std::string code, std::string object, std::string text);
  // Called within add(), after the event is kept.
  void on_event(std::function<void(const Event&)> handler) { handler_ = std::move(handler); }
  // Those with a larger id, oldest first. A gap in the ids tells that some are forgotten.
  std::vector<Event> after(std::uint64_t id) const;

 private:
  std::deque<Event> events_;
  std::uint64_t last_;
  std::function<void(const Event&)> handler_;
};

}  // namespace xdplb
