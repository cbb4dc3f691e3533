// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/vipa_views.h"

#include "daemon/status_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace xdplb {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// A claim that was not heard again for so long is history.
constexpr auto kClaimIsNews = std::chrono::minutes(5);

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }
std::int64_t whole_seconds_since(Clock::time_point start) { return static_cast<std::int64_t>(seconds_since(start)); }

json seconds_until(const std::optional<Clock::time_point>& due) {
  return due ? json(std::max(0.0, -seconds_since(*due))) : json(nullptr);
}

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

const char* entry_state_name(EntryState state) {
  switch (state) {
    case EntryState::kUp:
      return "up";
    case EntryState::kSettling:
      return "settling";
    case EntryState::kSuspect:
      return "suspect";
    case EntryState::kFailed:
      return "failed";
  }
  return "failed";
}

std::string interface_name(const HostMonitor& monitor, std::uint32_t ifindex) {
  const auto* link = monitor.find_link(ifindex);
  return link != nullptr ? link->name : fmt::format("interface {}", ifindex);
}

json mac_view(const MacAddress& mac, const MacOwner& owner) {
  return {{"mac", mac.to_string()}, {"class", owner.kind}, {"object", text_or_null(owner.object)}};
}

json claims_view(const VipaViewContext& context, const std::vector<ClaimHeard>& claims) {
  json views = json::array();
  for (const auto& claim : claims) {
    const auto owner =
        claim.is_own_kernel ? MacOwner{.kind = "this host", .object = "kernel"} : context.owner_of(claim.mac);
    json view = mac_view(claim.mac, owner);
    view["interface"] = interface_name(context.monitor, claim.ifindex);
    view["count"] = claim.count;
    view["last_s"] = whole_seconds_since(claim.last);
    views.push_back(std::move(view));
  }
  return views;
}

json entries_view(const std::vector<VipaEntry>& entries) {
  json views = json::array();
  for (const auto& entry : entries) {
    views.push_back({{"name", entry.name},
                     {"interface", text_or_null(entry.interface)},
                     {"healthy", entry.state == EntryState::kUp},
                     {"state", entry_state_name(entry.state)},
                     {"reason", entry.reason}});
  }
  return views;
}

std::string claim_text(const VipaViewContext& context, const ClaimHeard& claim) {
  if (claim.is_own_kernel) {
    return fmt::format(
        "this host's kernel answers for it with {}, too: give arp_ignore 1 to all interfaces (`xdplb set "
        "--fix-host on` does)",
        claim.mac.to_string());
  }
  const auto owner = context.owner_of(claim.mac);
  const auto count = claim.count == 1 ? std::string("once") : fmt::format("{} times", claim.count);
  const auto times = fmt::format("{} claimed it {} on {}", claim.mac.to_string(), count,
                                 interface_name(context.monitor, claim.ifindex));
  if (owner.kind == "server")
    return fmt::format("{}: {} answers ARP for it; make its loopback address silent (arp_ignore 1, arp_announce 2)",
                       times, owner.object);
  if (owner.kind == "dispatcher") return fmt::format("{}: another dispatcher owns it, too", times);
  return fmt::format("{}: an unknown machine", times);
}

void add_proxy_problem(const VipaViewContext& context, const std::string& object, const VipaReport& report,
                       const ProxyServer& proxy, std::vector<json>& found) {
  if (!report.answered_by) {
    found.push_back(
        problem("vipa_proxy_silent", object,
                fmt::format("nobody on the LAN answers for it; {} should: is its proxy ARP on?", proxy.name)));
    return;
  }
  if (std::find(proxy.macs.begin(), proxy.macs.end(), *report.answered_by) != proxy.macs.end()) return;
  const auto owner = context.owner_of(*report.answered_by);
  found.push_back(problem("vipa_wrong_proxy", object,
                          fmt::format("{}{} answers for it on the LAN, not {}", report.answered_by->to_string(),
                                      owner.object.empty() ? "" : " (" + owner.object + ")", proxy.name)));
}

}  // namespace

json vipa_view(const VipaViewContext& context, const IpAddress& address, const VipaKeeper::Managed& managed) {
  const auto known = context.keeper.status(address);
  const VipaStatus status = known.value_or(VipaStatus{});
  const auto& report = status.report;
  const auto& config = managed.config;
  json view = {{"address", address.to_string()},
               {"clusters", managed.clusters},
               {"state", vipa_state_name(report.state)},
               {"owner", report.owner != 0 ? json(interface_name(context.monitor, report.owner)) : json(nullptr)},
               {"owner_entry", text_or_null(report.owner_entry)},
               {"reason", report.reason},
               {"since_s", known ? whole_seconds_since(report.since) : 0},
               {"moves", report.moves},
               {"local", config.is_local},
               {"backup", config.is_backup},
               {"failback", failback_name(config.failback)},
               {"hold_s", config.hold_s},
               {"pinned", text_or_null(report.pinned)},
               {"failback_to", text_or_null(report.failback_to)},
               {"failback_in_s", seconds_until(report.failback_at)},
               {"retry_in_s", seconds_until(report.retry_at)},
               {"preferred", entries_view(managed.entries)},
               {"proxy", config.proxy ? json(*config.proxy) : json(nullptr)},
               {"answered_by", nullptr},
               {"conflicts", claims_view(context, status.claims)},
               {"requests", status.requests},
               {"answers", status.answers},
               {"announcements", status.announcements},
               {"defences", report.defences},
               {"last_announcement_s", nullptr},
               {"event_to_announcement_ms", nullptr},
               {"last_move", nullptr}};
  if (report.answered_by) view["answered_by"] = mac_view(*report.answered_by, context.owner_of(*report.answered_by));
  if (status.last_announcement) view["last_announcement_s"] = seconds_since(*status.last_announcement);
  if (status.event_to_announcement)
    view["event_to_announcement_ms"] = std::chrono::duration<double, std::milli>(*status.event_to_announcement).count();
  if (const auto& move = report.last_move)
    view["last_move"] = {{"from", text_or_null(move->from)},
                         {"to", text_or_null(move->to)},
                         {"cause", move->cause},
                         {"ago_s", whole_seconds_since(move->at)}};
  return view;
}

json vipa_list_view(const VipaViewContext& context) {
  json views = json::array();
  for (const auto& [address, managed] : context.keeper.managed()) views.push_back(vipa_view(context, address, managed));
  return views;
}

json health_view(const VipaViewContext& context, const std::string& name) {
  const auto verdict = context.keeper.verdict(name);
  const auto* link = context.monitor.find_link(name);
  json reach = json::array();
  for (const auto& [target, missed] : context.keeper.health().reach(name))
    reach.push_back({{"target", target.to_string()}, {"missed", missed}});
  json owned = json::array();
  for (const auto& status : context.keeper.statuses())
    if (link != nullptr && status.report.owner == link->index) owned.push_back(status.address.to_string());
  return {{"index", link != nullptr ? json(link->index) : json(nullptr)},
          {"mac", link != nullptr ? json(link->mac.to_string()) : json(nullptr)},
          {"up", link != nullptr && link->is_usable()},
          {"admin", context.keeper.words().disabled_interfaces.contains(name) ? "disabled" : "enabled"},
          {"state", health_state_name(verdict.state)},
          {"reason", verdict.reason},
          {"since_s", whole_seconds_since(verdict.since)},
          {"hold_factor", verdict.hold_factor},
          {"reach", std::move(reach)},
          {"vipas", std::move(owned)}};
}

std::vector<json> vipa_problems(const VipaViewContext& context,
                                const std::function<ProxyServer(const VipaConfig&)>& proxy_of) {
  std::vector<json> found;
  if (context.keeper.health().is_reach_suspect())
    found.push_back(problem("reach_suspect", "health",
                            "every interface lost its reach targets at once: the targets are blamed, nothing moves"));
  for (const auto& [address, managed] : context.keeper.managed()) {
    const auto status = context.keeper.status(address);
    if (!status) continue;
    const auto object = address.to_string();
    const auto& report = status->report;
    if (report.state == VipaState::kSilent) found.push_back(problem("vipa_silent", object, report.reason));
    if (report.state == VipaState::kConflict) found.push_back(problem("vipa_given_up", object, report.reason));
    ProxyServer proxy;
    if (managed.config.proxy) {
      proxy = proxy_of(managed.config);
      if (report.state == VipaState::kRouted) add_proxy_problem(context, object, report, proxy, found);
    }
    for (const auto& claim : status->claims) {
      const bool is_expected = std::find(proxy.macs.begin(), proxy.macs.end(), claim.mac) != proxy.macs.end();
      if (is_expected || Clock::now() - claim.last > kClaimIsNews) continue;
      found.push_back(
          problem(claim.is_own_kernel ? "kernel_answers" : "vipa_conflict", object, claim_text(context, claim)));
    }
  }
  for (const auto& fault : context.keeper.faults()) {
    auto name = fault.setting;
    std::replace(name.begin(), name.end(), '/', '.');
    found.push_back(problem("host_setting", fault.interface,
                            fmt::format("{} is {}, not {}: {}; `xdplb set --fix-host on` sets and restores it", name,
                                        fault.value, fault.wanted, fault.why)));
  }
  return found;
}

}  // namespace xdplb
