// SPDX-License-Identifier: GPL-2.0-only
// Random frames: the program does what the reference model says, to the last byte and counter.
#include "frame_generator.h"
#include "golden_cases.h"
#include "support/prog_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string_view>

namespace xdplb::test {
namespace {

constexpr int kFrames = 200'000;
constexpr std::uint64_t kSeed = 20'260'101;

// The golden setup, and ports whose rows have many owners, moving ones among them.
DataplaneSetup property_setup(const TestInterfaces& interfaces, std::mt19937_64& random) {
  DataplaneSetup setup = golden_setup(interfaces.ingress, interfaces.other);
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
    PortSetup port{.port = 1000, .protocol = protocol, .seeds = {random(), random(), random()}};
    port.rows_v6.emplace();
    for (int row = 0; row < 1024; ++row) {
      const auto owner = [&random] { return static_cast<std::uint32_t>(random() % 10); };
      port.rows.push_back(moving_row(owner(), owner()));
      port.rows_v6->push_back(settled_row(owner()));
    }
    setup.clusters[0].ports.push_back(port);
    port.seeds = {random(), random(), random()};
    setup.clusters[1].ports.push_back(port);
  }
  return setup;
}

TEST_F(ProgRun, RandomFramesEndAsTheModelSays) {
  std::mt19937_64 random(kSeed);
  const DataplaneSetup setup = property_setup(interfaces_, random);
  program_.install(setup, 1, random() | 1);
  FrameGenerator generator(kSeed);
  std::set<std::string_view> reached;
  for (int i = 0; i < kFrames; ++i) {
    const Frame frame = generator.next();
    const std::uint32_t ingress = i % 8 == 0 ? interfaces_.other : interfaces_.ingress;
    const Journey expected = expected_journey(setup, frame, ingress);
    reached.insert(outcome_name(expected.outcome));
    ASSERT_TRUE(same_journey(expected, program_.run(frame, ingress)))
        << fmt::format("frame {} of seed {}, ", i, kSeed) << hex_dump(frame);
  }
  // A generator that no longer reaches an outcome no longer tests it.
  for (int outcome = XDPLB_CONTINUE + 1; outcome < XDPLB_OUTCOME_COUNT; ++outcome) {
    EXPECT_TRUE(reached.contains(outcome_name(outcome))) << outcome_name(outcome);
  }
}

}  // namespace
}  // namespace xdplb::test
