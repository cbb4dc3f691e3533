// SPDX-License-Identifier: GPL-2.0-only
#include "host/route_control.h"

#include "host/route_netlink.h"

#include <linux/rtnetlink.h>

#include <cerrno>

namespace xdplb {
namespace {

Error refusal(const std::string& object, const NetlinkSocket::Answer& answer) {
  return os_error(answer.words.empty() ? object : object + " (" + answer.words + ")", answer.number);
}

std::string address_text(std::uint32_t ifindex, const IpPrefix& address) {
  return "address " + address.to_string() + " of interface " + std::to_string(ifindex);
}

std::string family_text(const char* what, Family family) {
  return std::string(what) + " (" + std::string(family_name(family)) + "): read";
}

std::vector<std::uint8_t> make_request(const RouteChange& change) {
  const bool makes = change.kind == RouteChange::Kind::kPut;
  const std::uint16_t replaces = makes ? NLM_F_CREATE | NLM_F_REPLACE : 0;
  if (const auto* route = std::get_if<Route>(&change.object)) {
    return make_route_request(makes ? RTM_NEWROUTE : RTM_DELROUTE, replaces, *route);
  }
  if (const auto* neighbor = std::get_if<FixedNeighbor>(&change.object)) {
    return make_neighbor_request(makes ? RTM_NEWNEIGH : RTM_DELNEIGH, replaces, *neighbor);
  }
  const std::uint16_t is_new = makes ? NLM_F_CREATE | NLM_F_EXCL : 0;
  return make_rule_request(makes ? RTM_NEWRULE : RTM_DELRULE, is_new, std::get<Rule>(change.object));
}

// The refusal says that things are as they should be.
bool is_as_wished(const RouteChange& change, int number) {
  const bool is_rule = std::holds_alternative<Rule>(change.object);
  if (change.kind == RouteChange::Kind::kPut) return is_rule && number == EEXIST;
  // An interface that is gone took its routes and neighbours along.
  return number == ENOENT || (!is_rule && (number == ESRCH || number == ENODEV));
}

}  // namespace

Result<RouteControl> RouteControl::open() {
  auto socket = NetlinkSocket::open({});
  if (!socket) return socket.error();
  if (auto explained = socket->explain(); !explained) return explained.error();
  return RouteControl(std::move(*socket));
}

Result<std::vector<Route>> RouteControl::dump_routes(std::vector<std::uint8_t> request, const std::string& object) {
  std::vector<Route> found;
  auto answer = socket_.dump(
      std::move(request), [&] { found.clear(); }, [&](const nlmsghdr& message) { read_routes(message, found); });
  if (!answer) return answer.error();
  // A table comes to be with its first route.
  if (answer->number != 0 && answer->number != ENOENT) return refusal(object, *answer);
  return found;
}

Result<std::vector<Route>> RouteControl::routes(Family family, std::uint32_t table) {
  auto found = dump_routes(make_route_dump(family, table, 0),
                           family_text(("routes of table " + std::to_string(table)).c_str(), family));
  auto is_left_out = [&](const Route& route) {
    return route.table != table || (route.gateway && route.gateway->family() != family);
  };
  if (found) std::erase_if(*found, is_left_out);
  return found;
}

Result<std::vector<Route>> RouteControl::own_routes(Family family) {
  auto found = dump_routes(make_route_dump(family, 0, kRouteProtocol), family_text("our routes", family));
  if (found) std::erase_if(*found, [](const Route& route) { return route.protocol != kRouteProtocol; });
  return found;
}

Result<std::vector<Rule>> RouteControl::rules(Family family) {
  std::vector<Rule> found;
  auto answer = socket_.dump(
      make_rule_dump(family), [&] { found.clear(); },
      [&](const nlmsghdr& message) {
        if (auto rule = read_rule(message)) found.push_back(*rule);
      });
  if (!answer) return answer.error();
  if (answer->number != 0) return refusal(family_text("rules", family), *answer);
  return found;
}

Result<std::vector<FixedNeighbor>> RouteControl::own_neighbors(Family family) {
  std::vector<FixedNeighbor> found;
  auto answer = socket_.dump(
      make_neighbor_dump(family), [&] { found.clear(); },
      [&](const nlmsghdr& message) {
        if (auto neighbor = read_own_neighbor(message)) found.push_back(*neighbor);
      });
  if (!answer) return answer.error();
  if (answer->number != 0) return refusal(family_text("neighbours", family), *answer);
  return found;
}

Result<std::vector<Result<void>>> RouteControl::apply(const std::vector<RouteChange>& changes) {
  std::vector<std::vector<std::uint8_t>> requests;
  requests.reserve(changes.size());
  for (const RouteChange& change : changes) requests.push_back(make_request(change));
  auto answers = socket_.ask_all(std::move(requests));
  if (!answers) return answers.error();
  std::vector<Result<void>> outcomes;
  outcomes.reserve(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& answer = (*answers)[i];
    if (answer.number == 0 || is_as_wished(changes[i], answer.number)) {
      outcomes.emplace_back();
    } else {
      outcomes.emplace_back(
          refusal(std::visit([](const auto& object) { return to_text(object); }, changes[i].object), answer));
    }
  }
  return outcomes;
}

Result<std::vector<TaggedAddress>> RouteControl::addresses(Family family) {
  std::vector<TaggedAddress> found;
  auto answer = socket_.dump(
      make_address_dump(family), [&] { found.clear(); },
      [&](const nlmsghdr& message) {
        if (auto address = read_tagged_address(message)) found.push_back(*address);
      });
  if (!answer) return answer.error();
  if (answer->number != 0) return refusal(family_text("addresses", family), *answer);
  return found;
}

Result<void> RouteControl::change(std::vector<std::uint8_t> request, const std::string& object, int missing) {
  auto answer = socket_.ask(std::move(request));
  if (!answer) return answer.error();
  if (answer->number == 0) return {};
  if (missing != 0 && answer->number == missing) return fail(ErrorCode::kNotFound, object + ": there is none");
  return refusal(object, *answer);
}

Result<void> RouteControl::replace(const Route& route) {
  return change(make_route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route), to_text(route), 0);
}

Result<void> RouteControl::remove(const Route& route) {
  return change(make_route_request(RTM_DELROUTE, 0, route), to_text(route), ESRCH);
}

Result<void> RouteControl::add(const Rule& rule) {
  auto answer = socket_.ask(make_rule_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule));
  if (!answer) return answer.error();
  if (answer->number != 0 && answer->number != EEXIST) return refusal(to_text(rule), *answer);
  return {};
}

Result<void> RouteControl::remove(const Rule& rule) {
  return change(make_rule_request(RTM_DELRULE, 0, rule), to_text(rule), ENOENT);
}

Result<bool> RouteControl::add_address(std::uint32_t ifindex, const IpPrefix& address) {
  auto answer = socket_.ask(make_address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address));
  if (!answer) return answer.error();
  if (answer->number == EEXIST) return false;
  if (answer->number != 0) return refusal(address_text(ifindex, address), *answer);
  return true;
}

Result<void> RouteControl::remove_address(std::uint32_t ifindex, const IpPrefix& address) {
  return change(make_address_request(RTM_DELADDR, 0, ifindex, address), address_text(ifindex, address), EADDRNOTAVAIL);
}

}  // namespace xdplb
