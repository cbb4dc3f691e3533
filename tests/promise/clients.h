// SPDX-License-Identifier: GPL-2.0-only
// Clients with connections that must not notice anything: the oracle of who owns which flow.
#pragma once

#include "farm.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace xdplb::test {

// One connection, or one client's socket in UDP.
struct Connection {
  Frame frame;  // of a packet in its midst
  bool is_tcp = true;
  bool is_open = false;
  int owner = -1;           // server that got its first packet
  std::uint32_t heard = 0;  // tick of its last packet
};

class Clients {
 public:
  // ports     that connections are opened to
  // networks  many clients of few networks: affinity by a mask has something to do
  Clients(const std::vector<PortConfig>& ports, std::size_t count, std::uint64_t seed);

  // A packet of connection `number`: the first one opens it. False, with `complaint` set, when it went to another
  // server than the connection's own, although the connection was not silent for as long as its port remembers flows.
  //
  // now  a stamp read before; an older one makes the connection seem silent for longer
  bool talk(const Farm& farm, std::size_t number, std::uint32_t now);
  // FIN: over.
  void close(const Farm& farm, std::size_t number);
  // SYNs of clients that never come back.
  void flood(const Farm& farm, unsigned packets);

  // Those of a server that died: their end is no surprise.
  void forget_owner(int server);
  // Those silent for longer than the port remembers them.
  void forget_silent(std::uint32_t now, std::uint32_t stale_ticks);

  std::size_t count() const { return connections_.size(); }
  const Connection& at(std::size_t number) const { return connections_[number]; }
  std::size_t random_connection() { return random_() % connections_.size(); }
  std::uint64_t packets() const { return packets_; }
  std::uint64_t opened() const { return opened_; }
  const std::string& complaint() const { return complaint_; }

 private:
  std::vector<Connection> connections_;
  std::vector<PortConfig> ports_;
  std::mt19937_64 random_;
  std::uint64_t packets_ = 0;
  std::uint64_t opened_ = 0;
  std::string complaint_;
};

}  // namespace xdplb::test
