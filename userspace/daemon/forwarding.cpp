// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/forwarding.h"

#include <fmt/format.h>

namespace xdplb {

Result<std::unique_ptr<Forwarding>> Forwarding::open(const std::filesystem::path& pin_dir, FlowCapacity flows) {
  auto program = Program::open(pin_dir, flows);
  if (!program) return program.error();
  auto publisher = Publisher::open((*program)->tables());
  return std::unique_ptr<Forwarding>(new Forwarding(std::move(*program), std::move(publisher)));
}

Result<std::unique_ptr<Forwarding>> Forwarding::open_pinned(const std::filesystem::path& pin_dir) {
  if (!Program::is_pinned(pin_dir))
    return fail(ErrorCode::kNotFound,
                fmt::format("{}: nothing is forwarding; `xdplb load IFACE` starts it", pin_dir.string()));
  return open(pin_dir);
}

void Forwarding::restore(const Config& config, const std::map<ServerPath, Admin>& admins,
                         const std::map<ServerPath, ServerGrant>& grants, const Assignments& assignments,
                         std::string_view secret) {
  if (!program_->adopted()) return;
  const auto& tables = program_->tables();
  const MapReader maps{.rows =
                           [&tables](std::uint32_t first, std::uint32_t count) {
                             std::vector<std::uint16_t> owners(count);
                             for (std::uint32_t i = 0; i < count; ++i)
                               owners[i] = decode_row(tables.row(first + i)).cur;
                             return owners;
                           },
                       .target = [this, &tables](std::uint16_t index) -> std::optional<ServerTarget> {
                         const auto server = tables.server(index);
                         if (!server) return std::nullopt;
                         const auto slot = static_cast<std::uint16_t>(server->first & XDPLB_SERVER_EGRESS_MASK);
                         if ((tables.egress(slot).flags & XDPLB_EGRESS_LOCAL) != 0)
                           return ServerTarget{.mac = {}, .ifindex = 0, .is_local = true};
                         const std::uint32_t ifindex = publisher_.ifindex_of(slot);
                         if (ifindex == 0) return std::nullopt;
                         return ServerTarget{.mac = server->second, .ifindex = ifindex};
                       }};
  plan_ = restore_plan(config, admins, grants, assignments, maps, secret,
                       {.servers = XDPLB_MAX_SERVERS, .rows = XDPLB_MAX_ROWS, .options = XDPLB_MAX_OPTIONS});
}

Result<void> Forwarding::publish(Plan plan) {
  if (auto published = publisher_.publish(plan_, plan, next_scope_); !published) return published;
  next_scope_ = Publisher::Scope::kChanges;
  plan_ = std::move(plan);
  sweep_.set_plan(plan_);
  return {};
}

Result<void> Forwarding::sweep() {
  publisher_.settle();
  auto report = sweep_.sweep(publisher_.row_writer());
  if (!report) return report.error();
  last_sweep_ = std::move(*report);
  return {};
}

Result<void> Forwarding::force(const ServerPath& server) {
  const auto port = plan_.find(server.port);
  if (!port) return {};
  const auto* planned = port->server_named(server.server);
  return planned != nullptr ? sweep_.force(planned->index) : Result<void>();
}

Result<OutcomeSums> Forwarding::sum_outcomes(const ByFamily<std::uint16_t>& options) const {
  OutcomeSums sums{};
  for (const auto index : options) {
    if (index == 0) continue;
    const auto one = tables().read_outcomes(index);
    if (!one) return one.error();
    add(sums, *one);
  }
  return sums;
}

Result<OutcomeSums> Forwarding::port_outcomes(const PortPath& path) const {
  const auto port = plan_.find(path);
  if (!port) return fail(ErrorCode::kNotFound, fmt::format("port {}: there is none", path.to_string()));
  return sum_outcomes(port->options);
}

Result<OutcomeSums> Forwarding::cluster_outcomes(const std::string& name) const {
  const auto cluster = plan_.clusters.find(name);
  if (cluster == plan_.clusters.end())
    return fail(ErrorCode::kNotFound, fmt::format("cluster {}: there is none", name));
  return sum_outcomes(cluster->second.options);
}

Result<Forwarding::FlowTotals> Forwarding::port_totals(const PortPath& path) const {
  const auto port = plan_.find(path);
  if (!port) return fail(ErrorCode::kNotFound, fmt::format("port {}: there is none", path.to_string()));
  FlowTotals totals;
  for (const auto index : port->options) {
    if (index == 0) continue;
    totals.recorded += tables().state(index).recorded;
    totals.refused += tables().state(index).refused;
  }
  return totals;
}

}  // namespace xdplb
