// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/fields.h"
#include "cli/print.h"
#include "cli/start_daemon.h"
#include "control/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <set>

namespace xdplb {
namespace {

using nlohmann::json;

// The daemon that answers, and what it had loaded before this command asked for more.
struct Reached {
  std::optional<StartedDaemon> started;  // by us
  std::set<std::string> loaded;
};

std::set<std::string> loaded_names(const json& status) {
  std::set<std::string> names;
  for (const json& interface : list_of(status, "interfaces")) names.insert(text_of(interface, "name"));
  return names;
}

Result<Reached> reach_daemon(bool may_start, const Context& context) {
  Reached reached;
  Reply status = context.call(StatusRequest{});
  if (!status && status.error().code == ErrorCode::kUnreachable && may_start) {
    const auto program = find_daemon(context.around().program_dir);
    if (!program) return program.error();
    auto started = start_daemon(context.instance(), *program, context.options().start_timeout);
    if (!started) return started.error();
    reached.started = std::move(*started);
    status = context.call(StatusRequest{});
  }
  if (!status) return status.error();
  reached.loaded = loaded_names(*status);
  return reached;
}

// Takes back what this command did, as far as it did something: a daemon that we started ends, unless it adopted
// interfaces that forward already.
void roll_back(Reached& reached, const std::set<std::string>& loaded_now, const Context& context) {
  if (reached.started && reached.loaded.empty()) {
    const Reply stopped = context.call(UnloadRequest{});
    const auto timeout = context.options().timeout;
    if (!stopped || !reached.started->wait(timeout)) reached.started->terminate(timeout);
    return;
  }
  UnloadRequest added;
  std::set_difference(loaded_now.begin(), loaded_now.end(), reached.loaded.begin(), reached.loaded.end(),
                      std::back_inserter(added.interfaces));
  if (added.interfaces.empty()) return;
  if (const Reply reply = context.call(added); !reply) context.warn(reply.error().message);
}

Result<LoadRequest> make_request(const LoadArguments& arguments, const std::optional<Config>& config) {
  LoadRequest request{.interfaces = arguments.interfaces,
                      .mode = AttachMode::kAuto,
                      .chain = arguments.chain,
                      .fix_host = arguments.fix_host};
  if (request.interfaces.empty() && config && config->interfaces) request.interfaces = *config->interfaces;
  if (request.interfaces.empty()) {
    return fail(ErrorCode::kUsage,
                "load: no interface is named: `xdplb load IFACE...`, or \"interfaces\" in the --config file");
  }
  std::set<std::string> seen;
  for (const std::string& name : request.interfaces) {
    if (!seen.insert(name).second) return fail(ErrorCode::kUsage, fmt::format("interface {}: is named twice", name));
  }
  const auto mode = parse_attach_mode(arguments.mode);
  if (!mode) return fail(ErrorCode::kUsage, "--" + mode.error().message);
  request.mode = *mode;
  return request;
}

// "interfaces" of the file says what to load; who names some on the command line knows better.
void drop_interfaces(Config& config, const LoadRequest& request, const Context& context) {
  if (config.interfaces && *config.interfaces != request.interfaces) {
    context.warn(fmt::format("the file lists the interfaces {}; loading only those named here",
                             fmt::join(*config.interfaces, ", ")));
  }
  config.interfaces.reset();
}

Result<json> load_and_apply(const LoadRequest& request, std::optional<Config> config, Reached& reached,
                            const Context& context) {
  Reply loaded = context.call(request, context.options().start_timeout);
  if (!loaded) {
    roll_back(reached, {}, context);
    return loaded.error();
  }
  if (!config) return loaded;
  const std::set<std::string> loaded_now = loaded_names(*loaded);
  drop_interfaces(*config, request, context);
  const Reply applied = context.call(ConfigApplyRequest{.config = std::move(*config), .dry_run = false});
  if (!applied) {
    roll_back(reached, loaded_now, context);
    return applied.error();
  }
  (*loaded)["config"] = *applied;
  return loaded;
}

bool is_pinned(const Instance& instance) {
  std::error_code error;
  return std::filesystem::exists(instance.pin_dir, error);
}

}  // namespace

Result<int> load(const LoadArguments& arguments, const Context& context) {
  std::optional<Config> config;
  if (!arguments.config_file.empty()) {
    auto read = read_config(arguments.config_file, context);
    if (!read) return read.error();
    config = std::move(*read);
  }
  const auto request = make_request(arguments, config);
  if (!request) return request.error();
  auto reached = reach_daemon(!arguments.no_start, context);
  if (!reached) return reached.error();
  const auto reply = load_and_apply(*request, std::move(config), *reached, context);
  if (!reply) return reply.error();
  context.show(*reply, [&](std::ostream& out) {
    if (context.options().is_quiet) return;
    print_loaded({.out = out}, list_of(*reply, "interfaces"));
    print_lines({.out = out}, list_of(member(*reply, "config"), "changes"));
  });
  for (const json& warning : list_of(*reply, "warnings")) context.warn(joined(json::array({warning}), ""));
  return 0;
}

Result<int> unload(const std::vector<std::string>& interfaces, const Context& context) {
  // Forwarding outlives the daemon (I5): where only pins are left, a daemon has to adopt them to take them down.
  const auto reached = reach_daemon(is_pinned(context.instance()), context);
  if (!reached) return reached.error();
  const auto pid = daemon_pid(context.instance().socket, context.options().timeout);
  if (!pid) return pid.error();
  const auto process = watch_process(*pid);
  const Reply reply = context.call(UnloadRequest{.interfaces = interfaces});
  if (!reply) return reply.error();
  const bool is_stopped = is_true(*reply, "stopped");
  for (const json& name : list_of(*reply, "interfaces"))
    context.confirm(joined(json::array({name}), "") + ": unloaded");
  // Only when it has gone may the next `load` start another one.
  if (is_stopped && process && !wait_for_end(*process, context.options().timeout)) {
    return fail(ErrorCode::kTimedOut, fmt::format("xdplbd (pid {}) has unloaded everything and does not end: see {}",
                                                  *pid, context.instance().log_file.string()));
  }
  if (is_stopped) context.confirm("xdplbd: stopped");
  if (context.options().wants_json) context.show(*reply, [](std::ostream&) {});
  return 0;
}

}  // namespace xdplb
