// SPDX-License-Identifier: GPL-2.0-only
// CheckScheduler: probes many targets again and again, each at its own pace, so many at a time, and reports.
#pragma once

#include "advisors/lateness.h"
#include "advisors/probe.h"
#include "model/health.h"

#include <boost/asio/io_context.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace xdplb {

// One check: a server through one destination. Equal checks of several ports are one.
struct Check {
  AdvisorConfig advisor{};
  IpAddress server{};       // the server's first address
  IpAddress destination{};  // the VIPA, or one of the server's own addresses
  std::uint16_t port = 0;
  std::string name{};  // of one server that it is for, "web/80/s1"; not part of its identity
  // Its identity: a text that is equal for checks that can be one, and over restarts. `pace` is no part of it.
  std::string key() const;
  // The same without what the advisor asks: who stays the same server when the definition changes.
  std::string subject() const;
};

// Not thread-safe: everything runs on the io_context's thread.
class CheckScheduler {
 public:
  struct Limits {
    // Probes at a time, a descriptor each. A server that is silent holds its places for its whole time limit: this is
    // at least the number of checks that may be silent at once without making the others late.
    unsigned in_flight = 1024;
    unsigned per_server = 4;  // of them to one server
  };
  // How a probe is made: probe(), in tests whatever stands for it. The arguments outlive the coroutine.
  using Prober = std::function<boost::asio::awaitable<CheckResult>(const AdvisorConfig&, const ProbeTarget&)>;

  // What is needed to send a probe now. Without a way: kL2NoMac or kSocketError, and why.
  struct Way {
    std::uint32_t mark = 0;
    CheckCode code = CheckCode::kNone;  // kNone: there is a way
    std::string why{};
  };
  // Asked for the server's own address, too, with it as the destination.
  using FindWay = std::function<Way(const Check&)>;
  // Which address of its own tells, after a failure through a VIPA, whether the server is there at all; nullopt: none.
  using OwnAddress = std::function<std::optional<IpAddress>(const Check&)>;
  // Before the state is changed: may it go down now? After a result: what changed.
  using CanFall = std::function<bool(const Check&)>;
  using OnResult = std::function<void(const Check&, const CheckHealth&, bool changed)>;

  // The io_context and the tools outlive every probe: it is destroyed or stopped before they go.
  CheckScheduler(boost::asio::io_context& io, ProbeTools& tools, Limits limits);
  CheckScheduler(boost::asio::io_context& io, Prober prober, Limits limits);
  ~CheckScheduler();
  CheckScheduler(const CheckScheduler&) = delete;
  CheckScheduler& operator=(const CheckScheduler&) = delete;

  void on_way(FindWay find_way);
  void on_own_address(OwnAddress own_address);
  void on_can_fall(CanFall can_fall);
  void on_result(OnResult handler);

  // The whole list. Checks that stay (by key) keep all they know; one whose definition changed (same subject) keeps its
  // state and is probed at once, the next result deciding alone; new ones start spread over their interval, those with
  // a `hurry` at once. What is not listed ends; a probe of it under way is dropped.
  struct Wanted {
    Check check;
    CheckPace pace;
    bool hurry = false;
    Health seed = Health::kUnknown;  // of a new one
  };
  void set(std::vector<Wanted> wanted);

  // Somebody has reason to doubt: probed at once unless it is under way.
  void hurry(const std::string& key);
  // nullptr when there is no such check.
  const CheckHealth* find(const std::string& key) const;

  // How late probes began against their plan.
  Lateness lateness() const;
  // Ends everything; no handler is called any more.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace xdplb
