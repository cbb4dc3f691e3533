// SPDX-License-Identifier: GPL-2.0-only
// Who is answered: one ARP or ND frame in, a reply frame or the reason for silence out. Pure.
#pragma once

#include "net/nd_packet.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace xdplb {

// Why a frame is not answered.
enum class SilenceReason : std::uint8_t {
  kNotForVipa,        // about another address, or no valid ARP or ND at all
  kTagged,            // carries a VLAN tag: belongs to the sub-interface
  kWrongDestination,  // neither broadcast or multicast nor sent to this interface
  kSpoofed,           // the hardware address it names is not the one it came from, or is none
  kOwnEcho,           // our own frame, heard by a sibling interface
  kNotAQuestion,      // a reply or an announcement that claims nothing against us
  kSilent,            // the VIPA has no owner now
  kNotOwner,          // another interface answers
  kRateLimited,       // more questions than one interface, or one asker, is answered in a second
};
inline constexpr std::size_t kSilenceReasonCount = 9;
// "not-owner" etc., as counters print it.
std::string_view silence_reason_name(SilenceReason reason);

struct Answer {
  IpAddress vipa;
  MacAddress asker;
  IpAddress asker_ip;               // unspecified: a probe
  std::uint32_t ifindex = 0;        // send it here
  bool heals = false;               // the question went to a former owner
  std::vector<std::uint8_t> frame;  // whole Ethernet frame
};

struct Silence {
  SilenceReason reason = SilenceReason::kNotForVipa;
  IpAddress vipa{};          // of a question
  bool is_question = false;  // a valid question for a VIPA all the same
};

// Another station has the VIPA or is about to.
struct Claim {
  IpAddress vipa;
  MacAddress mac;
  bool is_probe = false;       // asks whether it is free (RFC 5227, DAD)
  bool is_answer = false;      // sent to the interface that heard it
  bool is_own_kernel = false;  // from a MAC of this host: its kernel answers beside us
};

using Verdict = std::variant<Silence, Answer, Claim>;

// Who deals with a VIPA now.
struct VipaStance {
  std::uint32_t owner = 0;    // the interface that answers; 0: none
  bool heeds_probes = false;  // a foreign probe is a claim, not a question
};

// What the decision needs to know of this host.
struct AnswerView {
  std::function<std::optional<VipaStance>(const IpAddress&)> find_vipa;     // nullopt: not a VIPA
  std::function<const MacAddress*(std::uint32_t)> find_interface_mac;       // nullptr: not an interface that is up
  std::function<bool(const MacAddress&)> is_own_mac;                        // any MAC of this host
  std::function<bool(const IpAddress& vipa, const NdNonce&)> is_own_nonce;  // of our last probe for the VIPA
};

// Decides about one frame heard on the interface `ifindex`.
//
// frame    whole Ethernet frame without the tag the kernel took off
// tagged   the kernel took a VLAN tag off (PacketSocket)
//
// A question is answered with the MAC of the interface that owns the VIPA, through that interface. It is answered only
// where it was heard by the owner, or when it was sent by unicast to a sibling that owned the VIPA before: then the
// answer corrects the asker. A packet whose sender is the VIPA itself with a MAC that is not ours is a Claim; with one
// of ours it is an echo of a sibling, but a reply to ourselves comes from our kernel, for we never ask ourselves.
// Source: RFC 826, RFC 5227 2.4, RFC 4861 7.2, RFC 7527.
Verdict answer_arp(std::span<const std::uint8_t> frame, bool tagged, std::uint32_t ifindex, const AnswerView& view);
Verdict answer_nd(std::span<const std::uint8_t> frame, bool tagged, std::uint32_t ifindex, const AnswerView& view);

}  // namespace xdplb
