// SPDX-License-Identifier: GPL-2.0-only
// VIPAs, interfaces and the dispatcher's own settings.
#include "control/request_decoders.h"
#include "model/config_json.h"
#include "model/option_text.h"

#include <fmt/format.h>

namespace xdplb {
namespace {

using nlohmann::json;

// The address that stands in the path.
Result<IpAddress> take_vipa(const Call& call) {
  const auto address = IpAddress::parse(call.name);
  if (!address) return fail(ErrorCode::kUsage, "vipa: " + address.error().message);
  return *address;
}

// {"admin": "disabled"} or {"admin": "enabled"}: whether it is the first.
Result<bool> take_disabled(json& body) {
  if (auto known = only_keys(body, {"admin"}); !known) return known.error();
  const auto word = take_string(body, "admin");
  if (!word) return word.error();
  if (*word == "disabled" || *word == "enabled") return *word == "disabled";
  return bad_body("admin", "is neither disabled nor enabled");
}

Result<std::vector<MacAddress>> read_peers(const json& list) {
  if (!list.is_array()) return bad_body("peers", "is not a list");
  std::vector<MacAddress> peers;
  for (const json& peer : list) {
    if (!peer.is_string()) return bad_body("peers", "holds something that is not a string");
    const auto mac = in_body(MacAddress::parse(peer.get_ref<const std::string&>()), "peers");
    if (!mac) return mac.error();
    peers.push_back(*mac);
  }
  return peers;
}

}  // namespace

Result<Request> decode_interface_admin(Call& call) {
  if (!is_interface_name(call.name)) {
    return fail(ErrorCode::kUsage, fmt::format("interface \"{}\": not a name an interface can have", call.name));
  }
  const auto is_disabled = take_disabled(call.body);
  if (!is_disabled) return is_disabled.error();
  return InterfaceAdminRequest{.name = std::move(call.name), .is_disabled = *is_disabled};
}

Result<Request> decode_vipa_show(Call& call) {
  const auto address = take_vipa(call);
  if (!address) return address.error();
  return VipaListRequest{.address = *address};
}

Result<Request> decode_vipa_set(Call& call) {
  const auto address = take_vipa(call);
  if (!address) return address.error();
  auto changes = decode_vipa_changes(call.body, "vipa");
  if (!changes) return changes.error();
  return VipaSetRequest{.address = *address, .changes = std::move(*changes)};
}

Result<Request> decode_vipa_remove(Call& call) {
  const auto address = take_vipa(call);
  if (!address) return address.error();
  return VipaRemoveRequest{.address = *address};
}

Result<Request> decode_vipa_move(Call& call) {
  const auto address = take_vipa(call);
  if (!address) return address.error();
  if (auto known = only_keys(call.body, {"entry"}); !known) return known.error();
  auto entry = take_string(call.body, "entry");
  if (!entry) return entry.error();
  if (auto good = in_body(check_list_entry(*entry), "entry"); !good) return good.error();
  return VipaMoveRequest{.address = *address, .entry = std::move(*entry)};
}

Result<Request> decode_vipa_resume(Call& call) {
  const auto address = take_vipa(call);
  if (!address) return address.error();
  return VipaResumeRequest{.address = *address};
}

Result<Request> decode_vipa_admin(Call& call) {
  const auto address = take_vipa(call);
  if (!address) return address.error();
  const auto is_disabled = take_disabled(call.body);
  if (!is_disabled) return is_disabled.error();
  return VipaAdminRequest{.address = *address, .is_disabled = *is_disabled};
}

Result<Request> decode_settings_set(Call& call) {
  if (auto known = only_keys(call.body, {"peers", "decrement_ttl", "fix_host", "health", "guard"}); !known) {
    return known.error();
  }
  SettingsSetRequest request;
  if (const auto list = call.body.find("peers"); list != call.body.end()) {
    auto peers = read_peers(*list);
    if (!peers) return peers.error();
    request.peers = std::move(*peers);
  }
  if (auto good = take_truth(call.body, "decrement_ttl", request.decrement_ttl); !good) return good.error();
  if (auto good = take_truth(call.body, "fix_host", request.fix_host); !good) return good.error();
  if (auto good = take_truth(call.body, "guard", request.has_failure_guard); !good) return good.error();
  if (const auto health = call.body.find("health"); health != call.body.end()) {
    auto changes = decode_health_changes(*health, "health");
    if (!changes) return changes.error();
    request.set_health(std::move(*changes));
  }
  if (request != SettingsSetRequest{}) return request;
  return bad_body("peers, decrement_ttl, fix_host, health, guard", "at least one must be given");
}

}  // namespace xdplb
