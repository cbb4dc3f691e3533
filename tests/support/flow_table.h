// SPDX-License-Identifier: GPL-2.0-only
// The twin of `flows` and `fragments`: what a flow is known by, where it may lie, and how much fits.
#pragma once

#include "net/address.h"

#include "xdplb/maps.h"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace xdplb::test {

using FlowSeeds = std::array<std::uint64_t, 2>;

// Host order, as words: an IPv4 address in high, IPv6 in both.
struct FlowAddress {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};
FlowAddress flow_address(const IpAddress& address);

struct FlowKey {
  xdplb_flow_kind kind = XDPLB_KIND_FLOW;
  std::uint8_t protocol = 0;
  Family family = Family::kV4;
  std::uint32_t number = 0;  // affinity, or identification of a fragment
  FlowAddress client{};
  FlowAddress vipa{};
  std::uint16_t client_port = 0;
  std::uint16_t port = 0;
};

std::uint64_t flow_tag(const FlowKey& key, const FlowSeeds& seeds);

struct FlowValue {
  std::uint16_t server = 0;
  xdplb_flow_state state = XDPLB_FLOW_OPEN;
  std::uint32_t stamp = 0;
  bool operator==(const FlowValue&) const = default;
};
std::uint64_t flow_word(const FlowValue& value);
FlowValue flow_value(std::uint64_t word);

// Where the program put an entry, of two buckets that both had room; nullopt: it did not.
using FlowLocator = std::function<std::optional<std::uint32_t>(std::uint64_t tag)>;

// `flows`: an entry lies in one of two buckets.
class FlowTable {
 public:
  explicit FlowTable(std::uint32_t buckets) : mask_(buckets - 1) {}

  std::array<std::uint32_t, 2> buckets_of(std::uint64_t tag) const;
  FlowValue* find(std::uint64_t tag);
  // False when both buckets are full. `tag` must not be there.
  [[nodiscard]] bool insert(std::uint64_t tag, const FlowValue& value, const FlowLocator& locate);
  void erase(std::uint64_t tag);
  const std::map<std::uint64_t, FlowValue>& entries() const { return entries_; }

 private:
  std::uint32_t mask_;
  std::map<std::uint64_t, FlowValue> entries_;  // by tag
  std::map<std::uint64_t, std::uint32_t> bucket_by_tag_;
  std::map<std::uint32_t, std::uint32_t> used_;  // ways in use, by bucket
};

// `fragments`: one bucket an entry, where the oldest way makes room.
class FragmentTable {
 public:
  const FlowValue* find(std::uint64_t tag) const;
  void write(std::uint64_t tag, const FlowValue& value);

 private:
  struct Way {
    std::uint64_t tag = 0;
    FlowValue value{};
  };
  std::map<std::uint32_t, std::array<Way, XDPLB_FLOW_WAYS>> buckets_;
};

}  // namespace xdplb::test
