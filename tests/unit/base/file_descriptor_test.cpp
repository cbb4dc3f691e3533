// SPDX-License-Identifier: GPL-2.0-only
#include "base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <type_traits>
#include <utility>

namespace xdplb {
namespace {

static_assert(!std::is_copy_constructible_v<FileDescriptor> && !std::is_copy_assignable_v<FileDescriptor>);
static_assert(std::is_nothrow_move_constructible_v<FileDescriptor> &&
              std::is_nothrow_move_assignable_v<FileDescriptor>);
static_assert(!std::is_convertible_v<int, FileDescriptor>, "a number must not close a descriptor by accident");

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(FileDescriptor, IsClosedByDefault) {
  const FileDescriptor none;
  EXPECT_FALSE(none.is_open());
  EXPECT_EQ(none.get(), -1);
}

TEST(FileDescriptor, ClosesAtTheEndOfItsLife) {
  const int fd = open_null();
  {
    const FileDescriptor owner(fd);
    EXPECT_TRUE(owner.is_open());
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(FileDescriptor, ClosesOnce) {
  FileDescriptor owner(open_null());
  const int fd = owner.get();
  owner.reset();
  EXPECT_FALSE(is_open(fd));
  // The kernel hands the lowest free number out again: a second close would hit a stranger.
  const FileDescriptor stranger(open_null());
  ASSERT_EQ(stranger.get(), fd);
  owner.reset();
  EXPECT_TRUE(is_open(fd));
}

TEST(FileDescriptor, MoveLeavesNothingBehind) {
  FileDescriptor from(open_null());
  const int fd = from.get();
  {
    const FileDescriptor to(std::move(from));
    EXPECT_FALSE(from.is_open());  // NOLINT(bugprone-use-after-move): the state after a move is the contract
    EXPECT_EQ(to.get(), fd);
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(FileDescriptor, MoveAssignmentClosesWhatItReplaces) {
  FileDescriptor first(open_null());
  FileDescriptor second(open_null());
  const int replaced = first.get();
  const int kept = second.get();
  first = std::move(second);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(kept));
  EXPECT_EQ(first.get(), kept);
}

TEST(FileDescriptor, SelfMoveKeepsItOpen) {
  FileDescriptor owner(open_null());
  FileDescriptor& alias = owner;
  owner = std::move(alias);
  EXPECT_TRUE(owner.is_open());
  EXPECT_TRUE(is_open(owner.get()));
}

TEST(FileDescriptor, ReleaseGivesItAway) {
  FileDescriptor owner(open_null());
  const FileDescriptor other(owner.release());
  EXPECT_FALSE(owner.is_open());
  owner.reset();
  EXPECT_TRUE(is_open(other.get()));
}

}  // namespace
}  // namespace xdplb
