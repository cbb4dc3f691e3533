// SPDX-License-Identifier: GPL-2.0-only
// Who owns the VIPAs, and which interfaces may.
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/typed.h"
#include "model/option_text.h"

#include <fmt/format.h>

namespace xdplb {
namespace {

std::string object_of(const IpAddress& address) { return "vipa " + address.to_string(); }

Result<std::optional<std::vector<std::string>>> parse_list(const std::string& text) {
  auto preferred = parse_preferred(text);
  if (!preferred || !*preferred || (*preferred)->size() <= kMaxAdapters) return preferred;
  return fail(ErrorCode::kUsage,
              fmt::format("there are {} entries, at most {} are possible", (*preferred)->size(), kMaxAdapters));
}

Result<std::optional<std::string>> parse_proxy(const std::string& text) {
  using Proxy = std::optional<std::string>;
  if (text == "none") return Proxy();
  if (const auto good = check_proxy(text); !good) return good.error();
  return Proxy(text);
}

Result<VipaChanges> typed_changes(const VipaSetArguments& typed) {
  const auto is_on = [](const std::string& text) -> Result<bool> {
    if (text == "on" || text == "off") return text == "on";
    return fail(ErrorCode::kUsage, fmt::format("\"{}\" is neither on nor off", text));
  };
  const auto hold = [](const std::string& text) { return parse_duration(text, 0, kMaxVipaTime); };
  VipaChanges changes;
  OptionReader reader;
  reader.read("--prefer", typed.prefer, changes.preferred, parse_list);
  reader.read("--proxy", typed.proxy, changes.proxy, parse_proxy);
  reader.read("--local", typed.local, changes.is_local, is_on);
  reader.read("--backup", typed.backup, changes.is_backup, is_on);
  reader.read("--failback", typed.failback, changes.failback, parse_failback);
  reader.read("--hold", typed.hold, changes.hold_s, hold);
  reader.read("--on-conflict", typed.on_conflict, changes.on_conflict, parse_on_conflict);
  reader.read("--probe", typed.probe, changes.probe, parse_duplicate_probe);
  reader.read("--refresh", typed.refresh, changes.refresh_s, parse_refresh);
  if (reader.error()) return *reader.error();
  const bool has_list = changes.preferred && (!*changes.preferred || !(*changes.preferred)->empty());
  if (has_list && changes.proxy && *changes.proxy) {
    return fail(ErrorCode::kUsage, "--proxy: a server answers only where this host never does: say --prefer none");
  }
  return changes;
}

// A command that takes an address and nothing else.
template <typename MakeRequest>
Result<int> change_vipa(const std::string& text, const MakeRequest& make_request, std::string_view done,
                        std::string_view unchanged, const Context& context) {
  const auto address = typed_vipa(text);
  if (!address) return address.error();
  return change(make_request(*address), object_of(*address), done, unchanged, context);
}

Result<int> set_interface(const std::string& text, bool is_disabled, std::string_view done, std::string_view unchanged,
                          const Context& context) {
  const auto name = typed_interface(text);
  if (!name) return name.error();
  return change(InterfaceAdminRequest{.name = *name, .is_disabled = is_disabled}, "interface " + *name, done, unchanged,
                context);
}

}  // namespace

Result<int> vipa_set(const VipaSetArguments& arguments, const Context& context) {
  const auto address = typed_vipa(arguments.address);
  if (!address) return address.error();
  auto changes = typed_changes(arguments);
  if (!changes) return fail(changes.error().code, fmt::format("{}: {}", object_of(*address), changes.error().message));
  return change(VipaSetRequest{.address = *address, .changes = std::move(*changes)}, object_of(*address), "changed",
                kSo, context);
}

Result<int> vipa_list(const Context& context) { return show(VipaListRequest{}, print_vipas, context); }

Result<int> vipa_show(const std::string& address, const Context& context) {
  const auto typed = typed_vipa(address);
  if (!typed) return typed.error();
  return show(VipaListRequest{.address = *typed}, print_vipa, context);
}

Result<int> vipa_move(const VipaMoveArguments& arguments, const Context& context) {
  const auto address = typed_vipa(arguments.address);
  if (!address) return address.error();
  if (const auto good = check_list_entry(arguments.entry); !good) {
    return fail(ErrorCode::kUsage, fmt::format("{}: {}", object_of(*address), good.error().message));
  }
  return change(VipaMoveRequest{.address = *address, .entry = arguments.entry}, object_of(*address),
                "moved to " + arguments.entry, "stays there already, unchanged", context);
}

Result<int> vipa_resume(const std::string& address, const Context& context) {
  const auto request = [](const IpAddress& vipa) { return VipaResumeRequest{.address = vipa}; };
  return change_vipa(address, request, "follows its list again", "follows its list already, unchanged", context);
}

Result<int> vipa_deactivate(const std::string& address, const Context& context) {
  const auto request = [](const IpAddress& vipa) { return VipaAdminRequest{.address = vipa, .is_disabled = true}; };
  return change_vipa(address, request, "deactivated", kSo, context);
}

Result<int> vipa_reactivate(const std::string& address, const Context& context) {
  const auto request = [](const IpAddress& vipa) { return VipaAdminRequest{.address = vipa, .is_disabled = false}; };
  return change_vipa(address, request, "reactivated", "is active already, unchanged", context);
}

Result<int> vipa_remove(const std::string& address, const Context& context) {
  const auto request = [](const IpAddress& vipa) { return VipaRemoveRequest{.address = vipa}; };
  return change_vipa(address, request, "removed", "was absent", context);
}

Result<int> interface_list(const Context& context) {
  return show(InterfaceListRequest{}, print_interface_list, context);
}

Result<int> interface_disable(const std::string& name, const Context& context) {
  return set_interface(name, true, "disabled: it owns no VIPA", kSo, context);
}

Result<int> interface_enable(const std::string& name, const Context& context) {
  return set_interface(name, false, "enabled", "is enabled already, unchanged", context);
}

}  // namespace xdplb
