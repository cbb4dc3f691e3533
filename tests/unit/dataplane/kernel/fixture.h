// SPDX-License-Identifier: GPL-2.0-only
// A loaded program, its maps and a publisher on them; root and a bpffs.
#pragma once

#include "dataplane/program.h"
#include "dataplane/publisher.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace xdplb {

inline constexpr std::string_view kSecret = "secret";
inline constexpr Capacity kCapacity{.servers = XDPLB_MAX_SERVERS, .rows = XDPLB_MAX_ROWS};
inline const PortPath kWeb{.cluster = "web", .port = 80, .protocol = Protocol::kTcp};

inline IpAddress address_of(int number) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(number)}); }
inline MacAddress mac_of(int number) { return {{2, 0, 0, 0, 1, static_cast<std::uint8_t>(number)}}; }

class DataplaneTest : public testing::Test {
 protected:
  DataplaneTest() : pin_dir(fmt::format("/sys/fs/bpf/xdplb-dataplane-test-{}", ::getpid())) {
    config.clusters.push_back({.name = "web",
                               .addresses = {IpAddress::v4({192, 0, 2, 10}), IpAddress::parse("2001:db8::10").value()},
                               .ports = {{.port = 80, .protocol = Protocol::kTcp, .servers = {}}}});
    host.interfaces = {ifindex};
    open();
  }
  ~DataplaneTest() override {
    if (!program) return;
    EXPECT_TRUE(program->unpin());
  }

  void open() {
    publisher.reset();
    program.reset();
    auto opened = Program::open(pin_dir, {.entries = 4096});
    ASSERT_TRUE(opened) << opened.error().message;
    program = std::move(*opened);
    publisher = std::make_unique<Publisher>(Publisher::open(program->tables()));
    ASSERT_TRUE(publisher->set_egress(ifindex, mac_of(200)));
  }
  void add(int number) {
    config.clusters[0].ports[0].servers.push_back(
        {.name = fmt::format("s{}", number), .address = address_of(number), .weight = 10, .family = {}});
    host.targets[address_of(number)] = {.mac = mac_of(number), .ifindex = ifindex};
  }
  void publish() {
    auto next = make_plan(plan, config, host, kSecret);
    ASSERT_TRUE(next) << next.error().message;
    const auto published = publisher->publish(plan, *next);
    ASSERT_TRUE(published) << published.error().message;
    plan = std::move(*next);
    expect_maps_hold_the_plan();
  }
  PortConfig& port() { return config.clusters[0].ports[0]; }
  const PlannedPort& web() const { return *plan.find(kWeb); }
  std::uint16_t index_of(const std::string& name) const {
    for (const auto& server : web().servers)
      if (server.config.name == name) return server.index;
    return 0;
  }
  void say(const std::string& name, Admin admin) { host.admins[{.port = kWeb, .server = name}] = admin; }
  // States of the IPv4 rows.
  std::vector<RowState> states() const {
    const auto& rows = *web().rows_of(Family::kV4);
    std::vector<RowState> states;
    for (std::uint32_t row = 0; row < rows.count(); ++row)
      states.push_back(decode_row(tables().row(rows.first_row + row)));
    return states;
  }
  long count_rows(const std::function<bool(const RowState&)>& matches) const {
    const auto all = states();
    return std::count_if(all.begin(), all.end(), matches);
  }
  // Writes an entry into the first free way of a bucket, as the program does. Returns its place.
  std::size_t write_entry(std::uint8_t kind, std::uint16_t server, std::uint32_t row, std::uint32_t state,
                          std::uint32_t stamp, const IpAddress& client = IpAddress::v4({203, 0, 113, 7}),
                          std::uint16_t client_port = 40000) {
    const auto bucket = next_entry / XDPLB_FLOW_WAYS;
    const auto way = next_entry % XDPLB_FLOW_WAYS;
    auto& detail = tables().flow_details()[next_entry];
    detail = {};
    std::memcpy(detail.client, client.bytes().data(), client.bytes().size());
    detail.client_port = static_cast<__be16>(__builtin_bswap16(client_port));
    detail.port = static_cast<__be16>(__builtin_bswap16(80));
    detail.protocol = 6;
    detail.family = client.is_v4() ? 4 : 6;
    detail.kind = kind;
    detail.row = row;
    detail.since = stamp;
    auto& flow = tables().flows()[bucket].ways[way];
    flow.tag = 1000 + next_entry;
    flow.value = std::uint64_t{stamp} << XDPLB_FLOW_STAMP_SHIFT | state << XDPLB_FLOW_STATE_SHIFT | server;
    return next_entry++;
  }
  bool has_entry(std::size_t place) const { return entry(place).tag != 0; }
  xdplb_flow& entry(std::size_t place) const {
    return tables().flows()[place / XDPLB_FLOW_WAYS].ways[place % XDPLB_FLOW_WAYS];
  }
  // Moves the program's clock on.
  void pass(std::uint32_t ticks) { tables().settings().clock_offset += ticks; }
  std::uint32_t now() const { return tables().now().value(); }
  std::size_t active_lines() const {
    const auto half = tables().half(tables().active_half());
    return static_cast<std::size_t>(
        std::count_if(half.begin(), half.end(), [](const xdplb_port& line) { return line.key.family != 0; }));
  }
  const KernelTables& tables() const { return program->tables(); }

  void expect_maps_hold_the_plan() const {
    EXPECT_EQ(active_lines(), port_lines(plan).size());
    for (const auto& [name, cluster] : plan.clusters) {
      for (const auto& [path, port] : cluster.ports) {
        for (const auto& server : port->servers) {
          const auto stored = tables().server(server.index);
          ASSERT_EQ(stored.has_value(), server.target.has_value()) << server.config.name;
          if (!stored) continue;
          EXPECT_EQ(stored->second, server.target->mac);
          EXPECT_EQ(stored->first & XDPLB_SERVER_FORSAKEN,
                    server.admin == Admin::kDrainNow ? XDPLB_SERVER_FORSAKEN : 0U);
        }
        for (const auto& rows : port->rows) {
          if (!rows) continue;
          for (std::uint32_t row = 0; row < rows->table.owners.size(); ++row) {
            const auto state = decode_row(tables().row(rows->first_row + row));
            ASSERT_EQ(state.cur, rows->table.owners[row]);
          }
        }
      }
    }
  }

  const std::uint32_t ifindex = ::if_nametoindex("lo");
  std::filesystem::path pin_dir;
  std::unique_ptr<Program> program;
  std::unique_ptr<Publisher> publisher;
  Config config;
  Surroundings host;
  Plan plan{kCapacity};
  std::size_t next_entry = 4;
};

}  // namespace xdplb
