// SPDX-License-Identifier: GPL-2.0-only
// Taking a server out of service and back, and waiting until its last flow has gone.
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/fields.h"
#include "cli/typed.h"
#include "model/option_text.h"
#include "model/text.h"

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

// "operator" or "hook"; as it is when nothing was said.
Result<void> read_source(const std::optional<std::string>& text, ServerAdminRequest& request) {
  if (!text) return {};
  for (const AdminSource source : {AdminSource::kOperator, AdminSource::kHook}) {
    if (*text != admin_source_name(source)) continue;
    request.source = source;
    return {};
  }
  return fail(ErrorCode::kUsage, fmt::format("--source {}: it is operator or hook", quote(*text)));
}

Result<DailyHours> typed_hours(const std::vector<std::string>& texts) {
  constexpr unsigned kLastHour = 23;
  DailyHours hours;
  for (auto [text, hour] : {std::pair(&texts.front(), &hours.first), std::pair(&texts.back(), &hours.last)}) {
    const auto number = typed_count("--daily", *text, kLastHour);
    if (!number) return number.error();
    *hour = *number;
  }
  return hours;
}

std::string hours_text(const DailyHours& hours) { return fmt::format("{:02}:00 to {:02}:59", hours.first, hours.last); }

// One source takes back only its own word, so another's may keep the server out.
std::string ready_text(const json& reply) {
  const json& server = member(reply, "object");
  const std::string admin = optional_text(server, "admin");
  const std::string source = optional_text(server, "admin_source");
  if (!admin.empty() && admin != admin_name(Admin::kReady) && !source.empty()) {
    return fmt::format("stays {}: that is the word of {}", admin, source);
  }
  return is_true(reply, "changed") ? "is ready again" : "is ready already, unchanged";
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
  if (const auto read = read_source(arguments.source, request); !read) return read.error();
  if (arguments.daily.empty()) {
    return take_out(request, {.going = "drains", .gone = "drained"}, arguments.waits, context);
  }
  if (arguments.waits) return fail(ErrorCode::kUsage, "--wait and --daily exclude each other");
  const auto hours = typed_hours(arguments.daily);
  if (!hours) return hours.error();
  request.daily = *hours;
  return change(request, "server " + path->to_string(), "drains daily, " + hours_text(*hours),
                "does so already, unchanged", context);
}

Result<int> server_ready(const AdminArguments& arguments, const Context& context) {
  const auto path = typed_server(arguments.path);
  if (!path) return path.error();
  ServerAdminRequest request{.path = *path, .admin = Admin::kReady};
  if (const auto read = read_source(arguments.source, request); !read) return read.error();
  const Reply reply = context.call(request);
  if (!reply) return reply.error();
  context.confirm(fmt::format("server {} {}", path->to_string(), ready_text(*reply)));
  if (context.options().wants_json) context.show(*reply, [](std::ostream&) {});
  return 0;
}

Result<int> server_down(const AdminArguments& arguments, const Context& context) {
  const auto path = typed_server(arguments.path);
  if (!path) return path.error();
  ServerAdminRequest request{.path = *path, .admin = Admin::kDown};
  if (const auto read = read_source(arguments.source, request); !read) return read.error();
  return take_out(request, {.going = "goes down", .gone = "is down"}, arguments.waits, context);
}

}  // namespace xdplb
