// SPDX-License-Identifier: GPL-2.0-only
// The Controller's interfaces: load, unload, and links that come and go.
#include "base/log.h"
#include "daemon/controller.h"
#include "daemon/host_check.h"
#include "daemon/native_hazard.h"

#include <fmt/format.h>
#include <net/if_arp.h>

#include <algorithm>

namespace xdplb {

std::vector<std::uint32_t> Controller::loaded_indexes() const {
  std::vector<std::uint32_t> indexes;
  for (const auto& interface : interfaces_)
    if (interface.ifindex != 0) indexes.push_back(interface.ifindex);
  return indexes;
}

std::vector<std::string> Controller::loaded_names() const {
  std::vector<std::string> names;
  for (const auto& interface : interfaces_) names.push_back(interface.wanted.name);
  return names;
}

Result<std::uint32_t> Controller::find_loadable(const std::string& name) const {
  const auto* link = monitor_->find_link(name);
  if (link == nullptr)
    return fail(ErrorCode::kNotFound,
                fmt::format("interface {}: there is none of this name; `ip link` lists them", name));
  if (link->is_loopback || link->hardware_type != ARPHRD_ETHER)
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("interface {}: it is not Ethernet, there are no MAC addresses to forward by", name));
  return link->index;
}

Result<void> Controller::open_forwarding() {
  auto opened = Forwarding::open(options_.instance.pin_dir);
  if (!opened) return opened.error();
  forwarding_ = std::move(*opened);
  return {};
}

Result<void> Controller::close_forwarding() {
  tracer_.stop();
  auto unpinned = forwarding_->unpin();
  forwarding_.reset();
  half_open_high_.clear();
  draining_.clear();
  return unpinned;
}

// Attaches to one interface and makes it a way out; on failure nothing is left of it.
Result<LoadedInterface> Controller::load_one(const InterfaceState& wanted) {
  const auto ifindex = find_loadable(wanted.name);
  if (!ifindex) return ifindex.error();
  const auto hazard = wanted.mode == AttachMode::kGeneric ? std::string() : native_hazard(wanted.name, *ifindex);
  if (!hazard.empty() && wanted.mode == AttachMode::kNative)
    return fail(ErrorCode::kFailed, fmt::format("interface {}: native mode: {}", wanted.name, hazard));
  const auto mode = hazard.empty() ? wanted.mode : AttachMode::kGeneric;
  const auto* link = monitor_->find_link(*ifindex);
  if (auto set = forwarding_->publisher().set_egress(*ifindex, link->mac); !set) return set.error();
  auto attachment = forwarding_->attach(wanted.name, *ifindex, mode, wanted.chain);
  if (!attachment) {
    forwarding_->publisher().remove_egress(*ifindex);
    return attachment.error();
  }
  if (!hazard.empty())
    attachment->warnings.push_back(
        fmt::format("interface {}: generic mode, slower than native: {}", wanted.name, hazard));
  for (const auto& warning : attachment->warnings) log_warning(warning);
  log_info(fmt::format("interface {}: attached in {} mode", wanted.name, attach_mode_name(attachment->mode)));
  return LoadedInterface{
      .wanted = wanted, .ifindex = *ifindex, .attachment = std::move(*attachment), .failure = {}, .failed_ifindex = 0};
}

// As load_one for an interface that is in the list already: failure is a state of it, told by `status`.
void Controller::open_again(LoadedInterface& interface) {
  auto loaded = load_one(interface.wanted);
  if (loaded) {
    interface = std::move(*loaded);
    return;
  }
  log_warning(loaded.error().message);
  interface.attachment.reset();
  interface.ifindex = 0;
  const auto* link = monitor_->find_link(interface.wanted.name);
  interface.failed_ifindex = link != nullptr ? link->index : 0;
  interface.failure = loaded.error().message;
}

// Loads all or none.
Result<void> Controller::load_all(const std::vector<InterfaceState>& wanted) {
  const bool was_open = forwarding_ != nullptr;
  if (!was_open) {
    if (auto opened = open_forwarding(); !opened) return opened;
  }
  std::vector<LoadedInterface> loaded;
  for (const auto& one : wanted) {
    auto interface = load_one(one);
    if (interface) {
      loaded.push_back(std::move(*interface));
      continue;
    }
    for (const auto& undone : loaded) {
      if (auto detached = forwarding_->detach(undone.wanted.name, undone.ifindex); !detached)
        log_error(detached.error().message);
      forwarding_->publisher().remove_egress(undone.ifindex);
    }
    if (!was_open)
      if (auto closed = close_forwarding(); !closed) log_error(closed.error().message);
    return interface.error();
  }
  interfaces_.insert(interfaces_.end(), std::make_move_iterator(loaded.begin()), std::make_move_iterator(loaded.end()));
  return {};
}

Result<Change> Controller::change(const LoadRequest& request) {
  std::vector<InterfaceState> wanted;
  auto together = loaded_indexes();
  for (const auto& name : request.interfaces) {
    const auto is_named = [&](const auto& other) { return other.wanted.name == name; };
    if (std::any_of(interfaces_.begin(), interfaces_.end(), is_named)) continue;
    if (std::any_of(wanted.begin(), wanted.end(), [&](const InterfaceState& other) { return other.name == name; }))
      return fail(ErrorCode::kUsage, fmt::format("interface {}: named twice", name));
    const auto found = find_loadable(name);
    if (!found) return found.error();
    together.push_back(*found);
    wanted.push_back({.name = name, .mode = request.mode, .chain = request.chain});
  }
  if (auto apart = check_apart(monitor_->links(), together); !apart) return apart.error();
  const bool fixes_host = request.fix_host && !config_.fix_host;
  if (wanted.empty()) {
    if (!fixes_host) return Change{};
    Config next = config_;
    next.fix_host = true;
    return commit(std::move(next));
  }
  if (auto loaded = load_all(wanted); !loaded) return loaded.error();
  // That the program is there.
  if (auto fresh = monitor_->refresh(); !fresh) log_error(fresh.error().message);
  if (request.fix_host) config_.fix_host = true;
  keeper_->configure(config_);
  reconcile_links();
  update_advisors();
  auto saved = store_.prepare(state_of(config_, &forwarding_->plan()));
  if (saved) saved = store_.commit();
  if (!saved) {
    std::vector<std::string> names;
    names.reserve(wanted.size());
    for (const auto& one : wanted) names.push_back(one.name);
    if (fixes_host) config_.fix_host = false;
    keeper_->configure(config_);
    if (auto undone = unload_all(names); !undone) log_error(undone.error().message);
    return saved.error();
  }
  for (const auto& cluster : config_.clusters)
    for (const auto& port : cluster.ports)
      for (const auto& server : port.servers) fresh_.insert(server.address);
  return Change{.changed = true, .lines = {}};
}

// Takes interfaces out: their servers lose their rows first, then the program goes.
Result<void> Controller::unload_all(const std::vector<std::string>& names) {
  std::vector<LoadedInterface> leaving;
  for (const auto& name : names) {
    const auto found = std::find_if(interfaces_.begin(), interfaces_.end(),
                                    [&](const LoadedInterface& one) { return one.wanted.name == name; });
    if (found == interfaces_.end()) continue;
    leaving.push_back(std::move(*found));
    interfaces_.erase(found);
  }
  if (!interfaces_.empty()) reconcile_links();
  for (const auto& interface : leaving) {
    const auto* link = monitor_->find_link(interface.wanted.name);
    const std::uint32_t ifindex = interface.ifindex != 0 ? interface.ifindex : link != nullptr ? link->index : 0;
    if (auto detached = forwarding_->detach(interface.wanted.name, ifindex); !detached) return detached;
    forwarding_->publisher().remove_egress(ifindex);
    log_info(fmt::format("interface {}: detached", interface.wanted.name));
  }
  if (interfaces_.empty()) {
    resolver_->update({});
    if (auto closed = close_forwarding(); !closed) return closed;
    update_vipas();
    update_advisors();
  }
  return save();
}

Result<Change> Controller::change(const UnloadRequest& request) {
  const auto loaded = loaded_names();
  for (const auto& name : request.interfaces)
    if (std::find(loaded.begin(), loaded.end(), name) == loaded.end())
      return fail(ErrorCode::kNotFound,
                  fmt::format("interface {}: it is not loaded; `xdplb status` lists those that are", name));
  Change change{.changed = !loaded.empty(), .lines = request.interfaces.empty() ? loaded : request.interfaces};
  if (forwarding_)
    if (auto unloaded = unload_all(change.lines); !unloaded) return unloaded.error();
  if (interfaces_.empty() && options_.started_by_load) stop_();
  return change;
}

// Links that vanished, came back under their name or got another MAC.
void Controller::reconcile_interfaces() {
  for (auto& interface : interfaces_) {
    const auto* link = monitor_->find_link(interface.wanted.name);
    const std::uint32_t ifindex = link != nullptr ? link->index : 0;
    if (ifindex == interface.ifindex) {
      if (ifindex == 0) continue;
      if (auto set = forwarding_->publisher().set_egress(ifindex, link->mac); !set) log_error(set.error().message);
      continue;
    }
    if (link != nullptr && ifindex == interface.failed_ifindex) continue;
    if (interface.ifindex != 0) {
      log_warning(fmt::format("interface {}: it is gone", interface.wanted.name));
      gone_egresses_.insert(interface.ifindex);
    }
    interface.attachment.reset();
    interface.ifindex = 0;
    interface.failed_ifindex = 0;
    interface.failure = fmt::format("interface {}: there is none of this name now", interface.wanted.name);
    if (link != nullptr) open_again(interface);
  }
}

// The operator's order decides who owns a VIPA; `names` are all that are loaded.
Result<void> Controller::order_interfaces(const std::vector<std::string>& names) {
  const auto position = [&names](const LoadedInterface& interface) {
    return std::find(names.begin(), names.end(), interface.wanted.name) - names.begin();
  };
  std::stable_sort(interfaces_.begin(), interfaces_.end(),
                   [&](const LoadedInterface& a, const LoadedInterface& b) { return position(a) < position(b); });
  if (!forwarding_) return {};
  reconcile_links();
  return save();
}

void Controller::forget_gone_egresses() {
  for (const auto ifindex : std::exchange(gone_egresses_, {})) forwarding_->publisher().remove_egress(ifindex);
}

}  // namespace xdplb
