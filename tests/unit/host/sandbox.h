// SPDX-License-Identifier: GPL-2.0-only
// Network namespaces without a name for one test: they vanish with their last descriptor, whatever happens to the test.
#pragma once

#include "base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace xdplb {

inline FileDescriptor current_namespace() {
  return FileDescriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

class NetworkNamespace {
 public:
  // Makes a namespace; the thread stays where it is. Not open when the kernel refuses: errno tells why.
  static NetworkNamespace make() {
    FileDescriptor home = current_namespace();
    NetworkNamespace made;
    if (::unshare(CLONE_NEWNET) != 0) return made;
    made.fd_ = current_namespace();
    // Addresses are usable at once: duplicate address detection would take a second of each test.
    for (const char* key : {"accept_dad", "dad_transmits"}) {
      std::ofstream("/proc/sys/net/ipv6/conf/default/" + std::string(key)) << 0;
    }
    made.run("ip link set lo up");
    ::setns(home.get(), CLONE_NEWNET);
    return made;
  }

  bool is_open() const { return fd_.is_open(); }
  // What `ip link set DEV netns` takes.
  std::string path() const { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get()); }

  // Runs `action` inside; sockets it opens stay inside.
  template <typename Action>
  auto inside(const Action& action) const {
    struct Visit {
      explicit Visit(int fd) : home(current_namespace()) { ::setns(fd, CLONE_NEWNET); }
      ~Visit() { ::setns(home.get(), CLONE_NEWNET); }
      FileDescriptor home;
    } visit(fd_.get());
    return action();
  }

  // Shell commands inside; fails the test when one fails.
  void run(const std::string& commands) const {
    int status = inside([&] { return std::system(("set -e; " + commands).c_str()); });
    EXPECT_EQ(status, 0) << commands;
  }

  // What the commands print inside.
  std::string output(const std::string& commands) const {
    return inside([&] {
      std::string text;
      FILE* pipe = ::popen(commands.c_str(), "r");
      std::array<char, 256> part{};
      while (std::fgets(part.data(), part.size(), pipe) != nullptr) text += part.data();
      ::pclose(pipe);
      return text;
    });
  }

 private:
  FileDescriptor fd_;
};

// A dispatcher and a peer on one switch; tests add links.
class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    dispatcher_ = NetworkNamespace::make();
    if (!dispatcher_.is_open()) {
      GTEST_SKIP() << "needs root and network namespaces: unshare: " << std::strerror(errno);
    }
    lan_ = NetworkNamespace::make();
    lan_.run("ip link add br0 type bridge mcast_snooping 0; ip link set br0 up");
  }

  // A link from `name` in `owner` to a port of the switch named after it, both up and forwarding.
  void plug_in(const NetworkNamespace& owner, const std::string& name, const std::string& mac) const {
    lan_.run("ip link add port-" + name + " type veth peer name " + name + " address " + mac + " netns " +
             owner.path() + "; ip link set port-" + name + " master br0 up");
    owner.run("ip link set " + name + " up");
    await(owner, "ip link show " + name, "state UP");
    await(lan_, "bridge link show dev port-" + name, "state forwarding");
  }

  // Waits until the command prints the words.
  static void await(const NetworkNamespace& where, const std::string& command, const std::string& words) {
    where.run("timeout 5 sh -c \"until " + command + " | grep -q '" + words + "'; do :; done\"");
  }

  // Index of an interface.
  static std::uint32_t index_of(const NetworkNamespace& where, const std::string& name) {
    return where.inside([&] { return ::if_nametoindex(name.c_str()); });
  }

  // Runs the loop until `holds`; false when the deadline passes first.
  template <typename Condition>
  bool run_until(const Condition& holds, std::chrono::milliseconds deadline = std::chrono::seconds(8)) {
    auto end = std::chrono::steady_clock::now() + deadline;
    while (!holds()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      if (io_.stopped()) io_.restart();
      io_.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  NetworkNamespace dispatcher_;
  NetworkNamespace lan_;
  boost::asio::io_context io_;
};

inline double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace xdplb
