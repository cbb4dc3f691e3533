// SPDX-License-Identifier: GPL-2.0-only
// No live flow changes its server because of weights, servers added, drained or returned, a restarted daemon or a SYN
// flood. The exceptions: its server died, it was silent for longer than its port remembers flows, or (not exercised: a
// packet at a time) its SYN was sent twice while its row changed.
#include "clients.h"
#include "farm.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <ostream>
#include <random>
#include <thread>

namespace xdplb::test {
namespace {

struct Scene {
  const char* name;
  std::vector<PortConfig> ports;
  std::uint32_t entries;  // of the table of flows
};

void PrintTo(const Scene& scene, std::ostream* out) { *out << scene.name; }

PortConfig port_of(PortConfig port) {
  port.stale_timeout_s = Farm::kStaleSeconds;
  return port;
}

std::vector<Scene> scenes() {
  const PortConfig web = port_of({.port = 80});
  PortConfig sticky = web;
  sticky.sticky_s = 4;
  PortConfig masked = sticky;
  masked.sticky_mask_v4 = 24;
  masked.sticky_mask_v6 = 64;
  PortConfig follower = sticky;
  follower.port = 443;
  follower.crossport = 80;
  PortConfig turns = web;
  turns.pick = Pick::kRoundRobin;
  PortConfig fewest = web;
  fewest.pick = Pick::kLeastConnections;
  PortConfig sticky_turns = turns;
  sticky_turns.sticky_s = 4;
  PortConfig other_turns = turns;
  other_turns.port = 443;
  const PortConfig udp = port_of({.port = 53, .protocol = Protocol::kUdp, .udp_tracking = true});
  PortConfig limited = web;
  limited.new_flow_limit = 20;
  return {{"hash", {web}, 65536},
          {"hash_table_full", {web}, 1024},
          {"new_flow_limit", {limited}, 65536},
          {"sticky", {sticky}, 65536},
          {"sticky_table_full", {sticky}, 1024},
          {"sticky_masks", {masked}, 65536},
          {"crossport", {sticky, follower}, 65536},
          {"round_robin", {turns}, 65536},
          {"round_robin_table_full", {turns}, 1024},
          {"round_robin_sticky", {sticky_turns}, 65536},
          {"least_connections", {fewest}, 65536},
          {"udp_tracking", {udp}, 65536},
          {"all_together", {web, other_turns, udp}, 4096}};
}

// XDPLB_PROMISE_STEPS raises the number of an operator's moves: each comes with some hundred packets.
int steps() {
  const char* text = std::getenv("XDPLB_PROMISE_STEPS");
  return text != nullptr ? std::atoi(text) : 150;
}

// An operator without patience and the clients that must not notice. One seed is one story.
class Story {
 public:
  Story(const Scene& scene, std::uint64_t seed)
      : farm_(scene.ports, scene.entries), clients_(scene.ports, 1500, seed), random_(seed) {
    for (int server = 0; server < 4; ++server) farm_.add(server, 10);
  }

  // False with clients().complaint() set when somebody noticed.
  bool step() {
    now_ = farm_.now();
    move();
    for (int i = 0; i < 300; ++i) {
      const auto number = clients_.random_connection();
      if (chance(3)) {
        clients_.close(farm_, number);
      } else if (!clients_.talk(farm_, number, now_)) {
        return false;
      }
    }
    return second();
  }

  const Clients& clients() const { return clients_; }
  const std::string& last_move() const { return last_move_; }
  std::uint64_t promoted() const { return promoted_; }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  int random_server() { return static_cast<int>(random_() % Farm::kMaxServers); }
  unsigned random_weight() { return static_cast<unsigned>(random_() % 20); }

  // The clock goes on, by a tick every other time; nobody who is alive is silent for as long as the port remembers
  // flows.
  bool second() {
    if (chance(50)) farm_.pass(1);
    now_ = farm_.now();
    const auto patience = farm_.stale_ticks() - 2;
    for (std::size_t number = 0; number < clients_.count(); ++number) {
      const auto& connection = clients_.at(number);
      if (connection.is_open && now_ - connection.heard >= patience && !chance(10))
        if (!clients_.talk(farm_, number, now_)) return false;
    }
    clients_.forget_silent(now_, patience);
    farm_.sweep();
    promoted_ += farm_.report().promoted;
    return true;
  }

  void move() {
    const int server = random_server();
    const bool is_there = farm_.has(server);
    switch (random_() % 13) {
      case 0:
        if (!is_there) tell("add", server, [&] { farm_.add(server, random_weight()); });
        break;
      case 1:
        if (is_there && chance(40)) {
          tell("remove", server, [&] { farm_.remove(server); });
          clients_.forget_owner(server);
        }
        break;
      case 2:
      case 3:
        if (is_there) tell("reweigh", server, [&] { farm_.reweigh(server, random_weight()); });
        break;
      case 4:
        if (is_there && farm_.admin_of(server) != Admin::kDown)
          tell("drain", server, [&] { farm_.say(server, chance(50) ? Admin::kDrain : Admin::kDrainNow); });
        break;
      case 5:
        if (is_there && chance(30)) {
          tell("down", server, [&] { farm_.say(server, Admin::kDown); });
          clients_.forget_owner(server);
        }
        break;
      case 6:
        if (is_there) tell("ready", server, [&] { farm_.say(server, Admin::kReady); });
        break;
      case 7:
        tell("restart", -1, [&] { farm_.restart(); });
        break;
      case 8:
        tell("flood", -1, [&] { clients_.flood(farm_, 1500); });
        break;
      case 10:
        if (is_there && chance(30)) {
          tell("fails", server, [&] { farm_.grant(server, false, 0); });
          clients_.forget_owner(server);
        }
        break;
      case 11:
        if (is_there && !farm_.is_granted_in(server))
          tell("recovers", server, [&] { farm_.grant(server, true, random_weight()); });
        break;
      case 12:
        if (is_there && farm_.is_granted_in(server))
          tell("steered", server, [&] { farm_.grant(server, true, random_weight()); });
        break;
      default:
        if (is_there && chance(50)) {
          tell("change_mac", server, [&] { farm_.change_mac(server); });
        } else if (is_there && farm_.admin_of(server) != Admin::kReady && chance(30)) {
          tell("force", server, [&] { farm_.force(server); });
          clients_.forget_owner(server);
        }
    }
  }

  void tell(const char* what, int server, const std::function<void()>& act) {
    last_move_ = std::string(what) + " " + std::to_string(server);
    act();
  }

  Farm farm_;
  Clients clients_;
  std::mt19937_64 random_;
  std::uint32_t now_ = 0;
  std::uint64_t promoted_ = 0;
  std::string last_move_ = "nothing yet";
};

class Promise : public testing::TestWithParam<Scene> {};

TEST_P(Promise, NoLiveFlowChangesItsServer) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    Story story(GetParam(), seed);
    for (int step = 0; step < steps(); ++step) {
      ASSERT_TRUE(story.step()) << GetParam().name << ", seed " << seed << ", step " << step << ", after "
                                << story.last_move() << ": " << story.clients().complaint();
    }
    EXPECT_GT(story.clients().opened(), 500U);
    EXPECT_GT(story.promoted(), 0U) << "rows have settled in between, or nothing was proved";
    RecordProperty("packets", std::to_string(story.clients().packets()));
  }
}

INSTANTIATE_TEST_SUITE_P(Scenes, Promise, testing::ValuesIn(scenes()),
                         [](const testing::TestParamInfo<Scene>& scene) { return std::string(scene.param.name); });

// Packets on one CPU while the controller works on another: connections that are open before anything happens, and are
// never silent, keep their servers.
TEST(PromiseTwoCpus, NoLiveFlowChangesItsServerMeanwhile) {
  const PortConfig web = port_of({.port = 80});
  Farm farm({web}, 16384);
  for (int server = 0; server < 6; ++server) farm.add(server, 10);
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> packets = 0, rounds = 0;
  std::string complaint;
  std::thread sender([&] {
    Clients clients({web}, 1000, 7);
    while (!is_over && complaint.empty()) {
      const auto now = farm.now();
      for (std::size_t number = 0; number < clients.count(); ++number)
        if (!clients.talk(farm, number, now)) complaint = clients.complaint();
      packets = clients.packets();
      ++rounds;
    }
  });
  std::mt19937_64 random(3);
  std::uint64_t rounds_at_tick = 0;
  for (int step = 0; step < steps() && complaint.empty(); ++step) {
    const int server = 6 + static_cast<int>(random() % 10);
    if (!farm.has(server)) {
      farm.add(server, 1 + static_cast<unsigned>(random() % 20));
    } else if (random() % 2 == 0) {
      farm.reweigh(static_cast<int>(random() % 6), 1 + static_cast<unsigned>(random() % 20));
    } else {
      farm.say(server, farm.admin_of(server) == Admin::kReady ? Admin::kDrain : Admin::kReady);
    }
    // A tick only when everybody has talked since the last one: on a busy machine the sender may be slow, and silence
    // is an exception.
    if (rounds >= rounds_at_tick + 2) {
      rounds_at_tick = rounds;
      farm.pass(1);
    }
    farm.sweep();
  }
  is_over = true;
  sender.join();
  EXPECT_EQ(complaint, "");
  EXPECT_GT(packets, 10000U);
}

}  // namespace
}  // namespace xdplb::test
