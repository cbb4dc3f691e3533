// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/event_log.h"

#include "base/log.h"

#include <fmt/format.h>

#include <utility>

namespace xdplb {

// Ids begin at the microsecond of the start: nobody tells a million events a second, so no later one has them again.
EventLog::EventLog()
    : last_(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count())) {}

void EventLog::add(std::string code, std::string object, std::string text) {
  log_info(fmt::format("{}: {}: {}", object, code, text));
  events_.push_back({.id = ++last_,
                     .time = std::chrono::system_clock::now(),
                     .code = std::move(code),
                     .object = std::move(object),
                     .text = std::move(text)});
  if (events_.size() > kKept) events_.pop_front();
  if (!handler_) return;
  const Event event = events_.back();
  handler_(event);
}

std::vector<Event> EventLog::after(std::uint64_t id) const {
  std::vector<Event> found;
  for (const auto& event : events_)
    if (event.id > id) found.push_back(event);
  return found;
}

}  // namespace xdplb
