// SPDX-License-Identifier: GPL-2.0-only
// The Controller's VIPAs and the health of interfaces: what the keeper is told, what the operator says, what is shown.
#include "base/log.h"
#include "daemon/controller.h"
#include "daemon/status_problem.h"

#include <fmt/format.h>

#include <algorithm>

namespace xdplb {
namespace {

using nlohmann::json;

Error absent_vipa(const IpAddress& address) {
  return fail(ErrorCode::kNotFound,
              fmt::format("VIPA {}: not found; `xdplb vipa list` shows those there are", address.to_string()));
}

// Every server of a configuration with its path.
template <typename Visitor>
void for_each_server(const Config& config, Visitor&& visit) {
  for (const auto& cluster : config.clusters)
    for (const auto& port : cluster.ports)
      for (const auto& server : port.servers)
        visit(cluster,
              ServerPath{.port = {.cluster = cluster.name, .port = port.port, .protocol = port.protocol},
                         .server = server.name},
              server);
}

}  // namespace

Result<void> Controller::open_keeper() {
  auto opened = VipaKeeper::open({.io = io_,
                                  .monitor = *monitor_,
                                  .events = events_,
                                  .on_health =
                                      [this] {
                                        note_link_change();
                                        reconcile_soon();
                                      },
                                  .on_claim = [this](const VipaConflict& conflict) { hear_claim(conflict); },
                                  .on_words =
                                      [this] {
                                        if (auto saved = save(); !saved) log_error(saved.error().message);
                                      }},
                                 options_.instance.run_dir);
  if (!opened) return opened.error();
  keeper_ = std::move(*opened);
  return {};
}

std::vector<LoadedLink> Controller::loaded_links() const {
  std::vector<LoadedLink> links;
  for (const auto& interface : interfaces_) {
    LoadedLink link{.name = interface.wanted.name,
                    .ifindex = interface.ifindex,
                    .is_attached = interface.attachment.has_value(),
                    .failure = interface.failure};
    if (interface.attachment && !interface.attachment->through_dispatcher)
      link.program_id = interface.attachment->program_id;
    links.push_back(std::move(link));
  }
  return links;
}

void Controller::update_vipas() {
  keeper_->update(loaded_links(), event_at_.value_or(std::chrono::steady_clock::now()));
}

// ---- Who a claim comes from

MacOwner Controller::owner_of(const MacAddress& mac) const {
  if (std::find(config_.peers.begin(), config_.peers.end(), mac) != config_.peers.end())
    return {.kind = "dispatcher", .object = fmt::format("peer {}", mac.to_string())};
  MacOwner owner;
  for_each_server(config_, [&](const ClusterConfig&, const ServerPath& path, const ServerConfig& server) {
    if (!owner.object.empty()) return;
    for (const auto& address : addresses_of(server)) {
      const auto* target = resolver_->find_known(address);
      if (target != nullptr && target->mac == mac)
        owner = {.kind = "server", .object = fmt::format("server {}", path.to_string())};
    }
  });
  return owner;
}

// By its name or one of its addresses, in a cluster of the VIPA or, without one, in any.
std::vector<ServerPath> Controller::proxy_servers(const VipaConfig& vipa) const {
  std::vector<ServerPath> near;
  std::vector<ServerPath> any;
  for_each_server(config_, [&](const ClusterConfig& cluster, const ServerPath& path, const ServerConfig& server) {
    const auto addresses = addresses_of(server);
    const bool is_named = vipa.proxy == server.name || vipa.proxy == path.to_string() ||
                          std::any_of(addresses.begin(), addresses.end(),
                                      [&](const IpAddress& one) { return one.to_string() == vipa.proxy; });
    if (!is_named) return;
    any.push_back(path);
    const bool has_vipa =
        std::find(cluster.addresses.begin(), cluster.addresses.end(), vipa.address) != cluster.addresses.end();
    if (has_vipa) near.push_back(path);
  });
  return near.empty() ? any : near;
}

ProxyServer Controller::proxy_of(const VipaConfig& vipa) const {
  ProxyServer proxy{.name = fmt::format("server {}", vipa.proxy.value_or(std::string()))};
  for (const auto& path : proxy_servers(vipa)) {
    const auto* server = find_server(config_, path);
    for (const auto& address : addresses_of(*server))
      if (const auto* target = resolver_->find_known(address)) proxy.macs.push_back(target->mac);
  }
  return proxy;
}

void Controller::hear_claim(const VipaConflict& conflict) {
  const auto object = fmt::format("VIPA {}", conflict.address.to_string());
  if (conflict.is_own_kernel) {
    events_.add("kernel_answers", object,
                fmt::format("this host's kernel answers for it with {}, too", conflict.mac.to_string()));
    return;
  }
  const auto* vipa = find_vipa(config_, conflict.address);
  if (vipa != nullptr && vipa->proxy) {
    const auto proxy = proxy_of(*vipa);
    if (std::find(proxy.macs.begin(), proxy.macs.end(), conflict.mac) != proxy.macs.end()) {
      // The proxy answers through another of its adapters now: the one before it may have failed.
      for (const auto& path : proxy_servers(*vipa)) resolver_->doubt(addresses_of(*find_server(config_, path)));
      return;
    }
  }
  const auto owner = owner_of(conflict.mac);
  for_each_server(config_, [&](const ClusterConfig& cluster, const ServerPath& path, const ServerConfig& server) {
    const auto& vipas = cluster.addresses;
    if (std::find(vipas.begin(), vipas.end(), conflict.address) == vipas.end()) return;
    for (const auto& address : addresses_of(server)) {
      const auto* target = resolver_->find_known(address);
      if (target != nullptr && target->mac == conflict.mac)
        claimants_.note_server(path, conflict.address, Claimants::Clock::now());
    }
  });
  if (conflict.is_answer && owner.kind != "server")
    claimants_.note_stranger(
        {.mac = conflict.mac, .vipa = conflict.address, .interface = interface_name(conflict.ifindex)},
        Claimants::Clock::now());
  events_.add("vipa_claimed", object,
              fmt::format("{} claims it on {} ({})", conflict.mac.to_string(), interface_name(conflict.ifindex),
                          owner.object.empty() ? "an unknown machine" : owner.object));
}

VipaViewContext Controller::vipa_context() const {
  return {
      .keeper = *keeper_, .monitor = *monitor_, .owner_of = [this](const MacAddress& mac) { return owner_of(mac); }};
}

// ---- The operator

// What was said at run time is kept, and told.
Result<Change> Controller::word_said(Result<bool> said, std::string line) {
  if (!said) return said.error();
  if (!*said) return Change{};
  if (auto saved = save(); !saved) return saved.error();
  return Change{.changed = true, .lines = {std::move(line)}};
}

Result<Change> Controller::change(const InterfaceAdminRequest& request) {
  auto said = word_said(keeper_->set_interface_disabled(request.name, request.is_disabled),
                        fmt::format("~ interface {} {}", request.name, request.is_disabled ? "disabled" : "enabled"));
  if (said && said->changed) {
    note_link_change();
    event_at_ = std::exchange(links_changed_at_, std::nullopt);
    reconcile_links();
    event_at_.reset();
  }
  return said;
}

Result<Change> Controller::change(const VipaSetRequest& request) {
  Config next = config_;
  auto* vipa = find_vipa(next, request.address);
  if (vipa == nullptr) {
    next.vipas.push_back({.address = request.address});
    vipa = &next.vipas.back();
  }
  request.changes.apply(*vipa);
  if (vipa->proxy && proxy_servers(*vipa).empty())
    return fail(ErrorCode::kNotFound, fmt::format("VIPA {}: no server {} is known; add it first, or name one of `xdplb "
                                                  "server list`",
                                                  request.address.to_string(), *vipa->proxy));
  return commit(std::move(next));
}

Result<Change> Controller::change(const VipaRemoveRequest& request) {
  Config next = config_;
  const auto removed = std::erase_if(next.vipas, [&](const VipaConfig& one) { return one.address == request.address; });
  if (removed == 0) {
    if (!keeper_->is_vipa(request.address)) return absent_vipa(request.address);
    return Change{};
  }
  return commit(std::move(next));
}

Result<Change> Controller::change(const VipaMoveRequest& request) {
  if (!keeper_->is_vipa(request.address)) return absent_vipa(request.address);
  return word_said(keeper_->move_to(request.address, request.entry),
                   fmt::format("~ vipa {} -> {}", request.address.to_string(), request.entry));
}

Result<Change> Controller::change(const VipaResumeRequest& request) {
  if (!keeper_->is_vipa(request.address)) return absent_vipa(request.address);
  return word_said(keeper_->resume(request.address), fmt::format("~ vipa {} resumed", request.address.to_string()));
}

Result<Change> Controller::change(const VipaAdminRequest& request) {
  if (!keeper_->is_vipa(request.address)) return absent_vipa(request.address);
  return word_said(
      keeper_->set_disabled(request.address, request.is_disabled),
      fmt::format("~ vipa {} {}", request.address.to_string(), request.is_disabled ? "deactivated" : "reactivated"));
}

// ---- Views

Reply Controller::changed_vipa(const IpAddress& address, const Change& change) const {
  json object = {{"address", address.to_string()}};
  const auto& managed = keeper_->managed();
  if (const auto found = managed.find(address); found != managed.end())
    object = vipa_view(vipa_context(), address, found->second);
  return make_reply({{"changed", change.changed}, {"changes", change.lines}, {"object", std::move(object)}});
}

Reply Controller::view(const VipaSetRequest& request, const Change& change) const {
  return changed_vipa(request.address, change);
}
Reply Controller::view(const VipaMoveRequest& request, const Change& change) const {
  return changed_vipa(request.address, change);
}
Reply Controller::view(const VipaResumeRequest& request, const Change& change) const {
  return changed_vipa(request.address, change);
}
Reply Controller::view(const VipaAdminRequest& request, const Change& change) const {
  return changed_vipa(request.address, change);
}
Reply Controller::view(const VipaRemoveRequest& request, const Change& change) const {
  return changed_vipa(request.address, change);
}

Reply Controller::view(const VipaListRequest& request) const {
  if (!keeper_) return fail(ErrorCode::kUsage, "--offline: VIPAs are owned by the daemon; start it with `xdplb load`");
  if (!request.address) return make_reply(vipa_list_view(vipa_context()));
  const auto found = keeper_->managed().find(*request.address);
  if (found == keeper_->managed().end()) return absent_vipa(*request.address);
  return make_reply(vipa_view(vipa_context(), *request.address, found->second));
}

Reply Controller::view(const InterfaceAdminRequest& request, const Change& change) const {
  return make_reply({{"changed", change.changed}, {"changes", change.lines}, {"object", interface_view(request.name)}});
}

Reply Controller::view(const InterfaceListRequest& /*request*/) const { return make_reply(interface_views()); }

json Controller::interface_view(const std::string& name) const {
  json view = keeper_ ? health_view(vipa_context(), name) : json::object();
  view["name"] = name;
  view["loaded"] = false;
  for (const char* key : {"mode", "attach", "prog_id"}) view[key] = nullptr;
  for (const auto& interface : interfaces_) {
    if (interface.wanted.name != name) continue;
    view["loaded"] = true;
    if (!interface.attachment) continue;
    view["mode"] = attach_mode_name(interface.attachment->mode);
    view["attach"] = interface.attachment->through_dispatcher ? "dispatcher" : "link";
    view["prog_id"] = interface.attachment->program_id;
  }
  return view;
}

// The loaded ones in their order, then others that VIPAs are owned through.
json Controller::interface_views() const {
  json views = json::array();
  for (const auto& name : keeper_ ? keeper_->watched() : loaded_names()) views.push_back(interface_view(name));
  return views;
}

void Controller::add_interface_problems(json& found) const {
  for (const auto& interface : interfaces_) {
    const auto& name = interface.wanted.name;
    if (!interface.attachment || interface.ifindex == 0) {
      found.push_back(problem("interface_not_attached", name, interface.failure));
      continue;
    }
    for (const auto& warning : interface.attachment->warnings)
      found.push_back(problem("interface_degraded", name, warning));
  }
  if (!keeper_) return;
  for (const auto& name : keeper_->watched()) {
    const auto verdict = keeper_->verdict(name);
    const bool is_reported = std::any_of(interfaces_.begin(), interfaces_.end(), [&](const LoadedInterface& one) {
      return one.wanted.name == name && (!one.attachment || one.ifindex == 0);
    });
    if (is_reported) continue;
    if (verdict.state == HealthState::kDown || verdict.state == HealthState::kAbsent)
      found.push_back(problem("interface_down", name, verdict.reason));
    if (verdict.state == HealthState::kDisabled) found.push_back(problem("interface_disabled", name, verdict.reason));
  }
}

}  // namespace xdplb
