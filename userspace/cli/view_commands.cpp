// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/fields.h"
#include "cli/typed.h"
#include "control/problem_json.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

constexpr int kFollowMs = 500;

// The outcomes of one object with what is known of each, in the form of those of all.
json outcomes_of(const json& object, const json& all) {
  const json& counts = member(object, "outcomes");
  json outcomes = json::array();
  for (const json& known : as_list(all)) {
    const std::string name = optional_text(known, "outcome");
    if (member(counts, name.c_str()).is_null()) continue;
    outcomes.push_back(known);
    outcomes.back()["packets"] = count_of(counts, name.c_str());
  }
  return outcomes;
}

void print_object_drops(const Page& page, const json& outcomes) {
  if (outcomes.empty()) {
    page.out << "no packets\n";
  } else {
    print_drops(page, outcomes);
  }
}

// "CLUSTER" or "CLUSTER/PORT".
Result<Request> object_request(const std::string& text) {
  if (text.find('/') == std::string::npos) {
    auto name = typed_name(text, "cluster");
    if (!name) return name.error();
    return ClusterListRequest{.name = std::move(*name)};
  }
  auto path = typed_port(text);
  if (!path) return path.error();
  return PortListRequest{.cluster = std::nullopt, .path = std::move(*path)};
}

}  // namespace

Result<int> show_status(const Context& context) {
  const Reply reply = view(StatusRequest{}, print_status, context);
  if (!reply) return reply.error();
  return list_of(*reply, "problems").empty() ? 0 : static_cast<int>(ErrorCode::kFailed);
}

Result<int> show_stats(const Context& context) { return show(StatsRequest{}, print_stats, context); }

Result<int> show_drops(const std::string& object, const Context& context) {
  if (object.empty()) return show(DropsRequest{}, print_drops, context);
  const auto request = object_request(object);
  if (!request) return request.error();
  const Reply counted = context.call(*request);
  if (!counted) return counted.error();
  const Reply all = context.call(DropsRequest{});
  if (!all) return all.error();
  const json objects = as_list(*counted);
  const json outcomes = outcomes_of(objects.empty() ? json() : objects.front(), *all);
  context.show(outcomes, [&](std::ostream& out) { print_object_drops(context.page(out), outcomes); });
  return 0;
}

Result<int> show_flows(const std::string& object, const std::optional<std::string>& limit, const Context& context) {
  FlowsRequest request;
  if (limit) {
    const auto number = typed_count("--limit", *limit, kMaxFlowLimit);
    if (!number) return number.error();
    request.limit = *number;
  }
  if (object.empty()) return show(request, print_flows, context);
  if (auto port = typed_port(object); port) {
    request.port = std::move(*port);
    return show(request, print_flows, context);
  }
  auto server = typed_server(object);
  if (!server) return server.error();
  request.server = std::move(*server);
  return show(request, print_flows, context);
}

Result<int> show_events(bool follows, const Context& context) {
  if (!follows) return show(EventsRequest{}, print_events, context);
  EventsRequest request;
  while (true) {
    const Reply reply = context.call(request);
    if (!reply) return reply.error();
    for (const json& event : as_list(*reply)) {
      request.after = std::max(request.after, count_of(event, "id"));
      context.show(event, [&](std::ostream& out) { print_events({.out = out}, event); });
    }
    context.around().out.flush();
    ::poll(nullptr, 0, kFollowMs);
  }
}

Result<int> explain(const std::string& source, const std::string& destination, const std::string& protocol,
                    const Context& context) {
  const auto from = Endpoint::parse(source);
  if (!from) return from.error();
  const auto to = Endpoint::parse(destination);
  if (!to) return to.error();
  const auto parsed = parse_protocol(protocol);
  if (!parsed) return parsed.error();
  if (from->address.family() != to->address.family()) {
    return fail(ErrorCode::kUsage,
                fmt::format("flow {} to {}: one is IPv4, the other IPv6", from->to_string(), to->to_string()));
  }
  const ExplainRequest request{.source = *from, .destination = *to, .protocol = *parsed};
  return show(request, print_explain, context);
}

}  // namespace xdplb
