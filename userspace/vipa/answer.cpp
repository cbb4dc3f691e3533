// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/answer.h"

#include "net/arp_packet.h"
#include "net/nd_packet.h"

namespace xdplb {
namespace {

// A question for a VIPA, the same for ARP and ND.
struct Question {
  IpAddress vipa;
  MacAddress asker;
  bool was_unicast = false;  // sent to the MAC of the interface that heard it
  const Election* election = nullptr;
};

bool is_station(const MacAddress& mac) { return !mac.is_multicast() && !mac.is_zero(); }

Silence silence(SilenceReason reason) { return {.reason = reason, .is_question = false}; }

// A frame to another station looks tagged, see PacketSocket.
SilenceReason reason_for_tagged(const EthernetAddresses& ethernet, const MacAddress& heard_by) {
  bool may_be_for_us = ethernet.destination.is_multicast() || ethernet.destination == heard_by;
  return may_be_for_us ? SilenceReason::kTagged : SilenceReason::kWrongDestination;
}

// The interface whose MAC the answer carries and through which it leaves, or why there is none.
std::variant<SilenceReason, std::uint32_t> choose_speaker(const Question& question, std::uint32_t heard_on,
                                                          const AnswerView& view) {
  const Election& election = *question.election;
  if (election.kind == ElectionKind::kSilent) return SilenceReason::kSilent;
  if (election.kind == ElectionKind::kAnswerWhereAsked) return heard_on;
  // A sibling asked by unicast owned the VIPA before: unanswered, the asker would stay with a dead entry for seconds.
  if (election.owner != heard_on && !question.was_unicast) return SilenceReason::kNotOwner;
  if (view.find_interface_mac(election.owner) == nullptr) return SilenceReason::kSilent;
  return election.owner;
}

// `encode` makes the reply frame from the speaker's MAC.
template <typename Encode>
Verdict answer(const Question& question, std::uint32_t heard_on, const AnswerView& view, const Encode& encode) {
  auto speaker = choose_speaker(question, heard_on, view);
  if (const auto* reason = std::get_if<SilenceReason>(&speaker)) return Silence{.reason = *reason, .is_question = true};
  std::uint32_t ifindex = std::get<std::uint32_t>(speaker);
  auto bytes = encode(*view.find_interface_mac(ifindex));
  return Answer{.vipa = question.vipa,
                .asker = question.asker,
                .ifindex = ifindex,
                .frame = std::vector<std::uint8_t>(bytes.begin(), bytes.end())};
}

Verdict answer_solicitation(const NeighbourSolicitation& asked, std::uint32_t ifindex, const MacAddress& heard_by,
                            const AnswerView& view) {
  const Election* election = view.find_vipa(asked.target);
  if (election == nullptr) return silence(SilenceReason::kNotForVipa);
  const EthernetAddresses& ethernet = asked.ethernet;
  if (view.is_own_mac(ethernet.source)) return silence(SilenceReason::kOwnEcho);
  bool was_unicast = ethernet.destination == heard_by;
  if (!was_unicast && !ethernet.destination.is_multicast()) return silence(SilenceReason::kWrongDestination);
  if (!is_station(ethernet.source) || asked.source_mac.value_or(ethernet.source) != ethernet.source) {
    return silence(SilenceReason::kSpoofed);
  }
  if (asked.source == asked.target) return Claim{.vipa = asked.target, .mac = ethernet.source};
  Question question{.vipa = asked.target, .asker = ethernet.source, .was_unicast = was_unicast, .election = election};
  return answer(question, ifindex, view,
                [&](const MacAddress& mac) { return encode_advertisement(nd_answer(asked, mac)); });
}

Verdict judge_advertisement(const NeighbourAdvertisement& heard, const AnswerView& view) {
  if (view.find_vipa(heard.target) == nullptr) return silence(SilenceReason::kNotForVipa);
  MacAddress claimant = heard.target_mac.value_or(heard.ethernet.source);
  if (view.is_own_mac(heard.ethernet.source) || view.is_own_mac(claimant)) return silence(SilenceReason::kOwnEcho);
  return Claim{.vipa = heard.target, .mac = claimant};
}

}  // namespace

std::string_view silence_reason_name(SilenceReason reason) {
  switch (reason) {
    case SilenceReason::kNotForVipa:
      return "not-for-vipa";
    case SilenceReason::kTagged:
      return "tagged";
    case SilenceReason::kWrongDestination:
      return "wrong-destination";
    case SilenceReason::kSpoofed:
      return "spoofed";
    case SilenceReason::kOwnEcho:
      return "own-echo";
    case SilenceReason::kNotAQuestion:
      return "not-a-question";
    case SilenceReason::kSilent:
      return "silent";
    case SilenceReason::kNotOwner:
      return "not-owner";
    case SilenceReason::kAnsweredElsewhere:
      return "answered-elsewhere";
    case SilenceReason::kRateLimited:
      return "rate-limited";
  }
  return "unknown";
}

Verdict answer_arp(std::span<const std::uint8_t> frame, bool tagged, std::uint32_t ifindex, const AnswerView& view) {
  auto heard = decode_arp(frame);
  if (!heard) return silence(SilenceReason::kNotForVipa);
  const EthernetAddresses& ethernet = heard->ethernet;
  const ArpPacket& packet = heard->packet;
  const MacAddress* heard_by = view.find_interface_mac(ifindex);
  bool claims = view.find_vipa(packet.sender_ip) != nullptr;
  const Election* election = view.find_vipa(packet.target_ip);
  if (heard_by == nullptr || (!claims && election == nullptr)) return silence(SilenceReason::kNotForVipa);
  if (tagged) return silence(reason_for_tagged(ethernet, *heard_by));
  if (view.is_own_mac(ethernet.source) || view.is_own_mac(packet.sender_mac)) return silence(SilenceReason::kOwnEcho);
  if (claims) return Claim{.vipa = packet.sender_ip, .mac = packet.sender_mac};
  if (packet.operation != ArpOperation::kRequest) return silence(SilenceReason::kNotAQuestion);
  bool was_unicast = ethernet.destination == *heard_by;
  if (!was_unicast && ethernet.destination != kBroadcastMac) return silence(SilenceReason::kWrongDestination);
  if (!is_station(packet.sender_mac) || packet.sender_mac != ethernet.source) return silence(SilenceReason::kSpoofed);
  Question question{
      .vipa = packet.target_ip, .asker = packet.sender_mac, .was_unicast = was_unicast, .election = election};
  return answer(question, ifindex, view, [&](const MacAddress& mac) { return encode_arp(arp_answer(packet, mac)); });
}

Verdict answer_nd(std::span<const std::uint8_t> frame, bool tagged, std::uint32_t ifindex, const AnswerView& view) {
  const MacAddress* heard_by = view.find_interface_mac(ifindex);
  if (heard_by == nullptr) return silence(SilenceReason::kNotForVipa);
  if (auto asked = decode_solicitation(frame)) {
    bool is_ours = view.find_vipa(asked->target) != nullptr;
    if (tagged && is_ours) return silence(reason_for_tagged(asked->ethernet, *heard_by));
    return answer_solicitation(*asked, ifindex, *heard_by, view);
  }
  auto told = decode_advertisement(frame);
  if (!told) return silence(SilenceReason::kNotForVipa);
  bool is_ours = view.find_vipa(told->target) != nullptr;
  if (tagged && is_ours) return silence(reason_for_tagged(told->ethernet, *heard_by));
  return judge_advertisement(*told, view);
}

}  // namespace xdplb
