// SPDX-License-Identifier: GPL-2.0-only
#include "model/port_changes.h"

#include "random_config.h"

#include <gtest/gtest.h>

namespace xdplb {
namespace {

TEST(PortChanges, WhatIsNotSaidStays) {
  PortConfig port{.port = 443, .stale_timeout_s = 60, .sticky_s = 30, .crossport = 80};
  const PortConfig before = port;
  PortChanges{}.apply(port);
  EXPECT_EQ(port, before);
  EXPECT_TRUE(PortChanges{}.is_empty());
  PortChanges{.sticky_s = 0}.apply(port);
  EXPECT_EQ(port, (PortConfig{.port = 443, .stale_timeout_s = 60, .sticky_s = 0, .crossport = 80}));
  EXPECT_FALSE(PortChanges{.sticky_s = 0}.is_empty());
}

TEST(PortChanges, CrossportCanBeTakenAway) {
  PortConfig port{.port = 443, .crossport = 80};
  PortChanges{.crossport = std::optional<std::uint16_t>()}.apply(port);
  EXPECT_EQ(port.crossport, std::nullopt);
  PortChanges{.crossport = 81}.apply(port);
  EXPECT_EQ(port.crossport, 81);
}

TEST(PortChanges, SayWhatIsNeededAndWhatHappensWithoutIt) {
  PortConfig port{.port = 443, .min_up = {.value = 2}, .slow_start_s = 10};
  PortChanges{.min_up = MinUp{.value = 50, .is_percent = true}, .on_all_down = OnAllDown::kDrop}.apply(port);
  EXPECT_EQ(port, (PortConfig{.port = 443,
                              .min_up = {.value = 50, .is_percent = true},
                              .on_all_down = OnAllDown::kDrop,
                              .slow_start_s = 10}));
  PortChanges{.slow_start_s = 0}.apply(port);
  EXPECT_EQ(port.slow_start_s, 0U);
}

TEST(PortChanges, OptionsOfAPortMakeItAgain) {
  testing::RandomConfig random(11);
  unsigned ports = 0;
  for (int i = 0; i < 200; ++i) {
    for (const ClusterConfig& cluster : random.make().clusters) {
      for (const PortConfig& port : cluster.ports) {
        PortConfig again{
            .port = port.port, .protocol = port.protocol, .advisor = port.advisor, .servers = port.servers};
        options_of(port).apply(again);
        EXPECT_EQ(again, port);
        ++ports;
      }
    }
  }
  EXPECT_GT(ports, 100U);
  EXPECT_TRUE(options_of(PortConfig{.port = 1}).is_empty());
}

}  // namespace
}  // namespace xdplb
