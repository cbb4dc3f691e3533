// SPDX-License-Identifier: GPL-2.0-only
// UserExits: runs the operator's programs when something happens.
#pragma once

#include "model/exit_config.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xdplb {

// One configured exit and how its runs went.
struct ExitView {
  ExitConfig config{};
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;  // of the runs; a refusal is one, too
  std::uint64_t dropped = 0;   // happened faster than the program ran
  std::size_t waiting = 0;
  bool is_running = false;
  std::optional<std::chrono::system_clock::time_point> last_at{};  // the start of the last run that has ended
  // "exit 0", "exit 1: first line of its errors", "signal 9", "timed out after 10 s", "refused: why"; empty: none yet
  std::string last_result{};
};

// One program at a time for each event, and a queue; the oldest is dropped from a full one. What it is told is in
// docs/exits.md. Whether an event is worth telling (the last server of a port is all_down, not server_down) is up to
// the caller. Not thread-safe: all on the thread of the io_context.
class UserExits {
 public:
  static constexpr std::size_t kQueued = 64;
  // A run that did not end with exit 0, or could not begin; `result` is as ExitView::last_result. Of equal results in a
  // row only the first.
  using FailureHandler = std::function<void(ExitEvent event, const std::string& object, const std::string& result)>;

  UserExits(boost::asio::io_context& io, std::string instance, FailureHandler on_failure = {});
  // A program that runs goes on, and ends with the io_context at the latest; what waits is forgotten.
  ~UserExits();
  UserExits(const UserExits&) = delete;
  UserExits& operator=(const UserExits&) = delete;

  // The whole list; of two for an event the last counts. What waits for an event that stays runs by the new command.
  void configure(const std::vector<ExitConfig>& exits);
  // Nothing happens when no exit is configured for the event.
  //
  // object   "server web/80/s1"
  // details  more of it: "cluster", "port", "server", ... ; small letters, digits and '_'. In the environment as
  //          XDPLB_CLUSTER and so on
  void fire(ExitEvent event, std::string object, std::string text, std::map<std::string, std::string> details = {});
  // In the order of kExitEvents.
  std::vector<ExitView> view() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace xdplb
