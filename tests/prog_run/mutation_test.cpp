// SPDX-License-Identifier: GPL-2.0-only
// Random and damaged frames: the program does what the reference model says, to the last byte and counter. The model
// keeps pace with what the program writes down, so frames may follow each other without end.
#include "frame_generator.h"
#include "golden_cases.h"
#include "support/prog_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>
#include <string_view>

namespace xdplb::test {
namespace {

constexpr int kFrames = 200'000;
constexpr int kExactFrames = 30'000;
constexpr int kBatch = 2'000;  // frames between two looks at the counters
constexpr std::uint64_t kSeed = 20'260'101;

int frames_to_run() {
  const char* text = std::getenv("XDPLB_MUTATIONS");
  return text != nullptr ? std::atoi(text) : kFrames;
}

// The golden setup, and ports whose rows have many owners, moving ones among them.
DataplaneSetup mutation_setup(const TestInterfaces& interfaces, std::mt19937_64& random) {
  DataplaneSetup setup = golden_setup(interfaces.ingress, interfaces.other);
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
    PortSetup port{.port = 1000, .protocol = protocol, .seeds = {random(), random(), random()}};
    port.rows_v6.emplace();
    for (int row = 0; row < 64; ++row) {
      const auto owner = [&random] { return static_cast<std::uint32_t>(random() % 10); };
      port.rows.push_back(moving_row(owner(), owner()));
      port.rows_v6->push_back(row % 2 == 0 ? settled_row(owner()) : moving_row(owner(), owner()));
    }
    setup.clusters[0].ports.push_back(port);
    port.seeds = {random(), random(), random()};
    setup.clusters[1].ports.push_back(port);
  }
  return setup;
}

class Mutations : public ProgRun {
 protected:
  Mutations() : setup_(mutation_setup(interfaces_, random_)), model_(setup_) {
    program_.install(setup_, 1, random_() | 1);
    model_.set_locator([this](std::uint64_t tag) { return program_.locate_flow(tag); });
    before_ = program_.totals();
  }

  void let_pass(std::uint32_t ticks) {
    model_.set_now(model_.now() + ticks);
    program_.set_now(model_.now());
  }

  // Program first: where it put an entry decides where the model's lies.
  testing::AssertionResult agree(const Frame& frame, std::uint32_t ingress) {
    const Observation seen = program_.dispatch(frame, ingress);
    const Journey expected = model_.run(frame, ingress);
    reached_.insert(outcome_name(expected.outcome));
    note(expected);
    return same_frames(expected, seen);
  }

  void note(const Journey& expected) {
    if (expected.outcome != XDPLB_OUTCOME_FORWARDED) ++outcomes_[{*expected.options, expected.outcome}];
    if (expected.server == 0) return;
    xdplb_counters& sum = counters_[expected.server];
    sum.packets += expected.counters.packets;
    sum.bytes += expected.counters.bytes;
    sum.new_flows += expected.counters.new_flows;
    sum.closed_flows += expected.counters.closed_flows;
  }

  // What was counted since the last call is what the model says.
  void expect_totals() {
    const Totals after = program_.totals();
    for (std::size_t i = 0; i < after.outcomes.size(); ++i) {
      for (int outcome = 1; outcome < XDPLB_OUTCOME_COUNT; ++outcome) {
        const auto options = static_cast<std::uint16_t>(i);
        EXPECT_EQ(after.outcomes[i].packets[outcome] - before_.outcomes[i].packets[outcome],
                  (outcomes_[{options, static_cast<xdplb_outcome>(outcome)}]))
            << outcome_name(outcome) << ", options " << i;
      }
    }
    for (std::size_t i = 0; i < after.servers.size(); ++i) {
      const xdplb_counters& expected = counters_[static_cast<std::uint16_t>(i)];
      EXPECT_EQ(after.servers[i].packets - before_.servers[i].packets, expected.packets) << "server " << i;
      EXPECT_EQ(after.servers[i].bytes - before_.servers[i].bytes, expected.bytes) << "server " << i;
      EXPECT_EQ(after.servers[i].new_flows - before_.servers[i].new_flows, expected.new_flows) << "server " << i;
      EXPECT_EQ(after.servers[i].closed_flows - before_.servers[i].closed_flows, expected.closed_flows)
          << "server " << i;
    }
    before_ = after;
    outcomes_.clear();
    counters_.clear();
  }

  // A generator that no longer reaches an outcome no longer tests it. A test run has headroom for every tag.
  void expect_all_reached() {
    reached_.insert(outcome_name(XDPLB_OUTCOME_NO_HEADROOM));
    for (int outcome = XDPLB_CONTINUE + 1; outcome < XDPLB_OUTCOME_COUNT; ++outcome) {
      EXPECT_TRUE(reached_.contains(outcome_name(outcome))) << outcome_name(outcome);
    }
  }

  std::uint32_t ingress_of(int number) const { return number % 8 == 0 ? interfaces_.other : interfaces_.ingress; }

  std::mt19937_64 random_{kSeed};
  DataplaneSetup setup_;
  ReferenceModel model_;
  Totals before_;
  std::map<std::pair<std::uint16_t, xdplb_outcome>, std::uint64_t> outcomes_;
  std::map<std::uint16_t, xdplb_counters> counters_;
  std::set<std::string_view> reached_;
};

TEST_F(Mutations, RandomFramesEndAsTheModelSays) {
  FrameGenerator generator(kSeed);
  const int frames = frames_to_run();
  for (int i = 0; i < frames; ++i) {
    const Frame frame = generator.next();
    ASSERT_TRUE(agree(frame, ingress_of(i))) << fmt::format("frame {} of seed {}, ", i, kSeed) << hex_dump(frame);
    if (i % kBatch != kBatch - 1) continue;
    expect_totals();
    ASSERT_FALSE(HasFailure()) << fmt::format("within {} frames up to {} of seed {}", kBatch, i, kSeed);
    let_pass(generator.below(40));
  }
  expect_totals();
  if (frames >= kFrames) expect_all_reached();
}

TEST_F(Mutations, RandomFramesAreCountedAsTheModelSays) {
  FrameGenerator generator(kSeed + 1);
  for (int i = 0; i < kExactFrames; ++i) {
    const Frame frame = generator.next();
    const Observation seen = program_.run(frame, ingress_of(i));
    ASSERT_TRUE(same_journey(model_.run(frame, ingress_of(i)), seen))
        << fmt::format("frame {} of seed {}, ", i, kSeed + 1) << hex_dump(frame);
  }
}

// Frames of which every byte of a header is given every value.
std::vector<Frame> mutated_frames() {
  const Tcp tcp{.source_port = 1024, .destination_port = 443, .options = {1, 1, 1, 0}};
  const Packet sent4 = Ipv4{.source = kWeb4, .destination = kClient4, .options = {1, 1, 1, 0}} /
                       Tcp{.source_port = 443, .destination_port = 40000};
  const Packet sent6 = Ipv6{.source = kWeb6, .destination = kClient6} / Ipv6Extension{} /
                       Tcp{.source_port = 443, .destination_port = 40000};
  const Ipv6 v6{.source = kClient6, .destination = kWeb6};
  return {
      kIn / from_client(kWeb4) / tcp / payload(4),
      kIn / from_client(kWeb6) / tcp / payload(4),
      kIn / Vlan{.id = 3, .tag = kTypeServiceVlan} / Vlan{.id = 4} / from_client(kWeb4) / Udp{.destination_port = 53},
      kIn / Ipv4{.source = kClient4, .destination = kWeb4, .options = Frame(8, 1)} / tcp,
      kIn / v6 / Ipv6Extension{} / Ipv6Extension{.type = kAuthentication, .body = Frame(10)} / tcp,
      kIn / v6 / Ipv6Fragment{.more_fragments = true} / tcp,
      kIn / from_client(kWeb4) / Icmp{.type = 3, .code = 4} / quoted(sent4),
      kIn / from_client(kWeb6) / Icmp{.type = 2} / quoted(sent6),
      kIn / from_client(kDns4) / Icmp{.type = kEchoRequest} / payload(6),
      kIn / from_client(kDns6) / Icmp{.type = kEchoRequest6} / payload(6),
      kIn / from_client(kWeb4) / Tcp{.destination_port = 111, .flags = kSyn} / payload(2),
      kIn / from_client(kWeb6) / Tcp{.destination_port = 111, .flags = kSyn} / payload(2),
      kIn / from_client(kWeb4) / Tcp{.destination_port = 86, .flags = kSyn},
      kIn / Vlan{.id = 9} / from_client(kWeb6) / Tcp{.destination_port = 104, .flags = kSyn},
  };
}

TEST_F(Mutations, EveryByteWithEveryValueEndsAsTheModelSays) {
  for (const Frame& original : mutated_frames()) {
    for (std::size_t place = 0; place < original.size(); ++place) {
      Frame frame = original;
      for (int value = 0; value < 256; ++value) {
        frame[place] = static_cast<std::uint8_t>(value);
        ASSERT_TRUE(agree(frame, interfaces_.ingress)) << "byte " << place << "\n" << hex_dump(frame);
      }
      // Flows of one place are not in the way of the next one's.
      if (place % 8 == 7) {
        expect_totals();
        ASSERT_FALSE(HasFailure()) << "bytes up to " << place << "\n" << hex_dump(original);
      }
    }
  }
}

}  // namespace
}  // namespace xdplb::test
