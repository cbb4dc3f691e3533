// SPDX-License-Identifier: GPL-2.0-only
// The Controller's second: flows are swept, drains end, and what is worth an event is told.
#include "base/log.h"
#include "daemon/controller.h"

#include <fmt/format.h>

namespace xdplb {
namespace {

constexpr auto kSweepEvery = std::chrono::seconds(1);

// Below this part of its limit a port's half-open connections are no news any more.
constexpr unsigned kCalmPercent = 75;

}  // namespace

void Controller::sweep_soon() {
  sweep_timer_.expires_after(kSweepEvery);
  sweep_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    follow_hours();
    if (forwarding_) sweep();
    sweep_soon();
  });
}

void Controller::sweep() {
  end_expired_drains();
  if (auto swept = forwarding_->sweep(); !swept) {
    log_error(swept.error().message);
    return;
  }
  tell_half_open();
  tell_drained();
}

void Controller::end_expired_drains() {
  const auto expired = admins_.take_expired(AdminStates::Clock::now());
  for (const auto& server : expired) {
    if (auto forced = forwarding_->force(server); !forced) log_error(forced.error().message);
    events_.add("drain_deadline", fmt::format("server {}", server.to_string()),
                "the deadline has passed: its last flows go to others");
  }
  if (expired.empty()) return;
  if (auto saved = save(); !saved) log_error(saved.error().message);
}

// The classic detection of a SYN flood: too many connections that nobody acknowledged.
void Controller::tell_half_open() {
  const auto& ports = forwarding_->last_sweep().ports;
  for (const auto& [path, counts] : ports) {
    const auto* port = find_port(config_, path);
    const unsigned limit = port != nullptr ? port->half_open_limit : 0;
    const bool was_high = half_open_high_.contains(path);
    const std::string object = fmt::format("port {}", path.to_string());
    if (!was_high && limit != 0 && counts.half_open > limit) {
      half_open_high_.insert(path);
      events_.add("half_open_high", object,
                  fmt::format("{} connections are half open, the limit is {}: a SYN flood?", counts.half_open, limit));
    } else if (was_high && (limit == 0 || counts.half_open <= limit * kCalmPercent / 100)) {
      half_open_high_.erase(path);
      events_.add("half_open_ok", object, fmt::format("{} connections are half open", counts.half_open));
    }
  }
}

void Controller::tell_drained() {
  for (auto server = draining_.begin(); server != draining_.end();) {
    const auto port = forwarding_->plan().find(server->port);
    const PlannedServer* planned = port ? port->server_named(server->server) : nullptr;
    const auto& counts = forwarding_->last_sweep().servers;
    const bool is_empty = planned == nullptr || planned->index >= counts.size() ||
                          (counts[planned->index].base_rows == 0 && counts[planned->index].flows == 0);
    if (!is_empty) {
      ++server;
      continue;
    }
    if (planned != nullptr) {
      events_.add("drained", fmt::format("server {}", server->to_string()),
                  "it has no flows left: it can be removed or serviced");
    }
    server = draining_.erase(server);
  }
}

}  // namespace xdplb
