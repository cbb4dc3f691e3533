// SPDX-License-Identifier: GPL-2.0-only
// A server in a namespace of its own with an interface on a LAN, and everything that setup may change as text.
#pragma once

#include "../host/sandbox.h"
#include "server/server_judge.h"
#include "server/server_setup.h"

#include <gmock/gmock.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace xdplb {

class SetupTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ = NetworkNamespace::make();
    if (!server_.is_open()) GTEST_SKIP() << "needs root and network namespaces";
    std::string name = (std::filesystem::temp_directory_path() / "xdplb-setup-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    paths_ = {.root = root_, .record = root_ / "var/lib/xdplb-server/netns-test.json", .is_foreign = true};
    server_.run(
        "ip link add eth0 type veth peer name lan0; ip link set eth0 up; ip link set lan0 up;"
        "ip address add 192.0.2.11/24 dev eth0; ip address add 2001:db8::11/64 dev eth0;"
        "ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8::1");
    settle();
  }
  // The kernel is done with what it does by itself: links are up, and have IPv6 addresses that are in use.
  void settle() const {
    server_.run(
        "timeout 20 sh -c \"until [ \\$(ip -6 route show table local | grep -c '^multicast ff00::') = 2 ] &&"
        " [ \\$(ip -6 address | grep -c 'inet6 fe80::') = 2 ]; do :; done\"");
    await_ipv6();
  }
  // Every IPv6 address has its local route, which the kernel makes a moment later.
  void await_ipv6() const {
    server_.run(
        "in_use() { ! ip -6 address | grep -q tentative || return 1; "
        "for one in $(ip -6 -o address | sed 's/.*inet6 \\([^/]*\\).*/\\1/'); do "
        "ip -6 route show table local | grep -q \"^local $one \" || return 1; done; }; "
        "end=$(($(date +%s) + 20)); until in_use; do [ $(date +%s) -lt $end ]; done");
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  // All that is to be as it was after remove.
  std::string state() const {
    return server_.output(
        "ip -d address; ip route show table all; ip -6 route show table all; ip rule; ip -6 rule;"
        "ip neighbour show proxy; ip -6 neighbour show proxy; nft list ruleset;"
        "grep -rs '' /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf | sort");
  }

  Result<unsigned> setup(const SetupOptions& options) {
    told_.clear();
    return server_.inside(
        [&] { return setup_server(options, paths_, [&](const auto& line) { told_.push_back(line); }); });
  }
  Result<unsigned> remove(const std::vector<IpAddress>& vipas, bool is_dry_run = false) {
    told_.clear();
    return server_.inside(
        [&] { return remove_server(vipas, is_dry_run, paths_, [&](const auto& line) { told_.push_back(line); }); });
  }

  static IpAddress address(const std::string& text) { return *IpAddress::parse(text); }
  static SetupOptions options_for(const std::vector<std::string>& vipas) {
    SetupOptions options;
    for (const std::string& vipa : vipas) options.wish.vipas.push_back(address(vipa));
    return options;
  }

  // Lines that only one of them has, in short.
  void expect_same(const std::string& now, const std::string& before) const {
    if (now == before) return;
    std::ofstream(root_ / "before") << before;
    std::ofstream(root_ / "now") << now;
    ADD_FAILURE() << server_.output("diff " + (root_ / "before").string() + " " + (root_ / "now").string());
  }

  // Codes of curable faults and of those of addresses and silence.
  std::string curable_faults(const SetupOptions& options) const {
    return server_.inside([&] {
      auto facts = read_server_facts();
      std::string codes;
      if (!facts) return facts.error().message;
      for (const Fault& fault : judge_server(*facts, options.wish)) {
        if (fault.is_curable) codes += fault.code + ": " + fault.text + "\n";
      }
      return codes;
    });
  }

  // Setup cures, a second run finds nothing to do, remove brings everything back.
  void expect_cure_and_return(const SetupOptions& options) {
    const std::string before = state();
    SetupOptions dry = options;
    dry.is_dry_run = true;
    auto foreseen = setup(dry);
    ASSERT_TRUE(foreseen.has_value()) << foreseen.error().message;
    expect_same(state(), before);
    const auto foretold = told_;
    auto made = setup(options);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(told_, foretold);
    EXPECT_GT(*made, 0U);
    EXPECT_EQ(curable_faults(options), "");
    auto again = setup(options);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, 0U) << testing::PrintToString(told_);
    auto removed = remove({});
    ASSERT_TRUE(removed.has_value()) << removed.error().message;
    expect_same(state(), before);
    EXPECT_FALSE(std::filesystem::exists(paths_.record));
  }

  NetworkNamespace server_;
  std::filesystem::path root_{};
  ServerPaths paths_{};
  std::vector<std::string> told_{};
};

}  // namespace xdplb
