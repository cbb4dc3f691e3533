// SPDX-License-Identifier: GPL-2.0-only
// Two interfaces on a clock of the test's own.
#pragma once

#include "model/interface_health.h"

#include <gmock/gmock.h>

#include <map>
#include <string>

namespace xdplb {

inline const IpAddress kGateway = IpAddress::v4({192, 0, 2, 1});
inline const IpAddress kRouter = IpAddress::v4({192, 0, 2, 2});

class HealthTest : public testing::Test {
 protected:
  static LinkFacts good(std::uint32_t ifindex) {
    return {.exists = true, .ifindex = ifindex, .is_up = true, .has_carrier = true};
  }
  void set() { health.set_links(links, now); }
  void configure() { health.configure(config, now); }
  // Calls tick() whenever it is asked for until then.
  void pass(std::chrono::milliseconds time) {
    const auto end = now + time;
    for (auto wake = health.next_wake(); wake && *wake <= end; wake = health.next_wake()) {
      ASSERT_GT(*wake, now) << "a wake that does nothing would spin";
      now = *wake;
      health.tick(now);
    }
    now = end;
    health.tick(now);
  }
  void carrier(const std::string& name, bool has_carrier) {
    links[name].has_carrier = has_carrier;
    set();
  }
  void miss(const std::string& name, unsigned count) { health.set_reach(name, {{kGateway, count}}, now); }
  void answer(const std::string& name) { miss(name, 0); }
  HealthState state(const std::string& name) const { return health.verdict(name).state; }
  std::string cause(const std::string& name) const { return health.verdict(name).cause; }
  unsigned factor(const std::string& name) const { return health.verdict(name).hold_factor; }
  // eth0, fails and is up again after the delay.
  void flap() {
    carrier("eth0", false);
    carrier("eth0", true);
    pass(std::chrono::seconds(2));
    ASSERT_EQ(state("eth0"), HealthState::kUp);
  }

  HealthConfig config{};
  std::map<std::string, LinkFacts> links{{"eth0", good(1)}, {"eth1", good(2)}};
  InterfaceHealth health;
  InterfaceHealth::Clock::time_point now{std::chrono::seconds(1000)};
};

}  // namespace xdplb
