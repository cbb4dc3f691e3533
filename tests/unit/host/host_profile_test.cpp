// SPDX-License-Identifier: GPL-2.0-only
#include "host/host_profile.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "host/packet_socket.h"
#include "host/sysctl.h"
#include "net/arp_packet.h"
#include "sandbox.h"

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const ProfileNeeds kLocal{.interfaces = {"e0", "e1"}, .has_local_v4 = true, .has_local_v6 = true};
const ProfileNeeds kForward{.interfaces = {"e0", "e1"}};

class Profile : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", "02:00:00:00:00:04");
    plug_in(dispatcher_, "e1", "02:00:00:00:00:05");
    folder_ = std::filesystem::temp_directory_path() / ("xdplb-profile-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    // As the kernel makes it; what distributions set must not matter here.
    for (const char* scope : {"all", "e0", "e1"}) {
      for (const char* key :
           {"arp_ignore", "arp_announce", "rp_filter", "accept_local", "proxy_arp", "ignore_routes_with_linkdown"}) {
        put(scope, key, 0);
      }
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& scope, const std::string& key, int value, const std::string& family = "ipv4") const {
    dispatcher_.inside([&] { ASSERT_TRUE(write_sysctl("net/" + family + "/conf/" + scope + "/" + key, value)); });
  }
  int get(const std::string& scope, const std::string& key) const {
    return dispatcher_.inside([&] { return *read_sysctl("net/ipv4/conf/" + scope + "/" + key); });
  }
  // "e0/arp_ignore 0->1" of IPv4, "ipv6 e0/proxy_ndp 1->0"
  std::vector<std::string> check(const ProfileNeeds& needs, const std::string& key = "") const {
    std::vector<std::string> texts;
    for (const auto& fault : dispatcher_.inside([&] { return check_profile(needs); })) {
      if (fault.setting.find(key) == std::string::npos) continue;
      EXPECT_FALSE(fault.why.empty());
      EXPECT_EQ(fault.why.find("{}"), std::string::npos);
      EXPECT_THAT(fault.setting, testing::HasSubstr("/" + fault.interface + "/"));
      std::string text = fault.setting;
      for (const char* start : {"net/ipv4/conf/", "net/"}) {
        if (text.starts_with(start)) text.erase(0, std::string(start).size());
      }
      texts.push_back(text + " " + std::to_string(fault.value) + "->" + std::to_string(fault.wanted));
    }
    return texts;
  }
  void apply(const ProfileNeeds& needs) const {
    auto applied = dispatcher_.inside([&] { return HostProfile(file()).apply(needs); });
    ASSERT_TRUE(applied) << applied.error().message;
  }
  void restore() const {
    auto restored = dispatcher_.inside([&] { return HostProfile(file()).restore(); });
    ASSERT_TRUE(restored) << restored.error().message;
  }
  std::filesystem::path file() const { return folder_ / "host.json"; }
  // Every setting of every interface.
  std::string dump() const { return dispatcher_.output("cd /proc/sys/net; grep -r . ipv4/conf ipv6/conf 2>/dev/null"); }

  std::filesystem::path folder_;
};

TEST_F(Profile, DefaultsSuitAForwardingHostAndNotOneWithLocalVipas) {
  EXPECT_THAT(check(kForward), IsEmpty());
  EXPECT_THAT(check({.interfaces = {"e0"}, .has_local_v4 = true}),
              ElementsAre("e0/arp_ignore 0->1", "e0/arp_announce 0->2", "e0/ignore_routes_with_linkdown 0->1"));
  EXPECT_THAT(check({.interfaces = {"e0"}, .has_local_v6 = true}),
              ElementsAre("ipv6/conf/e0/ignore_routes_with_linkdown 0->1"));
}

TEST_F(Profile, LargerOfAllAndInterfaceCountsForArpIgnore) {
  struct Case {
    int all;
    int e0;
    std::vector<std::string> faults;
  };
  const ProfileNeeds needs{.interfaces = {"e0"}, .has_local_v4 = true};
  for (const Case& c :
       {Case{0, 1, {}}, Case{1, 0, {}}, Case{2, 1, {}}, Case{0, 2, {}}, Case{0, 3, {"e0/arp_ignore 3->1"}},
        Case{3, 0, {"all/arp_ignore 3->1"}}, Case{3, 2, {"all/arp_ignore 3->1"}}, Case{8, 1, {"all/arp_ignore 8->1"}},
        Case{8, 4, {"all/arp_ignore 8->1", "e0/arp_ignore 4->1"}}}) {
    put("all", "arp_ignore", c.all);
    put("e0", "arp_ignore", c.e0);
    EXPECT_EQ(check(needs, "arp_ignore"), c.faults) << c.all << " " << c.e0;
  }
}

TEST_F(Profile, AnsweringNothingIsWrongForEveryHost) {
  put("all", "arp_ignore", 8);
  put("e1", "arp_ignore", 3);
  EXPECT_THAT(check(kForward), ElementsAre("all/arp_ignore 8->0")) << "once, though two interfaces suffer";
  put("all", "arp_ignore", 7);
  EXPECT_THAT(check(kForward), IsEmpty());
}

TEST_F(Profile, OnlyTwoIsRightForArpAnnounceAndOnlyOneWrongForRpFilter) {
  const ProfileNeeds needs{.interfaces = {"e0"}, .has_local_v4 = true};
  put("e0", "arp_announce", 1);
  EXPECT_THAT(check(needs, "arp_announce"), ElementsAre("e0/arp_announce 1->2"));
  put("all", "arp_announce", 2);
  EXPECT_THAT(check(needs, "arp_announce"), IsEmpty());
  put("all", "rp_filter", 1);
  EXPECT_THAT(check(needs, "rp_filter"), ElementsAre("e0/rp_filter 0->2"));
  put("e0", "rp_filter", 2);
  EXPECT_THAT(check(needs, "rp_filter"), IsEmpty());
  put("all", "rp_filter", 0);
  put("e0", "rp_filter", 1);
  EXPECT_THAT(check(needs, "rp_filter"), ElementsAre("e0/rp_filter 1->2"));
  EXPECT_THAT(check(kForward), IsEmpty());
}

TEST_F(Profile, WhatCountsByEitherNamesEachThatIsSet) {
  put("all", "proxy_arp", 1);
  put("e1", "proxy_arp", 1);
  put("e0", "proxy_ndp", 1, "ipv6");
  put("e0", "accept_local", 1);
  EXPECT_THAT(check(kForward), ElementsAre("all/proxy_arp 1->0", "ipv6/conf/e0/proxy_ndp 1->0", "e1/proxy_arp 1->0"));
  EXPECT_THAT(check(kLocal, "accept_local"), ElementsAre("e0/accept_local 1->0"));
  put("all", "ignore_routes_with_linkdown", 1);
  EXPECT_THAT(check(kLocal, "ipv4/conf/e0/ignore_routes"), IsEmpty());
}

TEST_F(Profile, InterfacesThatAreGoneAreSkipped) {
  EXPECT_THAT(check({.interfaces = {"no-such"}, .has_local_v4 = true, .has_local_v6 = true}), IsEmpty());
}

TEST_F(Profile, RestoresEverySettingByteForByte) {
  put("all", "arp_ignore", 3);
  put("e1", "rp_filter", 1);
  put("e0", "proxy_arp", 1);
  put("all", "proxy_ndp", 1, "ipv6");
  const std::string before = dump();
  ASSERT_THAT(before, testing::HasSubstr("ipv4/conf/e0/arp_ignore:0"));
  HostProfile profile(file());
  EXPECT_FALSE(profile.has_changes());
  apply(kLocal);
  EXPECT_TRUE(profile.has_changes());
  EXPECT_THAT(check(kLocal), IsEmpty());
  EXPECT_NE(dump(), before);
  apply(kLocal);  // nothing is wrong any more: what was found stays known
  restore();      // by another object, as after a crash
  EXPECT_EQ(dump(), before);
  EXPECT_FALSE(profile.has_changes());
  EXPECT_FALSE(std::filesystem::exists(file()));
  restore();
  EXPECT_EQ(dump(), before);
}

TEST_F(Profile, NothingWrongWritesNoFile) {
  apply(kForward);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Profile, WhatSomebodyChangedSinceIsLeftAlone) {
  apply(kLocal);
  put("e0", "arp_ignore", 2);
  put("e1", "arp_announce", 0);
  restore();
  EXPECT_EQ(get("e0", "arp_ignore"), 2);
  EXPECT_EQ(get("e1", "arp_ignore"), 0);
  EXPECT_EQ(get("e1", "arp_announce"), 0);
}

TEST_F(Profile, ValueChangedAndCuredAgainGoesBackToTheLaterOne) {
  put("e0", "arp_announce", 1);
  apply(kLocal);
  put("e0", "arp_announce", 0);
  apply(kLocal);
  EXPECT_EQ(get("e0", "arp_announce"), 2);
  restore();
  EXPECT_EQ(get("e0", "arp_announce"), 0);
}

TEST_F(Profile, RestoreSkipsInterfacesThatAreGone) {
  apply(kLocal);
  dispatcher_.run("ip link del e1");
  restore();
  EXPECT_EQ(get("e0", "arp_ignore"), 0);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Profile, NothingIsChangedWhenItCannotBeWrittenDown) {
  const std::string before = dump();
  auto applied = dispatcher_.inside([&] { return HostProfile(folder_ / "no-such" / "host.json").apply(kLocal); });
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().message, testing::HasSubstr("no-such"));
  EXPECT_EQ(dump(), before);
}

TEST_F(Profile, UnreadableFileIsNamedAndNothingLost) {
  for (const char* text : {"", "[]", "{}", R"({"version":2,"settings":{}})", R"({"version":1,"settings":[]})",
                           R"({"version":1,"settings":{"a":1}})", R"({"version":1,"settings":{"a":{"found":1}}})"}) {
    std::ofstream(file()) << text;
    HostProfile profile(file());
    EXPECT_TRUE(profile.has_changes());
    auto restored = dispatcher_.inside([&] { return profile.restore(); });
    ASSERT_FALSE(restored) << text;
    EXPECT_THAT(restored.error().message, testing::HasSubstr(file().string()));
    EXPECT_FALSE(dispatcher_.inside([&] { return profile.apply(kLocal); }));
    EXPECT_TRUE(std::filesystem::exists(file()));
  }
}

// With the settings as found two interfaces answer for a local VIPA; with the profile none does, for the one that shall
// is ours to choose.
TEST_F(Profile, SilencesTheKernel) {
  NetworkNamespace client = NetworkNamespace::make();
  plug_in(client, "c0", "02:00:00:00:00:0c");
  dispatcher_.run("ip addr add 10.1.1.7/32 dev lo; ip addr add 10.1.1.4/24 dev e0; ip addr add 10.1.1.5/24 dev e1");
  auto socket =
      client.inside([&] { return PacketSocket::open(io_, index_of(client, "c0"), "c0", PacketKind::kArp).value(); });
  std::map<std::string, int> answers;  // by the address they are for
  socket->on_frame([&](std::span<const std::uint8_t> frame, bool) {
    auto heard = decode_arp(frame);
    if (heard && heard->packet.operation == ArpOperation::kReply) ++answers[heard->packet.sender_ip.to_string()];
  });
  auto ask = [&](const char* address) {
    auto frame = arp_probe(*MacAddress::parse("02:00:00:00:00:0c"), *IpAddress::parse(address));
    ASSERT_TRUE(socket->send(encode_arp(frame)));
  };
  ask("10.1.1.7");
  EXPECT_TRUE(run_until([&] { return answers["10.1.1.7"] == 2; }));
  answers.clear();
  apply(kLocal);
  ask("10.1.1.7");
  ask("10.1.1.4");  // the question after it: when it is answered, so was the first
  ask("10.1.1.5");
  EXPECT_TRUE(run_until([&] { return answers["10.1.1.4"] == 1 && answers["10.1.1.5"] == 1; }));
  EXPECT_EQ(answers["10.1.1.7"], 0);
}

}  // namespace
}  // namespace xdplb
