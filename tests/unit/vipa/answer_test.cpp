// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/answer.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "net/arp_packet.h"
#include "net/nd_packet.h"

namespace xdplb {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
MacAddress mac(const char* text) { return *MacAddress::parse(text); }

constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;
const MacAddress kMac0 = mac("02:00:00:00:00:01");
const MacAddress kMac1 = mac("02:00:00:00:00:02");
const MacAddress kAsker = mac("02:00:00:00:00:c1");
const IpAddress kAskerIp = ip("192.0.2.99");
const IpAddress kVipa = ip("192.0.2.10");
const IpAddress kVipaV6 = ip("2001:db8::10");
const IpAddress kAskerV6 = ip("2001:db8::99");
constexpr NdNonce kOwnNonce{1, 2, 3, 4, 5, 6};

class AnswerRule : public testing::Test {
 protected:
  AnswerRule() {
    own({.owner = kEth0});
    view_.find_vipa = [this](const IpAddress& address) -> std::optional<VipaStance> {
      auto vipa = vipas_.find(address);
      if (vipa == vipas_.end()) return std::nullopt;
      return vipa->second;
    };
    view_.find_interface_mac = [this](std::uint32_t ifindex) -> const MacAddress* {
      auto entry = macs_.find(ifindex);
      return entry == macs_.end() ? nullptr : &entry->second;
    };
    view_.is_own_mac = [](const MacAddress& m) { return m == kMac0 || m == kMac1; };
    view_.is_own_nonce = [](const IpAddress& vipa, const NdNonce& nonce) {
      return vipa == kVipaV6 && nonce == kOwnNonce;
    };
  }

  void own(const VipaStance& stance) {
    vipas_[kVipa] = stance;
    vipas_[kVipaV6] = stance;
  }
  Verdict ask(const ArpFrame& frame, std::uint32_t on = kEth0, bool tagged = false) {
    return answer_arp(encode_arp(frame), tagged, on, view_);
  }
  Verdict ask(const NeighbourSolicitation& solicitation, std::uint32_t on = kEth0, bool tagged = false) {
    return answer_nd(encode_solicitation(solicitation), tagged, on, view_);
  }
  Verdict tell(const NeighbourAdvertisement& advertisement, std::uint32_t on = kEth0) {
    return answer_nd(encode_advertisement(advertisement), false, on, view_);
  }

  std::map<IpAddress, VipaStance> vipas_;
  std::map<std::uint32_t, MacAddress> macs_{{kEth0, kMac0}, {kEth1, kMac1}};
  AnswerView view_;
};

ArpFrame question() {
  return {.ethernet = {.destination = kBroadcastMac, .source = kAsker},
          .packet = {.operation = ArpOperation::kRequest,
                     .sender_mac = kAsker,
                     .sender_ip = kAskerIp,
                     .target_mac = {},
                     .target_ip = kVipa}};
}

NeighbourSolicitation solicitation() {
  return {.ethernet = {.destination = mac("33:33:ff:00:00:10"), .source = kAsker},
          .source = kAskerV6,
          .destination = solicited_node_group(kVipaV6),
          .target = kVipaV6,
          .source_mac = kAsker};
}

ArpFrame reply_from(const MacAddress& own_mac) {
  return {.ethernet = {.destination = kAsker, .source = own_mac},
          .packet = {.operation = ArpOperation::kReply,
                     .sender_mac = own_mac,
                     .sender_ip = kVipa,
                     .target_mac = kAsker,
                     .target_ip = kAskerIp}};
}

void expect_silence(const Verdict& verdict, SilenceReason reason, bool is_question = false) {
  const auto* silence = std::get_if<Silence>(&verdict);
  ASSERT_NE(silence, nullptr);
  EXPECT_EQ(silence_reason_name(silence->reason), silence_reason_name(reason));
  EXPECT_EQ(silence->is_question, is_question);
  if (!is_question) return;
  EXPECT_THAT(silence->vipa, testing::AnyOf(kVipa, kVipaV6));
}

void expect_arp_answer(const Verdict& verdict, std::uint32_t ifindex, const ArpFrame& expected, bool heals = false) {
  const auto* answer = std::get_if<Answer>(&verdict);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->ifindex, ifindex);
  EXPECT_EQ(answer->vipa, kVipa);
  EXPECT_EQ(answer->asker, kAsker);
  EXPECT_EQ(answer->asker_ip, expected.packet.target_ip);
  EXPECT_EQ(answer->heals, heals);
  auto bytes = encode_arp(expected);
  EXPECT_EQ(answer->frame, std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

void expect_claim(const Verdict& verdict, const Claim& expected) {
  const auto* claim = std::get_if<Claim>(&verdict);
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->vipa, expected.vipa);
  EXPECT_EQ(claim->mac, expected.mac);
  EXPECT_EQ(claim->is_probe, expected.is_probe);
  EXPECT_EQ(claim->is_answer, expected.is_answer);
  EXPECT_EQ(claim->is_own_kernel, expected.is_own_kernel);
}

TEST_F(AnswerRule, OwnerAnswersBroadcastAndUnicastWithItsMac) {
  expect_arp_answer(ask(question()), kEth0, reply_from(kMac0));
  ArpFrame unicast = question();
  unicast.ethernet.destination = kMac0;
  expect_arp_answer(ask(unicast), kEth0, reply_from(kMac0));
}

TEST_F(AnswerRule, ProbeIsAnsweredToNobodysAddress) {
  ArpFrame probe = question();
  probe.packet.sender_ip = IpAddress();
  ArpFrame expected = reply_from(kMac0);
  expected.packet.target_ip = IpAddress();
  expect_arp_answer(ask(probe), kEth0, expected);
}

TEST_F(AnswerRule, SiblingKeepsSilentWhenAskedByBroadcast) {
  expect_silence(ask(question(), kEth1), SilenceReason::kNotOwner, true);
}

TEST_F(AnswerRule, SiblingAskedByUnicastIsAnsweredByTheOwner) {
  ArpFrame stale = question();
  stale.ethernet.destination = kMac1;
  expect_arp_answer(ask(stale, kEth1), kEth0, reply_from(kMac0), true);
}

TEST_F(AnswerRule, ForeignProbeIsAClaimWhileItIsHeeded) {
  own({.owner = 0, .heeds_probes = true});
  ArpFrame probe = arp_probe(kAsker, kVipa);
  expect_claim(ask(probe), {.vipa = kVipa, .mac = kAsker, .is_probe = true});
  expect_claim(ask(probe, kEth1), {.vipa = kVipa, .mac = kAsker, .is_probe = true});
  expect_silence(ask(question()), SilenceReason::kSilent, true);
  own({.owner = kEth0, .heeds_probes = true});
  expect_claim(ask(probe), {.vipa = kVipa, .mac = kAsker, .is_probe = true});
  expect_arp_answer(ask(question()), kEth0, reply_from(kMac0));
  probe.ethernet.source = mac("02:00:00:00:00:c2");
  expect_silence(ask(probe), SilenceReason::kSpoofed);
  expect_silence(ask(arp_probe(kMac1, kVipa)), SilenceReason::kOwnEcho);
}

TEST_F(AnswerRule, ReplyToOurQuestionIsAClaimThatAnswers) {
  own({.owner = 0});
  ArpFrame reply = arp_answer(arp_question(kMac0, ip("192.0.2.1"), kVipa).packet, kAsker);
  expect_claim(ask(reply), {.vipa = kVipa, .mac = kAsker, .is_answer = true});
  expect_claim(ask(arp_announcement_reply(kAsker, kVipa)), {.vipa = kVipa, .mac = kAsker});
}

TEST_F(AnswerRule, ReplyFromOurselvesToOurselvesIsTheKernels) {
  ArpFrame reply = arp_answer(arp_probe(kMac0, kVipa).packet, kMac1);
  expect_claim(ask(reply), {.vipa = kVipa, .mac = kMac1, .is_answer = true, .is_own_kernel = true});
  ArpFrame forged = reply;
  forged.ethernet.source = kAsker;
  expect_silence(ask(forged), SilenceReason::kOwnEcho);
}

TEST_F(AnswerRule, SilentVipaAndDownOwnerAnswerNothing) {
  own({.owner = 0});
  expect_silence(ask(question()), SilenceReason::kSilent, true);
  own({.owner = kEth1});
  macs_.erase(kEth1);
  ArpFrame stale = question();
  stale.ethernet.destination = kMac0;
  expect_silence(ask(stale), SilenceReason::kSilent, true);
}

TEST_F(AnswerRule, InterfaceThatIsDownHearsNothing) {
  macs_.erase(kEth0);
  expect_silence(ask(question()), SilenceReason::kNotForVipa);
  expect_silence(ask(solicitation()), SilenceReason::kNotForVipa);
}

TEST_F(AnswerRule, OtherAddressesAndBrokenFramesAreNotOurs) {
  ArpFrame other = question();
  other.packet.target_ip = ip("192.0.2.11");
  expect_silence(ask(other), SilenceReason::kNotForVipa);
  auto whole = encode_arp(question());
  for (std::size_t length = 0; length < 42; ++length) {
    expect_silence(answer_arp(std::span(whole).first(length), false, kEth0, view_), SilenceReason::kNotForVipa);
  }
  auto nd = encode_solicitation(solicitation());
  for (std::size_t length = 0; length < nd.size(); ++length) {
    expect_silence(answer_nd(std::span(nd).first(length), false, kEth0, view_), SilenceReason::kNotForVipa);
  }
  NeighbourSolicitation other_nd = solicitation();
  other_nd.target = ip("2001:db8::11");
  expect_silence(ask(other_nd), SilenceReason::kNotForVipa);
}

TEST_F(AnswerRule, RefusesWhatIsNoHonestQuestion) {
  struct Case {
    const char* description;
    SilenceReason reason;
    std::function<void(ArpFrame&)> change;
  };
  const Case cases[] = {
      {"to another station", SilenceReason::kWrongDestination, [](auto& f) { f.ethernet.destination = kMac1; }},
      {"to a group", SilenceReason::kWrongDestination,
       [](auto& f) { f.ethernet.destination = mac("01:00:5e:00:00:01"); }},
      {"hardware address of another", SilenceReason::kSpoofed,
       [](auto& f) { f.packet.sender_mac = mac("02:00:00:00:00:c2"); }},
      {"group as hardware address", SilenceReason::kSpoofed,
       [](auto& f) { f.packet.sender_mac = f.ethernet.source = mac("03:00:00:00:00:c2"); }},
      {"no hardware address", SilenceReason::kSpoofed,
       [](auto& f) { f.packet.sender_mac = f.ethernet.source = MacAddress(); }},
      {"our own", SilenceReason::kOwnEcho, [](auto& f) { f.packet.sender_mac = f.ethernet.source = kMac1; }},
      {"a reply to the VIPA", SilenceReason::kNotAQuestion, [](auto& f) { f.packet.operation = ArpOperation::kReply; }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.description);
    ArpFrame frame = question();
    c.change(frame);
    expect_silence(ask(frame), c.reason);
  }
}

TEST_F(AnswerRule, TaggedQuestionBelongsToTheVlan) {
  expect_silence(ask(question(), kEth0, true), SilenceReason::kTagged);
  expect_silence(ask(solicitation(), kEth0, true), SilenceReason::kTagged);
  ArpFrame other = question();
  other.packet.target_ip = ip("192.0.2.11");
  expect_silence(ask(other, kEth0, true), SilenceReason::kNotForVipa);
  expect_silence(ask(arp_announcement(kAsker, kVipa), kEth0, true), SilenceReason::kTagged);
  ArpFrame to_another = question();  // in promiscuous mode
  to_another.ethernet.destination = kMac1;
  expect_silence(ask(to_another, kEth0, true), SilenceReason::kWrongDestination);
}

TEST_F(AnswerRule, ForeignSenderOfTheVipaIsAClaim) {
  ArpFrame announcement = arp_announcement(kAsker, kVipa);
  expect_claim(ask(announcement), {.vipa = kVipa, .mac = kAsker});
  expect_claim(ask(arp_announcement_reply(kAsker, kVipa), kEth1), {.vipa = kVipa, .mac = kAsker});
  ArpFrame leak = question();  // a server that asks for its router with the VIPA as sender
  leak.packet.sender_ip = kVipa;
  leak.packet.target_ip = ip("192.0.2.1");
  expect_claim(ask(leak), {.vipa = kVipa, .mac = kAsker});
}

TEST_F(AnswerRule, OwnAnnouncementHeardByASiblingIsAnEcho) {
  expect_silence(ask(arp_announcement(kMac0, kVipa), kEth1), SilenceReason::kOwnEcho);
}

void expect_nd_answer(const Verdict& verdict, std::uint32_t ifindex, const NeighbourAdvertisement& expected) {
  const auto* answer = std::get_if<Answer>(&verdict);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->ifindex, ifindex);
  EXPECT_EQ(answer->vipa, kVipaV6);
  auto bytes = encode_advertisement(expected);
  EXPECT_EQ(answer->frame, std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

NeighbourAdvertisement advertisement_from(const MacAddress& own_mac) {
  return {.ethernet = {.destination = kAsker, .source = own_mac},
          .source = kVipaV6,
          .destination = kAskerV6,
          .target = kVipaV6,
          .target_mac = own_mac,
          .is_router = false,
          .is_solicited = true,
          .overrides = true};
}

TEST_F(AnswerRule, OwnerAnswersEverySolicitation) {
  expect_nd_answer(ask(solicitation()), kEth0, advertisement_from(kMac0));
  NeighbourSolicitation unicast = solicitation();
  unicast.ethernet.destination = kMac0;
  unicast.destination = kVipaV6;
  unicast.source_mac = std::nullopt;
  expect_nd_answer(ask(unicast), kEth0, advertisement_from(kMac0));
}

TEST_F(AnswerRule, DuplicateAddressProbeIsAnsweredToAll) {
  NeighbourSolicitation probe = solicitation();
  probe.source = ip("::");
  probe.source_mac = std::nullopt;
  expect_nd_answer(ask(probe), kEth0, nd_announcement(kMac0, kVipaV6, kVipaV6));
}

TEST_F(AnswerRule, SiblingKeepsSilentOrCorrectsTheAsker) {
  expect_silence(ask(solicitation(), kEth1), SilenceReason::kNotOwner, true);
  NeighbourSolicitation stale = solicitation();
  stale.ethernet.destination = kMac1;
  stale.destination = kVipaV6;
  expect_nd_answer(ask(stale, kEth1), kEth0, advertisement_from(kMac0));
}

TEST_F(AnswerRule, RefusesWhatIsNoHonestSolicitation) {
  NeighbourSolicitation frame = solicitation();
  frame.ethernet.destination = kMac1;
  expect_silence(ask(frame), SilenceReason::kWrongDestination);
  frame = solicitation();
  frame.source_mac = mac("02:00:00:00:00:c2");
  expect_silence(ask(frame), SilenceReason::kSpoofed);
  frame = solicitation();
  frame.ethernet.source = kMac1;
  frame.source_mac = kMac1;
  expect_silence(ask(frame), SilenceReason::kOwnEcho);
}

TEST_F(AnswerRule, ForeignAdvertisementAndSolicitationFromTheVipaAreClaims) {
  expect_claim(tell(nd_announcement(kAsker, ip("fe80::99"), kVipaV6)), {.vipa = kVipaV6, .mac = kAsker});
  NeighbourSolicitation leak = solicitation();
  leak.source = kVipaV6;
  expect_claim(ask(leak), {.vipa = kVipaV6, .mac = kAsker});
  expect_silence(tell(nd_announcement(kMac1, ip("fe80::1"), kVipaV6)), SilenceReason::kOwnEcho);
  expect_silence(tell(nd_announcement(kAsker, ip("fe80::99"), ip("2001:db8::11"))), SilenceReason::kNotForVipa);
}

TEST_F(AnswerRule, DuplicateAddressProbeIsAClaimWhileItIsHeeded) {
  own({.owner = 0, .heeds_probes = true});
  expect_claim(ask(nd_probe(kAsker, kVipaV6, {9, 9, 9, 9, 9, 9})), {.vipa = kVipaV6, .mac = kAsker, .is_probe = true});
  expect_silence(ask(solicitation()), SilenceReason::kSilent, true);
}

TEST_F(AnswerRule, OwnProbeThatCameBackIsAnEchoWhoeverSentItOn) {
  own({.owner = 0, .heeds_probes = true});
  expect_silence(ask(nd_probe(kMac1, kVipaV6, {9, 9, 9, 9, 9, 9})), SilenceReason::kOwnEcho);
  expect_silence(ask(nd_probe(kAsker, kVipaV6, kOwnNonce)), SilenceReason::kOwnEcho);
}

TEST_F(AnswerRule, SolicitedAdvertisementToUsIsAClaimThatAnswers) {
  auto asked = nd_question(kMac0, ip("fe80::1"), kVipaV6);
  expect_claim(tell(nd_answer(asked, kAsker)), {.vipa = kVipaV6, .mac = kAsker, .is_answer = true});
  expect_claim(tell(nd_answer(asked, kMac1)),
               {.vipa = kVipaV6, .mac = kMac1, .is_answer = true, .is_own_kernel = true});
  expect_claim(tell(nd_answer(nd_probe(kMac0, kVipaV6, kOwnNonce), kAsker)), {.vipa = kVipaV6, .mac = kAsker});
}

TEST_F(AnswerRule, AdvertisementFromBeyondARouterIsIgnored) {
  auto bytes = encode_advertisement(nd_announcement(kAsker, ip("fe80::99"), kVipaV6));
  bytes[kEthernetHeader + 7] = 64;  // hop limit; not in the checksum
  expect_silence(answer_nd(bytes, false, kEth0, view_), SilenceReason::kNotForVipa);
}

TEST_F(AnswerRule, ReasonsHaveDistinctNames) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kSilenceReasonCount; ++i) {
    names.insert(silence_reason_name(static_cast<SilenceReason>(i)));
  }
  EXPECT_EQ(names.size(), kSilenceReasonCount);
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace xdplb
