// SPDX-License-Identifier: GPL-2.0-only
// Claimants: when it is time to ask who else answers for a VIPA, and who did of late. Pure.
#pragma once

#include "model/config.h"
#include "net/address.h"

#include <chrono>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace xdplb {

class Claimants {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kInterval = std::chrono::seconds(60);  // between questions for one VIPA, and before the first
  static constexpr auto kMemory = std::chrono::seconds(130);   // two questions without an answer: it is over
  // A dispute is left to those who have it: a question would be one more frame that both sides answer.
  static constexpr auto kAfterClaim = std::chrono::seconds(30);

  // A machine that is no server of the VIPA's clusters.
  struct Stranger {
    MacAddress mac{};
    IpAddress vipa{};
    std::string interface {};  // where it was heard
    auto operator<=>(const Stranger&) const = default;
  };
  struct Leak {
    ServerPath server{};
    IpAddress vipa{};
    auto operator<=>(const Leak&) const = default;
  };

  // Whether to ask for a VIPA now; true counts as asked.
  //
  // owned_since  when this host began to answer for it
  // claimed_at   when another machine was heard to claim it last; absent: never
  bool is_due(const IpAddress& vipa, Clock::time_point owned_since, std::optional<Clock::time_point> claimed_at,
              Clock::time_point now);

  void note_server(const ServerPath& server, const IpAddress& vipa, Clock::time_point now);
  void note_stranger(const Stranger& stranger, Clock::time_point now);

  // Those heard within kMemory.
  std::vector<Leak> leaks(Clock::time_point now) const;
  std::vector<Stranger> strangers(Clock::time_point now) const;

 private:
  template <typename T>
  static void note(std::map<T, Clock::time_point>& book, const T& entry, Clock::time_point now);

  std::map<IpAddress, Clock::time_point> asked_{};
  std::map<Leak, Clock::time_point> leaks_{};
  std::map<Stranger, Clock::time_point> strangers_{};
};

}  // namespace xdplb
