// SPDX-License-Identifier: GPL-2.0-only
// Files of setup below a root folder: written for the next boot, put back as they were by remove.
#include "setup_fixture.h"

#include <fstream>
#include <iterator>

namespace xdplb {
namespace {

using testing::Contains;
using testing::HasSubstr;

class SetupFiles : public SetupTest {
 protected:
  void SetUp() override {
    SetupTest::SetUp();
    paths_.is_foreign = false;
  }
  void file(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::string text_of(const std::string& path) const {
    std::ifstream stream(root_ / path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // Names, modes, targets and contents of all files but the record's folder.
  std::string files() const {
    return server_.output("cd " + root_.string() +
                          " && find . -path ./var -prune -o -printf '%p %m %l\\n' | sort; "
                          "find . -path ./var -prune -o -type f -print | sort | xargs -r md5sum");
  }
};

TEST_F(SetupFiles, ComeAndGoWithTheVipas) {
  file("etc/network/interfaces", "source interfaces.d/*\nauto lo\niface lo inet loopback\n");
  file("etc/sysctl.d/90-xdplb-server.conf", "# an older one\n");
  const std::string before = files();
  const std::string state_before = state();
  SetupOptions options = options_for({"192.0.2.10", "2001:db8::10"});
  options.persistence = Persistence::kIfupdown;
  ASSERT_TRUE(setup(options).has_value());
  EXPECT_THAT(text_of("etc/network/interfaces.d/xdplb-server"), HasSubstr("192.0.2.10/32"));
  EXPECT_THAT(text_of("etc/sysctl.d/90-xdplb-server.conf"), HasSubstr("net.ipv4.conf.all.arp_ignore = 1"));
  auto again = setup(options);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, 0U) << testing::PrintToString(told_);
  ASSERT_TRUE(remove({address("192.0.2.10")}).has_value());
  EXPECT_EQ(text_of("etc/network/interfaces.d/xdplb-server").find("192.0.2.10"), std::string::npos);
  EXPECT_THAT(text_of("etc/network/interfaces.d/xdplb-server"), HasSubstr("2001:db8::10/128"));
  ASSERT_TRUE(remove({}).has_value());
  expect_same(files(), before);
  expect_same(state(), state_before);
}

TEST_F(SetupFiles, NetworkdDropInGoesWithItsFolder) {
  file("etc/systemd/network/10-lo.network", "[Match]\nName=lo\n");
  const std::string before = files();
  SetupOptions options = options_for({"192.0.2.10"});
  options.persistence = Persistence::kNetworkd;
  ASSERT_TRUE(setup(options).has_value());
  EXPECT_THAT(text_of("etc/systemd/network/10-lo.network.d/xdplb-server.conf"), HasSubstr("Address=192.0.2.10/32"));
  ASSERT_TRUE(remove({}).has_value());
  expect_same(files(), before);
}

TEST_F(SetupFiles, NftTableHasItsUnit) {
  file("run/systemd/system/x", "");
  const std::string before = files();
  SetupOptions options = options_for({"192.0.2.10"});
  options.method = ServerMethod::kNft;
  options.persistence = Persistence::kNetworkd;
  ASSERT_TRUE(setup(options).has_value());
  EXPECT_THAT(text_of("etc/systemd/system/multi-user.target.wants/xdplb-server-nft.service").size() +
                  text_of("etc/systemd/system/xdplb-server-nft.service").size(),
              testing::Gt(0U));
  ASSERT_TRUE(remove({}).has_value());
  expect_same(files(), before);
}

TEST_F(SetupFiles, IfupdownThatDoesNotTakeThemIsToldBeforeAnythingChanges) {
  file("etc/network/interfaces", "auto lo\niface lo inet loopback\n");
  const std::string before = files();
  const std::string state_before = state();
  SetupOptions options = options_for({"192.0.2.10"});
  options.persistence = Persistence::kIfupdown;
  auto refused = setup(options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  expect_same(files(), before);
  expect_same(state(), state_before);
}

TEST_F(SetupFiles, RewriteThatWasCutOffIsOursAllTheSame) {
  file("etc/network/interfaces", "source interfaces.d/*\nauto lo\niface lo inet loopback\n");
  const std::string before = files();
  SetupOptions options = options_for({"192.0.2.10"});
  options.persistence = Persistence::kIfupdown;
  ASSERT_TRUE(setup(options).has_value());
  const std::string first = text_of("etc/network/interfaces.d/xdplb-server");
  // Where the next version would be written before it takes the file's name.
  const auto in_the_way = root_ / "etc/network/interfaces.d/.xdplb-server.xdplb-next";
  for (const char* vipa : {"192.0.2.12", "192.0.2.13"}) {
    std::filesystem::create_directory(in_the_way);
    options.wish.vipas.push_back(address(vipa));
    ASSERT_FALSE(setup(options).has_value());
    std::filesystem::remove(in_the_way);
    EXPECT_EQ(text_of("etc/network/interfaces.d/xdplb-server"), first);
  }
  ASSERT_TRUE(remove({}).has_value()) << testing::PrintToString(told_);
  expect_same(files(), before);
}

TEST_F(SetupFiles, ChangedFileStaysAndIsTold) {
  SetupOptions options = options_for({"192.0.2.10"});
  options.persistence = Persistence::kSysctlOnly;
  ASSERT_TRUE(setup(options).has_value());
  EXPECT_THAT(told_, Contains(HasSubstr("will not survive a reboot")));
  file("etc/sysctl.d/90-xdplb-server.conf", "# mine now\n");
  ASSERT_TRUE(remove({}).has_value());
  EXPECT_THAT(told_, Contains(HasSubstr("was changed since")));
  EXPECT_EQ(text_of("etc/sysctl.d/90-xdplb-server.conf"), "# mine now\n");
}

}  // namespace
}  // namespace xdplb
