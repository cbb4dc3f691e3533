// SPDX-License-Identifier: GPL-2.0-only
// What setup did is undone also when it was killed, for one VIPA of several, and beside what others changed.
#include "server/object_change.h"
#include "server/setup_plan.h"
#include "server/setup_record.h"
#include "setup_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace xdplb {
namespace {

using SetupUndo = SetupTest;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kManyFaults =
    "ip -4 address flush dev eth0; ip address add 192.0.2.10/24 brd + dev eth0;"
    "ip address add 192.0.2.11/24 dev eth0; ip route add default via 192.0.2.1;"
    "ip route add 198.51.100.0/24 via 192.0.2.1 src 192.0.2.10; ip address add 192.0.2.10/24 dev lo;"
    "ip address add 2001:db8::10/64 dev lo;"
    "sysctl -qw net.ipv4.conf.eth0.arp_ignore=8 net.ipv6.conf.eth0.proxy_ndp=1;"
    "ip neighbour add proxy 192.0.2.10 dev eth0";

// Runs setup in another process, which dies when it has told `survived` changes. False: it lived to its end.
bool dies_after(unsigned survived, const SetupOptions& options, const ServerPaths& paths) {
  const pid_t child = ::fork();
  if (child == 0) {
    unsigned told = 0;
    auto die = [&](const std::string&) {
      if (++told == survived) ::_exit(9);
    };
    auto made = setup_server(options, paths, die);
    ::_exit(made ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 1);
  return WEXITSTATUS(status) == 9;
}

TEST_F(SetupUndo, RunKilledBetweenTwoChangesIsUndone) {
  server_.run(kManyFaults);
  await_ipv6();
  const SetupOptions options = options_for({"192.0.2.10", "2001:db8::10"});
  const std::string before = state();
  unsigned deaths = 0;
  while (server_.inside([&] { return dies_after(deaths + 1, options, paths_); })) {
    ++deaths;
    auto removed = remove({});
    ASSERT_TRUE(removed.has_value()) << removed.error().message;
    SCOPED_TRACE(deaths);
    expect_same(state(), before);
  }
  EXPECT_GE(deaths, 8U);
}

TEST_F(SetupUndo, RunKilledBetweenTwoChangesIsFinishedByTheNext) {
  server_.run(kManyFaults);
  await_ipv6();
  const SetupOptions options = options_for({"192.0.2.10", "2001:db8::10"});
  const std::string before = state();
  ASSERT_TRUE(server_.inside([&] { return dies_after(4, options, paths_); }));
  ASSERT_TRUE(setup(options).has_value());
  EXPECT_EQ(curable_faults(options), "");
  ASSERT_TRUE(remove({}).has_value());
  expect_same(state(), before);
}

// Each step of the plan, left in the middle: recorded but not done, and done but not recorded as such.
TEST_F(SetupUndo, StepThatWasLeftInTheMiddleIsUndone) {
  server_.run(kManyFaults);
  await_ipv6();
  const SetupOptions options = options_for({"192.0.2.10", "2001:db8::10"});
  server_.inside([&] {
    auto kernel = KernelObjects::open();
    auto facts = read_server_facts();
    ASSERT_TRUE(kernel && facts);
    for (const SetupStep& step : plan_setup(*facts, options.wish, options.method, false)) {
      if (std::holds_alternative<SetSysctl>(step.action)) continue;
      SCOPED_TRACE(to_text(step.action));
      for (int allowed : {0, 1}) {
        const std::string before = state();
        ObjectChange recorded;
        int saves = 0;
        auto save = [&](const ObjectChange& change) -> Result<void> {
          if (saves == 0) recorded = change;
          if (saves++ < allowed) return {};
          return fail(ErrorCode::kFailed, "killed");
        };
        auto made = make_object_change(*kernel, step.action, save);
        ASSERT_FALSE(made.has_value());
        EXPECT_TRUE(recorded.is_pending);
        auto undone = undo_object_change(*kernel, recorded);
        ASSERT_TRUE(undone.has_value()) << undone.error().message;
        expect_same(state(), before);
      }
      auto save = [](const ObjectChange&) -> Result<void> { return {}; };
      ASSERT_TRUE(make_object_change(*kernel, step.action, save).has_value());
    }
  });
}

TEST_F(SetupUndo, RecordComesBackFromItsFileAsItWas) {
  server_.run(kManyFaults);
  await_ipv6();
  ASSERT_TRUE(setup(options_for({"192.0.2.10", "2001:db8::10"})).has_value());
  auto record = load_record(paths_.record);
  ASSERT_TRUE(record.has_value()) << record.error().message;
  EXPECT_GE(record->steps.size(), 8U);
  auto again = decode_record(encode_record(*record), "test");
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(*again == *record);
}

TEST_F(SetupUndo, OneVipaGoesAndTheOtherKeepsWhatItNeeds) {
  const std::string before = state();
  ASSERT_TRUE(setup(options_for({"192.0.2.10"})).has_value());
  const std::string with_first = state();
  auto second = setup(options_for({"192.0.2.20"}));
  ASSERT_TRUE(second.has_value());
  EXPECT_THAT(told_, ElementsAre("address 192.0.2.20/32 on lo: added"));
  ASSERT_TRUE(remove({address("192.0.2.10")}).has_value());
  EXPECT_THAT(told_, ElementsAre("address 192.0.2.10/32 on lo: removed"));
  EXPECT_EQ(curable_faults(options_for({"192.0.2.20"})), "");
  auto unknown = remove({address("192.0.2.10")});
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(remove({address("192.0.2.20")}).has_value());
  expect_same(state(), before);
}

TEST_F(SetupUndo, WideNetworkStaysAwayWhileAVipaInItNeedsThat) {
  server_.run("ip address add 192.0.2.10/24 dev lo");
  const std::string before = state();
  ASSERT_TRUE(setup(options_for({"192.0.2.10"})).has_value());
  ASSERT_TRUE(setup(options_for({"192.0.2.20"})).has_value());
  ASSERT_TRUE(remove({address("192.0.2.10")}).has_value());
  EXPECT_EQ(curable_faults(options_for({"192.0.2.20"})), "");
  ASSERT_TRUE(remove({}).has_value());
  expect_same(state(), before);
}

TEST_F(SetupUndo, ValueThatSomebodyChangedStaysAndIsTold) {
  ASSERT_TRUE(setup(options_for({"192.0.2.10"})).has_value());
  server_.run("sysctl -qw net.ipv4.conf.all.arp_ignore=2");
  ASSERT_TRUE(remove({}).has_value());
  EXPECT_THAT(told_, Contains(HasSubstr("net.ipv4.conf.all.arp_ignore is 2")));
  EXPECT_EQ(server_.output("sysctl -n net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce"), "2\n0\n");
}

TEST_F(SetupUndo, WhatOthersAddedSinceStays) {
  server_.run("ip address add 192.0.2.10/24 dev eth0; ip route add 198.51.100.0/24 via 192.0.2.1 src 192.0.2.10");
  ASSERT_TRUE(setup(options_for({"192.0.2.10"})).has_value());
  server_.run(
      "ip address add 203.0.113.9/32 dev lo; ip address add 203.0.113.8/24 dev eth0;"
      "ip route add 198.18.0.0/15 via 203.0.113.1");
  ASSERT_TRUE(remove({}).has_value());
  const std::string now = server_.output("ip -4 -br address; ip route");
  EXPECT_THAT(now, HasSubstr("203.0.113.9/32"));
  EXPECT_THAT(now, HasSubstr("203.0.113.8/24"));
  EXPECT_THAT(now, HasSubstr("192.0.2.10/24"));
  EXPECT_THAT(now, HasSubstr("198.18.0.0/15 via 203.0.113.1"));
  EXPECT_THAT(now, HasSubstr("198.51.100.0/24 via 192.0.2.1 dev eth0 src 192.0.2.10"));
}

TEST_F(SetupUndo, InterfaceThatIsGoneIsToldAndTheRestUndone) {
  server_.run(
      "ip link add extra type veth peer name port9; ip link set extra up; sysctl -qw "
      "net.ipv4.conf.extra.arp_ignore=8; ip address add 192.0.2.10/32 dev extra");
  ASSERT_TRUE(setup(options_for({"192.0.2.10"})).has_value());
  server_.run("ip link delete extra");
  ASSERT_TRUE(remove({}).has_value());
  EXPECT_THAT(told_, Contains(HasSubstr("interface extra is gone")));
  EXPECT_EQ(server_.output("sysctl -n net.ipv4.conf.all.arp_ignore; ip -4 -br address show dev lo").find("192.0.2.10"),
            std::string::npos);
}

TEST_F(SetupUndo, InterfaceOfARouteThatIsGoneKeepsNoAddressBack) {
  server_.run(
      "ip link add extra type veth peer name port9; ip link set extra up; ip link set port9 up;"
      "ip address add 192.0.2.10/32 dev eth0; ip address add 203.0.113.9/24 dev extra;"
      "ip route add 198.18.0.0/15 via 203.0.113.1 dev extra src 192.0.2.10;"
      "ip route add 198.51.100.0/24 via 192.0.2.1 src 192.0.2.10");
  ASSERT_TRUE(setup(options_for({"192.0.2.10"})).has_value());
  server_.run("ip link delete extra");
  ASSERT_TRUE(remove({}).has_value());
  EXPECT_THAT(told_, Contains(HasSubstr("interface extra is gone")));
  EXPECT_EQ(server_.output("ip -4 -o address show dev lo").find("192.0.2.10"), std::string::npos);
  EXPECT_THAT(server_.output("ip -4 -o address show dev eth0"), HasSubstr("192.0.2.10/32"));
  EXPECT_THAT(server_.output("ip route"), HasSubstr("198.51.100.0/24 via 192.0.2.1 dev eth0 src 192.0.2.10"));
}

TEST_F(SetupUndo, NamespaceMadeAnewHasNothingToUndo) {
  ASSERT_TRUE(setup(options_for({"192.0.2.10"})).has_value());
  server_ = NetworkNamespace::make();
  auto removed = remove({});
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(*removed, 0U);
  EXPECT_FALSE(std::filesystem::exists(paths_.record));
  ASSERT_FALSE(remove({}).has_value());
}

TEST_F(SetupUndo, DryRemoveTellsTheSameAndChangesNothing) {
  server_.run(kManyFaults);
  await_ipv6();
  ASSERT_TRUE(setup(options_for({"192.0.2.10", "2001:db8::10"})).has_value());
  const std::string before = state();
  auto foreseen = remove({}, true);
  ASSERT_TRUE(foreseen.has_value());
  const auto foretold = told_;
  expect_same(state(), before);
  auto removed = remove({});
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(told_, foretold);
  EXPECT_EQ(*removed, *foreseen);
}

TEST_F(SetupUndo, OtherMethodForTheSameVipaIsRefused) {
  SetupOptions options = options_for({"192.0.2.10"});
  ASSERT_TRUE(setup(options).has_value());
  options.method = ServerMethod::kNft;
  auto refused = setup(options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
}

TEST_F(SetupUndo, FilesAreForTheHostsOwnNamespace) {
  SetupOptions options = options_for({"192.0.2.10"});
  options.persistence = Persistence::kNetworkd;
  auto refused = setup(options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
}

// Addresses that duplicate address detection would hold back come back usable, and the setting as it was.
TEST_F(SetupUndo, Ipv6AddressComesBackWithoutDetection) {
  server_.run(
      "sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=1;"
      "ip address add 2001:db8::10/64 dev eth0 nodad; ip address del 2001:db8::10/64 dev eth0;"
      "sysctl -qw net.ipv6.conf.eth0.accept_dad=0; ip address add 2001:db8::10/64 dev eth0");
  await_ipv6();
  server_.run("sysctl -qw net.ipv6.conf.eth0.accept_dad=1");
  const std::string before = state();
  ASSERT_TRUE(setup(options_for({"2001:db8::10"})).has_value());
  ASSERT_TRUE(remove({}).has_value());
  expect_same(state(), before);
}

}  // namespace
}  // namespace xdplb
