// SPDX-License-Identifier: GPL-2.0-only
// How the servers of a port are probed, what the probes found, and what runs when something happens.
#include "cli/actions.h"
#include "cli/exchange.h"
#include "cli/fields.h"
#include "cli/read_text.h"
#include "cli/typed.h"
#include "model/advisor_json.h"
#include "model/json_text.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

std::string object_of(const PortPath& path) { return "advisor " + path.to_string(); }

// A whole advisor object, in place of the one there is.
Result<Request> file_request(const PortPath& path, const std::string& file, const Context& context) {
  const auto text = read_text(file, context);
  if (!text) return text.error();
  const auto document = parse_json(*text, source_name(file));
  if (!document) return document.error();
  if (!document->is_object()) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: it is not an object", source_name(file)));
  }
  auto advisor = decode_advisor(*document, "advisor", path.protocol);
  if (!advisor) return fail(advisor.error().code, fmt::format("{}: {}", source_name(file), advisor.error().message));
  return AdvisorSetRequest{.path = path, .advisor = std::move(*advisor)};
}

Result<Request> typed_request(const AdvisorSetArguments& arguments, const PortPath& path, const Context& context) {
  const bool says_options = !arguments.words.empty() || !arguments.command.empty();
  if (!arguments.file.empty()) {
    if (!says_options) return file_request(path, arguments.file, context);
    return fail(ErrorCode::kUsage,
                object_of(path) + ": --from is the whole advisor, it goes with no other option of it");
  }
  if (!says_options) {
    return fail(ErrorCode::kUsage, object_of(path) +
                                       ": say what to set, for example --type http --path /healthz; "
                                       "`xdplb advisor set --help` lists the options");
  }
  auto changes = advisor_changes(arguments.words, arguments.command);
  if (!changes) return fail(changes.error().code, fmt::format("{}: {}", object_of(path), changes.error().message));
  return AdvisorPatchRequest{.path = path, .changes = std::move(*changes)};
}

}  // namespace

Result<int> advisor_set(const AdvisorSetArguments& arguments, const Context& context) {
  const auto path = typed_port(arguments.path);
  if (!path) return path.error();
  const auto request = typed_request(arguments, *path, context);
  if (!request) return request.error();
  return change(*request, object_of(*path), "set", kSo, context);
}

Result<int> advisor_list(const Context& context) { return show(AdvisorListRequest{}, print_advisor_list, context); }

Result<int> advisor_show(const std::string& path, const Context& context) {
  if (auto port = typed_port(path); port) {
    return show(AdvisorListRequest{.port = std::move(*port)}, print_advisors, context);
  }
  auto server = typed_server(path);
  if (!server) return server.error();
  return show(AdvisorListRequest{.server = std::move(*server)}, print_advisors, context);
}

// A probe may take all its timeouts, so it is waited for as long as for a start.
Result<int> advisor_run(const std::string& path, const Context& context) {
  const auto server = typed_server(path);
  if (!server) return server.error();
  const Reply reply = context.call(AdvisorRunRequest{.path = *server}, context.options().start_timeout);
  if (!reply) return reply.error();
  context.show(*reply, [&](std::ostream& out) { print_advisor_run(context.page(out), *reply); });
  return is_true(*reply, "ok") ? 0 : static_cast<int>(ErrorCode::kFailed);
}

Result<int> advisor_remove(const std::string& path, const Context& context) {
  const auto port = typed_port(path);
  if (!port) return port.error();
  return change(AdvisorRemoveRequest{.path = *port}, object_of(*port), "removed", "was absent", context);
}

Result<int> exit_list(const Context& context) { return show(ExitListRequest{}, print_exits, context); }

}  // namespace xdplb
