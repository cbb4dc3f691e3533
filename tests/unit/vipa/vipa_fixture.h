// SPDX-License-Identifier: GPL-2.0-only
// A dispatcher with two interfaces and a client on one LAN, the service between them, and every frame on the wire.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "host/host_monitor.h"
#include "host/packet_socket.h"
#include "sandbox.h"
#include "vipa/vipa_service.h"
#include "wire_tap.h"

namespace xdplb {

inline IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }
inline MacAddress mac(const std::string& text) { return *MacAddress::parse(text); }

inline const MacAddress kMac0 = mac("02:00:00:00:00:01");
inline const MacAddress kMac1 = mac("02:00:00:00:00:02");
inline const MacAddress kClientMac = mac("02:00:00:00:00:c1");
inline const MacAddress kRogue = mac("02:00:00:00:00:66");
inline const IpAddress kClientIp = ip("192.0.2.99");
inline const IpAddress kClientV6 = ip("2001:db8::99");
inline const IpAddress kOwnIp = ip("192.0.2.1");
inline const IpAddress kOwnLinkLocal = ip("fe80::ff:fe00:1");
inline const IpAddress kVipa = ip("192.0.2.10");
inline const IpAddress kVipaV6 = ip("2001:db8::10");
// Owned by e1 all the time: its answer says that what the client sent before has been dealt with.
inline const IpAddress kMarker = ip("192.0.2.250");

using Bytes = std::vector<std::uint8_t>;

inline Bytes bytes_of(const ArpFrame& frame) {
  auto bytes = encode_arp(frame);
  return {bytes.begin(), bytes.end()};
}
inline Bytes bytes_of(const NeighbourAdvertisement& advertisement) {
  auto bytes = encode_advertisement(advertisement);
  return {bytes.begin(), bytes.end()};
}
inline Bytes bytes_of(const NeighbourSolicitation& solicitation) { return encode_solicitation(solicitation); }

class VipaOnTheWire : public Sandbox {
 protected:
  void SetUp() override {
    Sandbox::SetUp();
    if (IsSkipped()) return;
    plug_in(dispatcher_, "e0", kMac0.to_string());
    plug_in(dispatcher_, "e1", kMac1.to_string());
    client_ = NetworkNamespace::make();
    plug_in(client_, "c0", kClientMac.to_string());
    client_.run("ip addr add 192.0.2.99/24 dev c0; ip addr add 2001:db8::99/64 dev c0");
    host_ = dispatcher_.inside([&] { return *HostMonitor::open(io_); });
    client_host_ = client_.inside([&] { return *HostMonitor::open(io_); });
    interfaces_ = {interface("e0"), interface("e1")};
    indexes_ = {interfaces_[0].ifindex, interfaces_[1].ifindex};
    client_arp_ = open_client(PacketKind::kArp);
    client_nd_ = open_client(PacketKind::kNeighborDiscovery);
    tap_ = WireTap::open(lan_);
    service_ = *VipaService::open(io_);
    service_->on_event([this](const IpAddress& vipa, const TellEvent& event) {
      if (vipa != kMarker) events_.push_back(event.code);
    });
    service_->on_conflict([this](const VipaConflict& conflict) { conflicts_.push_back(conflict); });
  }

  VipaInterface interface(const char* name) const {
    const Link* link = host_->find_link(name);
    return {.ifindex = link->index,
            .name = name,
            .mac = link->mac,
            .is_up = link->is_usable(),
            .link_local = kOwnLinkLocal,
            .own_v4 = kOwnIp};
  }
  std::unique_ptr<PacketSocket> open_client(PacketKind kind) {
    return client_.inside([&] { return *PacketSocket::open(io_, c0(), "c0", kind); });
  }
  std::uint32_t c0() const { return client_host_->find_link("c0")->index; }
  std::uint32_t e(int number) const { return indexes_.at(static_cast<std::size_t>(number)); }

  VipaEntry entry(int number, EntryState state = EntryState::kUp) const {
    std::string name = "e" + std::to_string(number);
    return {.name = name,
            .ifindex = e(number),
            .interface = name,
            .state = state,
            .reason = state == EntryState::kUp ? "healthy" : "no carrier",
            .cause = state == EntryState::kUp ? "" : "no_carrier"};
  }
  // Owned by the first that is given; without probes unless the rules say so.
  ManagedVipa managed(const IpAddress& address, std::vector<VipaEntry> entries, VipaRules rules = quick()) const {
    return {.address = address, .rules = rules, .entries = std::move(entries)};
  }
  ManagedVipa owned(const IpAddress& address, int number) const { return managed(address, {entry(number)}); }
  static VipaRules quick() { return {.probe = DuplicateProbe::kOff}; }

  // Interfaces and VIPAs as one change; the marker is always there.
  void set(std::vector<ManagedVipa> vipas) {
    auto event_at = std::chrono::steady_clock::now();
    vipas.push_back(owned(kMarker, 1));
    dispatcher_.inside([&] {
      auto set = service_->set_interfaces(interfaces_);
      EXPECT_TRUE(set) << set.error().message;
      service_->set_vipas(vipas, event_at);
    });
  }
  // e0 fails: its entry, and what the kernel says of it.
  void fail_over(const std::vector<IpAddress>& addresses) {
    interfaces_[0].is_up = false;
    std::vector<ManagedVipa> vipas;
    for (const auto& address : addresses) {
      vipas.push_back(managed(address, {entry(0, EntryState::kFailed), entry(1)}));
    }
    set(vipas);
  }

  void send(const ArpFrame& frame) { ASSERT_TRUE(client_arp_->send(encode_arp(frame))); }
  void send(const NeighbourAdvertisement& frame) { ASSERT_TRUE(client_nd_->send(encode_advertisement(frame))); }
  void send(const NeighbourSolicitation& frame) { ASSERT_TRUE(client_nd_->send(encode_solicitation(frame))); }
  void ask(const IpAddress& address, const MacAddress& destination = kBroadcastMac) {
    ArpFrame question = arp_question(kClientMac, kClientIp, address);
    question.ethernet.destination = destination;
    send(question);
  }

  // Runs the loop until the condition holds of the frames on the wire.
  template <typename Condition>
  bool run_wire(const Condition& holds, std::chrono::milliseconds deadline = std::chrono::seconds(8)) {
    return run_until(
        [&] {
          tap_.drain(lan_);
          return holds();
        },
        deadline);
  }
  // What the client sent before has been answered, or will never be; the same for events and conflicts.
  void settle() {
    auto answers = [&] { return sent("e1", bytes_of(arp_answer(question_for(kMarker).packet, kMac1))); };
    std::size_t before = answers();
    ask(kMarker);
    ASSERT_TRUE(run_wire([&] { return answers() > before; }));
    // The switch gave each frame to both interfaces; the other one's socket may be read after the one that answered.
    while (io_.poll() > 0) {
    }
    tap_.drain(lan_);
  }
  static ArpFrame question_for(const IpAddress& address) { return arp_question(kClientMac, kClientIp, address); }

  // Frames of the dispatcher about an address, in order: on one interface, or "" for both.
  std::vector<Bytes> about(const IpAddress& address, const std::string& from = "") const {
    std::vector<Bytes> list;
    for (const auto& frame : tap_.frames()) {
      bool is_from = from.empty() ? frame.from != "c0" : frame.from == from;
      if (is_from && is_about(frame, address)) list.push_back(frame.bytes);
    }
    return list;
  }
  // Those to everybody, and those to one station.
  std::vector<Bytes> told_to_all(const IpAddress& address) const { return only(about(address), true); }
  std::vector<Bytes> told_to_one(const IpAddress& address) const { return only(about(address), false); }
  static std::vector<Bytes> only(std::vector<Bytes> list, bool is_group) {
    std::erase_if(list, [&](const Bytes& bytes) { return ((bytes[0] & 1) != 0) != is_group; });
    return list;
  }
  std::size_t sent(const std::string& from, const Bytes& bytes) const {
    return static_cast<std::size_t>(std::count_if(tap_.frames().begin(), tap_.frames().end(), [&](const auto& frame) {
      return frame.from == from && frame.bytes == bytes;
    }));
  }
  static std::vector<Bytes> pair_of(const MacAddress& own, const IpAddress& address) {
    return {bytes_of(arp_announcement(own, address)), bytes_of(arp_announcement_reply(own, address))};
  }
  VipaStatus status(const IpAddress& address) const { return *service_->status(address); }
  std::uint64_t suppressed(SilenceReason reason) const {
    return service_->counters().suppressed[static_cast<std::size_t>(reason)];
  }
  bool client_is_at(const IpAddress& address, const MacAddress& expected) const {
    const Neighbor* neighbor = client_host_->find_neighbor(c0(), address);
    return neighbor != nullptr && neighbor->state == NeighborState::kValid && neighbor->mac == expected;
  }

  NetworkNamespace client_;
  std::unique_ptr<HostMonitor> host_;
  std::unique_ptr<HostMonitor> client_host_;
  std::unique_ptr<PacketSocket> client_arp_;  // only sends
  std::unique_ptr<PacketSocket> client_nd_;
  std::vector<VipaInterface> interfaces_;
  std::vector<std::uint32_t> indexes_;
  WireTap tap_;
  std::unique_ptr<VipaService> service_;
  std::vector<std::string> events_;  // codes, but of the marker
  std::vector<VipaConflict> conflicts_;
};

}  // namespace xdplb
