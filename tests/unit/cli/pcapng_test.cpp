// SPDX-License-Identifier: GPL-2.0-only
#include "cli/pcapng.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace xdplb {
namespace {

class PcapngTest : public testing::Test {
 protected:
  ~PcapngTest() override { std::filesystem::remove(path_); }

  // The blocks of the file: type and body.
  std::vector<std::pair<std::uint32_t, std::string>> blocks() const {
    std::ifstream file(path_, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::vector<std::pair<std::uint32_t, std::string>> found;
    for (std::size_t at = 0; at + 12 <= bytes.size();) {
      const auto length = word(bytes, at + 4);
      if (length % 4 != 0 || length < 12 || at + length > bytes.size() || word(bytes, at + length - 4) != length) break;
      found.emplace_back(word(bytes, at), bytes.substr(at + 8, length - 12));
      at += length;
    }
    return found;
  }
  static std::uint32_t word(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof(value));
    return value;
  }

  std::string path_ = testing::TempDir() + "xdplb-pcapng-" + std::to_string(::getpid());
};

TEST_F(PcapngTest, FramesFollowTheirInterfaceAndCarryTheirVerdict) {
  auto writer = PcapngWriter::open(path_);
  ASSERT_TRUE(writer);
  const std::vector<std::uint8_t> frame{1, 2, 3, 4, 5};
  ASSERT_TRUE(writer->write("eth0", 0x1234567890ULL, 60, frame, "forwarded web/80/s1"));
  ASSERT_TRUE(writer->write("eth1", 2, 5, frame, ""));
  ASSERT_TRUE(writer->write("eth0", 3, 5, frame, ""));
  const auto all = blocks();
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[0].first, 0x0a0d0d0aU);
  EXPECT_EQ(word(all[0].second, 0), 0x1a2b3c4dU);
  EXPECT_EQ(all[1].first, 1U);
  EXPECT_NE(all[1].second.find("eth0"), std::string::npos);
  EXPECT_EQ(all[2].first, 6U);
  EXPECT_EQ(word(all[2].second, 0), 0U);           // interface
  EXPECT_EQ(word(all[2].second, 4), 0x12U);        // time, upper half
  EXPECT_EQ(word(all[2].second, 8), 0x34567890U);  // lower half
  EXPECT_EQ(word(all[2].second, 12), 5U);          // captured
  EXPECT_EQ(word(all[2].second, 16), 60U);         // of the wire
  EXPECT_EQ(all[2].second.substr(20, 8), std::string("\1\2\3\4\5\0\0\0", 8));
  EXPECT_NE(all[2].second.find("forwarded web/80/s1"), std::string::npos);
  EXPECT_EQ(all[3].first, 1U);
  EXPECT_EQ(word(all[4].second, 0), 1U);
  EXPECT_EQ(word(all[5].second, 0), 0U);
}

TEST_F(PcapngTest, AFolderThatIsNotThereIsAnErrorThatNamesIt) {
  const auto writer = PcapngWriter::open("/nowhere/trace.pcapng");
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().message.find("/nowhere/trace.pcapng"), std::string::npos);
}

}  // namespace
}  // namespace xdplb
