// SPDX-License-Identifier: GPL-2.0-only
#include "vipa/vipa_service.h"

#include "vipa/vipa_service_impl.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;

constexpr auto kConflictSilence = std::chrono::seconds(10);  // RFC 5227 DEFEND_INTERVAL
constexpr auto kFormerMac = std::chrono::seconds(5);         // longer than a frame waits in a socket of ours

Error unknown_vipa(const IpAddress& address) {
  return fail(ErrorCode::kNotFound,
              "VIPA " + address.to_string() + ": this host has no such VIPA; see xdplb vipa list");
}

}  // namespace

VipaService::Impl::Impl(asio::io_context& io) : io_(io), timer_(io), told_conflicts_(kConflictSilence) {
  view_.find_vipa = [this](const IpAddress& address) -> std::optional<VipaStance> {
    auto vipa = vipas_.find(address);
    if (vipa == vipas_.end()) return std::nullopt;
    const VipaMachine& machine = vipa->second.machine;
    return VipaStance{.owner = machine.answering(), .heeds_probes = machine.heeds_probes()};
  };
  view_.find_interface_mac = [this](std::uint32_t ifindex) -> const MacAddress* {
    const VipaInterface* interface = wire_->find(ifindex);
    return interface != nullptr && interface->is_up ? &interface->mac : nullptr;
  };
  view_.is_own_mac = [this](const MacAddress& mac) { return is_own_mac(mac); };
  view_.is_own_nonce = [this](const IpAddress& address, const NdNonce& nonce) {
    return vipas_.at(address).nonce == nonce;
  };
  wire_ = std::make_shared<VipaWire>(
      io,
      VipaWire::Handlers{.heard = [this](std::uint32_t ifindex, PacketKind kind, std::span<const std::uint8_t> frame,
                                         bool tagged) { hear(ifindex, kind, frame, tagged); },
                         .announced = [this](std::uint32_t, const DueAnnouncement& frame) { note_announced(frame); },
                         .send_failed = [this](const std::string& interface,
                                               int error_number) { note_send_error(interface, error_number); }});
}

void VipaService::Impl::close() {
  conflict_handler_ = nullptr;
  event_handler_ = nullptr;
  send_error_handler_ = nullptr;
  vipas_.clear();
  timer_.cancel();
  (void)wire_->set_interfaces({});  // fails only for interfaces it is given
}

Result<void> VipaService::Impl::set_interfaces(const std::vector<VipaInterface>& interfaces) {
  auto now = Clock::now();
  std::vector<std::uint32_t> announced_again;
  for (const auto& settings : interfaces) {
    const VipaInterface* before = wire_->find(settings.ifindex);
    bool is_new = before == nullptr || !before->is_up || before->mac != settings.mac;
    if (settings.is_up && is_new) announced_again.push_back(settings.ifindex);
  }
  set_own_macs(interfaces);
  auto set = wire_->set_interfaces(interfaces);
  askers_.forget([&](std::uint32_t ifindex) { return wire_->find(ifindex) == nullptr; }, now);
  std::vector<Wish> wishes;
  for (std::uint32_t ifindex : announced_again) collect_announced_again(ifindex, now, wishes);
  run(wishes);
  wire_->post_pump();  // set_vipas may follow
  return set;
}

void VipaService::Impl::set_own_macs(const std::vector<VipaInterface>& interfaces) {
  auto now = Clock::now();
  std::erase_if(former_macs_, [&](const auto& former) { return former.second < now; });
  auto before = std::exchange(own_macs_, {});
  for (const auto& settings : interfaces) own_macs_.insert(settings.mac);
  for (const auto& mac : before) {
    if (!own_macs_.contains(mac)) former_macs_[mac] = now + kFormerMac;
  }
}

bool VipaService::Impl::is_own_mac(const MacAddress& mac) const {
  if (own_macs_.contains(mac) || other_macs_.contains(mac)) return true;
  auto former = former_macs_.find(mac);
  return former != former_macs_.end() && Clock::now() <= former->second;
}

void VipaService::Impl::collect_announced_again(std::uint32_t ifindex, Clock::time_point now,
                                                std::vector<Wish>& wishes) {
  for (auto& [address, vipa] : vipas_) {
    if (vipa.machine.answering() != ifindex) continue;
    wishes.push_back({.vipa = address, .steps = vipa.machine.announce_again(ifindex, now), .event_at = now});
  }
}

void VipaService::Impl::announce_again(std::uint32_t ifindex) {
  std::vector<Wish> wishes;
  collect_announced_again(ifindex, Clock::now(), wishes);
  run(wishes);
  wire_->pump();
}

void VipaService::Impl::set_vipas(const std::vector<ManagedVipa>& wanted, Clock::time_point event_at) {
  auto now = Clock::now();
  drop_vipas_beyond(wanted);
  std::vector<Wish> wishes;
  for (const auto& managed : wanted) {
    auto vipa = vipas_.find(managed.address);
    if (vipa == vipas_.end()) vipa = add(managed.address, managed.rules);
    vipa->second.role = managed.rules.role;
    auto steps = vipa->second.machine.update(managed.rules, managed.entries, now);
    if (!steps.empty()) wishes.push_back({.vipa = managed.address, .steps = std::move(steps), .event_at = event_at});
  }
  wire_->join_groups();
  run(wishes);
  wire_->pump();
}

VipaService::Impl::Vipas::iterator VipaService::Impl::add(const IpAddress& address, const VipaRules& rules) {
  auto vipa = vipas_.emplace(address, Vipa{.machine = VipaMachine(address, rules, random_())}).first;
  if (auto word = restored_.find(address); word != restored_.end()) {
    vipa->second.machine.restore(word->second.is_disabled, word->second.pinned);
    restored_.erase(word);
  }
  wire_->add_group_of(address);
  return vipa;
}

void VipaService::Impl::drop_vipas_beyond(const std::vector<ManagedVipa>& wanted) {
  std::unordered_set<IpAddress, IpAddressHash> kept;
  for (const auto& managed : wanted) kept.insert(managed.address);
  for (auto entry = vipas_.begin(); entry != vipas_.end();) {
    if (kept.contains(entry->first)) {
      ++entry;
      continue;
    }
    const VipaReport report = entry->second.machine.report();
    wire_->cancel(report.owner, entry->first);
    if (report.owner != 0) {
      take(entry->first,
           TellEvent{.code = "vipa_released",
                     .text = report.owner_entry + " stops answering: it is no VIPA of this host any more"});
    }
    wire_->drop_group_of(entry->first);
    timers_.drop(entry->first);
    entry = vipas_.erase(entry);
  }
  arm_timer();
}

void VipaService::Impl::ask(const IpAddress& address) {
  const auto vipa = vipas_.find(address);
  if (vipa == vipas_.end()) return;
  const auto owner = vipa->second.machine.report().owner;
  if (owner != 0) take(address, Ask{.ifindex = owner, .is_probe = false});
}

Result<void> VipaService::Impl::move_to(const IpAddress& address, const std::string& entry) {
  auto vipa = vipas_.find(address);
  if (vipa == vipas_.end()) return unknown_vipa(address);
  auto now = Clock::now();
  auto steps = vipa->second.machine.move_to(entry, now);
  if (!steps) return steps.error();
  run_one(address, std::move(*steps), now);
  return {};
}

Result<void> VipaService::Impl::resume(const IpAddress& address) {
  auto vipa = vipas_.find(address);
  if (vipa == vipas_.end()) return unknown_vipa(address);
  auto now = Clock::now();
  run_one(address, vipa->second.machine.resume(now), now);
  return {};
}

Result<void> VipaService::Impl::set_disabled(const IpAddress& address, bool is_disabled) {
  auto vipa = vipas_.find(address);
  if (vipa == vipas_.end()) return unknown_vipa(address);
  auto now = Clock::now();
  run_one(address, vipa->second.machine.set_disabled(is_disabled, now), now);
  return {};
}

void VipaService::Impl::restore(const IpAddress& address, bool is_disabled, const std::string& pinned) {
  restored_[address] = {.is_disabled = is_disabled, .pinned = pinned};
}

std::optional<VipaStatus> VipaService::Impl::status(const IpAddress& address) const {
  auto entry = vipas_.find(address);
  if (entry == vipas_.end()) return std::nullopt;
  const Vipa& vipa = entry->second;
  return VipaStatus{.address = address,
                    .report = vipa.machine.report(),
                    .requests = vipa.requests,
                    .answers = vipa.answers,
                    .announcements = vipa.announcements,
                    .last_announcement = vipa.last_announcement,
                    .event_to_announcement = vipa.event_to_announcement,
                    .claims = vipa.claims.list()};
}

std::vector<VipaStatus> VipaService::Impl::status() const {
  std::vector<VipaStatus> list;
  list.reserve(vipas_.size());
  for (const auto& [address, vipa] : vipas_) list.push_back(*status(address));
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return list;
}

VipaService::VipaService(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

VipaService::~VipaService() { impl_->close(); }

Result<std::unique_ptr<VipaService>> VipaService::open(asio::io_context& io) {
  return std::unique_ptr<VipaService>(new VipaService(std::make_shared<Impl>(io)));
}

void VipaService::on_conflict(ConflictHandler handler) { impl_->on_conflict(std::move(handler)); }
void VipaService::on_event(EventHandler handler) { impl_->on_event(std::move(handler)); }
void VipaService::on_send_error(SendErrorHandler handler) { impl_->on_send_error(std::move(handler)); }

Result<void> VipaService::set_interfaces(const std::vector<VipaInterface>& interfaces) {
  return impl_->set_interfaces(interfaces);
}
void VipaService::set_vipas(const std::vector<ManagedVipa>& vipas, Clock::time_point event_at) {
  impl_->set_vipas(vipas, event_at);
}
void VipaService::announce_again(std::uint32_t ifindex) { impl_->announce_again(ifindex); }
void VipaService::set_neighbours(const std::vector<KnownNeighbour>& neighbours) { impl_->set_neighbours(neighbours); }
void VipaService::set_own_macs(const std::vector<MacAddress>& macs) { impl_->set_other_macs(macs); }

void VipaService::ask(const IpAddress& vipa) { impl_->ask(vipa); }

Result<void> VipaService::move_to(const IpAddress& vipa, const std::string& entry) {
  return impl_->move_to(vipa, entry);
}
Result<void> VipaService::resume(const IpAddress& vipa) { return impl_->resume(vipa); }
Result<void> VipaService::set_disabled(const IpAddress& vipa, bool is_disabled) {
  return impl_->set_disabled(vipa, is_disabled);
}
void VipaService::restore(const IpAddress& vipa, bool is_disabled, const std::string& pinned) {
  impl_->restore(vipa, is_disabled, pinned);
}

const VipaCounters& VipaService::counters() const { return impl_->counters(); }
std::vector<VipaStatus> VipaService::status() const { return impl_->status(); }
std::optional<VipaStatus> VipaService::status(const IpAddress& vipa) const { return impl_->status(vipa); }

}  // namespace xdplb
