// SPDX-License-Identifier: GPL-2.0-only
#include "host/ethtool.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace xdplb {
namespace {

XdpQueues queues_of(const char* driver, std::uint32_t now, std::uint32_t most, unsigned cpus) {
  return xdp_queues({.driver = driver, .channels = DriverChannels{.now = now, .most = most}}, cpus);
}

TEST(Ethtool, VirtioHasAQueueForEachCpuBesideThoseInUse) {
  EXPECT_EQ(queues_of("virtio_net", 2, 4, 2), XdpQueues::kOwn);
  EXPECT_EQ(queues_of("virtio_net", 2, 3, 2), XdpQueues::kShared);
  EXPECT_EQ(queues_of("virtio_net", 1, 1, 2), XdpQueues::kShared);
}

TEST(Ethtool, VirtioWithMoreQueuesInUseThanCpusSendsPastTheLast) {
  EXPECT_EQ(queues_of("virtio_net", 3, 5, 2), XdpQueues::kOwn);
  EXPECT_EQ(queues_of("virtio_net", 3, 4, 2), XdpQueues::kPastTheLast);
  EXPECT_EQ(queues_of("virtio_net", 4, 4, 2), XdpQueues::kPastTheLast);
}

TEST(Ethtool, OtherDriversAndUnknownQueuesAreTakenForSafe) {
  EXPECT_EQ(queues_of("ice", 4, 4, 2), XdpQueues::kOwn);
  EXPECT_EQ(xdp_queues({.driver = "virtio_net"}, 2), XdpQueues::kOwn);
}

TEST(Ethtool, AtLeastTheCpusThatRunArePossible) {
  EXPECT_GE(possible_cpus(), static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace
}  // namespace xdplb
