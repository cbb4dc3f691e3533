// SPDX-License-Identifier: GPL-2.0-only
#include "cli/trace_filter.h"

#include "cli/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kWords{"outcome", "server", "port", "interface"};

// The field of a record that tells an address, "" for a key that names none.
const char* address_field(const std::string& key) {
  if (key == "client") return "source";
  if (key == "vipa") return "destination";
  return "";
}

// "192.0.2.1:80", "[2001:db8::1]:80" or an address alone.
std::optional<IpAddress> address_of(const std::string& text) {
  if (const auto endpoint = Endpoint::parse(text)) return endpoint->address;
  if (const auto address = IpAddress::parse(text)) return *address;
  return std::nullopt;
}

bool is_in(const std::vector<IpPrefix>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&address](const IpPrefix& network) { return network.contains(address); });
}

}  // namespace

Result<TraceFilter> TraceFilter::parse(const std::vector<std::string>& texts) {
  TraceFilter filter;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    const std::string key = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? std::string() : text.substr(equals + 1);
    const bool is_word = std::find(kWords.begin(), kWords.end(), key) != kWords.end();
    const bool is_network = *address_field(key) != '\0';
    if (value.empty() || (!is_word && !is_network)) {
      return fail(
          ErrorCode::kUsage,
          fmt::format("--filter {}: it is KEY=VALUE of outcome, client, vipa, server, port or interface", text));
    }
    if (is_word) {
      filter.words_[key].push_back(value);
      continue;
    }
    const auto network = IpPrefix::parse(value);
    if (!network) return network.error();
    filter.networks_[key].push_back(*network);
  }
  return filter;
}

std::vector<std::string> TraceFilter::outcomes() const {
  const auto found = words_.find("outcome");
  return found == words_.end() ? std::vector<std::string>() : found->second;
}

bool TraceFilter::matches(const json& record) const {
  for (const auto& [key, values] : words_)
    if (std::find(values.begin(), values.end(), optional_text(record, key.c_str())) == values.end()) return false;
  return std::all_of(networks_.begin(), networks_.end(), [&record](const auto& entry) {
    const auto address = address_of(optional_text(record, address_field(entry.first)));
    return address && is_in(entry.second, *address);
  });
}

}  // namespace xdplb
