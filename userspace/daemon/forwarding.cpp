// SPDX-License-Identifier: GPL-2.0-only
#include "daemon/forwarding.h"

namespace xdplb {

Result<std::unique_ptr<Forwarding>> Forwarding::open(const std::filesystem::path& pin_dir) {
  auto program = Program::open(pin_dir);
  if (!program) return program.error();
  auto publisher = Publisher::open((*program)->tables());
  return std::unique_ptr<Forwarding>(new Forwarding(std::move(*program), std::move(publisher)));
}

void Forwarding::restore(const Config& config, const Assignments& assignments, std::string_view secret) {
  if (!program_->adopted()) return;
  const auto& tables = program_->tables();
  const MapReader maps{.rows =
                           [&tables](std::uint32_t first, std::uint32_t count) {
                             std::vector<std::uint16_t> owners(count);
                             for (std::uint32_t i = 0; i < count; ++i)
                               owners[i] = static_cast<std::uint16_t>(tables.row(first + i) & XDPLB_ROW_SERVER_MASK);
                             return owners;
                           },
                       .target = [this, &tables](std::uint16_t index) -> std::optional<ServerTarget> {
                         const auto server = tables.server(index);
                         const std::uint32_t ifindex = server ? publisher_.ifindex_of(server->first) : 0;
                         if (ifindex == 0) return std::nullopt;
                         return ServerTarget{.mac = server->second, .ifindex = ifindex};
                       }};
  plan_ = restore_plan(config, assignments, maps, secret, {.servers = XDPLB_MAX_SERVERS, .rows = XDPLB_MAX_ROWS});
}

Result<void> Forwarding::publish(Plan plan) {
  if (auto published = publisher_.publish(plan_, plan, next_scope_); !published) return published;
  next_scope_ = Publisher::Scope::kChanges;
  plan_ = std::move(plan);
  return {};
}

}  // namespace xdplb
