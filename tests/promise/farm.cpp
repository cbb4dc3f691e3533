// SPDX-License-Identifier: GPL-2.0-only
#include "farm.h"

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace xdplb::test {
namespace {

constexpr std::uint32_t kLoopback = 1;  // BPF_PROG_RUN says that frames come in by it
constexpr std::string_view kSecret = "the promise";

void must(const Result<void>& done) {
  if (!done) throw std::runtime_error(done.error().message);
}

IpAddress address_of(int server) { return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(100 + server)}); }
std::string name_of(int server) { return fmt::format("s{}", server); }

}  // namespace

Farm::Farm(std::vector<PortConfig> ports, std::uint32_t entries)
    : pin_dir_(fmt::format("/sys/fs/bpf/xdplb-promise-{}", ::getpid())), ports_(std::move(ports)), entries_(entries) {
  open();
}

Farm::~Farm() {
  if (program_ >= 0) ::close(program_);
  if (!forwarding_) return;
  EXPECT_TRUE(forwarding_->unpin());
}

MacAddress Farm::mac_of(int server, int generation) {
  return {{2, 0, 0, 1, static_cast<std::uint8_t>(generation), static_cast<std::uint8_t>(server)}};
}

Config Farm::config() const {
  Config config{
      .clusters = {
          {.name = "web", .addresses = {ip("192.0.2.10"), ip("192.0.2.11"), ip("2001:db8::10")}, .ports = ports_}}};
  for (auto& port : config.clusters[0].ports)
    for (const auto& [server, weight] : weights_)
      port.servers.push_back({.name = name_of(server), .address = address_of(server), .weight = weight});
  return config;
}

Surroundings Farm::host() const {
  Surroundings host;
  host.interfaces = {kLoopback};
  for (const auto& [server, generation] : generations_)
    host.targets[address_of(server)] = {.mac = mac_of(server, generation), .ifindex = kLoopback};
  for (const auto& [server, admin] : admins_)
    for (const auto& port : ports_)
      host.admins[{.port = {.cluster = "web", .port = port.port, .protocol = port.protocol},
                   .server = name_of(server)}] = admin;
  for (const auto& [server, grant] : grants_)
    for (const auto& port : ports_)
      host.grants[{.port = {.cluster = "web", .port = port.port, .protocol = port.protocol},
                   .server = name_of(server)}] = grant;
  return host;
}

void Farm::open() {
  auto opened = Forwarding::open(pin_dir_, {.entries = entries_});
  if (!opened) throw std::runtime_error(opened.error().message);
  forwarding_ = std::move(*opened);
  must(forwarding_->publisher().set_egress(kLoopback, mac_of(255, 255)));
  const int program = ::dup(forwarding_->program_descriptor());
  if (program_ < 0) {
    program_ = program;
  } else {
    // Senders in other threads go on with the descriptor they know, as an attached program would.
    ::close(program);
  }
}

void Farm::publish() {
  auto plan = forwarding_->make(config(), host(), kSecret);
  if (!plan) throw std::runtime_error(plan.error().message);
  must(forwarding_->publish(std::move(*plan)));
}

void Farm::restart() {
  // What a daemon that dies leaves: maps, program, and the numbers of its state file.
  const auto assignments = assignments_of(forwarding_->plan());
  forwarding_.reset();
  open();
  forwarding_->restore(config(), host().admins, host().grants, assignments, kSecret);
  forwarding_->recount_active();
  publish();
}

void Farm::add(int server, unsigned weight) {
  weights_[server] = weight;
  generations_.try_emplace(server, 0);
  publish();
}

void Farm::remove(int server) {
  weights_.erase(server);
  admins_.erase(server);
  grants_.erase(server);
  publish();
}

void Farm::reweigh(int server, unsigned weight) {
  weights_.at(server) = weight;
  publish();
}

void Farm::say(int server, Admin admin) {
  admins_[server] = admin;
  if (admin == Admin::kReady) admins_.erase(server);
  publish();
}

void Farm::grant(int server, bool is_in, unsigned weight) {
  grants_[server] = {.is_in = {is_in, is_in}, .weight = {weight, weight}};
  publish();
}

bool Farm::is_granted_in(int server) const {
  const auto found = grants_.find(server);
  return found == grants_.end() || found->second.is_in[0];
}

Admin Farm::admin_of(int server) const {
  const auto found = admins_.find(server);
  return found == admins_.end() ? Admin::kReady : found->second;
}

void Farm::force(int server) {
  for (const auto& port : ports_) {
    const PortPath path{.cluster = "web", .port = port.port, .protocol = port.protocol};
    must(forwarding_->force({.port = path, .server = name_of(server)}));
  }
}

void Farm::change_mac(int server) {
  generations_.at(server) = (generations_.at(server) + 1) % 250;
  publish();
}

void Farm::sweep() { must(forwarding_->sweep()); }

void Farm::pass(std::uint32_t ticks) { forwarding_->tables().settings().clock_offset += ticks; }

std::uint32_t Farm::now() const { return forwarding_->tables().now().value(); }

Sent Farm::send(const Frame& frame) const {
  std::array<std::uint8_t, 256> out{};
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = out.data();
  options.data_size_out = out.size();
  options.repeat = 1;
  if (bpf_prog_test_run_opts(program_, &options) != 0) throw std::runtime_error("BPF_PROG_RUN");
  Sent sent{.verdict = static_cast<int>(options.retval)};
  if (sent.verdict == XDP_TX) sent.server = out[5];
  return sent;
}

}  // namespace xdplb::test
