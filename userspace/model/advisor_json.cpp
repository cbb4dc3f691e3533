// SPDX-License-Identifier: GPL-2.0-only
#include "model/advisor_json.h"

#include "model/advisor_keys.h"
#include "model/config_decoder.h"
#include "model/option_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace xdplb {
namespace {

using nlohmann::json;

// What a change of the type leaves as it is.
constexpr std::array<const char*, 6> kKeptKeys = {"interval", "fast_interval", "down_interval", "fall", "rise", "via"};

Error invalid(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

bool is_way(const json& value) {
  return value.is_string() && parse_probe_way(value.get_ref<const std::string&>()).has_value();
}

// What of `now` stays when `changes` are made.
json base_of(const std::optional<AdvisorConfig>& now, const json& changes) {
  if (!now) return json::object();
  json whole = encode_advisor(*now);
  const auto type = changes.find("type");
  if (type == changes.end() || *type == whole["type"]) return whole;
  json kept = json::object();
  for (const char* const key : kKeptKeys) {
    if (whole.contains(key)) kept[key] = whole[key];
  }
  return kept;
}

// How a probe talks to its port: over which protocol, and to which port when the advisor does not say.
struct Conversation {
  bool needs_port = true;
  std::optional<Protocol> protocol{};
};

Conversation conversation_of(const AdvisorConfig& advisor) {
  if (is_in(kTcpTypes, advisor.type)) return {.protocol = Protocol::kTcp};
  if (advisor.type == AdvisorType::kUdp) return {.protocol = Protocol::kUdp};
  if (advisor.type == AdvisorType::kDns) return {.protocol = advisor.dns.over_tcp ? Protocol::kTcp : Protocol::kUdp};
  return {.needs_port = false};
}

// A single advisor, or a check of a composite, that says no port to probe and so probes the cluster's.
Result<void> check_conversation(const AdvisorConfig& advisor, std::uint16_t port, bool is_udp,
                                const std::string& object) {
  const Conversation conversation = conversation_of(advisor);
  const std::string_view type = advisor_type_name(advisor.type);
  if (conversation.needs_port && port == 0) {
    return invalid(fmt::format("{}: say the \"port\" that {} probes, as this one is any", object, type));
  }
  const Protocol protocol = is_udp ? Protocol::kUdp : Protocol::kTcp;
  if (!conversation.protocol || *conversation.protocol == protocol) return {};
  return invalid(fmt::format("{}: {} talks {}: say the \"port\" that it probes", object, type,
                             *conversation.protocol == Protocol::kTcp ? "TCP" : "UDP"));
}

}  // namespace

Result<AdvisorConfig> decode_advisor(const json& object, const std::string& path, Protocol port) {
  ConfigDecoder decoder;
  decoder.set_port_protocol(port);
  AdvisorConfig advisor;
  if (!decoder.advisor(object, path, advisor)) return invalid(decoder.failure());
  return advisor;
}

Result<AdvisorConfig> change_advisor(const std::optional<AdvisorConfig>& now, const json& changes,
                                     const std::string& path, Protocol port) {
  if (!changes.is_object()) return decode_advisor(changes, path, port);
  const auto type = changes.find("type");
  if (!now && type == changes.end()) {
    return fail(ErrorCode::kNotFound, fmt::format("{}: there is none, say the \"type\" of a new one", path));
  }
  if (type != changes.end() && type->is_null()) return invalid(child_path(path, "type") + ": it has no default");
  json whole = base_of(now, changes);
  for (const auto& item : changes.items()) {
    const bool is_via = item.key() == "path" && is_way(item.value());
    if (is_via && changes.contains("via")) return invalid(child_path(path, "path") + ": say it by \"via\" only");
    const std::string key = is_via ? "via" : item.key();
    // Not known: kept for the decoder, which says so.
    const bool is_known =
        std::any_of(kAdvisorKeys.begin(), kAdvisorKeys.end(), [&](const AdvisorKey& each) { return each.name == key; });
    if (item.value().is_null() && is_known) {
      whole.erase(key);
    } else {
      whole[key] = item.value();
    }
  }
  return decode_advisor(whole, path, port);
}

Result<ManagerChanges> decode_manager_changes(const json& object, const std::string& path) {
  ConfigDecoder decoder;
  ManagerChanges changes;
  if (!decoder.manager_changes(object, path, changes)) return invalid(decoder.failure());
  return changes;
}

Result<void> check_advisor(const AdvisorConfig& advisor, std::uint16_t port, bool is_udp, const std::string& object) {
  // One place has the rules. Every config of ours was decoded, so this finds something in one made by hand only.
  const auto again = decode_advisor(encode_advisor(advisor), object);
  if (!again) return again.error();
  if (*again != advisor)
    return invalid(fmt::format("{}: it has options of other types, or headers that are not sorted", object));
  if (advisor.port) return {};
  if (advisor.type != AdvisorType::kComposite) return check_conversation(advisor, port, is_udp, object);
  for (std::size_t i = 0; i < advisor.checks.size(); ++i) {
    const AdvisorConfig& check = advisor.checks[i];
    if (check.port) continue;
    const std::string check_at = element_path(child_path(object, "checks"), i);
    if (auto checked = check_conversation(check, port, is_udp, check_at); !checked) return checked;
  }
  return {};
}

}  // namespace xdplb
