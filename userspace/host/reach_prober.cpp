// SPDX-License-Identifier: GPL-2.0-only
#include "host/reach_prober.h"

#include "host/echo_socket.h"
#include "host/packet_socket.h"
#include "host/reach_rounds.h"
#include "net/arp_packet.h"
#include "net/nd_packet.h"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

namespace xdplb {
namespace {

namespace asio = boost::asio;
using Clock = ReachRounds::Clock;

// The interface's own address on the target's network; nullopt when the target is beyond a router.
std::optional<IpAddress> source_on_link(const ReachInterface& interface, const IpAddress& target) {
  for (const IpPrefix& prefix : interface.prefixes) {
    if (!prefix.is_host() && prefix.contains(target) && prefix.address != target) return prefix.address;
  }
  return std::nullopt;
}

std::optional<IpAddress> source_beyond(const ReachInterface& interface, const IpAddress& target) {
  for (const IpPrefix& prefix : interface.prefixes) {
    const IpAddress& address = prefix.address;
    if (address.family() == target.family() && !address.is_link_local() && !address.is_loopback()) return address;
  }
  return std::nullopt;
}

bool is_own(const ReachInterface& interface, const IpAddress& address) {
  return std::any_of(interface.prefixes.begin(), interface.prefixes.end(),
                     [&](const IpPrefix& prefix) { return prefix.address == address; });
}

// Sockets are opened when the first question needs them.
struct Port {
  ReachInterface interface {};
  std::unique_ptr<PacketSocket> arp{};
  std::unique_ptr<PacketSocket> discovery{};
  std::unique_ptr<EchoSocket> echo_v4{};
  std::unique_ptr<EchoSocket> echo_v6{};
};

}  // namespace

class ReachProber::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(asio::io_context& io) : io_(io), timer_(io), rounds_(std::random_device{}()) {}

  void close() {
    is_closed_ = true;
    timer_.cancel();
    ports_.clear();
  }

  void set_handler(Handler handler) { handler_ = std::move(handler); }

  Result<void> set(const std::vector<ReachInterface>& interfaces, const std::vector<ReachQuestion>& questions,
                   std::chrono::milliseconds interval) {
    std::set<std::uint32_t> listed;
    for (const auto& interface : interfaces) {
      listed.insert(interface.ifindex);
      ports_[interface.ifindex].interface = interface;
    }
    std::erase_if(ports_, [&](const auto& entry) { return !listed.contains(entry.first); });
    rounds_.set(listed, questions, interval, Clock::now());
    Result<void> first;
    for (const auto& question : questions) {
      auto port = ports_.find(question.ifindex);
      if (port == ports_.end()) continue;
      auto opened = prepare(port->second, question.target);
      if (!opened && first) first = opened;
    }
    arm();
    return first;
  }

  void hurry(const ReachQuestion& question) {
    rounds_.hurry(question, Clock::now());
    arm();
  }

 private:
  // The socket that asks `target`.
  Result<void> prepare(Port& port, const IpAddress& target) {
    if (!source_on_link(port.interface, target)) return prepare_echo(port, target.family());
    auto& socket = target.is_v4() ? port.arp : port.discovery;
    if (socket) return {};
    auto opened = PacketSocket::open(io_, port.interface.ifindex, port.interface.name,
                                     target.is_v4() ? PacketKind::kArp : PacketKind::kNeighborDiscovery);
    if (!opened) return opened.error();
    socket = std::move(*opened);
    socket->on_frame([this, ifindex = port.interface.ifindex, is_v4 = target.is_v4()](
                         std::span<const std::uint8_t> frame, bool tagged) {
      if (tagged) return;
      is_v4 ? hear_arp(ifindex, frame) : hear_advertisement(ifindex, frame);
    });
    return {};
  }

  Result<void> prepare_echo(Port& port, Family family) {
    auto& socket = family == Family::kV4 ? port.echo_v4 : port.echo_v6;
    if (socket) return {};
    auto opened = EchoSocket::open(io_, port.interface.ifindex, port.interface.name, family, identifier_);
    if (!opened) return opened.error();
    socket = std::move(*opened);
    socket->on_answer([this, ifindex = port.interface.ifindex](const IpAddress& from, std::uint16_t sequence) {
      auto found = ports_.find(ifindex);
      if (found == ports_.end() || source_on_link(found->second.interface, from)) return;
      take_answer({.ifindex = ifindex, .target = from}, std::nullopt, sequence);
    });
    return {};
  }

  void hear_arp(std::uint32_t ifindex, std::span<const std::uint8_t> frame) {
    const auto heard = decode_arp(frame);
    auto port = ports_.find(ifindex);
    if (!heard || port == ports_.end() || heard->packet.operation != ArpOperation::kReply) return;
    const ReachInterface& interface = port->second.interface;
    const ArpPacket& packet = heard->packet;
    const bool is_to_us = heard->ethernet.destination == interface.mac && is_own(interface, packet.target_ip);
    const bool is_honest = heard->ethernet.source == packet.sender_mac && !packet.sender_mac.is_multicast();
    if (!is_to_us || !is_honest || !source_on_link(interface, packet.sender_ip)) return;
    take_answer({.ifindex = ifindex, .target = packet.sender_ip}, packet.sender_mac, std::nullopt);
  }

  void hear_advertisement(std::uint32_t ifindex, std::span<const std::uint8_t> frame) {
    const auto heard = decode_advertisement(frame);
    auto port = ports_.find(ifindex);
    if (!heard || port == ports_.end() || !heard->is_solicited) return;
    const ReachInterface& interface = port->second.interface;
    const MacAddress& mac = heard->ethernet.source;
    const bool is_to_us = heard->ethernet.destination == interface.mac && is_own(interface, heard->destination);
    // The answer to a unicast question may come without the option (RFC 4861 7.2.4).
    const bool is_honest = !mac.is_multicast() && heard->target_mac.value_or(mac) == mac;
    if (!is_to_us || !is_honest || !source_on_link(interface, heard->target)) return;
    take_answer({.ifindex = ifindex, .target = heard->target}, mac, std::nullopt);
  }

  void take_answer(const ReachQuestion& question, std::optional<MacAddress> mac,
                   std::optional<std::uint16_t> sequence) {
    const auto self = shared_from_this();  // the handler may destroy the prober
    const auto outcome = rounds_.answer(question, mac, sequence, Clock::now());
    arm();
    if (outcome) tell(*outcome);
  }

  void tell(const Outcome& outcome) {
    if (is_closed_ || !handler_) return;
    const Handler handler = handler_;  // it may set another
    handler(outcome);
  }

  // What the kernel does not take, nobody answers.
  void ask(const ReachRounds::Ask& ask) {
    auto found = ports_.find(ask.question.ifindex);
    if (found == ports_.end() || !prepare(found->second, ask.question.target)) return;
    Port& port = found->second;
    const IpAddress& target = ask.question.target;
    if (const auto source = source_on_link(port.interface, target)) {
      static_cast<void>(target.is_v4() ? ask_arp(port, *source, ask) : ask_discovery(port, *source, ask));
    } else if (const auto own = source_beyond(port.interface, target)) {
      static_cast<void>((target.is_v4() ? port.echo_v4 : port.echo_v6)->send(*own, target, ask.sequence));
    }
  }

  Result<void> ask_arp(const Port& port, const IpAddress& source, const ReachRounds::Ask& ask) {
    ArpFrame frame = arp_question(port.interface.mac, source, ask.question.target);
    if (ask.mac) frame.ethernet.destination = *ask.mac;
    return port.arp->send(encode_arp(frame));
  }

  Result<void> ask_discovery(const Port& port, const IpAddress& source, const ReachRounds::Ask& ask) {
    NeighbourSolicitation frame = nd_question(port.interface.mac, source, ask.question.target);
    if (ask.mac) {
      frame.ethernet.destination = *ask.mac;
      frame.destination = ask.question.target;
    }
    return port.discovery->send(encode_solicitation(frame));
  }

  void arm() {
    const auto next = rounds_.next_at();
    if (!next || is_closed_) {
      timer_.cancel();
      return;
    }
    timer_.expires_at(*next);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      auto self = weak.lock();
      if (error || !self || self->is_closed_) return;
      self->take_turn();
    });
  }

  void take_turn() {
    const auto turn = rounds_.turn(Clock::now());
    for (const auto& one : turn.asks) ask(one);
    arm();
    for (const auto& outcome : turn.outcomes) tell(outcome);
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  ReachRounds rounds_;
  std::uint16_t identifier_ = static_cast<std::uint16_t>(std::random_device{}());
  std::map<std::uint32_t, Port> ports_;  // by interface index
  Handler handler_;
  bool is_closed_ = false;
};

ReachProber::ReachProber(asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}

ReachProber::~ReachProber() { impl_->close(); }

void ReachProber::on_outcome(Handler handler) { impl_->set_handler(std::move(handler)); }

Result<void> ReachProber::set(const std::vector<ReachInterface>& interfaces,
                              const std::vector<ReachQuestion>& questions, std::chrono::milliseconds interval) {
  return impl_->set(interfaces, questions, interval);
}

void ReachProber::hurry(const ReachQuestion& question) { impl_->hurry(question); }

}  // namespace xdplb
