// SPDX-License-Identifier: GPL-2.0-only
// Who is answered: one ARP or ND frame in, a reply frame or the reason for silence out. Pure.
#pragma once

#include "model/vipa_election.h"
#include "net/address.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace xdplb {

// Why a frame is not answered.
enum class SilenceReason : std::uint8_t {
  kNotForVipa,         // about another address, or no valid ARP or ND at all
  kTagged,             // carries a VLAN tag: belongs to the sub-interface
  kWrongDestination,   // neither broadcast or multicast nor sent to this interface
  kSpoofed,            // the hardware address it names is not the one it came from, or is none
  kOwnEcho,            // our own frame, heard by a sibling interface
  kNotAQuestion,       // a reply or an announcement that claims nothing against us
  kSilent,             // the VIPA has no owner now
  kNotOwner,           // another interface answers
  kAnsweredElsewhere,  // a sibling interface has just answered this asker
  kRateLimited,        // more questions than one interface answers in a second
};
inline constexpr std::size_t kSilenceReasonCount = 10;
// "not-owner" etc., as counters print it.
std::string_view silence_reason_name(SilenceReason reason);

struct Answer {
  IpAddress vipa;
  MacAddress asker;
  std::uint32_t ifindex = 0;        // send it here
  std::vector<std::uint8_t> frame;  // whole Ethernet frame
};

struct Silence {
  SilenceReason reason = SilenceReason::kNotForVipa;
  bool is_question = false;  // a valid question for a VIPA all the same
};

struct Claim {
  IpAddress vipa;
  MacAddress mac;
};

using Verdict = std::variant<Silence, Answer, Claim>;

// What the decision needs to know of this host.
struct AnswerView {
  std::function<const Election*(const IpAddress&)> find_vipa;          // nullptr: not a VIPA
  std::function<const MacAddress*(std::uint32_t)> find_interface_mac;  // nullptr: not an interface that is up
  std::function<bool(const MacAddress&)> is_own_mac;                   // any MAC of this host
};

// Decides about one frame heard on the interface `ifindex`.
//
// frame    whole Ethernet frame without the tag the kernel took off
// tagged   the kernel took a VLAN tag off (PacketSocket)
//
// A question is answered with the MAC of the interface that owns the VIPA, through that interface. It is answered only
// where it was heard by the owner (or by anyone, when the election says so), or when it was sent by unicast to a
// sibling that owned the VIPA before: then the answer corrects the asker. A packet whose sender is the VIPA itself with
// a MAC that is not ours is a Claim. Source: RFC 826, RFC 5227 2.4, RFC 4861 7.2.
Verdict answer_arp(std::span<const std::uint8_t> frame, bool tagged, std::uint32_t ifindex, const AnswerView& view);
Verdict answer_nd(std::span<const std::uint8_t> frame, bool tagged, std::uint32_t ifindex, const AnswerView& view);

}  // namespace xdplb
