// SPDX-License-Identifier: GPL-2.0-only
// Taking a server out of service and back, and waiting until its last flow has gone.
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/fields.h"
#include "cli/typed.h"
#include "model/option_text.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPollInterval{200};

// What still belongs to a server.
struct Left {
  std::uint64_t rows = 0;
  std::uint64_t flows = 0;
  bool operator==(const Left&) const = default;
  bool is_nothing() const { return rows == 0 && flows == 0; }
};

Left left_of(const json& server) {
  return {.rows = total_of(member(server, "base_rows")), .flows = count_of(server, "flows")};
}

std::string left_text(const Left& left) {
  return fmt::format("{} {} and {} {} left", left.rows, left.rows == 1 ? "row" : "rows", left.flows,
                     left.flows == 1 ? "flow" : "flows");
}

milliseconds until(Clock::time_point deadline) {
  return std::max(std::chrono::duration_cast<milliseconds>(deadline - Clock::now()), milliseconds(0));
}

// The words for one way out of service: "drains: 3 rows and 4 flows left", then "drained".
struct Words {
  std::string_view going;
  std::string_view gone;
};

// Asks for the server until nothing is left on it. Returns it as it is then.
Reply wait_until_empty(const ServerPath& path, json server, const Context& context) {
  const auto deadline = Clock::now() + context.options().timeout;
  const std::string object = "server " + path.to_string();
  Left left = left_of(server);
  while (!left.is_nothing()) {
    if (optional_text(server, "admin") == admin_name(Admin::kReady)) {
      return fail(ErrorCode::kFailed, fmt::format("{}: it is ready again, {}", object, left_text(left)));
    }
    if (until(deadline) == milliseconds(0)) {
      return fail(ErrorCode::kTimedOut,
                  fmt::format("{}: timed out, {}: wait longer with --timeout SECONDS, or give it a --deadline", object,
                              left_text(left)));
    }
    ::poll(nullptr, 0, static_cast<int>(std::min(kPollInterval, until(deadline)).count()));
    const Reply reply =
        context.call(ServerListRequest{.port = std::nullopt, .path = path}, std::max(until(deadline), kPollInterval));
    if (!reply) return reply.error();
    const json servers = as_list(*reply);
    if (servers.empty()) return fail(ErrorCode::kNotFound, object + ": it is gone");
    server = servers.front();
    const Left now = left_of(server);
    if (now != left && !now.is_nothing()) context.warn(fmt::format("{}: {}", object, left_text(now)));
    left = now;
  }
  return make_reply(std::move(server));
}

Result<int> take_out(const ServerAdminRequest& request, const Words& words, bool waits, const Context& context) {
  const Reply reply = context.call(request);
  if (!reply) return reply.error();
  json document = *reply;
  const std::string object = "server " + request.path.to_string();
  const Left left = left_of(member(document, "object"));
  if (!left.is_nothing()) context.confirm(fmt::format("{} {}: {}", object, words.going, left_text(left)));
  if (waits && !left.is_nothing()) {
    const Reply last = wait_until_empty(request.path, member(document, "object"), context);
    if (!last) return last.error();
    document["object"] = *last;
  }
  if (waits || left.is_nothing()) context.confirm(fmt::format("{} {}", object, words.gone));
  if (context.options().wants_json) context.show(document, [](std::ostream&) {});
  return 0;
}

}  // namespace

Result<int> server_drain(const DrainArguments& arguments, const Context& context) {
  const auto path = typed_server(arguments.path);
  if (!path) return path.error();
  ServerAdminRequest request{.path = *path, .admin = arguments.is_now ? Admin::kDrainNow : Admin::kDrain};
  if (arguments.deadline) {
    const auto deadline = of_option("--deadline", parse_duration(*arguments.deadline, 1, kMaxTimeout));
    if (!deadline) return deadline.error();
    request.deadline_s = *deadline;
  }
  return take_out(request, {.going = "drains", .gone = "drained"}, arguments.waits, context);
}

Result<int> server_ready(const std::string& path, const Context& context) {
  const auto typed = typed_server(path);
  if (!typed) return typed.error();
  return change(ServerAdminRequest{.path = *typed, .admin = Admin::kReady}, "server " + typed->to_string(),
                "is ready again", "is ready already, unchanged", context);
}

Result<int> server_down(const std::string& path, bool waits, const Context& context) {
  const auto typed = typed_server(path);
  if (!typed) return typed.error();
  return take_out({.path = *typed, .admin = Admin::kDown}, {.going = "goes down", .gone = "is down"}, waits, context);
}

}  // namespace xdplb
