// SPDX-License-Identifier: GPL-2.0-only
#include "model/client_hash.h"

#include "model/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace xdplb {
namespace {

constexpr HashSeeds kSeeds{0x1122334455667788, 0x99aabbccddeeff01, 0x0fedcba987654321};

Endpoint v4_client(std::uint32_t address, std::uint16_t port) {
  return {.address = IpAddress::v4({static_cast<std::uint8_t>(address >> 24), static_cast<std::uint8_t>(address >> 16),
                                    static_cast<std::uint8_t>(address >> 8), static_cast<std::uint8_t>(address)}),
          .port = port};
}

Endpoint v6_client(std::uint64_t high, std::uint64_t low, std::uint16_t port) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return {.address = IpAddress::v6(bytes), .port = port};
}

// Chi-square of the rows of clients, in standard deviations from its mean; below about 4 for an even spread.
double excess(std::uint32_t rows, std::size_t clients, const std::function<std::uint32_t(std::size_t)>& row_of) {
  std::vector<double> counts(rows, 0);
  for (std::size_t i = 0; i < clients; ++i) counts[row_of(i)] += 1;
  const double expected = static_cast<double>(clients) / rows;
  double sum = 0;
  for (const double count : counts) sum += (count - expected) * (count - expected) / expected;
  return (sum - (rows - 1)) / std::sqrt(2.0 * (rows - 1));
}

TEST(SipHash, GivesPublishedVectors) {
  const std::array<std::uint64_t, 2> key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string text;
  EXPECT_EQ(siphash(key, text), 0x726fdb47dd0e0e31);
  for (char c = 0; c < 8; ++c) text += c;
  EXPECT_EQ(siphash(key, text), 0x93f5f5799a932462);
  for (char c = 8; c < 15; ++c) text += c;
  EXPECT_EQ(siphash(key, text), 0xa129ca6149be45e5);
}

std::uint64_t second_round(std::uint64_t product) { return (product ^ (product >> 32)) * kSeeds[2]; }

TEST(ClientHash, V4IsTheProductOfSeededAddressAndPortInTwoRounds) {
  const std::uint64_t product = second_round((0xc6336407 + kSeeds[0]) * (40000 + kSeeds[1]));
  EXPECT_EQ(client_row(v4_client(0xc6336407, 40000), kSeeds, 0xffff), product >> 48);
  EXPECT_EQ(client_row(v4_client(0xc6336407, 40000), kSeeds, 0x3ff), product >> 48 & 0x3ff);
}

TEST(ClientHash, V6FoldsBothHalvesFirst) {
  std::uint64_t folded = (0x20010db800000001 + kSeeds[0]) * (0x00000000000000fe + kSeeds[2]);
  folded ^= folded >> 32;
  const std::uint64_t product = second_round((folded + kSeeds[0]) * (443 + kSeeds[1]));
  EXPECT_EQ(client_row(v6_client(0x20010db800000001, 0xfe, 443), kSeeds, 0xffff), product >> 48);
}

TEST(ClientHash, AnAffinityOfV4SeesTheFirstBitsOfTheAddressOnly) {
  const auto shape = affinity_shape(Family::kV4, 24);
  EXPECT_EQ(shape, (HashShape{.client_shift = 8, .port_shift = 16}));
  const auto row = client_row(v4_client(0xc6336407, 40000), kSeeds, 0xffff, shape);
  EXPECT_EQ(row, second_round((0xc63364 + kSeeds[0]) * kSeeds[1]) >> 48);
  EXPECT_EQ(client_row(v4_client(0xc63364ff, 1), kSeeds, 0xffff, shape), row);
  EXPECT_NE(client_row(v4_client(0xc6336507, 40000), kSeeds, 0xffff, shape), row);
  EXPECT_EQ(affinity_shape(Family::kV4, 32).client_shift, 0);
  EXPECT_EQ(affinity_shape(Family::kV4, 1).client_shift, 31);
}

TEST(ClientHash, AnAffinityOfV6EndsInEitherHalf) {
  EXPECT_EQ(affinity_shape(Family::kV6, 48), (HashShape{.client_shift = 16, .low_kept = false, .port_shift = 16}));
  EXPECT_EQ(affinity_shape(Family::kV6, 64), (HashShape{.low_kept = false, .port_shift = 16}));
  EXPECT_EQ(affinity_shape(Family::kV6, 65), (HashShape{.low_shift = 63, .port_shift = 16}));
  EXPECT_EQ(affinity_shape(Family::kV6, 128), (HashShape{.port_shift = 16}));
  for (const unsigned length : {48U, 64U, 96U, 128U}) {
    const auto shape = affinity_shape(Family::kV6, length);
    const std::uint64_t high_bit = length >= 64 ? 0 : std::uint64_t{1} << (63 - length);
    const std::uint64_t low_bit = length < 128 && length >= 64 ? std::uint64_t{1} << (127 - length) : 0;
    const auto row = client_row(v6_client(0x20010db800000000, 0, 1), kSeeds, 0xffff, shape);
    EXPECT_EQ(client_row(v6_client(0x20010db800000000 ^ high_bit, low_bit, 2), kSeeds, 0xffff, shape), row) << length;
    const std::uint64_t kept_high = length <= 64 ? std::uint64_t{1} << (64 - length) : 0;
    const std::uint64_t kept_low = length > 64 ? std::uint64_t{1} << (128 - length) : 0;
    EXPECT_NE(client_row(v6_client(0x20010db800000000 ^ kept_high, kept_low, 1), kSeeds, 0xffff, shape), row) << length;
  }
}

TEST(ClientHash, RowStaysWithinMask) {
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LE(client_row(v4_client(static_cast<std::uint32_t>(random()), 1), kSeeds, 1023), 1023U);
  }
}

TEST(ClientHash, GrowingTableKeepsLowBitsOfRow) {
  // Duplicating a table moves no flow only because of this.
  for (std::uint16_t port = 1; port < 1000; ++port) {
    const Endpoint client = v4_client(0xc6336407, port);
    EXPECT_EQ(client_row(client, kSeeds, 2047) & 1023, client_row(client, kSeeds, 1023));
  }
}

// 65536 flows of patterns that real clients show.
struct Pattern {
  const char* description;
  std::function<Endpoint(std::uint32_t)> client;
};

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> kPatterns{
      {"256 addresses x 256 ports",
       [](std::uint32_t i) { return v4_client(0xc6336400 + i / 256, static_cast<std::uint16_t>(32768 + i % 256)); }},
      {"one address, every port", [](std::uint32_t i) { return v4_client(0xc6336407, static_cast<std::uint16_t>(i)); }},
      {"one port, sequential addresses", [](std::uint32_t i) { return v4_client(0xcb000000 + i, 40000); }},
      {"IPv6, 256 hosts x 256 ports",
       [](std::uint32_t i) {
         return v6_client(0x20010db800000000, i / 256, static_cast<std::uint16_t>(32768 + i % 256));
       }},
      {"IPv6, one host, every port",
       [](std::uint32_t i) { return v6_client(0x20010db800000000, 7, static_cast<std::uint16_t>(i)); }},
      {"IPv6, sequential networks", [](std::uint32_t i) { return v6_client(0x20010db800000000 + i, 1, 40000); }},
  };
  return kPatterns;
}

TEST(ClientHash, SpreadsRandomClientsEvenly) {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 20; ++trial) {
    const HashSeeds seeds = derive_seeds("secret " + std::to_string(trial), "web/443");
    const auto row_v4 = [&](std::size_t) {
      const std::uint64_t bits = random();
      return client_row(v4_client(static_cast<std::uint32_t>(bits >> 32), static_cast<std::uint16_t>(bits)), seeds,
                        1023);
    };
    const auto row_v6 = [&](std::size_t) {
      return client_row(v6_client(random(), random(), static_cast<std::uint16_t>(random())), seeds, 1023);
    };
    EXPECT_LT(excess(1024, 100000, row_v4), 4.5) << trial;
    EXPECT_LT(excess(1024, 100000, row_v6), 4.5) << trial;
  }
}

TEST(ClientHash, SpreadsSequentialClientsEvenlyUnderEverySecret) {
  // With one product some seeds would give steps that clump a sequence.
  for (const Pattern& pattern : patterns()) {
    int uneven = 0;
    for (int trial = 0; trial < 40; ++trial) {
      const HashSeeds seeds = derive_seeds("secret " + std::to_string(trial), "web/443");
      const auto row = [&](std::size_t i) {
        return client_row(pattern.client(static_cast<std::uint32_t>(i)), seeds, 1023);
      };
      uneven += excess(1024, 65536, row) > 5 ? 1 : 0;
    }
    EXPECT_EQ(uneven, 0) << pattern.description;
  }
}

TEST(ClientHash, SharesFollowWeights) {
  const std::vector<RowServer> servers{{.name = "s1", .index = 1, .weight = 10},
                                       {.name = "s2", .index = 2, .weight = 5},
                                       {.name = "s3", .index = 3, .weight = 1},
                                       {.name = "s4", .index = 4, .weight = 0}};
  const RowTable table = fill_rows(servers, rows_for(servers.size()));
  std::mt19937_64 random(5);
  for (const bool is_v6 : {false, true}) {
    for (int trial = 0; trial < 10; ++trial) {
      const HashSeeds seeds = derive_seeds("secret " + std::to_string(trial), "web/443");
      std::array<double, 5> flows{};
      for (int i = 0; i < 100000; ++i) {
        const std::uint64_t bits = random();
        const auto port = static_cast<std::uint16_t>(bits);
        const Endpoint client = is_v6 ? v6_client(0x20010db800000000 + (bits >> 60), random(), port)
                                      : v4_client(0xc6330000 + static_cast<std::uint32_t>(bits >> 47), port);
        flows[table.owners[client_row(client, seeds, 1023)]] += 1;
      }
      EXPECT_NEAR(flows[1] / 100000, 10.0 / 16, 0.02);
      EXPECT_NEAR(flows[2] / 100000, 5.0 / 16, 0.02);
      EXPECT_NEAR(flows[3] / 100000, 1.0 / 16, 0.02);
      EXPECT_EQ(flows[4], 0);
      EXPECT_EQ(flows[0], 0);
    }
  }
}

TEST(DeriveSeeds, AgreeOnEveryMachine) {
  EXPECT_EQ(derive_seeds("secret", "web/443"),
            (HashSeeds{4115104596999743796U, 16662181623442247240U, 7746788923391693281U}));
  EXPECT_EQ(derive_seeds("secret", "web/443"), derive_seeds(std::string("secret"), std::string("web/443")));
}

TEST(DeriveSeeds, DifferBySecretPortAndPlace) {
  std::set<std::uint64_t> seen;
  for (const char* secret : {"secret", "secret2", "Secret", "s", "a much longer secret than one word of the hash"}) {
    for (const char* path : {"web/443", "web/443/udp", "web/80", "we", "b"}) {
      for (const std::uint64_t seed : derive_seeds(secret, path))
        EXPECT_TRUE(seen.insert(seed).second) << secret << path;
    }
  }
}

TEST(DeriveSeeds, OneBitOfTheSecretFlipsHalfOfTheSeedBits) {
  int flipped = 0;
  for (int bit = 0; bit < 48; ++bit) {
    std::string secret = "secret";
    secret[static_cast<std::size_t>(bit / 8)] =
        static_cast<char>(secret[static_cast<std::size_t>(bit / 8)] ^ 1 << bit % 8);
    const HashSeeds before = derive_seeds("secret", "web/443");
    const HashSeeds after = derive_seeds(secret, "web/443");
    for (std::size_t i = 0; i < before.size(); ++i) flipped += std::popcount(before[i] ^ after[i]);
  }
  EXPECT_NEAR(flipped, 48 * 96, 200);  // 3.5 standard deviations are about 170
}

TEST(DeriveSeeds, UnequalSecretsSendClientsToUnequalRows) {
  const HashSeeds one = derive_seeds("one", "web/443");
  const HashSeeds other = derive_seeds("other", "web/443");
  int same = 0;
  for (std::uint16_t port = 1; port <= 10000; ++port) {
    const Endpoint client = v4_client(0xc6336407, port);
    same += client_row(client, one, 1023) == client_row(client, other, 1023) ? 1 : 0;
  }
  EXPECT_LT(same, 100);
}

}  // namespace
}  // namespace xdplb
