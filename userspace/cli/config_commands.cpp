// SPDX-License-Identifier: GPL-2.0-only
#include "cli/actions.h"
#include "cli/fields.h"
#include "cli/print.h"
#include "cli/read_text.h"
#include "control/problem_json.h"
#include "model/config_json.h"

#include <fmt/format.h>

#include <ostream>

namespace xdplb {
namespace {

using nlohmann::json;

void print_changes(const json& reply, std::ostream& out) { print_lines({.out = out}, list_of(reply, "changes")); }

}  // namespace

Result<Config> read_config(const std::string& file, const Context& context) {
  const auto text = read_text(file, context);
  if (!text) return text.error();
  auto config = parse_config(*text, source_name(file));
  // Two objects of one file that exclude each other make the file invalid; kConflict is kept for what runs already.
  if (!config) return fail(ErrorCode::kInvalidConfig, config.error().message);
  return config;
}

Result<int> config_show(const Context& context) {
  const Reply reply = context.call(ConfigShowRequest{});
  if (!reply) return reply.error();
  context.show(*reply, [&](std::ostream& out) { out << dump_json_pretty(*reply) << '\n'; });
  return 0;
}

Result<int> config_check(const std::string& file, const Context& context) {
  const auto config = read_config(file, context);
  if (!config) return config.error();
  std::size_t ports = 0;
  std::size_t servers = 0;
  for (const ClusterConfig& cluster : config->clusters) {
    ports += cluster.ports.size();
    for (const PortConfig& port : cluster.ports) servers += port.servers.size();
  }
  const std::size_t clusters = config->clusters.size();
  context.confirm(
      fmt::format("{}: valid; clusters: {}, ports: {}, servers: {}", source_name(file), clusters, ports, servers));
  if (context.options().wants_json) {
    context.show({{"valid", true}, {"clusters", clusters}, {"ports", ports}, {"servers", servers}},
                 [](std::ostream&) {});
  }
  return 0;
}

Result<int> config_diff(const std::string& file, const Context& context) {
  auto config = read_config(file, context);
  if (!config) return config.error();
  const Reply reply = context.call(ConfigDiffRequest{.config = std::move(*config)});
  if (!reply) return reply.error();
  const bool is_equal = is_true(*reply, "equal");
  context.show(*reply, [&](std::ostream& out) { print_changes(*reply, out); });
  if (is_equal) context.confirm("no difference");
  return is_equal ? 0 : static_cast<int>(ErrorCode::kFailed);
}

Result<int> config_apply(const std::string& file, bool dry_run, const Context& context) {
  auto config = read_config(file, context);
  if (!config) return config.error();
  const Reply reply = context.call(ConfigApplyRequest{.config = std::move(*config), .dry_run = dry_run});
  if (!reply) return reply.error();
  context.show(*reply, [&](std::ostream& out) { print_changes(*reply, out); });
  const bool is_changed = !list_of(*reply, "changes").empty();
  context.confirm(!is_changed ? "nothing to change" : dry_run ? "dry run: nothing was changed" : "applied");
  return 0;
}

}  // namespace xdplb
