// SPDX-License-Identifier: GPL-2.0-only
#include "advisors/own_address.h"

#include <gtest/gtest.h>

#include <string>

namespace xdplb {
namespace {

const IpAddress kOwn = IpAddress::v4({192, 0, 2, 21});

CheckResult found(CheckCode code, const std::string& text = {}) {
  CheckResult result;
  result.code = code;
  result.text = text;
  return result;
}

class OwnAddress : public testing::Test {
 protected:
  // What a failure is reported as; the own address answers when asked, as `is_there` says.
  CheckResult report(CheckResult result, bool is_there) {
    if (judge_.must_ask(result)) {
      ++asked_;
      judge_.answer(kOwn, is_there);
    }
    judge_.judge(result);
    return result;
  }

  OwnAddressJudge judge_;
  int asked_ = 0;
};

TEST_F(OwnAddress, ThatAnswersMeansThatTheVipaIsMissing) {
  for (const CheckCode code : {CheckCode::kL3Timeout, CheckCode::kL3Unreachable, CheckCode::kL4Timeout}) {
    judge_ = {};
    const CheckResult result = report(found(code), true);
    EXPECT_EQ(result.code, CheckCode::kL3NoVip);
    EXPECT_EQ(result.text, "192.0.2.21 answers, the VIPA does not: is it on the server's loopback?");
  }
}

TEST_F(OwnAddress, ThatAnswersARefusalMeansThatTheServiceListensThereOnly) {
  const CheckResult result = report(found(CheckCode::kL4Refused, "connection refused"), true);
  EXPECT_EQ(result.code, CheckCode::kL3NoVip);
  EXPECT_EQ(result.text, "listens on 192.0.2.21 only: connection refused at the VIPA");
  EXPECT_EQ(report(found(CheckCode::kL4Refused, "No route to host"), true).text,
            "192.0.2.21 answers, the VIPA does not: No route to host");
}

TEST_F(OwnAddress, ThatIsSilentChangesNothing) {
  const CheckResult result = report(found(CheckCode::kL4Timeout, "no answer in 2 s"), false);
  EXPECT_EQ(result.code, CheckCode::kL4Timeout);
  EXPECT_EQ(result.text, "no answer in 2 s");
}

TEST_F(OwnAddress, IsAskedOfTheFirstFailureAndEveryTenthAfter) {
  for (int i = 0; i < 21; ++i) {
    EXPECT_EQ(report(found(CheckCode::kL4Timeout), true).code, CheckCode::kL3NoVip) << i;
    EXPECT_EQ(asked_, 1 + i / 10) << i;
  }
  report(found(CheckCode::kL4Ok), true);
  report(found(CheckCode::kL4Timeout), true);
  EXPECT_EQ(asked_, 4) << "after a success it is a first one again";
}

TEST_F(OwnAddress, IsAskedAnewOfAnotherKindOfFailure) {
  report(found(CheckCode::kL4Timeout), true);
  EXPECT_EQ(report(found(CheckCode::kL4Refused), false).code, CheckCode::kL4Refused);
  EXPECT_EQ(asked_, 2);
}

TEST_F(OwnAddress, IsNotAskedWhenTheVipaAnsweredOrNothingWasSent) {
  for (const CheckCode code : {CheckCode::kL7Status, CheckCode::kL7Timeout, CheckCode::kL6Response, CheckCode::kL2NoMac,
                               CheckCode::kSocketError}) {
    EXPECT_EQ(report(found(code), true).code, code);
  }
  EXPECT_EQ(report(found(CheckCode::kL4Refused, "connection reset"), true).code, CheckCode::kL4Refused);
  EXPECT_EQ(asked_, 0);
}

TEST(OwnAddressQuestion, IsAConnectionForServicesOverTcp) {
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kHttps;
  advisor.connect_timeout_ms = 300;
  const AdvisorConfig question = own_address_question(advisor);
  EXPECT_EQ(question.type, AdvisorType::kConnect);
  EXPECT_FALSE(question.use_tls);
  EXPECT_EQ(question.connect_timeout_ms, 300U);
  EXPECT_EQ(question.receive_timeout_ms, 500U);
}

TEST(OwnAddressQuestion, IsTheSameForOthersWithLessPatience) {
  AdvisorConfig advisor;
  advisor.type = AdvisorType::kComposite;
  advisor.checks.resize(1);
  advisor.checks[0].type = AdvisorType::kUdp;
  advisor.checks[0].udp.payload = "ping";
  AdvisorConfig question = own_address_question(advisor);
  EXPECT_EQ(question.checks[0].udp.payload, "ping");
  EXPECT_EQ(question.checks[0].receive_timeout_ms, 500U);
}

}  // namespace
}  // namespace xdplb
