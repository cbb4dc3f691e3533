// SPDX-License-Identifier: GPL-2.0-only
#include "server/persist_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace xdplb {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A host's files below a folder of its own.
class PersistPlaceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "xdplb-root-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    paths_.root = name;
  }
  void TearDown() override { fs::remove_all(paths_.root); }

  void file(const std::string& path, const std::string& text = "") const {
    const fs::path whole = paths_.root / path;
    fs::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  void running(const std::string& unit) const {
    fs::create_directories(paths_.root / "run/systemd/units");
    fs::create_symlink("0123", paths_.root / "run/systemd/units" / ("invocation:" + unit));
  }
  std::string chosen(Persistence asked = Persistence::kAuto) const {
    auto found = choose_persistence(asked, paths_);
    return found ? std::string(persistence_name(*found)) : found.error().message;
  }
  std::string networkd_path() const {
    auto place = find_persist_place(Persistence::kNetworkd, paths_);
    return place ? place->networkd_path : place.error().message;
  }
  std::string ifupdown_failure() const {
    auto place = find_persist_place(Persistence::kIfupdown, paths_);
    return place ? "" : place.error().message;
  }

  ServerPaths paths_{};
};

TEST_F(PersistPlaceTest, AutoFindsWhatManagesTheNetwork) {
  EXPECT_EQ(chosen(), "sysctl-only");
  file("etc/network/interfaces");
  EXPECT_EQ(chosen(), "sysctl-only");  // left over, no ifup
  file("usr/sbin/ifup");
  EXPECT_EQ(chosen(), "ifupdown");
  running("NetworkManager.service");
  EXPECT_EQ(chosen(), "networkmanager");
  running("systemd-networkd.service");
  EXPECT_EQ(chosen(), "networkd");
  EXPECT_EQ(chosen(Persistence::kIfupdown), "ifupdown");
}

TEST_F(PersistPlaceTest, ForeignNamespaceHasNoFiles) {
  running("systemd-networkd.service");
  paths_.is_foreign = true;
  EXPECT_EQ(chosen(), "none");
  EXPECT_EQ(chosen(Persistence::kNone), "none");
  auto refused = choose_persistence(Persistence::kSysctlOnly, paths_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
}

TEST_F(PersistPlaceTest, NetworkdFileForLoIsAddedTo) {
  EXPECT_EQ(networkd_path(), kOwnNetworkdFile);
  file("etc/systemd/network/10-eth.network", "[Match]\nName=eth* en*\n[Network]\nDHCP=yes\n");
  file("etc/systemd/network/20-mac.network", "[Match]\nMACAddress=02:00:00:00:00:01\n");
  file("etc/systemd/network/30-none.network", "[Network]\nDHCP=yes\n");
  file("etc/systemd/network/40-not.network", "[Match]\nName=!lo\n");
  file("etc/systemd/network/50-ether.network", "[Match]\nType=ether\nName=*\n");
  file("etc/systemd/network/zz-xdplb-server.network", "[Match]\nName=lo\n");  // ours
  EXPECT_EQ(networkd_path(), kOwnNetworkdFile);
  file("usr/lib/systemd/network/80-all.network", "[Match]\nName=*\n");
  EXPECT_EQ(networkd_path(), "/etc/systemd/network/80-all.network.d/xdplb-server.conf");
  file("run/systemd/network/10-netplan-lo.network", "[Match]\nName=lo\n");
  EXPECT_EQ(networkd_path(), "/etc/systemd/network/10-netplan-lo.network.d/xdplb-server.conf");
}

TEST_F(PersistPlaceTest, NetworkdFileThatIsMaskedDoesNotCount) {
  file("usr/lib/systemd/network/80-all.network", "[Match]\nName=*\n");
  fs::create_directories(paths_.root / "etc/systemd/network");
  fs::create_symlink("/dev/null", paths_.root / "etc/systemd/network/80-all.network");
  EXPECT_EQ(networkd_path(), kOwnNetworkdFile);
}

TEST_F(PersistPlaceTest, NetworkdThatMustNotTouchLoIsToldSo) {
  file("etc/systemd/network/10-lo.network", "[Match]\nName=lo\n[Link]\nUnmanaged=yes\n");
  EXPECT_THAT(networkd_path(), HasSubstr("Unmanaged="));
}

TEST_F(PersistPlaceTest, IfupdownMustTakeOurFile) {
  file("etc/network/interfaces", "auto lo\niface lo inet loopback\n# source /etc/network/interfaces.d/*\n");
  EXPECT_THAT(ifupdown_failure(), HasSubstr("add the line \"source /etc/network/interfaces.d/*\""));
  for (const char* line :
       {"source /etc/network/interfaces.d/*", "source interfaces.d/*", "  source-directory interfaces.d",
        "source-directory /etc/network/interfaces.d/", "source /etc/network/*.d/x*"}) {
    file("etc/network/interfaces", std::string("auto lo\n") + line + "\n");
    EXPECT_EQ(ifupdown_failure(), "") << line;
  }
  for (const char* line :
       {"source /etc/network/interfaces.d/*.cfg", "source-directory /etc/network/other", "source /etc/network/*"}) {
    file("etc/network/interfaces", std::string("auto lo\n") + line + "\n");
    EXPECT_NE(ifupdown_failure(), "") << line;
  }
}

TEST_F(PersistPlaceTest, NetworkManagerProfileForLoIsNotTakenAway) {
  file("run/NetworkManager/system-connections/lo.nmconnection", "[connection]\ntype=loopback\ninterface-name=lo\n");
  EXPECT_TRUE(find_persist_place(Persistence::kNetworkManager, paths_).has_value());
  file("etc/NetworkManager/system-connections/mine.nmconnection", "[connection]\ntype=loopback\n");
  auto refused = find_persist_place(Persistence::kNetworkManager, paths_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
}

}  // namespace
}  // namespace xdplb
