// SPDX-License-Identifier: GPL-2.0-only
#include "host/neighbor_keeper.h"

#include <gmock/gmock.h>

#include <cerrno>

namespace xdplb {
namespace {

constexpr std::uint32_t kEth0 = 2;
const IpAddress kAddress = *IpAddress::parse("192.0.2.21");
const NeighborKey kServer{.ifindex = kEth0, .address = kAddress};

class Keeper : public testing::Test {
 protected:
  Keeper() { set_link(true); }

  void tell(const NetlinkMessage& message) {
    if (auto change = tables_.apply(message)) keeper_.note(*change);
  }
  void set_link(bool has_carrier) {
    tell(LinkMessage{.is_gone = false,
                     .link = {.index = kEth0,
                              .name = "eth0",
                              .mac = {},
                              .is_up = true,
                              .has_carrier = has_carrier,
                              .master = 0,
                              .lower = 0,
                              .hardware_type = 1,
                              .is_loopback = false,
                              .mtu = 1500,
                              .xdp_prog_id = 0}});
  }
  void set_neighbor(NeighborState state, bool is_managed = true, bool is_permanent = false) {
    tell(NeighborMessage{{.ifindex = kEth0,
                          .address = kAddress,
                          .mac = {},
                          .state = state,
                          .is_permanent = is_permanent,
                          .is_managed = is_managed}});
  }
  std::vector<NeighborRequestKind> take() {
    std::vector<NeighborRequestKind> kinds;
    for (const auto& request : keeper_.take_requests(100000)) kinds.push_back(request.kind);
    return kinds;
  }
  std::vector<NeighborRequestKind> take_after_ticks(int count) {
    for (int i = 0; i < count; ++i) keeper_.tick();
    return take();
  }

  HostTables tables_;
  NeighborKeeper keeper_{tables_};
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(Keeper, AsksOnceForWhatIsKeptTwice) {
  keeper_.keep(kServer);
  keeper_.keep(kServer);
  EXPECT_THAT(take(), ElementsAre(NeighborRequestKind::kManage));
}

TEST_F(Keeper, WaitsForTheKernelToResolve) {
  keeper_.keep(kServer);
  take();
  EXPECT_THAT(take_after_ticks(4), IsEmpty());
  EXPECT_THAT(take_after_ticks(1), ElementsAre(NeighborRequestKind::kManage));
}

TEST_F(Keeper, LeavesAManagedEntryToTheKernel) {
  keeper_.keep(kServer);
  take();
  set_neighbor(NeighborState::kValid);
  EXPECT_THAT(take_after_ticks(100), IsEmpty());
}

TEST_F(Keeper, ProbesAnUnmanagedEntryEveryFifteenSeconds) {
  keeper_.keep(kServer);
  take();
  set_neighbor(NeighborState::kValid, false);
  EXPECT_THAT(take_after_ticks(14), IsEmpty());
  EXPECT_THAT(take_after_ticks(1), ElementsAre(NeighborRequestKind::kManage));
  EXPECT_THAT(take_after_ticks(15), ElementsAre(NeighborRequestKind::kManage));
}

TEST_F(Keeper, AsksAgainEachSecondForWhatFailed) {
  keeper_.keep(kServer);
  take();
  set_neighbor(NeighborState::kFailed);
  EXPECT_THAT(take_after_ticks(1), ElementsAre(NeighborRequestKind::kManage));
  EXPECT_THAT(take_after_ticks(1), ElementsAre(NeighborRequestKind::kManage));
}

TEST_F(Keeper, MakesAgainWhatTheKernelDropped) {
  keeper_.keep(kServer);
  take();
  set_neighbor(NeighborState::kValid);
  set_neighbor(NeighborState::kGone);
  EXPECT_THAT(take_after_ticks(1), ElementsAre(NeighborRequestKind::kManage));
}

TEST_F(Keeper, WaitsForCarrierAndAsksAsSoonAsItIsBack) {
  set_link(false);
  keeper_.keep(kServer);
  EXPECT_THAT(take_after_ticks(20), IsEmpty());
  set_link(true);
  EXPECT_THAT(take(), ElementsAre(NeighborRequestKind::kManage));
}

TEST_F(Keeper, NeverTouchesAPermanentEntry) {
  set_neighbor(NeighborState::kValid, false, true);
  keeper_.keep(kServer);
  EXPECT_THAT(take_after_ticks(30), IsEmpty());
  keeper_.release(kServer);
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(Keeper, ForgetsItsOwnEntryAndLetsGoOfAForeignOne) {
  keeper_.keep(kServer);
  keeper_.release(kServer);
  EXPECT_THAT(take(), ElementsAre(NeighborRequestKind::kManage, NeighborRequestKind::kForget));
  set_neighbor(NeighborState::kValid, false);
  keeper_.keep(kServer);
  keeper_.release(kServer);
  EXPECT_THAT(take(), ElementsAre(NeighborRequestKind::kManage, NeighborRequestKind::kLetGo));
  keeper_.release(kServer);
  EXPECT_THAT(take(), IsEmpty()) << "not kept any more";
}

TEST_F(Keeper, ManagedEntryFoundAtStartIsOurs) {
  set_neighbor(NeighborState::kValid, true);
  keeper_.keep(kServer);
  keeper_.release(kServer);
  EXPECT_THAT(take(), ElementsAre(NeighborRequestKind::kManage, NeighborRequestKind::kForget));
}

TEST_F(Keeper, ProbesWhenTheKernelRefusesManagedEntries) {
  keeper_.keep(kServer);
  take();
  keeper_.note_refusal(kServer, EINVAL);
  EXPECT_THAT(take(), ElementsAre(NeighborRequestKind::kProbe));
  EXPECT_FALSE(keeper_.failure(kServer));
  set_neighbor(NeighborState::kValid, false);
  EXPECT_THAT(take_after_ticks(15), ElementsAre(NeighborRequestKind::kProbe));
}

TEST_F(Keeper, TellsARefusalUntilItIsTakenBack) {
  keeper_.keep(kServer);
  take();
  keeper_.note_refusal(kServer, ENOBUFS);
  auto failure = keeper_.failure(kServer);
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->message, testing::AllOf(testing::HasSubstr("192.0.2.21"), testing::HasSubstr("gc_thresh3")));
  EXPECT_THAT(take_after_ticks(14), IsEmpty());
  EXPECT_THAT(take_after_ticks(1), ElementsAre(NeighborRequestKind::kManage));
  set_neighbor(NeighborState::kValid);
  EXPECT_FALSE(keeper_.failure(kServer));
}

TEST_F(Keeper, RefusalWithoutRightsIsAPermissionError) {
  keeper_.keep(kServer);
  keeper_.note_refusal(kServer, EPERM);
  ASSERT_TRUE(keeper_.failure(kServer));
  EXPECT_EQ(keeper_.failure(kServer)->code, ErrorCode::kPermission);
}

TEST_F(Keeper, LongListIsAskedForInParts) {
  for (std::uint8_t i = 0; i < 30; ++i) {
    for (std::uint8_t j = 0; j < 100; ++j) {
      NeighborKey key{.ifindex = kEth0, .address = IpAddress::v4({198, 18, i, j})};
      keeper_.keep(key);
      tell(NeighborMessage{{.ifindex = kEth0,
                            .address = key.address,
                            .mac = {},
                            .state = NeighborState::kFailed,
                            .is_permanent = false,
                            .is_managed = true}});
    }
  }
  EXPECT_EQ(take().size(), 3000u);
  std::set<IpAddress> asked;
  for (int i = 0; i < 2; ++i) {
    keeper_.tick();
    auto requests = keeper_.take_requests(100000);
    EXPECT_EQ(requests.size(), 2000u);
    for (const auto& request : requests) asked.insert(request.key.address);
  }
  EXPECT_EQ(asked.size(), 3000u);
}

TEST_F(Keeper, TakesRequestsInOrderAndParts) {
  for (std::uint8_t i = 1; i <= 3; ++i) keeper_.keep({.ifindex = kEth0, .address = IpAddress::v4({192, 0, 2, i})});
  auto first = keeper_.take_requests(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].key.address, IpAddress::v4({192, 0, 2, 1}));
  EXPECT_TRUE(keeper_.has_requests());
  EXPECT_EQ(keeper_.take_requests(2).size(), 1u);
  EXPECT_FALSE(keeper_.has_requests());
}

}  // namespace
}  // namespace xdplb
