// SPDX-License-Identifier: GPL-2.0-only
#include "server/nft_table.h"

#include "server/nft_program.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxOutput = 4096;  // bytes; it says nothing when all is well

bool is_our_table(const json& object) {
  const auto table = object.is_object() ? object.value("table", json()) : json();
  return table.is_object() && table.value("family", "") == "inet" && table.value("name", "") == "xdplb_server";
}

}  // namespace

bool has_nft_table(const ServerFacts& facts) {
  const auto document = facts.ruleset ? json::parse(*facts.ruleset, nullptr, false) : json();
  const auto objects = document.is_object() ? document.value("nftables", json::array()) : json::array();
  return std::any_of(objects.begin(), objects.end(), is_our_table);
}

Result<void> run_nft(const std::string& commands) {
  const auto said = run_nft_program({"-f", "-"}, commands, kMaxOutput);
  if (said) return {};
  Error error = said.error();
  if (error.code == ErrorCode::kNotFound) error.message += ": install nftables, or use --method loopback";
  return error;
}

}  // namespace xdplb
