// SPDX-License-Identifier: GPL-2.0-only
#include "server/persist_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace xdplb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

IpAddress vipa(const std::string& text) { return *IpAddress::parse(text); }

RecordedVipas two_vipas(Persistence persistence) {
  return {{vipa("192.0.2.10"), {.persistence = persistence}}, {vipa("2001:db8::10"), {.persistence = persistence}}};
}

std::vector<std::string> paths_of(const std::vector<PersistedFile>& files) {
  std::vector<std::string> paths;
  for (const PersistedFile& file : files) paths.push_back(file.path);
  return paths;
}

TEST(PersistFiles, SysctlFileHasSilenceAndWhatWasChanged) {
  const auto files = make_persisted_files(
      two_vipas(Persistence::kSysctlOnly),
      {{"net/ipv4/conf/eth0/arp_ignore", 1}, {"net/ipv4/conf/eth0.7/arp_ignore", 1}}, PersistPlace{});
  ASSERT_THAT(paths_of(files), ElementsAre("/etc/sysctl.d/90-xdplb-server.conf"));
  EXPECT_EQ(files[0].text,
            "# Written by `xdplb-server setup`; `xdplb-server remove` takes it away.\n"
            "net.ipv4.conf.all.arp_announce = 2\n"
            "net.ipv4.conf.all.arp_ignore = 1\n"
            "net/ipv4/conf/eth0.7/arp_ignore = 1\n"
            "net.ipv4.conf.eth0.arp_ignore = 1\n");
  EXPECT_EQ(files[0].mode, 0644U);
}

TEST(PersistFiles, NothingLastsWithoutPersistence) {
  EXPECT_THAT(make_persisted_files(two_vipas(Persistence::kNone), {{"net/ipv4/conf/all/arp_ignore", 1}}, {}),
              IsEmpty());
}

TEST(PersistFiles, NetworkdGetsItsOwnFileForLo) {
  const auto files = make_persisted_files(two_vipas(Persistence::kNetworkd), {}, {.networkd_path = kOwnNetworkdFile});
  ASSERT_THAT(paths_of(files), ElementsAre("/etc/sysctl.d/90-xdplb-server.conf", kOwnNetworkdFile));
  EXPECT_EQ(files[1].text,
            "# Written by `xdplb-server setup`; `xdplb-server remove` takes it away.\n"
            "[Match]\nName=lo\n\n[Network]\nKeepConfiguration=static\n"
            "\n[Address]\nAddress=192.0.2.10/32\n"
            "\n[Address]\nAddress=2001:db8::10/128\nDuplicateAddressDetection=none\nAddPrefixRoute=false\n");
}

TEST(PersistFiles, NetworkdDropInOnlyAddsAddresses) {
  const auto files = make_persisted_files(
      two_vipas(Persistence::kNetworkd), {},
      {.networkd_path = "/etc/systemd/network/10-lo.network.d/xdplb-server.conf", .has_networkd_file = true});
  ASSERT_EQ(files.size(), 2U);
  EXPECT_THAT(files[1].text, Not(HasSubstr("[Match]")));
  EXPECT_THAT(files[1].text, HasSubstr("[Address]\nAddress=192.0.2.10/32\n"));
}

TEST(PersistFiles, IfupdownReplacesAddressesWhenLoComesUp) {
  const auto files = make_persisted_files(two_vipas(Persistence::kIfupdown), {}, {});
  ASSERT_THAT(paths_of(files), ElementsAre("/etc/sysctl.d/90-xdplb-server.conf", kIfupdownFile));
  EXPECT_EQ(files[1].text,
            "# Written by `xdplb-server setup`; `xdplb-server remove` takes it away.\n"
            "auto lo\niface lo inet loopback\n"
            "    up ip address replace 192.0.2.10/32 dev lo\n"
            "    down ip address delete 192.0.2.10/32 dev lo || true\n"
            "    up ip -6 address replace 2001:db8::10/128 dev lo nodad noprefixroute\n"
            "    down ip -6 address delete 2001:db8::10/128 dev lo || true\n");
}

TEST(PersistFiles, NetworkManagerProfileIsForRootOnly) {
  const auto files = make_persisted_files(two_vipas(Persistence::kNetworkManager), {}, {});
  ASSERT_THAT(paths_of(files), ElementsAre("/etc/sysctl.d/90-xdplb-server.conf", kNetworkManagerFile));
  EXPECT_EQ(files[1].mode, 0600U);
  EXPECT_THAT(files[1].text, HasSubstr("type=loopback\ninterface-name=lo\n"));
  EXPECT_THAT(files[1].text, HasSubstr("[ipv4]\nmethod=manual\naddress1=127.0.0.1/8\naddress2=192.0.2.10/32\n"));
  EXPECT_THAT(files[1].text, HasSubstr("[ipv6]\nmethod=manual\naddress1=::1/128\naddress2=2001:db8::10/128\n"));
}

TEST(PersistFiles, EachVipaHasItsOwnPersistence) {
  RecordedVipas vipas = two_vipas(Persistence::kIfupdown);
  vipas[vipa("192.0.2.20")] = {.persistence = Persistence::kNone};
  const auto files = make_persisted_files(vipas, {}, {});
  ASSERT_EQ(files.size(), 2U);
  EXPECT_THAT(files[1].text, Not(HasSubstr("192.0.2.20")));
}

TEST(PersistFiles, NftTableHasAUnitThatIsWanted) {
  RecordedVipas vipas;
  vipas[vipa("192.0.2.10")] = {.method = ServerMethod::kNft,
                               .ports = {{.port = 80}, {.port = 443}, {.port = 53, .protocol = Protocol::kUdp}},
                               .persistence = Persistence::kNetworkd};
  const auto files = make_persisted_files(vipas, {}, {});
  ASSERT_THAT(paths_of(files), ElementsAre("/etc/xdplb-server.nft", "/etc/systemd/system/xdplb-server-nft.service",
                                           "/etc/systemd/system/multi-user.target.wants/xdplb-server-nft.service"));
  EXPECT_THAT(files[0].text, HasSubstr(make_nft_table(vipas)));
  EXPECT_THAT(files[1].text, HasSubstr("ExecStart=/usr/sbin/nft -f /etc/xdplb-server.nft\n"));
  EXPECT_TRUE(files[2].is_link);
  EXPECT_EQ(files[2].text, "/etc/systemd/system/xdplb-server-nft.service");
  const auto without_systemd = make_persisted_files(vipas, {}, {.has_systemd = false});
  ASSERT_THAT(paths_of(without_systemd), ElementsAre("/etc/xdplb-server.nft", kIfupdownFile));
  EXPECT_THAT(without_systemd[1].text, HasSubstr("    up nft -f /etc/xdplb-server.nft\n"));
}

TEST(PersistFiles, NftTableRedirectsPortsAndEcho) {
  RecordedVipas vipas;
  EXPECT_EQ(make_nft_table(vipas), "");
  vipas[vipa("192.0.2.10")] = {.method = ServerMethod::kNft,
                               .ports = {{.port = 80}, {.port = 443}, {.port = 53, .protocol = Protocol::kUdp}}};
  vipas[vipa("2001:db8::10")] = {.method = ServerMethod::kNft};
  EXPECT_EQ(make_nft_table(vipas),
            "table inet xdplb_server\ndelete table inet xdplb_server\n"
            "table inet xdplb_server {\n"
            "  chain prerouting {\n"
            "    type nat hook prerouting priority dstnat; policy accept;\n"
            "    ip daddr 192.0.2.10 tcp dport { 80, 443 } redirect\n"
            "    ip daddr 192.0.2.10 udp dport { 53 } redirect\n"
            "    ip daddr 192.0.2.10 icmp type echo-request redirect\n"
            "    ip6 daddr 2001:db8::10 meta l4proto { tcp, udp } redirect\n"
            "    ip6 daddr 2001:db8::10 icmpv6 type echo-request redirect\n"
            "  }\n}\n");
}

}  // namespace
}  // namespace xdplb
