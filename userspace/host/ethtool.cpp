// SPDX-License-Identifier: GPL-2.0-only
#include "host/ethtool.h"

#include "base/file_descriptor.h"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <string_view>
#include <thread>
#include <vector>

namespace xdplb {
namespace {

// One interface's ethtool.
class Ethtool {
 public:
  Ethtool(int socket, const std::string& interface) : socket_(socket) {
    interface.copy(static_cast<char*>(request_.ifr_name), IFNAMSIZ - 1);
  }

  // `command` begins with its number and is answered in place. False: the driver does not support it.
  bool ask(void* command) {
    request_.ifr_data = static_cast<char*>(command);
    return ::ioctl(socket_, SIOCETHTOOL, &request_) == 0;
  }

 private:
  int socket_;
  ifreq request_{};
};

// Commands whose answer is longer than their struct: 4-byte words, so that it is aligned.
using Words = std::vector<std::uint32_t>;

Words make_words(std::size_t bytes) { return Words((bytes + sizeof(std::uint32_t) - 1) / sizeof(std::uint32_t)); }

std::string read_driver_name(Ethtool& ethtool) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (!ethtool.ask(&info)) return {};
  const char* name = static_cast<const char*>(info.driver);
  return {name, strnlen(name, sizeof(info.driver))};
}

std::uint32_t count_features(Ethtool& ethtool) {
  auto words = make_words(sizeof(ethtool_sset_info) + sizeof(std::uint32_t));
  auto* info = reinterpret_cast<ethtool_sset_info*>(words.data());
  info->cmd = ETHTOOL_GSSET_INFO;
  info->sset_mask = 1ULL << ETH_SS_FEATURES;
  if (!ethtool.ask(info) || info->sset_mask == 0) return 0;
  return info->data[0];
}

// Names of all features; a feature's bit is its place.
std::vector<std::string> read_feature_names(Ethtool& ethtool, std::uint32_t count) {
  auto words = make_words(sizeof(ethtool_gstrings) + static_cast<std::size_t>(count) * ETH_GSTRING_LEN);
  auto* strings = reinterpret_cast<ethtool_gstrings*>(words.data());
  strings->cmd = ETHTOOL_GSTRINGS;
  strings->string_set = ETH_SS_FEATURES;
  strings->len = count;
  if (!ethtool.ask(strings)) return {};
  std::vector<std::string> names;
  const auto* text = reinterpret_cast<const char*>(words.data()) + offsetof(ethtool_gstrings, data);
  for (std::uint32_t i = 0; i < std::min(count, strings->len); ++i, text += ETH_GSTRING_LEN)
    names.emplace_back(text, strnlen(text, ETH_GSTRING_LEN));
  return names;
}

void read_features(Ethtool& ethtool, DriverFacts& facts) {
  const std::uint32_t count = count_features(ethtool);
  // The kernel writes all names, however little room was asked for.
  if (count == 0) return;
  const auto names = read_feature_names(ethtool, count);
  const std::uint32_t blocks = (count + 31) / 32;
  auto words = make_words(sizeof(ethtool_gfeatures) + blocks * sizeof(ethtool_get_features_block));
  auto* features = reinterpret_cast<ethtool_gfeatures*>(words.data());
  features->cmd = ETHTOOL_GFEATURES;
  features->size = blocks;
  if (!ethtool.ask(features)) return;
  const auto find = [&](std::string_view name) -> std::optional<DriverFeature> {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) return std::nullopt;
    const auto bit = static_cast<std::uint32_t>(at - names.begin());
    const auto& block = features->features[bit / 32];
    const std::uint32_t mask = 1U << (bit % 32);
    return DriverFeature{
        .is_on = (block.active & mask) != 0,
        .can_change = (block.available & mask) != 0 && (block.never_changed & mask) == 0,
    };
  };
  facts.lro = find("rx-lro");
  facts.gro_hw = find("rx-gro-hw");
  facts.vlan_offload = find("rx-vlan-hw-parse");
}

void read_channels(Ethtool& ethtool, DriverFacts& facts) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (!ethtool.ask(&channels)) return;
  facts.channels = DriverChannels{.now = channels.combined_count + channels.rx_count,
                                  .most = std::max(channels.max_combined, channels.max_rx),
                                  .are_combined = channels.max_combined != 0};
}

void read_ring(Ethtool& ethtool, DriverFacts& facts) {
  ethtool_ringparam ring{};
  ring.cmd = ETHTOOL_GRINGPARAM;
  if (!ethtool.ask(&ring) || ring.rx_max_pending == 0) return;
  facts.receive_ring = DriverRing{.now = ring.rx_pending, .most = ring.rx_max_pending};
}

}  // namespace

XdpQueues xdp_queues(const DriverFacts& driver, unsigned cpus) {
  if (driver.driver != "virtio_net" || !driver.channels) return XdpQueues::kOwn;
  if (driver.channels->now + cpus <= driver.channels->most) return XdpQueues::kOwn;
  return driver.channels->now > cpus ? XdpQueues::kPastTheLast : XdpQueues::kShared;
}

unsigned possible_cpus() {
  // "0-1", "0,2-3": the last number is the highest.
  std::ifstream file("/sys/devices/system/cpu/possible");
  std::string list;
  unsigned highest = 0;
  if (!std::getline(file, list)) return std::max(1U, std::thread::hardware_concurrency());
  const auto last = list.find_last_of(",-");
  const char* begin = list.data() + (last == std::string::npos ? 0 : last + 1);
  std::from_chars(begin, list.data() + list.size(), highest);
  return highest + 1;
}

Result<DriverFacts> read_driver(const std::string& interface) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return os_error("interface " + interface + ": ask its driver", errno);
  Ethtool ethtool(socket.get(), interface);
  DriverFacts facts{.driver = read_driver_name(ethtool)};
  read_features(ethtool, facts);
  read_channels(ethtool, facts);
  read_ring(ethtool, facts);
  return facts;
}

}  // namespace xdplb
