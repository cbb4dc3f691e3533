// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/check_watches.h"

#include <utility>

namespace xdplb {

CheckWatches::CheckWatches(boost::asio::io_context& io, Doubt doubt) : io_(io), doubt_(std::move(doubt)) {}

void CheckWatches::open(const std::string& key, const AdvisorConfig& advisor, const ProbeTarget& target) {
  Watch& watch = watches_[key];
  if (watch.connection || Clock::now() < watch.not_before) return;
  watch.connection =
      std::make_unique<WatchConnection>(io_, target, std::chrono::milliseconds(advisor.connect_timeout_ms),
                                        [this, key](Clock::duration lived) { take_end(key, lived); });
}

void CheckWatches::close(const std::string& key) {
  const auto found = watches_.find(key);
  if (found != watches_.end()) found->second.connection.reset();
}

void CheckWatches::keep(const std::function<bool(const std::string&)>& is_known) {
  std::erase_if(watches_, [&](const auto& watch) { return !is_known(watch.first); });
}

bool CheckWatches::is_connected(const std::string& key) const {
  const auto found = watches_.find(key);
  return found != watches_.end() && found->second.connection && found->second.connection->is_connected();
}

void CheckWatches::take_end(const std::string& key, Clock::duration lived) {
  Watch& watch = watches_[key];
  watch.connection.reset();
  if (lived < kTooShort) watch.not_before = Clock::now() + kPause;
  doubt_(key);
}

}  // namespace xdplb
