// SPDX-License-Identifier: GPL-2.0-only
// OwnAddressJudge: tells a server without the VIPA on its loopback from one that is not there at all. Pure.
#pragma once

#include "model/advisor_config.h"
#include "model/check_result.h"
#include "net/address.h"

#include <cstdint>
#include <string>

namespace xdplb {

// What is asked of a server's own address after a failure of `advisor` through a VIPA: whether the service is there,
// within half a second, so that a dead server is found as fast as before. A connection for services over TCP that need
// no more, else the same question.
AdvisorConfig own_address_question(const AdvisorConfig& advisor);

// Of one check through a VIPA. Its own address is asked about after the first failure in a row, after every tenth
// following, and when the failures become of another kind; between, what it said holds.
class OwnAddressJudge {
 public:
  // A result came through the VIPA. True: ask the own address, then say answer().
  bool must_ask(const CheckResult& result);
  void answer(const IpAddress& own, bool is_there);
  // The result as it is reported: kL3NoVip where the own address answers and the VIPA does not.
  void judge(CheckResult& result) const;

 private:
  enum class Kind : std::uint8_t { kOther, kSilent, kRefused };
  static Kind kind_of(const CheckResult& result);

  unsigned failures_ = 0;      // in a row
  Kind asked_ = Kind::kOther;  // what the answer was about
  bool is_there_ = false;
  IpAddress own_{};
};

}  // namespace xdplb
