// SPDX-License-Identifier: GPL-2.0-only
#include "host/reach_prober.h"

#include <gmock/gmock.h>

#include <map>

#include "host/packet_socket.h"
#include "net/arp_packet.h"
#include "net/nd_packet.h"
#include "sandbox.h"

namespace xdplb {
namespace {

using namespace std::chrono_literals;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
MacAddress mac(const char* text) { return *MacAddress::parse(text); }
IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

const MacAddress kOwnMac = mac("02:00:00:00:00:04");
const MacAddress kTargetMac = mac("02:00:00:00:00:01");

class Prober : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", kOwnMac.to_string());
    dispatcher_.run(
        "ip addr add 10.1.1.7/32 dev lo; ip addr add 2001:db8::7/128 dev lo nodad;"  // VIPAs
        "ip addr add 10.1.1.4/24 dev e0; ip addr add 2001:db8::4/64 dev e0 nodad;"
        "ip route add default via 10.1.1.1 src 10.1.1.7; ip -6 route add default via 2001:db8::1 src 2001:db8::7");
    target_ = NetworkNamespace::make();
    plug_in(target_, "t0", kTargetMac.to_string());
    target_.run(
        "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding;"
        "ip addr add 10.1.1.1/24 dev t0; ip addr add 2001:db8::1/64 dev t0");
    e0_ = index_of(dispatcher_, "e0");
    interface_ = {.ifindex = e0_,
                  .name = "e0",
                  .mac = kOwnMac,
                  .prefixes = {prefix("10.1.1.4/24"), prefix("fe80::ff:fe00:4/64"), prefix("2001:db8::4/64")}};
    listen(PacketKind::kArp, arp_listener_);
    listen(PacketKind::kNeighborDiscovery, nd_listener_);
    prober_ = dispatcher_.inside([&] { return std::make_unique<ReachProber>(io_); });
    prober_->on_outcome([this](const ReachProber::Outcome& outcome) { outcomes_.push_back(outcome); });
  }

  // Questions as the target's wire carries them.
  void listen(PacketKind kind, std::unique_ptr<PacketSocket>& socket) {
    socket = target_.inside([&] { return PacketSocket::open(io_, index_of(target_, "t0"), "t0", kind).value(); });
    socket->on_frame([this](std::span<const std::uint8_t> frame, bool) {
      if (auto arp = decode_arp(frame)) questions_.push_back({arp->ethernet, arp->packet.sender_ip});
      if (auto nd = decode_solicitation(frame)) questions_.push_back({nd->ethernet, nd->source});
    });
  }
  ReachQuestion question(const char* target) const { return {.ifindex = e0_, .target = ip(target)}; }
  void set(const std::vector<ReachQuestion>& questions, std::chrono::milliseconds interval = 100ms) {
    dispatcher_.inside([&] {
      auto done = prober_->set({interface_}, questions, interval);
      ASSERT_TRUE(done) << done.error().message;
    });
  }
  // The last count told of a target; -1: none.
  int missed(const char* target) const {
    int count = -1;
    for (const auto& outcome : outcomes_) {
      if (outcome.question.target == ip(target)) count = static_cast<int>(outcome.missed);
    }
    return count;
  }
  bool reaches(const char* target) {
    return run_until([&] { return missed(target) == 0; });
  }
  void expect_no_question_from_a_vipa() const {
    for (const auto& heard : questions_) {
      EXPECT_NE(heard.sender, ip("10.1.1.7"));
      EXPECT_NE(heard.sender, ip("2001:db8::7"));
    }
  }

  struct Question {
    EthernetAddresses ethernet;
    IpAddress sender;
  };
  NetworkNamespace target_;
  NetworkNamespace remote_;
  std::uint32_t e0_ = 0;
  ReachInterface interface_;
  std::unique_ptr<PacketSocket> arp_listener_;
  std::unique_ptr<PacketSocket> nd_listener_;
  std::unique_ptr<ReachProber> prober_;
  std::vector<ReachProber::Outcome> outcomes_;
  std::vector<Question> questions_;
};

TEST_F(Prober, TellsTheFirstAnswerWithItsMac) {
  set({question("10.1.1.1"), question("2001:db8::1")});
  ASSERT_TRUE(run_until([&] { return missed("10.1.1.1") == 0 && missed("2001:db8::1") == 0; }));
  for (const auto& outcome : outcomes_) {
    EXPECT_EQ(outcome.missed, 0u);
    EXPECT_EQ(outcome.mac, kTargetMac);
  }
  EXPECT_EQ(outcomes_.size(), 2u);
}

TEST_F(Prober, CountsRoundsWithoutAnAnswerAndEndsWithOne) {
  set({question("10.1.1.99"), question("2001:db8::99")}, 50ms);
  ASSERT_TRUE(run_until([&] { return missed("10.1.1.99") >= 3 && missed("2001:db8::99") >= 3; }));
  std::map<IpAddress, unsigned> last;
  for (const auto& outcome : outcomes_) {
    EXPECT_EQ(outcome.missed, ++last[outcome.question.target]) << "1, 2, 3 and so on";
    EXPECT_FALSE(outcome.mac);
  }
  target_.run("ip addr add 10.1.1.99/24 dev t0; ip addr add 2001:db8::99/64 dev t0");
  EXPECT_TRUE(reaches("10.1.1.99"));
  EXPECT_TRUE(reaches("2001:db8::99"));
}

TEST_F(Prober, AsksEverybodyFirstThenTheOneThatAnsweredAndEverybodyAfterAMiss) {
  for (const char* target : {"10.1.1.1", "2001:db8::1"}) {
    set({});
    while (io_.poll() > 0) {
    }
    questions_.clear();
    set({question(target)});
    ASSERT_TRUE(run_until([&] { return questions_.size() >= 3; }));
    EXPECT_TRUE(questions_[0].ethernet.destination.is_multicast()) << target;
    EXPECT_EQ(questions_[1].ethernet.destination, kTargetMac) << target;
    EXPECT_EQ(questions_[2].ethernet.destination, kTargetMac) << target;
    EXPECT_EQ(questions_[2].ethernet.source, kOwnMac);
    target_.run("ip addr del " + std::string(target) + (ip(target).is_v4() ? "/24" : "/64") + " dev t0");
    ASSERT_TRUE(run_until([&] { return missed(target) >= 2; }));
    EXPECT_TRUE(questions_.back().ethernet.destination.is_multicast()) << target;
  }
  expect_no_question_from_a_vipa();
}

TEST_F(Prober, AsksTheMachineBehindARouterByIcmp) {
  remote_ = NetworkNamespace::make();
  target_.run("ip link add t1 type veth peer name m0 netns " + remote_.path() +
              "; ip link set t1 up; ip addr add 198.51.100.1/24 dev t1; ip addr add 2001:db8:9::1/64 dev t1");
  remote_.run(
      "ip link set m0 up; ip addr add 198.51.100.9/24 dev m0; ip addr add 2001:db8:9::9/64 dev m0;"
      "ip route add default via 198.51.100.1; ip -6 route add default via 2001:db8:9::1");
  // An answer to a VIPA would not get here.
  remote_.run("ip route add blackhole 10.1.1.7/32; ip -6 route add blackhole 2001:db8::7/128");
  set({question("198.51.100.9"), question("2001:db8:9::9")});
  EXPECT_TRUE(reaches("198.51.100.9"));
  EXPECT_TRUE(reaches("2001:db8:9::9"));
  for (const auto& outcome : outcomes_) EXPECT_FALSE(outcome.mac);
  outcomes_.clear();
  remote_.run("ip link set m0 down");
  EXPECT_TRUE(run_until([&] { return missed("198.51.100.9") >= 3 && missed("2001:db8:9::9") >= 3; }));
  expect_no_question_from_a_vipa();
}

TEST_F(Prober, HurryFindsOutInLessThanHalfASecond) {
  set({question("10.1.1.1")}, 60s);
  ASSERT_TRUE(reaches("10.1.1.1"));
  target_.run("ip addr del 10.1.1.1/24 dev t0");
  auto start = std::chrono::steady_clock::now();
  prober_->hurry(question("10.1.1.1"));
  ASSERT_TRUE(run_until([&] { return missed("10.1.1.1") == 3; }));
  EXPECT_GE(milliseconds_since(start), 290);
  EXPECT_LT(milliseconds_since(start), 2000);  // far below the interval
}

TEST_F(Prober, InterfaceWithoutCarrierAndOneThatIsDownCountMisses) {
  set({question("10.1.1.1"), question("198.51.100.9"), question("2001:db8::1")}, 50ms);
  ASSERT_TRUE(reaches("10.1.1.1"));
  lan_.run("ip link set port-e0 down");
  auto all_miss = [&] { return missed("10.1.1.1") >= 3 && missed("198.51.100.9") >= 3 && missed("2001:db8::1") >= 3; };
  EXPECT_TRUE(run_until(all_miss));
  outcomes_.clear();
  dispatcher_.run("ip link set e0 down");
  EXPECT_TRUE(run_until(all_miss));
}

TEST_F(Prober, RemovedQuestionsAreAskedNoMore) {
  set({question("10.1.1.1"), question("10.1.1.99")}, 20ms);
  ASSERT_TRUE(reaches("10.1.1.1"));
  set({question("10.1.1.99")}, 20ms);
  questions_.clear();
  outcomes_.clear();
  ASSERT_TRUE(run_until([&] { return missed("10.1.1.99") >= 5; }));
  EXPECT_EQ(missed("10.1.1.1"), -1);
  for (const auto& heard : questions_) EXPECT_TRUE(heard.ethernet.destination.is_multicast()) << "to 10.1.1.1";
}

TEST_F(Prober, OnlyAnHonestAnswerToUsCounts) {
  set({question("10.1.1.99")}, 50ms);
  auto answer = [&](const ArpFrame& frame) {
    auto seen = outcomes_.size();
    ASSERT_TRUE(arp_listener_->send(encode_arp(frame)));
    ASSERT_TRUE(run_until([&] { return outcomes_.size() >= seen + 2; }));
  };
  ArpFrame good{.ethernet = {.destination = kOwnMac, .source = kTargetMac},
                .packet = {.operation = ArpOperation::kReply,
                           .sender_mac = kTargetMac,
                           .sender_ip = ip("10.1.1.99"),
                           .target_mac = kOwnMac,
                           .target_ip = ip("10.1.1.4")}};
  ArpFrame bad = good;
  bad.ethernet.destination = kBroadcastMac;
  answer(bad);
  bad = good;
  bad.packet.sender_mac = mac("02:00:00:00:00:77");
  answer(bad);
  bad = good;
  bad.packet.operation = ArpOperation::kRequest;
  answer(bad);
  bad = good;
  bad.packet.target_ip = ip("10.1.1.7");
  answer(bad);
  bad = good;
  bad.packet.sender_ip = ip("10.1.1.98");
  answer(bad);
  for (const auto& outcome : outcomes_) EXPECT_NE(outcome.missed, 0u);
  answer(good);
  EXPECT_THAT(outcomes_, testing::Contains(testing::Field(&ReachProber::Outcome::missed, 0u)));
}

TEST_F(Prober, HandlerMayChangeTheQuestionsAndDestroyTheProber) {
  prober_->on_outcome([&](const ReachProber::Outcome& outcome) {
    outcomes_.push_back(outcome);
    if (outcome.question.target == ip("10.1.1.1")) {
      set({question("2001:db8::1")});
    } else {
      prober_.reset();
    }
  });
  set({question("10.1.1.1")});
  ASSERT_TRUE(run_until([&] { return prober_ == nullptr; }));
  ASSERT_EQ(outcomes_.size(), 2u);
  EXPECT_EQ(outcomes_[1].question.target, ip("2001:db8::1"));
}

TEST_F(Prober, UnknownInterfaceIsToldAndItsQuestionsMiss) {
  interface_.ifindex = 9999;
  interface_.name = "gone0";
  auto done = prober_->set({interface_}, {{.ifindex = 9999, .target = ip("10.1.1.1")}}, 20ms);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, testing::HasSubstr("gone0"));
  EXPECT_TRUE(run_until([&] { return missed("10.1.1.1") >= 3; }));
}

}  // namespace
}  // namespace xdplb
