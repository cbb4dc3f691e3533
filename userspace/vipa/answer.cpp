// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/answer.h"

#include "net/arp_packet.h"

namespace xdplb {
namespace {

// A question for a VIPA, the same for ARP and ND.
struct Question {
  IpAddress vipa;
  MacAddress asker;
  IpAddress asker_ip;
  bool was_unicast = false;  // sent to the MAC of the interface that heard it
  VipaStance stance;
  bool is_probe() const { return asker_ip.is_unspecified(); }
};

bool is_station(const MacAddress& mac) { return !mac.is_multicast() && !mac.is_zero(); }

Silence silence(SilenceReason reason) { return {.reason = reason}; }

// A frame to another station looks tagged, see PacketSocket.
SilenceReason reason_for_tagged(const EthernetAddresses& ethernet, const MacAddress& heard_by) {
  bool may_be_for_us = ethernet.destination.is_multicast() || ethernet.destination == heard_by;
  return may_be_for_us ? SilenceReason::kTagged : SilenceReason::kWrongDestination;
}

// Why an honest question is not answered, if so.
std::optional<SilenceReason> find_objection(const Question& question, std::uint32_t heard_on, const AnswerView& view) {
  std::uint32_t owner = question.stance.owner;
  if (owner == 0) return SilenceReason::kSilent;
  // A sibling asked by unicast owned the VIPA before: unanswered, the asker would stay with a dead entry for seconds.
  if (owner != heard_on && !question.was_unicast) return SilenceReason::kNotOwner;
  if (view.find_interface_mac(owner) == nullptr) return SilenceReason::kSilent;
  return std::nullopt;
}

// `encode` makes the reply frame from the owner's MAC.
template <typename Encode>
Verdict answer(const Question& question, std::uint32_t heard_on, const AnswerView& view, const Encode& encode) {
  if (question.is_probe() && question.stance.heeds_probes) {
    return Claim{.vipa = question.vipa, .mac = question.asker, .is_probe = true};
  }
  if (auto reason = find_objection(question, heard_on, view)) {
    return Silence{.reason = *reason, .vipa = question.vipa, .is_question = true};
  }
  std::uint32_t owner = question.stance.owner;
  auto bytes = encode(*view.find_interface_mac(owner));
  return Answer{.vipa = question.vipa,
                .asker = question.asker,
                .asker_ip = question.asker_ip,
                .ifindex = owner,
                .heals = owner != heard_on,
                .frame = std::vector<std::uint8_t>(bytes.begin(), bytes.end())};
}

// `mac`, or the station that sends in its name, says that it has the VIPA.
Verdict judge_claim(const IpAddress& vipa, const MacAddress& mac, const MacAddress& sender, bool is_answer,
                    const AnswerView& view) {
  bool is_own_sender = view.is_own_mac(sender);
  bool is_own_kernel = is_answer && is_own_sender && view.is_own_mac(mac);
  if (!is_own_kernel && (is_own_sender || view.is_own_mac(mac))) return silence(SilenceReason::kOwnEcho);
  return Claim{.vipa = vipa, .mac = mac, .is_answer = is_answer, .is_own_kernel = is_own_kernel};
}

Verdict answer_solicitation(const NeighbourSolicitation& asked, std::uint32_t ifindex, const MacAddress& heard_by,
                            const AnswerView& view) {
  auto stance = view.find_vipa(asked.target);
  if (!stance) return silence(SilenceReason::kNotForVipa);
  const EthernetAddresses& ethernet = asked.ethernet;
  bool is_looped = asked.nonce && view.is_own_nonce(asked.target, *asked.nonce);
  if (is_looped || view.is_own_mac(ethernet.source)) return silence(SilenceReason::kOwnEcho);
  bool was_unicast = ethernet.destination == heard_by;
  if (!was_unicast && !ethernet.destination.is_multicast()) return silence(SilenceReason::kWrongDestination);
  if (!is_station(ethernet.source) || asked.source_mac.value_or(ethernet.source) != ethernet.source) {
    return silence(SilenceReason::kSpoofed);
  }
  if (asked.source == asked.target) return Claim{.vipa = asked.target, .mac = ethernet.source};
  Question question{.vipa = asked.target,
                    .asker = ethernet.source,
                    .asker_ip = asked.source,
                    .was_unicast = was_unicast,
                    .stance = *stance};
  return answer(question, ifindex, view,
                [&](const MacAddress& mac) { return encode_advertisement(nd_answer(asked, mac)); });
}

Verdict judge_advertisement(const NeighbourAdvertisement& heard, const MacAddress& heard_by, const AnswerView& view) {
  if (!view.find_vipa(heard.target)) return silence(SilenceReason::kNotForVipa);
  MacAddress claimant = heard.target_mac.value_or(heard.ethernet.source);
  bool is_answer = heard.is_solicited && heard.ethernet.destination == heard_by;
  return judge_claim(heard.target, claimant, heard.ethernet.source, is_answer, view);
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
  bool claims = view.find_vipa(packet.sender_ip).has_value();
  auto stance = view.find_vipa(packet.target_ip);
  if (heard_by == nullptr || (!claims && !stance)) return silence(SilenceReason::kNotForVipa);
  if (tagged) return silence(reason_for_tagged(ethernet, *heard_by));
  bool was_unicast = ethernet.destination == *heard_by;
  bool is_request = packet.operation == ArpOperation::kRequest;
  if (claims) {
    return judge_claim(packet.sender_ip, packet.sender_mac, ethernet.source, !is_request && was_unicast, view);
  }
  if (view.is_own_mac(ethernet.source) || view.is_own_mac(packet.sender_mac)) return silence(SilenceReason::kOwnEcho);
  if (!is_request) return silence(SilenceReason::kNotAQuestion);
  if (!was_unicast && ethernet.destination != kBroadcastMac) return silence(SilenceReason::kWrongDestination);
  if (!is_station(packet.sender_mac) || packet.sender_mac != ethernet.source) return silence(SilenceReason::kSpoofed);
  Question question{.vipa = packet.target_ip,
                    .asker = packet.sender_mac,
                    .asker_ip = packet.sender_ip,
                    .was_unicast = was_unicast,
                    .stance = *stance};
  return answer(question, ifindex, view, [&](const MacAddress& mac) { return encode_arp(arp_answer(packet, mac)); });
}

Verdict answer_nd(std::span<const std::uint8_t> frame, bool tagged, std::uint32_t ifindex, const AnswerView& view) {
  const MacAddress* heard_by = view.find_interface_mac(ifindex);
  if (heard_by == nullptr) return silence(SilenceReason::kNotForVipa);
  if (auto asked = decode_solicitation(frame)) {
    bool is_ours = view.find_vipa(asked->target).has_value();
    if (tagged && is_ours) return silence(reason_for_tagged(asked->ethernet, *heard_by));
    return answer_solicitation(*asked, ifindex, *heard_by, view);
  }
  auto told = decode_advertisement(frame);
  if (!told) return silence(SilenceReason::kNotForVipa);
  bool is_ours = view.find_vipa(told->target).has_value();
  if (tagged && is_ours) return silence(reason_for_tagged(told->ethernet, *heard_by));
  return judge_advertisement(*told, *heard_by, view);
}

}  // namespace xdplb
