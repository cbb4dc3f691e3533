// SPDX-License-Identifier: GPL-2.0-only
#include "model/client_hash.h"

#include "net/wire.h"

#include <bit>
#include <cstddef>
#include <string>

namespace xdplb {
namespace {

class SipState {
 public:
  explicit SipState(const std::array<std::uint64_t, 2>& key)
      : v0_(key[0] ^ 0x736f6d6570736575),
        v1_(key[1] ^ 0x646f72616e646f6d),
        v2_(key[0] ^ 0x6c7967656e657261),
        v3_(key[1] ^ 0x7465646279746573) {}

  void absorb(std::uint64_t word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }

  std::uint64_t finish() {
    v2_ ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace

std::uint64_t siphash(const std::array<std::uint64_t, 2>& key, std::string_view text) {
  SipState state(key);
  std::uint64_t word = 0;  // little-endian, as the published vectors
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * (i % 8));
    if (i % 8 != 7) continue;
    state.absorb(word);
    word = 0;
  }
  state.absorb(word | static_cast<std::uint64_t>(text.size()) << 56);
  return state.finish();
}

HashSeeds derive_seeds(std::string_view secret, std::string_view port_path) {
  // The secret is text of any length; two hashes of it under different constants make a key.
  const std::array<std::uint64_t, 2> key{siphash({0, 0}, secret), siphash({0, 1}, secret)};
  HashSeeds seeds{};
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    std::string text(port_path);
    text += '\0';
    text += static_cast<char>('0' + i);
    seeds[i] = siphash(key, text);
  }
  seeds[2] |= 1;  // a factor of its own: an even one would lose bits
  return seeds;
}

HashShape affinity_shape(Family family, unsigned length) {
  HashShape shape{.port_shift = 16};
  if (family == Family::kV4) {
    shape.client_shift = static_cast<std::uint8_t>(32 - length);
  } else if (length <= 64) {
    shape.client_shift = static_cast<std::uint8_t>(64 - length);
    shape.low_kept = false;
  } else {
    shape.low_shift = static_cast<std::uint8_t>(128 - length);
  }
  return shape;
}

std::uint32_t client_row(const Endpoint& client, const HashSeeds& seeds, std::uint32_t mask, const HashShape& shape) {
  const std::uint8_t* bytes = client.address.bytes().data();
  std::uint64_t address = 0;
  if (client.address.is_v4()) {
    address = std::uint64_t{load_be32(bytes)} >> shape.client_shift;
  } else {
    const std::uint64_t low = shape.low_kept ? load_be64(bytes + 8) >> shape.low_shift : 0;
    address = ((load_be64(bytes) >> shape.client_shift) + seeds[0]) * (low + seeds[2]);
    address ^= address >> 32;
  }
  std::uint64_t hash = (address + seeds[0]) * ((std::uint32_t{client.port} >> shape.port_shift) + seeds[1]);
  hash = (hash ^ (hash >> 32)) * seeds[2];
  return static_cast<std::uint32_t>(hash >> 48) & mask;
}

}  // namespace xdplb
