// SPDX-License-Identifier: GPL-2.0-only
// What is heard: questions are answered, claims go to the machines.
#include "vipa/vipa_service_impl.h"

#include <utility>
#include <variant>

namespace xdplb {

void VipaService::Impl::hear(std::uint32_t ifindex, PacketKind kind, std::span<const std::uint8_t> frame, bool tagged) {
  const Verdict verdict =
      kind == PacketKind::kArp ? answer_arp(frame, tagged, ifindex, view_) : answer_nd(frame, tagged, ifindex, view_);
  std::visit([&](const auto& outcome) { hear(ifindex, outcome); }, verdict);
}

void VipaService::Impl::hear(std::uint32_t, const Silence& silence) {
  if (silence.reason == SilenceReason::kNotForVipa) return;
  suppress(silence.reason);
  if (!silence.is_question) return;
  ++counters_.requests;
  ++vipas_.at(silence.vipa).requests;
}

void VipaService::Impl::hear(std::uint32_t ifindex, const Answer& answer) {
  Vipa& vipa = vipas_.at(answer.vipa);
  ++counters_.requests;
  ++vipa.requests;
  auto now = Clock::now();
  bool is_within_rate = asker_limit_.take(answer.asker, now) && wire_->may_answer(answer.ifindex, now);
  if (!is_within_rate) return suppress(SilenceReason::kRateLimited);
  if (!wire_->send(answer.ifindex, answer.vipa.family(), answer.frame)) return;
  ++counters_.answers;
  ++vipa.answers;
  if (answer.heals) ++counters_.healed;
  if (!answer.asker_ip.is_unspecified()) askers_.note(ifindex, answer.asker_ip, answer.asker, now);
}

bool VipaService::Impl::is_expected(const Vipa& vipa, const Claim& claim) const {
  if (claim.is_own_kernel) return false;
  if (vipa.role == VipaRole::kBackup) return true;
  const VipaReport report = vipa.machine.report();
  if (report.state == VipaState::kDisabled) return true;
  return vipa.role == VipaRole::kRouted && (claim.is_answer || report.answered_by == claim.mac);
}

void VipaService::Impl::hear(std::uint32_t ifindex, const Claim& claim) {
  Vipa& vipa = vipas_.at(claim.vipa);
  auto now = Clock::now();
  bool is_conflict = !is_expected(vipa, claim);
  // Each answer counts for who asked, however soon it comes after another claim.
  bool is_news = vipa.claims.note(ifindex, claim, !is_conflict, now);
  if (!is_news && !claim.is_answer) return;
  if (is_conflict && is_news) {
    ++counters_.conflicts;
    if (told_conflicts_.note({claim.mac, claim.vipa}, now)) {
      VipaConflict conflict{.address = claim.vipa,
                            .ifindex = ifindex,
                            .mac = claim.mac,
                            .is_answer = claim.is_answer,
                            .is_own_kernel = claim.is_own_kernel};
      post([conflict](Impl& self) {
        if (auto handler = self.conflict_handler_) handler(conflict);
      });
    }
  }
  ForeignClaim heard{.mac = claim.mac,
                     .ifindex = ifindex,
                     .is_probe = claim.is_probe,
                     .is_answer = claim.is_answer,
                     .is_own_kernel = claim.is_own_kernel};
  run_one(claim.vipa, vipa.machine.hear(heard, now), now);
}

}  // namespace xdplb
