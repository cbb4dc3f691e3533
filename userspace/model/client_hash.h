// SPDX-License-Identifier: GPL-2.0-only
// The hash that picks a client's row: the plain twin of the one in bpf/select.bpf.h, for `explain` and the tests.
#pragma once

#include "net/address.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace xdplb {

// Secret 64-bit numbers of one port, the last one odd; without them a client could choose source ports that all meet
// one server.
using HashSeeds = std::array<std::uint64_t, 3>;

// SipHash-2-4 of `text` under a 128-bit key (Aumasson and Bernstein, 2012): mixes the secret into the seeds.
std::uint64_t siphash(const std::array<std::uint64_t, 2>& key, std::string_view text);

// Derives the seeds of one port from the configuration's secret, so that two dispatchers with equal secrets agree.
//
// secret     any text, not empty
// port_path  PortPath::to_string()
HashSeeds derive_seeds(std::string_view secret, std::string_view port_path);

// What of a client is hashed; by default everything. A value of this is the twin of the last fields of struct
// xdplb_port.
struct HashShape {
  std::uint8_t client_shift = 0;  // of the address: IPv4 (0..31), or the upper half of IPv6 (0..63)
  std::uint8_t low_shift = 0;     // of the lower half of IPv6, 0..63
  bool low_kept = true;           // the lower half of IPv6 counts
  std::uint8_t port_shift = 0;    // 16: the port does not count
  bool operator==(const HashShape&) const = default;
};

// The shape that sees only the first `length` bits of the address, and no port: clients that share them share a row.
//
// length  1..32 for IPv4, 1..128 for IPv6
HashShape affinity_shape(Family family, unsigned length);

// Row of a client within a slice of mask + 1 rows (a power of two, at most 65536): a product of address and port, each
// shifted by a seed, folded and multiplied once more, modulo 2^64; the high bits of it. The BPF program computes the
// same.
//
// client  address and port as the client sent them; the port in host order
std::uint32_t client_row(const Endpoint& client, const HashSeeds& seeds, std::uint32_t mask,
                         const HashShape& shape = {});

}  // namespace xdplb
