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

// Row of a client within a slice of mask + 1 rows (a power of two, at most 65536): a product of address and port, each
// shifted by a seed, folded and multiplied once more, modulo 2^64; the high bits of it. The BPF program computes the
// same.
//
// client  address and port as the client sent them; the port in host order
std::uint32_t client_row(const Endpoint& client, const HashSeeds& seeds, std::uint32_t mask);

}  // namespace xdplb
