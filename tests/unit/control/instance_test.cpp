// SPDX-License-Identifier: GPL-2.0-only
#include "control/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

namespace xdplb {
namespace {

TEST(Instance, KeepsEachThingInItsOwnFolder) {
  const auto instance = Instance::make("web-1");
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->run_dir, "/run/xdplb/web-1");
  EXPECT_EQ(instance->socket, "/run/xdplb/web-1/api.sock");
  EXPECT_EQ(instance->lock_file, "/run/xdplb/web-1/lock");
  EXPECT_EQ(instance->log_file, "/run/xdplb/web-1/xdplbd.log");
  EXPECT_EQ(instance->pin_dir, "/sys/fs/bpf/xdplb/web-1");
  EXPECT_EQ(instance->state_dir, "/var/lib/xdplb/web-1");
}

TEST(Instance, NameHasALengthAndAnAlphabet) {
  for (const std::string& good : {std::string("a"), std::string("_"), std::string("0.a_B-9"), std::string(32, 'x')}) {
    EXPECT_TRUE(Instance::make(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string(33, 'x'), std::string(".."), std::string(".a"),
                                 std::string("-a"), std::string("a/b"), std::string("a b"), std::string("\xc3\xa4")}) {
    const auto instance = Instance::make(bad);
    ASSERT_FALSE(instance) << bad;
    EXPECT_EQ(instance.error().code, ErrorCode::kUsage);
    EXPECT_THAT(instance.error().message, testing::HasSubstr("instance \"" + bad + "\""));
  }
}

TEST(Instance, MakesItsRunFolderOnceAndAgain) {
  std::string root = testing::TempDir() + "xdplb-instance-XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const auto instance =
      Instance::make("web", {.run = std::filesystem::path(root) / "a" / "b", .pins = {}, .state = {}});
  ASSERT_TRUE(instance);
  EXPECT_TRUE(make_run_dir(*instance));
  EXPECT_TRUE(make_run_dir(*instance));
  EXPECT_EQ(std::filesystem::status(instance->run_dir).permissions() & std::filesystem::perms::others_write,
            std::filesystem::perms::none);
  std::filesystem::remove_all(root);
}

TEST(Instance, NamesTheFolderThatCannotBeMade) {
  const auto instance = Instance::make("web", {.run = "/dev/null/xdplb", .pins = {}, .state = {}});
  ASSERT_TRUE(instance);
  const auto made = make_run_dir(*instance);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::HasSubstr("/dev/null/xdplb"));
}

}  // namespace
}  // namespace xdplb
