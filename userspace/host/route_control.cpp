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
  if (found) std::erase_if(*found, [&](const Route& route) { return route.table != table; });
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
