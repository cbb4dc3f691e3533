// SPDX-License-Identifier: GPL-2.0-only
#include "net/nd_packet.h"

#include "net/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace xdplb {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr MacAddress kOwner{{0x02, 0, 0, 0, 0, 0x0a}};
constexpr MacAddress kAsker{{0x02, 0, 0, 0, 0, 0x0b}};
constexpr std::size_t kIp = 14;
constexpr std::size_t kIcmp = 54;
constexpr std::size_t kOptions = 78;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
const IpAddress kVipa = ip("2001:db8::10");
const IpAddress kClient = ip("2001:db8::99");
const IpAddress kLinkLocal = ip("fe80::1");

void put(Bytes& frame, std::size_t offset, std::span<const std::uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), frame.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Fills payload length and checksum for what the frame holds.
void seal(Bytes& frame) {
  const std::size_t length = frame.size() - kIcmp;
  frame[kIp + 4] = static_cast<std::uint8_t>(length >> 8);
  frame[kIp + 5] = static_cast<std::uint8_t>(length & 0xff);
  frame[kIcmp + 2] = frame[kIcmp + 3] = 0;
  std::array<std::uint8_t, 16> source{};
  std::array<std::uint8_t, 16> destination{};
  std::copy_n(frame.begin() + kIp + 8, 16, source.begin());
  std::copy_n(frame.begin() + kIp + 24, 16, destination.begin());
  const std::uint16_t sum = icmpv6_checksum(IpAddress::v6(source), IpAddress::v6(destination),
                                            std::span<const std::uint8_t>(frame).subspan(kIcmp));
  frame[kIcmp + 2] = static_cast<std::uint8_t>(sum >> 8);
  frame[kIcmp + 3] = static_cast<std::uint8_t>(sum & 0xff);
}

struct Message {
  std::uint8_t type = 135;
  std::uint8_t flags = 0;
  IpAddress source = kClient;
  IpAddress destination = solicited_node_group(kVipa);
  IpAddress target = kVipa;
  Bytes options = {1, 1, 0x02, 0, 0, 0, 0, 0x0b};
};

Bytes frame_of(const Message& message) {
  Bytes frame(kOptions, 0);
  put(frame, 0, group_mac(message.destination).bytes);
  put(frame, 6, kAsker.bytes);
  put(frame, 12, Bytes{0x86, 0xdd, 0x60});
  frame[kIp + 6] = 58;
  frame[kIp + 7] = 255;
  put(frame, kIp + 8, message.source.bytes());
  put(frame, kIp + 24, message.destination.bytes());
  frame[kIcmp] = message.type;
  frame[kIcmp + 4] = message.flags;
  put(frame, kIcmp + 8, message.target.bytes());
  frame.insert(frame.end(), message.options.begin(), message.options.end());
  seal(frame);
  return frame;
}

Bytes changed(const Message& message, const std::function<void(Bytes&)>& change, bool sealed = true) {
  Bytes frame = frame_of(message);
  change(frame);
  if (sealed) seal(frame);
  return frame;
}

const Message kAdvertisement{.type = 136,
                             .flags = 0x20,
                             .source = kVipa,
                             .destination = all_hosts_group(),
                             .target = kVipa,
                             .options = {2, 1, 0x02, 0, 0, 0, 0, 0x0b}};

// Frames that Linux 6.18 sent over a veth pair; nothing in them comes from this code.
constexpr std::string_view kLinuxQuestion =
    "33 33 ff 00 00 10 02 00 00 00 00 0b 86 dd 60 00 00 00 00 20 3a ff 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 99 "
    "ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 10 87 00 1b 69 00 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 "
    "00 10 01 01 02 00 00 00 00 0b";
constexpr std::string_view kLinuxAnswer =
    "02 00 00 00 00 0b 02 00 00 00 00 0a 86 dd 60 00 00 00 00 20 3a ff 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 10 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 99 88 00 89 b5 60 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 "
    "00 10 02 01 02 00 00 00 00 0a";
constexpr std::string_view kLinuxProbe =
    "33 33 ff 00 00 99 02 00 00 00 00 0b 86 dd 60 00 00 00 00 20 3a ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "ff 02 00 00 00 00 00 00 00 00 00 01 ff 00 00 99 87 00 7f 05 00 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 "
    "00 99 0e 01 d4 ed b1 8c 38 34";

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(DecodeSolicitation, ReadsWhatLinuxAsks) {
  const auto solicitation = decode_solicitation(from_hex(kLinuxQuestion));
  ASSERT_TRUE(solicitation);
  EXPECT_EQ(solicitation->source, kClient);
  EXPECT_EQ(solicitation->target, kVipa);
  EXPECT_EQ(solicitation->source_mac, kAsker);
}

TEST(DecodeSolicitation, ReadsTheProbeOfLinux) {
  const auto solicitation = decode_solicitation(from_hex(kLinuxProbe));
  ASSERT_TRUE(solicitation);
  EXPECT_TRUE(solicitation->source.is_unspecified());
  EXPECT_EQ(solicitation->target, kClient);
  EXPECT_EQ(solicitation->source_mac, std::nullopt);
  EXPECT_EQ(solicitation->nonce, (NdNonce{0xd4, 0xed, 0xb1, 0x8c, 0x38, 0x34}));
}

TEST(DecodeSolicitation, TakesTheFirstNonceOfSixBytes) {
  const auto nonce_of = [](const Bytes& options) { return decode_solicitation(frame_of({.options = options}))->nonce; };
  EXPECT_EQ(nonce_of({14, 1, 1, 2, 3, 4, 5, 6, 14, 1, 9, 9, 9, 9, 9, 9}), (NdNonce{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(nonce_of({14, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}), std::nullopt);
  EXPECT_EQ(nonce_of({1, 1, 0x02, 0, 0, 0, 0, 0x0b}), std::nullopt);
}

TEST(DecodeAdvertisement, ReadsWhatLinuxAnswers) {
  const auto advertisement = decode_advertisement(from_hex(kLinuxAnswer));
  ASSERT_TRUE(advertisement);
  EXPECT_EQ(advertisement->target, kVipa);
  EXPECT_EQ(advertisement->target_mac, kOwner);
  EXPECT_TRUE(advertisement->is_solicited);
  EXPECT_TRUE(advertisement->overrides);
  EXPECT_FALSE(advertisement->is_router);
}

TEST(DecodeSolicitation, ReadsAQuestion) {
  const auto solicitation = decode_solicitation(frame_of({}));
  ASSERT_TRUE(solicitation);
  EXPECT_EQ(*solicitation, (NeighbourSolicitation{
                               .ethernet = {.destination = {{0x33, 0x33, 0xff, 0, 0, 0x10}}, .source = kAsker},
                               .source = kClient,
                               .destination = ip("ff02::1:ff00:10"),
                               .target = kVipa,
                               .source_mac = kAsker,
                           }));
}

TEST(DecodeSolicitation, TakesAUnicastQuestionWithoutOption) {
  const auto solicitation = decode_solicitation(frame_of({.destination = kVipa, .options = {}}));
  ASSERT_TRUE(solicitation);
  EXPECT_EQ(solicitation->source_mac, std::nullopt);
}

TEST(DecodeSolicitation, TakesAProbeForDuplicates) {
  const auto solicitation = decode_solicitation(frame_of({.source = ip("::"), .options = {}}));
  ASSERT_TRUE(solicitation);
  EXPECT_TRUE(solicitation->source.is_unspecified());
}

TEST(DecodeSolicitation, IgnoresOtherOptionsAndPadding) {
  const Bytes options{14,  1, 1, 2, 3, 4, 5, 6, 1, 1, 0x02, 0, 0, 0, 0, 0x0b,
                      200, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 0};
  Bytes frame = frame_of({.options = options});
  frame.resize(frame.size() + 7, 0xee);
  const auto solicitation = decode_solicitation(frame);
  ASSERT_TRUE(solicitation);
  EXPECT_EQ(solicitation->source_mac, kAsker);
}

TEST(DecodeSolicitation, RefusesEveryTruncatedFrame) {
  const Bytes frame = frame_of({});
  for (std::size_t length = 0; length < frame.size(); ++length) {
    const auto solicitation = decode_solicitation(std::span<const std::uint8_t>(frame).first(length));
    ASSERT_FALSE(solicitation) << length;
    EXPECT_EQ(solicitation.error(), Refusal::kTruncated) << length;
  }
}

TEST(DecodeSolicitation, RefusesAMessageShorterThanItsHeader) {
  for (std::size_t length = 0; length < 24; ++length) {
    Bytes frame = frame_of({.options = {}});
    frame.resize(kIcmp + length);
    if (length >= 4) seal(frame);
    frame[kIp + 4] = 0;
    frame[kIp + 5] = static_cast<std::uint8_t>(length);
    frame.resize(100, 0);  // padding must not make it whole
    const auto solicitation = decode_solicitation(frame);
    ASSERT_FALSE(solicitation) << length;
    EXPECT_EQ(solicitation.error(), Refusal::kTruncated) << length;
  }
}

TEST(DecodeSolicitation, RefusesWhatRfc4861Forbids) {
  struct Case {
    std::string_view description;
    Bytes frame;
    Refusal refusal;
  };
  const auto set = [](std::size_t offset, std::uint8_t value) { return [=](Bytes& frame) { frame[offset] = value; }; };
  const Message dad{.source = ip("::"), .options = {}};
  for (const Case& each : std::vector<Case>{
           {"ARP", changed({}, set(13, 0x06)), Refusal::kOtherType},
           {"IPv4 inside", changed({}, set(kIp, 0x45)), Refusal::kOtherType},
           {"hop-by-hop header", changed({}, set(kIp + 6, 0)), Refusal::kOtherType},
           {"UDP", changed({}, set(kIp + 6, 17)), Refusal::kOtherType},
           {"router solicitation", changed({}, set(kIcmp, 133)), Refusal::kOtherType},
           {"advertisement", changed({}, set(kIcmp, 136)), Refusal::kOtherType},
           {"hop limit 254", changed({}, set(kIp + 7, 254)), Refusal::kHopLimit},
           {"hop limit 0", changed({}, set(kIp + 7, 0)), Refusal::kHopLimit},
           {"checksum", changed({}, set(kIcmp + 4, 1), false), Refusal::kChecksum},
           {"checksum over addresses", changed({}, set(kIp + 23, 0x98), false), Refusal::kChecksum},
           {"code 1", changed({}, set(kIcmp + 1, 1)), Refusal::kCode},
           {"group as target", frame_of({.target = ip("ff02::1")}), Refusal::kAddress},
           {"group as source", frame_of({.source = ip("ff02::1")}), Refusal::kAddress},
           {"probe to a unicast address", frame_of({.source = ip("::"), .destination = kVipa, .options = {}}),
            Refusal::kAddress},
           {"probe to all hosts", frame_of({.source = ip("::"), .destination = ip("ff02::1"), .options = {}}),
            Refusal::kAddress},
           {"probe with source option", frame_of({.source = ip("::")}), Refusal::kOption},
           {"option of length 0", frame_of({.options = {1, 0, 2, 0, 0, 0, 0, 1}}), Refusal::kOption},
           {"option beyond the end", frame_of({.options = {1, 2, 2, 0, 0, 0, 0, 1}}), Refusal::kOption},
           {"half an option", frame_of({.options = {1}}), Refusal::kOption},
           {"source option of 16 bytes", frame_of({.options = {1, 2, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}}),
            Refusal::kOption},
           {"group as source MAC", frame_of({.options = {1, 1, 0x33, 0x33, 0, 0, 0, 1}}), Refusal::kOption},
       }) {
    const auto solicitation = decode_solicitation(each.frame);
    ASSERT_FALSE(solicitation) << each.description;
    EXPECT_EQ(solicitation.error(), each.refusal) << each.description;
  }
  EXPECT_TRUE(decode_solicitation(frame_of(dad)));
}

TEST(DecodeAdvertisement, ReadsAForeignClaim) {
  const auto advertisement = decode_advertisement(frame_of(kAdvertisement));
  ASSERT_TRUE(advertisement);
  EXPECT_EQ(*advertisement, (NeighbourAdvertisement{
                                .ethernet = {.destination = {{0x33, 0x33, 0, 0, 0, 1}}, .source = kAsker},
                                .source = kVipa,
                                .destination = ip("ff02::1"),
                                .target = kVipa,
                                .target_mac = kAsker,
                                .is_router = false,
                                .is_solicited = false,
                                .overrides = true,
                            }));
}

TEST(DecodeAdvertisement, ReadsEachFlag) {
  for (const unsigned flags : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
    Message message = kAdvertisement;
    message.destination = kClient;
    message.flags = static_cast<std::uint8_t>(flags << 5);
    const auto advertisement = decode_advertisement(frame_of(message));
    ASSERT_TRUE(advertisement);
    EXPECT_EQ(advertisement->is_router, (flags & 4) != 0);
    EXPECT_EQ(advertisement->is_solicited, (flags & 2) != 0);
    EXPECT_EQ(advertisement->overrides, (flags & 1) != 0);
  }
}

TEST(DecodeAdvertisement, MayLackTheTargetMac) {
  Message message = kAdvertisement;
  message.options = {};
  const auto advertisement = decode_advertisement(frame_of(message));
  ASSERT_TRUE(advertisement);
  EXPECT_EQ(advertisement->target_mac, std::nullopt);
}

TEST(DecodeAdvertisement, RefusesSolicitedToAGroup) {
  Message message = kAdvertisement;
  message.flags = 0x60;
  const auto advertisement = decode_advertisement(frame_of(message));
  ASSERT_FALSE(advertisement);
  EXPECT_EQ(advertisement.error(), Refusal::kAddress);
}

TEST(DecodeAdvertisement, ValidatesLikeASolicitation) {
  const auto hop_limit = changed(kAdvertisement, [](Bytes& frame) { frame[kIp + 7] = 64; });
  EXPECT_EQ(decode_advertisement(hop_limit).error(), Refusal::kHopLimit);
  const auto checksum = changed(
      kAdvertisement, [](Bytes& frame) { frame[kOptions + 7] = 1; }, false);
  EXPECT_EQ(decode_advertisement(checksum).error(), Refusal::kChecksum);
  const auto code = changed(kAdvertisement, [](Bytes& frame) { frame[kIcmp + 1] = 1; });
  EXPECT_EQ(decode_advertisement(code).error(), Refusal::kCode);
  const auto option = changed(kAdvertisement, [](Bytes& frame) { frame[kOptions + 1] = 0; });
  EXPECT_EQ(decode_advertisement(option).error(), Refusal::kOption);
  EXPECT_EQ(decode_advertisement(frame_of({})).error(), Refusal::kOtherType);
}

TEST(NdFrames, AnswerIsWhatTheOwnersKernelWouldSend) {
  const auto solicitation = decode_solicitation(from_hex(kLinuxQuestion));
  const auto bytes = encode_advertisement(nd_answer(*solicitation, kOwner));
  EXPECT_EQ(Bytes(bytes.begin(), bytes.end()), from_hex(kLinuxAnswer));
}

TEST(NdFrames, AnswerWithoutSourceOptionGoesToTheEthernetSource) {
  const auto solicitation = decode_solicitation(frame_of({.destination = kVipa, .options = {}}));
  EXPECT_EQ(nd_answer(*solicitation, kOwner).ethernet, (EthernetAddresses{.destination = kAsker, .source = kOwner}));
}

TEST(NdFrames, AnswerToAProbeGoesToAllHosts) {
  const auto solicitation = decode_solicitation(frame_of({.source = ip("::"), .options = {}}));
  EXPECT_EQ(nd_answer(*solicitation, kOwner),
            (NeighbourAdvertisement{
                .ethernet = {.destination = {{0x33, 0x33, 0, 0, 0, 1}}, .source = kOwner},
                .source = kVipa,
                .destination = ip("ff02::1"),
                .target = kVipa,
                .target_mac = kOwner,
                .is_router = false,
                .is_solicited = false,
                .overrides = true,
            }));
}

TEST(NdFrames, AnnouncementGoesToAllHosts) {
  EXPECT_EQ(nd_announcement(kOwner, kLinkLocal, kVipa),
            (NeighbourAdvertisement{
                .ethernet = {.destination = {{0x33, 0x33, 0, 0, 0, 1}}, .source = kOwner},
                .source = kLinkLocal,
                .destination = ip("ff02::1"),
                .target = kVipa,
                .target_mac = kOwner,
                .is_router = false,
                .is_solicited = false,
                .overrides = true,
            }));
}

TEST(NdFrames, ReadBackAsTheyWere) {
  const auto solicitation = decode_solicitation(frame_of({}));
  NeighbourAdvertisement router = nd_answer(*solicitation, kOwner);
  router.is_router = true;
  for (const auto& advertisement :
       {nd_answer(*solicitation, kOwner), nd_announcement(kOwner, kLinkLocal, kVipa), router}) {
    const auto decoded = decode_advertisement(encode_advertisement(advertisement));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, advertisement);
  }
}

TEST(NdFrames, QuestionIsWhatTheKernelOfAnyHostWouldAsk) {
  EXPECT_EQ(encode_solicitation(nd_question(kAsker, kClient, kVipa)), from_hex(kLinuxQuestion));
}

TEST(NdFrames, ProbeIsWhatTheKernelWouldSendForItsOwnAddress) {
  const NdNonce nonce{0xd4, 0xed, 0xb1, 0x8c, 0x38, 0x34};
  EXPECT_EQ(encode_solicitation(nd_probe(kAsker, kClient, nonce)), from_hex(kLinuxProbe));
}

TEST(NdFrames, SolicitationsReadBackAsTheyWere) {
  NeighbourSolicitation unicast = nd_question(kAsker, kClient, kVipa);
  unicast.ethernet.destination = kOwner;
  unicast.destination = kVipa;
  unicast.source_mac = std::nullopt;
  NeighbourSolicitation both = nd_question(kAsker, kClient, kVipa);
  both.nonce = NdNonce{1, 2, 3, 4, 5, 6};
  for (const auto& solicitation :
       {nd_question(kAsker, kClient, kVipa), nd_probe(kAsker, kVipa, {6, 5, 4, 3, 2, 1}), unicast, both}) {
    const auto decoded = decode_solicitation(encode_solicitation(solicitation));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, solicitation);
  }
}

TEST(NdFrames, DirectedAnnouncementGoesToOneNeighbour) {
  NeighbourAdvertisement expected = nd_announcement(kOwner, kLinkLocal, kVipa);
  expected.ethernet.destination = kAsker;
  expected.destination = kClient;
  const auto directed = nd_directed_announcement(kOwner, kLinkLocal, kVipa, kAsker, kClient);
  EXPECT_EQ(directed, expected);
  const auto decoded = decode_advertisement(encode_advertisement(directed));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, expected);
}

}  // namespace
}  // namespace xdplb
