// SPDX-License-Identifier: GPL-2.0-only
// The service: something listens where clients' packets arrive. And firewalls: they let it.
#include "server/scene.h"

#include <algorithm>
#include <set>

namespace xdplb {
namespace {

std::string to_text(const ServerPort& port) {
  return std::to_string(port.port) + "/" + std::string(protocol_name(port.protocol));
}

bool arrives_at(const Scene& scene, std::uint32_t ifindex) {
  return std::any_of(scene.arrivals.begin(), scene.arrivals.end(),
                     [&](const ServerLink* link) { return link->index == ifindex; });
}

// It takes packets for `address`, be the interface as it may.
bool takes_address(const Listener& listener, const IpAddress& address) {
  if (listener.address == address) return true;
  if (!listener.address.is_unspecified()) return false;
  return listener.address.family() == address.family() || (listener.address.is_v6() && !listener.is_v6_only);
}

// After a redirection the packet is for an address of the interface it came by.
bool takes_own_address(const Scene& scene, const Listener& listener) {
  return std::any_of(scene.facts.addresses.begin(), scene.facts.addresses.end(), [&](const ServerAddress& own) {
    const bool is_candidate = arrives_at(scene, own.ifindex) && own.prefix.address.family() == scene.vipa.family();
    return is_candidate && takes_address(listener, own.prefix.address);
  });
}

std::string place_of(const Scene& scene, const Listener& listener) {
  std::string text = listener.address.to_string();
  if (listener.ifindex != 0) text += " of " + scene.link_name(listener.ifindex) + " only";
  return text;
}

void judge_port(const Scene& scene, const ServerPort& port, Faults& faults) {
  std::set<std::string> elsewhere;
  std::optional<std::uint16_t> redirected =
      scene.nft == nullptr || !scene.aliases.empty() ? std::nullopt : scene.nft->redirected_port(scene.vipa, port);
  for (const Listener& listener : scene.facts.listeners) {
    if (listener.protocol != port.protocol || listener.port != redirected.value_or(port.port)) continue;
    const bool is_bound_right = listener.ifindex == 0 || arrives_at(scene, listener.ifindex);
    const bool takes = redirected ? takes_own_address(scene, listener) : takes_address(listener, scene.vipa);
    if (takes && is_bound_right) return;
    const bool is_of_family = listener.address.family() == scene.vipa.family() || takes_address(listener, scene.vipa);
    if (is_of_family) elsewhere.insert(place_of(scene, listener));
  }
  const std::string object = scene.name + " port " + to_text(port);
  if (elsewhere.empty()) {
    faults.push_back(
        {.code = "not_listening",
         .object = object,
         .text = "no process listens on this port for " + std::string(scene.vipa.is_v4() ? "IPv4" : "IPv6")});
    return;
  }
  std::string places;
  for (const std::string& place : elsewhere) places += (places.empty() ? "" : ", ") + place;
  faults.push_back(
      {.code = "listens_elsewhere",
       .object = object,
       .text = "the service listens on " + places + ": let it listen on " + scene.name + " or on every address"});
}

void judge_packet(const Scene& scene, const std::optional<ServerPort>& port, Faults& faults) {
  NftPacket in;
  in.family = scene.vipa.family();
  in.destination = scene.vipa;
  in.is_destination_own = scene.is_local || !scene.is_redirected;
  for (const ServerLink* link : scene.arrivals) in.incoming.push_back(link->name);
  NftPacket out;
  out.family = in.family;
  out.source = scene.vipa;
  if (const auto way = scene.answer_way(); way.has_way()) {
    out.outgoing = {scene.link_name(way.hops.front()->ifindex)};
  }
  if (port) {
    in.protocol = out.protocol = port->protocol;
    in.destination_port = out.source_port = port->port;
  }
  const std::string object = scene.name + (port ? " port " + to_text(*port) : "");
  if (const auto verdict = scene.nft->judge_incoming(in); verdict.is_dropped) {
    faults.push_back({.code = "nft_drop",
                      .object = object,
                      .text = verdict.place + " drops what is for it",
                      .remedy = verdict.remedy(scene.vipa, port)});
  }
  if (const auto verdict = scene.nft->judge_outgoing(out); verdict.is_dropped) {
    faults.push_back({.code = "nft_drop_answer",
                      .object = object,
                      .text = verdict.place + " drops the answers, whose source is the VIPA",
                      .remedy = verdict.remedy(scene.vipa, port)});
  }
}

}  // namespace

void judge_firewall(const Scene& scene, Faults& faults) {
  if (scene.nft == nullptr) return;
  if (scene.wish.ports.empty()) return judge_packet(scene, std::nullopt, faults);
  for (const ServerPort& port : scene.wish.ports) judge_packet(scene, port, faults);
}

void judge_service(const Scene& scene, Faults& faults) {
  if (!scene.facts.listeners_failure.empty()) {
    if (scene.wish.ports.empty()) return;
    faults.push_back({.code = "not_listening",
                      .object = "ports",
                      .text = "not known: " + scene.facts.listeners_failure,
                      .severity = Severity::kWarning});
    return;
  }
  for (const ServerPort& port : scene.wish.ports) judge_port(scene, port, faults);
}

}  // namespace xdplb
