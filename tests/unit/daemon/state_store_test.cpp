// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/state_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace xdplb {
namespace {

class StateStoreTest : public testing::Test {
 protected:
  StateStoreTest() {
    std::string pattern = testing::TempDir() + "state-store-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~StateStoreTest() override { std::filesystem::remove_all(folder); }

  static State example() {
    State state;
    state.interfaces = {{.name = "eth0", .mode = AttachMode::kNative, .chain = false},
                        {.name = "eth1", .mode = AttachMode::kAuto, .chain = true}};
    state.generated_secret = "0123456789abcdef";
    for (const auto* name : {"web", "web2"}) {
      state.config.clusters.push_back(
          {.name = name,
           .addresses = {IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(9 + state.config.clusters.size())})},
           .ports = {
               {.port = 443,
                .protocol = Protocol::kTcp,
                .servers = {
                    {.name = "s1", .address = IpAddress::v4({192, 0, 2, 21}), .weight = 20, .family = Family::kV4}}}}});
      auto& ports = state.assignments.ports;
      auto& assignment = ports[{.cluster = name, .port = 443, .protocol = Protocol::kTcp}];
      const auto number = static_cast<std::uint16_t>(ports.size());
      assignment.servers["s1"] = number;
      assignment.rows[0] = {1024U * number, 1024};
      assignment.members[0] = {16384U + 1024U * number, 1024};
      assignment.options = {number, 0};
      assignment.homes[0] = {{.row = 3, .home = 0xfedcba9876543210},
                             {.row = 17, .home = 1, .last_home = 0x8000000000000000},
                             {.row = 65535, .home = 0xfedcba9876543210}};
      state.assignments.clusters[name] = {static_cast<std::uint16_t>(100 + number), 0};
    }
    state.config.peers = {{{2, 0, 0, 0, 0, 9}}};
    state.config.decrement_ttl = true;
    const PortPath web{.cluster = "web", .port = 443, .protocol = Protocol::kTcp};
    state.admins[{.port = web, .server = "s1"}] = {
        {AdminSource::kOperator,
         {.admin = Admin::kDrain,
          .daily = DailyHours{.first = 22, .last = 4},
          .deadline = std::chrono::system_clock::from_time_t(1'900'000'000)}},
        {AdminSource::kHook, {.admin = Admin::kDown}}};
    state.admins[{.port = web, .server = "2001:db8::1"}] = {{AdminSource::kOperator, {.admin = Admin::kDown}}};
    state.standings[{.port = web, .server = "s1"}] = {.health = {Health::kDown, Health::kUp}, .weight = 7};
    state.standings[{.port = web, .server = "s2"}] = {.health = {Health::kUnknown, Health::kDown}};
    return state;
  }

  void write(const std::string& text) const { std::ofstream(folder / "state.json") << text; }
  std::string read() const {
    std::ifstream file(folder / "state.json");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder;
};

TEST_F(StateStoreTest, NothingKeptIsNoError) {
  const auto state = StateStore(folder).load();
  ASSERT_TRUE(state);
  EXPECT_FALSE(*state);
}

TEST_F(StateStoreTest, GivesBackWhatWasKept) {
  StateStore store(folder);
  const auto state = example();
  ASSERT_TRUE(store.prepare(state));
  ASSERT_TRUE(store.commit());
  const auto loaded = StateStore(folder).load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->interfaces, state.interfaces);
  EXPECT_EQ((*loaded)->generated_secret, state.generated_secret);
  EXPECT_EQ((*loaded)->config, state.config);
  EXPECT_EQ((*loaded)->assignments, state.assignments);
  EXPECT_EQ((*loaded)->admins, state.admins);
  EXPECT_EQ((*loaded)->standings, state.standings);
  EXPECT_LT(std::chrono::abs(std::chrono::system_clock::now() - (*loaded)->alive_at), std::chrono::minutes(1));
}

TEST_F(StateStoreTest, AnAgentsWordIsNotKept) {
  StateStore store(folder);
  State state;
  state.admins[{.port = {.cluster = "web", .port = 80}, .server = "s1"}] = {
      {AdminSource::kAgent, {.admin = Admin::kDown}}};
  ASSERT_TRUE(store.prepare(state));
  ASSERT_TRUE(store.commit());
  EXPECT_TRUE((*StateStore(folder).load())->admins.empty());
}

TEST_F(StateStoreTest, ASecondWriteIsTheSameTextAsAFreshOne) {
  StateStore store(folder);
  auto state = example();
  ASSERT_TRUE(store.prepare(state));
  ASSERT_TRUE(store.commit());
  state.config.clusters[0].ports[0].servers[0].weight = 7;
  state.assignments.ports.begin()->second.servers["s1"] = 99;
  state.assignments.clusters["web2"] = {1, 2};
  state.config.secret = "chosen";
  ASSERT_TRUE(store.prepare(state));
  ASSERT_TRUE(store.commit());
  const auto incremental = read();
  StateStore fresh(folder);
  ASSERT_TRUE(fresh.prepare(state));
  ASSERT_TRUE(fresh.commit());
  EXPECT_EQ(read(), incremental);
  EXPECT_EQ((*StateStore(folder).load())->config, state.config);
}

TEST_F(StateStoreTest, TheFirstVersionIsStillUnderstood) {
  write(R"({"version": 1, "interfaces": [], "generated_secret": "g", "secret": "chosen", "clusters": [{
      "config": {"name": "web", "addresses": ["192.0.2.10"], "ports": [{"port": 80, "servers": [
        {"name": "s1", "address": "192.0.2.21"}]}]},
      "assignments": {"web/80": {"servers": {"s1": 7}, "rows": {"v4": [1024, 1024]}}}}]})");
  const auto loaded = StateStore(folder).load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->config.secret, "chosen");
  const auto& assignment = (*loaded)->assignments.ports.begin()->second;
  EXPECT_EQ(assignment.servers.at("s1"), 7);
  EXPECT_EQ(assignment.rows[0], (SliceAssignment{.first_row = 1024, .count = 1024}));
  EXPECT_EQ(assignment.options, (ByFamily<std::uint16_t>{}));
}

TEST_F(StateStoreTest, TheSecondVersionHasNoVipas) {
  write(R"({"version": 2, "interfaces": [], "generated_secret": "g", "settings": {}, "admins": [], "clusters": []})");
  const auto loaded = StateStore(folder).load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE((*loaded)->config.vipas.empty());
  EXPECT_EQ((*loaded)->vipas, VipaWords{});
}

TEST_F(StateStoreTest, VipasAndWhatTheOperatorSaidOfThemAreThereAgain) {
  auto state = example();
  const auto vipa = IpAddress::parse("192.0.2.77").value();
  const auto other = IpAddress::parse("2001:db8::77").value();
  state.config.vipas = {{.address = vipa, .preferred = {{"eth1", "eth0"}}, .failback = Failback::kManual, .hold_s = 5},
                        {.address = other, .preferred = std::vector<std::string>{}}};
  state.config.fix_host = true;
  state.config.health.reach_targets = {IpAddress::parse("192.0.2.1").value()};
  state.vipas = {.disabled = {other}, .pins = {{vipa, "eth0"}}, .disabled_interfaces = {"eth1"}};
  StateStore store(folder);
  ASSERT_TRUE(store.prepare(state));
  ASSERT_TRUE(store.commit());
  const auto loaded = StateStore(folder).load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->config, state.config);
  EXPECT_EQ((*loaded)->vipas, state.vipas);
}

TEST_F(StateStoreTest, WhatIsPreparedButNotCommittedChangesNothing) {
  StateStore store(folder);
  ASSERT_TRUE(store.prepare(example()));
  ASSERT_TRUE(store.commit());
  auto state = example();
  state.config.clusters.clear();
  ASSERT_TRUE(store.prepare(state));
  EXPECT_EQ((*StateStore(folder).load())->config, example().config);
}

TEST_F(StateStoreTest, OnlyItsOwnerReadsIt) {
  StateStore store(folder);
  ASSERT_TRUE(store.prepare(example()));
  ASSERT_TRUE(store.commit());
  struct stat info {};
  ASSERT_EQ(::stat((folder / "state.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(StateStoreTest, AFileThatCannotBeUnderstoodIsAnErrorThatNamesItAndStays) {
  for (const auto* text :
       {"", "{", "[]", "{\"version\": 1}", "{\"version\": 4}", "{\"version\": 1, \"interfaces\": 3}"}) {
    write(text);
    const auto state = StateStore(folder).load();
    ASSERT_FALSE(state) << text;
    EXPECT_EQ(state.error().code, ErrorCode::kInvalidConfig) << text;
    EXPECT_THAT(state.error().message, testing::HasSubstr("state.json"));
    EXPECT_EQ(read(), text);
  }
}

}  // namespace
}  // namespace xdplb
