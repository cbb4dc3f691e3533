// SPDX-License-Identifier: GPL-2.0-only
// What many checks cost: connect probes of services on loopback, each on its own pace, in one thread as in the daemon.
//
// xdplb-advisor-load [CHECKS [INTERVAL_MS [SECONDS [SILENT_PERCENT]]]]
//
// Prints the CPU share of the scheduler's thread, how late probes began, and the memory of the process. Not a test: it
// measures time on whatever machine it runs.
#include "advisors/check_scheduler.h"
#include "advisors/probe_tools.h"
#include "base/file_descriptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace xdplb;
constexpr unsigned kPortsOfAServer = 4;

struct Plan {
  unsigned checks = 2000;
  unsigned interval_ms = 2000;
  unsigned seconds = 30;
  unsigned silent_percent = 0;
};

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

// Listens on all addresses.
FileDescriptor listen_somewhere(int backlog) {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) std::abort();
  if (::listen(fd.get(), backlog) != 0) std::abort();
  return fd;
}

// Services in a thread of their own, so that their cost is not counted.
class Services {
 public:
  Services() : thread_([this] { serve(); }) {}
  ~Services() {
    ends_ = true;
    thread_.join();
  }
  std::uint16_t port(unsigned number) const { return port_of(listeners_[number % kPortsOfAServer].get()); }

 private:
  void serve() {
    std::array<pollfd, kPortsOfAServer> waited{};
    for (unsigned i = 0; i < kPortsOfAServer; ++i)
      waited[i] = {.fd = listeners_[i].get(), .events = POLLIN, .revents = 0};
    while (!ends_) {
      ::poll(waited.data(), waited.size(), 100);
      for (const pollfd& one : waited) {
        while (FileDescriptor(::accept4(one.fd, nullptr, nullptr, SOCK_CLOEXEC)).is_open()) {
        }
      }
    }
  }

  std::array<FileDescriptor, kPortsOfAServer> listeners_{listen_somewhere(4096), listen_somewhere(4096),
                                                         listen_somewhere(4096), listen_somewhere(4096)};
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

// A port that takes no SYN: its queue is full.
class SilentPort {
 public:
  SilentPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (auto& client : clients_) {
      client = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
  }
  std::uint16_t port() const { return port_of(listener_.get()); }

 private:
  FileDescriptor listener_ = listen_somewhere(0);
  std::array<FileDescriptor, 4> clients_{};
};

std::vector<CheckScheduler::Wanted> make_checks(const Plan& plan, const Services& services, const SilentPort& silent) {
  std::vector<CheckScheduler::Wanted> wanted;
  for (unsigned i = 0; i < plan.checks; ++i) {
    const unsigned server = i / kPortsOfAServer;
    const bool is_silent = server % 100 < plan.silent_percent;
    CheckScheduler::Wanted one;
    one.check.advisor.interval_ms = plan.interval_ms;
    // All checks of a silent server have the same port: each gets an address of its own.
    const unsigned network = is_silent ? 1 + i % kPortsOfAServer : 1;
    one.check.server = IpAddress::v4({127, static_cast<std::uint8_t>(network), static_cast<std::uint8_t>(server >> 8),
                                      static_cast<std::uint8_t>(server & 0xff)});
    one.check.destination = one.check.server;
    one.check.port = is_silent ? silent.port() : services.port(i);
    one.check.name = "web/" + std::to_string(i % kPortsOfAServer) + "/s" + std::to_string(server);
    one.pace = pace_of(one.check.advisor);
    wanted.push_back(std::move(one));
  }
  return wanted;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long resident_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void run(const Plan& plan) {
  const Services services;
  const SilentPort silent;
  boost::asio::io_context io(1);
  ProbeTools tools(io);
  CheckScheduler scheduler(io, tools, {});
  unsigned long up = 0;
  unsigned long failed = 0;
  scheduler.on_result([&](const Check&, const CheckHealth& health, bool) { ++(health.last().ok() ? up : failed); });
  scheduler.set(make_checks(plan, services, silent));
  const double before = cpu_seconds();
  const auto began = std::chrono::steady_clock::now();
  io.run_for(std::chrono::seconds(plan.seconds));
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const double cpu = cpu_seconds() - before;
  const Lateness late = scheduler.lateness();
  std::printf("%u checks every %u ms, %u %% silent: %.0f probes/s, %lu up, %lu failed\n", plan.checks, plan.interval_ms,
              plan.silent_percent, static_cast<double>(late.probes) / wall, up, failed);
  std::printf(
      "cpu %.1f %% of a core (%.1f us a probe), latest %.1f ms = %.1f %% of its interval, peak memory %ld MiB\n",
      100 * cpu / wall, 1e6 * cpu / static_cast<double>(late.probes), static_cast<double>(late.worst.count()) / 1e3,
      100 * late.worst_of_interval, resident_kib() / 1024);
  scheduler.close();
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  const std::array<unsigned*, 4> fields = {&plan.checks, &plan.interval_ms, &plan.seconds, &plan.silent_percent};
  for (int i = 1; i < argc && i <= static_cast<int>(fields.size()); ++i) {
    *fields[static_cast<std::size_t>(i - 1)] = static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10));
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  run(plan);
  return 0;
}
