// SPDX-License-Identifier: GPL-2.0-only
// What the verifier of the running kernel makes of the program. XDPLB_VERIFIER_LOG names a file that keeps its log.
#include "dataplane/program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace xdplb {
namespace {

// Of the kernel (BPF_LOG_LEVEL1, BPF_LOG_STATS): the path it refuses, and how much it walked.
constexpr std::uint32_t kPathAndStatistics = 1 | 4;
constexpr std::uint32_t kMaxWalked = 1'000'000;  // BPF_COMPLEXITY_LIMIT_INSNS
constexpr std::size_t kLogBytes = 16U << 20;

void keep(const char* log) {
  const char* const file = std::getenv("XDPLB_VERIFIER_LOG");
  if (file != nullptr) std::ofstream(file) << log;
}

// "processed 123 insns" of the verifier's statistics.
std::uint32_t processed_in(const char* log) {
  constexpr const char* kWord = "processed ";
  const char* const found = std::strstr(log, kWord);
  return found ? static_cast<std::uint32_t>(std::strtoul(found + std::strlen(kWord), nullptr, 10)) : 0;
}

TEST(Verifier, WalksLessThanHalfOfWhatTheKernelAllows) {
  const auto object = Program::open_small();
  ASSERT_TRUE(object) << object.error().message;
  bpf_program* const dispatch = bpf_object__find_program_by_name(object->get(), "xdplb_dispatch");
  std::vector<char> log(kLogBytes);
  bpf_program__set_log_level(dispatch, kPathAndStatistics);
  bpf_program__set_log_buf(dispatch, log.data(), log.size());
  const int error = bpf_object__load(object->get());
  keep(log.data());
  ASSERT_EQ(error, 0) << log.data();

  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  ASSERT_EQ(bpf_obj_get_info_by_fd(bpf_program__fd(dispatch), &info, &length), 0);
  EXPECT_EQ(processed_in(log.data()), info.verified_insns) << log.data();
  EXPECT_GT(info.verified_insns, 0U);
  EXPECT_LT(info.verified_insns, kMaxWalked / 2);
  RecordProperty("verified_instructions", std::to_string(info.verified_insns));
}

}  // namespace
}  // namespace xdplb
