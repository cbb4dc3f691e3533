// SPDX-License-Identifier: GPL-2.0-only
#include "flow_table.h"

#include "net/wire.h"

#include <algorithm>

namespace xdplb::test {
namespace {

class TagHash {
 public:
  explicit TagHash(const FlowSeeds& seeds) : seeds_(seeds), hash_(seeds[0]) {}

  void absorb(std::uint64_t word) {
    hash_ = (hash_ + word) * seeds_[1];
    hash_ ^= hash_ >> 32;
  }
  // 0 is the tag of a free way.
  std::uint64_t tag() const { return hash_ == 0 ? 1 : hash_; }

 private:
  FlowSeeds seeds_;
  std::uint64_t hash_;
};

}  // namespace

FlowAddress flow_address(const IpAddress& address) {
  const std::uint8_t* bytes = address.bytes().data();
  if (address.is_v4()) return {.high = load_be32(bytes)};
  return {.high = load_be64(bytes), .low = load_be64(bytes + 8)};
}

std::uint64_t flow_tag(const FlowKey& key, const FlowSeeds& seeds) {
  TagHash hash(seeds);
  const std::uint64_t family = key.family == Family::kV4 ? 4 : 6;
  hash.absorb(static_cast<std::uint64_t>(key.kind) | std::uint64_t{key.protocol} << 8 | family << 16 |
              std::uint64_t{key.number} << 32);
  hash.absorb(key.client_port | std::uint64_t{key.port} << 16);
  if (key.family == Family::kV4) {
    hash.absorb(key.client.high | key.vipa.high << 32);
    return hash.tag();
  }
  for (const std::uint64_t word : {key.client.high, key.client.low, key.vipa.high, key.vipa.low}) hash.absorb(word);
  return hash.tag();
}

std::uint64_t flow_word(const FlowValue& value) {
  return value.server | static_cast<std::uint64_t>(value.state) << XDPLB_FLOW_STATE_SHIFT |
         std::uint64_t{value.stamp} << XDPLB_FLOW_STAMP_SHIFT;
}

FlowValue flow_value(std::uint64_t word) {
  return {.server = static_cast<std::uint16_t>(word & XDPLB_ROW_SERVER_MASK),
          .state = static_cast<xdplb_flow_state>((word & XDPLB_FLOW_STATE_MASK) >> XDPLB_FLOW_STATE_SHIFT),
          .stamp = static_cast<std::uint32_t>(word >> XDPLB_FLOW_STAMP_SHIFT)};
}

std::array<std::uint32_t, 2> FlowTable::buckets_of(std::uint64_t tag) const {
  return {static_cast<std::uint32_t>(tag) & mask_, static_cast<std::uint32_t>(tag >> 32) & mask_};
}

FlowValue* FlowTable::find(std::uint64_t tag) {
  const auto entry = entries_.find(tag);
  return entry == entries_.end() ? nullptr : &entry->second;
}

bool FlowTable::insert(std::uint64_t tag, const FlowValue& value, const FlowLocator& locate) {
  const auto buckets = buckets_of(tag);
  const auto has_room = [this](std::uint32_t bucket) { return used_[bucket] < XDPLB_FLOW_WAYS; };
  if (!has_room(buckets[0]) && !has_room(buckets[1])) return false;
  std::uint32_t bucket = has_room(buckets[0]) ? buckets[0] : buckets[1];
  if (locate && has_room(buckets[0]) && has_room(buckets[1])) bucket = locate(tag).value_or(bucket);
  entries_[tag] = value;
  bucket_by_tag_[tag] = bucket;
  ++used_[bucket];
  return true;
}

void FlowTable::erase(std::uint64_t tag) {
  if (entries_.erase(tag) == 0) return;
  const auto bucket = bucket_by_tag_.find(tag);
  --used_[bucket->second];
  bucket_by_tag_.erase(bucket);
}

const FlowValue* FragmentTable::find(std::uint64_t tag) const {
  const auto bucket = buckets_.find(static_cast<std::uint32_t>(tag) & (XDPLB_FRAGMENT_BUCKETS - 1));
  if (bucket == buckets_.end()) return nullptr;
  for (const Way& way : bucket->second) {
    if (way.tag == tag) return &way.value;
  }
  return nullptr;
}

void FragmentTable::write(std::uint64_t tag, const FlowValue& value) {
  auto& ways = buckets_[static_cast<std::uint32_t>(tag) & (XDPLB_FRAGMENT_BUCKETS - 1)];
  auto way = std::find_if(ways.begin(), ways.end(), [tag](const Way& one) { return one.tag == tag; });
  if (way == ways.end()) {
    way = std::min_element(ways.begin(), ways.end(),
                           [](const Way& left, const Way& right) { return left.value.stamp < right.value.stamp; });
  }
  *way = {.tag = tag, .value = value};
}

}  // namespace xdplb::test
