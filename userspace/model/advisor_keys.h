// SPDX-License-Identifier: GPL-2.0-only
// The keys of an advisor object and the types that they are for; the table of docs/advisors.md.
#pragma once

#include "model/advisor_config.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace xdplb {

// A set of types: bit n is that of value n.
using AdvisorTypes = std::uint32_t;

constexpr AdvisorTypes advisor_types(std::initializer_list<AdvisorType> types) {
  AdvisorTypes set = 0;
  for (const AdvisorType type : types) set |= AdvisorTypes{1} << static_cast<unsigned>(type);
  return set;
}
constexpr bool is_in(AdvisorTypes set, AdvisorType type) { return (set >> static_cast<unsigned>(type) & 1U) != 0; }

inline constexpr AdvisorTypes kAllTypes = advisor_types({AdvisorType::kTelnet}) * 2 - 1;
inline constexpr AdvisorTypes kPresetTypes = kAllTypes & ~(advisor_types({AdvisorType::kSmtp}) - 1);
inline constexpr AdvisorTypes kWebTypes = advisor_types({AdvisorType::kHttp, AdvisorType::kHttps});
// May talk TLS when told.
inline constexpr AdvisorTypes kPlainTcpTypes = advisor_types({AdvisorType::kConnect, AdvisorType::kTcp}) | kPresetTypes;
// Talk over TCP whatever else they say.
inline constexpr AdvisorTypes kTcpTypes = kWebTypes | kPlainTcpTypes | advisor_types({AdvisorType::kAgent});
inline constexpr AdvisorTypes kTlsTypes = kPlainTcpTypes | advisor_types({AdvisorType::kHttps});
inline constexpr AdvisorTypes kDnsType = advisor_types({AdvisorType::kDns});
inline constexpr AdvisorTypes kUdpType = advisor_types({AdvisorType::kUdp});
inline constexpr AdvisorTypes kExecType = advisor_types({AdvisorType::kExec});
inline constexpr AdvisorTypes kCompositeType = advisor_types({AdvisorType::kComposite});

struct AdvisorKey {
  std::string_view name;
  AdvisorTypes types;
  std::string_view whose;        // `types` in words: "is for ..."
  bool is_of_composite = false;  // a check of a composite does not say it, the composite does
};

inline constexpr std::array<AdvisorKey, 36> kAdvisorKeys = {{
    {"type", kAllTypes, ""},
    {"via", kAllTypes, "", true},
    {"port", kAllTypes & ~advisor_types({AdvisorType::kPing}), "all types but ping"},
    {"interval", kAllTypes, "", true},
    {"fast_interval", kAllTypes, "", true},
    {"down_interval", kAllTypes, "", true},
    {"connect_timeout", kTcpTypes | kDnsType, "conversations over TCP"},
    {"receive_timeout", kAllTypes & ~kCompositeType, "each of the checks"},
    {"fall", kAllTypes, "", true},
    {"rise", kAllTypes, "", true},
    {"watch", kWebTypes | kPlainTcpTypes | kCompositeType, "conversations over TCP", true},
    {"method", kWebTypes, "http and https"},
    {"path", kWebTypes, "http and https"},
    {"host", kWebTypes, "http and https"},
    {"headers", kWebTypes, "http and https"},
    {"statuses", kWebTypes, "http and https"},
    {"body", kWebTypes, "http and https"},
    {"max_bytes", kWebTypes, "http and https"},
    {"tls", kPlainTcpTypes, "connect, tcp and presets"},
    {"verify", kTlsTypes, "https, and \"tls\": true"},
    {"ca_file", kTlsTypes, "https, and \"tls\": true"},
    {"server_name", kTlsTypes, "https, and \"tls\": true"},
    {"alpn", kTlsTypes, "https, and \"tls\": true"},
    {"steps", advisor_types({AdvisorType::kTcp}), "tcp"},
    {"name", kDnsType, "dns"},
    {"query_type", kDnsType, "dns"},
    {"rcodes", kDnsType, "dns"},
    {"over_tcp", kDnsType, "dns"},
    {"answer", kDnsType | kUdpType, "dns and udp"},
    {"payload", kUdpType, "udp"},
    {"silence", kUdpType, "udp"},
    {"command", kExecType, "exec"},
    {"user", kExecType, "exec"},
    {"checks", kCompositeType, "composite"},
    {"combine", kCompositeType, "composite"},
    {"at_least", kCompositeType, "composite"},
}};

}  // namespace xdplb
