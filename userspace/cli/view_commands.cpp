// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/fields.h"
#include "cli/print.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

Reply view(const Request& request, void (*print)(const Page&, const json&), const Context& context) {
  Reply reply = context.call(request);
  if (!reply) return reply;
  context.show(*reply,
               [&](std::ostream& out) { print({.out = out, .has_colour = context.around().has_colour}, *reply); });
  return reply;
}

}  // namespace

Result<int> show_status(const Context& context) {
  const Reply reply = view(StatusRequest{}, print_status, context);
  if (!reply) return reply.error();
  return list_of(*reply, "problems").empty() ? 0 : static_cast<int>(ErrorCode::kFailed);
}

Result<int> show_stats(const Context& context) {
  const Reply reply = view(StatsRequest{}, print_stats, context);
  if (!reply) return reply.error();
  return 0;
}

Result<int> show_drops(const Context& context) {
  const Reply reply = view(DropsRequest{}, print_drops, context);
  if (!reply) return reply.error();
  return 0;
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
  const Reply reply = view(request, print_explain, context);
  if (!reply) return reply.error();
  return 0;
}

}  // namespace xdplb
