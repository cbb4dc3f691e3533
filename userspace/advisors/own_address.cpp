// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/own_address.h"

#include <algorithm>

namespace xdplb {
namespace {

constexpr unsigned kAskAgainAfter = 10;  // failures
constexpr unsigned kPatience = 500;      // milliseconds

bool is_over_tcp(const AdvisorConfig& advisor) {
  switch (advisor.type) {
    case AdvisorType::kPing:
    case AdvisorType::kUdp:
    case AdvisorType::kExec:
    case AdvisorType::kComposite:
      return false;
    case AdvisorType::kDns:
      return advisor.dns.over_tcp;
    default:
      return true;
  }
}

void limit_patience(AdvisorConfig& advisor) {
  advisor.connect_timeout_ms = std::min(advisor.connect_timeout_ms, kPatience);
  advisor.receive_timeout_ms = std::min(advisor.receive_timeout_ms, kPatience);
  for (AdvisorConfig& one : advisor.checks) limit_patience(one);
}

}  // namespace

AdvisorConfig own_address_question(const AdvisorConfig& advisor) {
  AdvisorConfig question;
  if (is_over_tcp(advisor)) {
    question.connect_timeout_ms = advisor.connect_timeout_ms;
    question.receive_timeout_ms = advisor.receive_timeout_ms;
  } else {
    question = advisor;
  }
  limit_patience(question);
  return question;
}

OwnAddressJudge::Kind OwnAddressJudge::kind_of(const CheckResult& result) {
  switch (result.code) {
    case CheckCode::kL3Timeout:
    case CheckCode::kL3Unreachable:
    case CheckCode::kL4Timeout:
      return Kind::kSilent;
    case CheckCode::kL4Refused:
      // Only who was connected can be reset: the VIPA answered.
      return result.text == "connection reset" ? Kind::kOther : Kind::kRefused;
    default:
      return Kind::kOther;
  }
}

bool OwnAddressJudge::must_ask(const CheckResult& result) {
  if (result.ok()) {
    *this = {};
    return false;
  }
  const Kind kind = kind_of(result);
  if (kind == Kind::kOther) return false;  // the VIPA answered, or nothing was sent
  const bool is_due = failures_ % kAskAgainAfter == 0 || kind != asked_;
  ++failures_;
  if (!is_due) return false;
  asked_ = kind;
  is_there_ = false;
  return true;
}

void OwnAddressJudge::answer(const IpAddress& own, bool is_there) {
  own_ = own;
  is_there_ = is_there;
}

void OwnAddressJudge::judge(CheckResult& result) const {
  const Kind kind = kind_of(result);
  if (!is_there_ || kind == Kind::kOther || kind != asked_) return;
  result.code = CheckCode::kL3NoVip;
  const std::string own = own_.to_string();
  if (kind == Kind::kSilent) {
    result.text = own + " answers, the VIPA does not: is it on the server's loopback?";
  } else if (result.text.empty() || result.text == "connection refused") {
    result.text = "listens on " + own + " only: connection refused at the VIPA";
  } else {
    result.text = clean_text(own + " answers, the VIPA does not: " + result.text);
  }
}

}  // namespace xdplb
