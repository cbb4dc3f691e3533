// SPDX-License-Identifier: GPL-2.0-only
#include "server/facts_ruleset.h"

#include "server/nft_program.h"

#include <unistd.h>

namespace xdplb {
namespace {

constexpr std::size_t kMaxRuleset = 64UL * 1024 * 1024;

}  // namespace

Result<std::string> read_ruleset() {
  // nft without root says "ok, nothing" in some versions.
  if (::geteuid() != 0) return fail(ErrorCode::kPermission, "nft tells its rules to root only");
  return run_nft_program({"-j", "list", "ruleset"}, {}, kMaxRuleset);
}

}  // namespace xdplb
