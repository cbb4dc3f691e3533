// SPDX-License-Identifier: GPL-2.0-only
// The Controller's watch over its VIPAs: who else answers for them is heard only by whoever it answers.
#include "daemon/controller.h"
#include "daemon/status_problem.h"

#include <fmt/format.h>

#include <optional>

namespace xdplb {

// Once a second. What is given up to whoever answers is not asked for: a question would bring that about.
void Controller::ask_for_leaks() {
  const auto now = Claimants::Clock::now();
  for (const auto& [address, managed] : keeper_->managed()) {
    if (managed.config.on_conflict != OnConflict::kDefend || managed.config.is_backup) continue;
    const auto status = keeper_->status(address);
    if (!status || status->report.state != VipaState::kOwned) continue;
    std::optional<Claimants::Clock::time_point> claimed_at;
    if (!status->claims.empty()) claimed_at = status->claims.front().last;
    if (claimants_.is_due(address, status->report.since, claimed_at, now)) keeper_->ask(address);
  }
}

void Controller::add_claimant_problems(nlohmann::json& found) const {
  const auto now = Claimants::Clock::now();
  const auto kind = [](const IpAddress& vipa) { return vipa.is_v4() ? "ARP" : "neighbour solicitations"; };
  for (const auto& leak : claimants_.leaks(now)) {
    if (find_server(config_, leak.server) == nullptr) continue;
    found.push_back(
        problem("arp_leak", leak.server.to_string(),
                fmt::format("{} it answers {} for {}: clients may reach it past the dispatcher",
                            check_code_name(CheckCode::kL2ArpLeak), kind(leak.vipa), leak.vipa.to_string())));
  }
  for (const auto& stranger : claimants_.strangers(now)) {
    const auto owner = owner_of(stranger.mac);
    if (owner.kind == "server") continue;
    const auto name = owner.object.empty() ? std::string("an unknown machine") : owner.object;
    found.push_back(problem("duplicate_vipa", stranger.vipa.to_string(),
                            fmt::format("{} ({}) answers {} for it on {}, too: clients may reach that machine",
                                        stranger.mac.to_string(), name, kind(stranger.vipa), stranger.interface)));
  }
}

}  // namespace xdplb
