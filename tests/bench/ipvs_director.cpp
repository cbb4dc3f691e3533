// SPDX-License-Identifier: GPL-2.0-only
#include "ipvs_director.h"

#include "frames.h"
#include "shell.h"

#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

namespace xdplb::bench {
namespace {

constexpr int kTableBits = 17;  // twice the connections of the load with the most

std::string service() { return fmt::format("-t 10.99.0.0:{}", kPort); }

std::string service_by(const std::string& scheduler) {
  // Maglev hashing knows the client's port only when told so; without it a client's connections are all one server's.
  return fmt::format("{} -s {}{}", service(), scheduler, scheduler == "mh" ? " -b mh-port" : "");
}

// Deleting a server deletes its connections, and the kernel does so behind our back.
Result<void> forget_connections() {
  if (Result<void> cleared = run_tool({"ipvsadm", "-C"}); !cleared) return cleared;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    std::ifstream table("/proc/net/ip_vs_conn");
    std::string title, connection;
    std::getline(table, title);
    if (!std::getline(table, connection)) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return fail(ErrorCode::kFailed, "bench: IPVS keeps connections of servers that are gone");
}

}  // namespace

Result<void> make_director() {
  const std::vector<std::vector<std::string>> modules = {
      {"ip_vs", fmt::format("conn_tab_bits={}", kTableBits)}, {"ip_vs_wlc"}, {"ip_vs_wrr"}, {"ip_vs_mh"}};
  for (std::vector<std::string> words : modules) {
    if (std::filesystem::exists("/sys/module/" + words.front())) continue;
    words.insert(words.begin(), "modprobe");
    if (Result<void> loaded = run_tool(words); !loaded) return loaded;
  }
  if (Result<void> added = run_ip("address add 10.99.0.0/32 dev lo\n"); !added) return added;
  for (const auto& [setting, value] : {std::pair{"ipv4/vs/conntrack", "0"},
                                       {"ipv4/vs/expire_nodest_conn", "1"},  // see forget_connections
                                       {"ipv4/vs/run_estimation", "0"},
                                       {"ipv4/ip_early_demux", "0"}}) {
    if (Result<void> written = write_setting(setting, value); !written) return written;
  }
  return run_tool({"ipvsadm", "-C"});
}

Result<void> schedule_by(const std::string& scheduler) {
  return run_tool({"ipvsadm", "-R"}, fmt::format("-E {}\n", service_by(scheduler)));
}

Result<void> serve_by(const std::string& scheduler, int servers) {
  if (Result<void> forgotten = forget_connections(); !forgotten) return forgotten;
  const std::string service = fmt::format("-t 10.99.0.0:{}", kPort);
  // Maglev hashing knows the client's port only when told so; without it a client's connections are all one server's.
  std::string rules = fmt::format("-A {} -s {}{}\n", service, scheduler, scheduler == "mh" ? " -b mh-port" : "");
  for (int i = 0; i < servers; ++i) rules += fmt::format("-a {} -r 203.0.113.{}:{} -g -w 1\n", service, i + 10, kPort);
  return run_tool({"ipvsadm", "-R"}, rules);
}

Result<IpvsCounts> ipvs_counts() {
  // A row of hexadecimal numbers for each CPU, below two lines of titles; then the sum, which estimation would write.
  std::ifstream file("/proc/net/ip_vs_stats_percpu");
  std::string line, processor;
  std::getline(file, line);
  std::getline(file, line);
  if (!file) return fail(ErrorCode::kFailed, "bench: /proc/net/ip_vs_stats_percpu has no titles");
  IpvsCounts counts;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::uint64_t connections = 0, packets = 0;
    if (!(words >> processor) || processor == "~" || !(words >> std::hex >> connections >> packets)) break;
    counts.connections += connections;
    counts.packets += packets;
  }
  return counts;
}

}  // namespace xdplb::bench
